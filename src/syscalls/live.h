/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_LIVE_H
#define SYSCALLS_LIVE_H

/*
 * --live: a line for each call, when it returns:
 *
 *	[4711 redis-server] epoll_wait(0x5, 0x7f5a1c021000, 0x2710, 0x64) = 1
 *	[4711:4713 bio_aof] futex(0x5618, 0x189, 0x0, 0x0, 0x0, 0xffffffff) = -EAGAIN
 *	[4711 redis-server] exit_group(0x0) = ?
 *
 * The process, its thread where that is another one, the name; as many arguments as the call has,
 * and the six registers of one that is not known; the result, as the kernel gives it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "syscalls/engine.h"

#define LIVE_BUFFER_SIZE (64U << 10)

/* The longest line. */
#define LIVE_LINE_MAX 512

/* Too large for a stack. Zeroed, but for the first two. */
struct live {
	int fd;
	bool has_color;
	size_t size;
	char buffer[LIVE_BUFFER_SIZE];
};

/* Renders CALL as a line into OUT, LIVE_LINE_MAX bytes of it. Returns its size without a NUL. */
size_t live_render(const struct engine_call *call, bool has_color, char out[static LIVE_LINE_MAX]);

/* Prints CALL, or keeps it until there are more. Output that fails is let go. */
void live_print(struct live *live, const struct engine_call *call);

/* Prints what was kept. */
void live_flush(struct live *live);

#endif /* SYSCALLS_LIVE_H */
