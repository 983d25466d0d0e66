/* SPDX-License-Identifier: MIT */
#ifndef TRACE_LATE_H
#define TRACE_LATE_H

/*
 * Attaching after the rights are gone. The hook that sees opens of 32-bit programs taxes every
 * system call of the host, so it is attached only when such a program runs, and by then this
 * process may not attach anything. A child made before loads that hook while its parent goes on,
 * keeps CAP_BPF and CAP_PERFMON and one ability: on a byte from its parent it attaches. It reads
 * nothing else and ends with its parent.
 */

#include <sys/types.h>

#include "trace/session.h"

struct late {
	pid_t pid; /* 0: none */
	int fd;	   /* to the child; -1: none */
	bool is_asked;
	bool is_attached;
};

/*
 * Starts the child. Call before privileges_drop() and after session_open(). Returns 0 or a negative
 * errno.
 */
int late_start(struct late *late, struct session *session);

/* Asks the child to attach, the first time; waits for its answer. Returns 0 or a negative errno. */
int late_attach(struct late *late);

/* Ends the child. Safe on one never started. */
void late_stop(struct late *late);

#endif /* TRACE_LATE_H */
