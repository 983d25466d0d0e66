/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_READY_H
#define SYSCALLS_READY_H

/*
 * When COMMAND can be driven: at once when one of its processes listens; a moment after one waits
 * and none has listened, since a server may wait for something else first; and after five seconds
 * whatever it does.
 */

#include <stdbool.h>
#include <stdint.h>

#define READY_WAITED_NS UINT64_C(300000000)
#define READY_LATEST_NS UINT64_C(5000000000)

/* Zeroed at first. */
struct ready {
	uint64_t waits_since_ns;
	bool is_told;
};

/*
 * Whether it is ready now, NOW_NS after its start; true once. LISTENS, WAITS: a process has by now.
 */
bool ready_now(struct ready *ready, bool listens, bool waits, uint64_t now_ns);

#endif /* SYSCALLS_READY_H */
