/* SPDX-License-Identifier: MIT */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

/*
 * A process that waits until it is let go and then executes a program, with signals, limits and
 * descriptors as they are in the one that makes it. Signals that this one catches are not caught in
 * the program. It is never signalled.
 */

#include <sys/types.h>

struct spawned {
	pid_t pid;   /* 0: none */
	int pidfd;   /* readable when it has ended; -1: none, also where the kernel has none */
	int release; /* closing it ends the process; -1: none */
	int failure; /* gives the errno of an exec that failed; -1: none */
};

/*
 * Makes the process for ARGV, NULL at its end. PREPARE (may be NULL) is called with CTX in it when
 * it is let go; it returns 0 or the negative errno for which the program is not to be executed.
 * Returns 0 or a negative errno.
 */
int spawn(struct spawned *spawned, char *const *argv, int (*prepare)(void *ctx), void *ctx);

/*
 * Lets it go. Returns 0 when the program is executed, or the negative errno for which it could not
 * be: the process has ended then, with what wait(2) says in *RET_STATUS, which is spawn_failed();
 * -EPIPE: it had been ended before. SIGPIPE has to be ignored. Where it could not even be told it
 * waits until spawn_close().
 */
int spawn_release(struct spawned *spawned, int *ret_status);

/* The exit status of who could not execute a program for ERR, as shells have it: 127 for -ENOENT.
 */
int spawn_failed(int err);

/* Waits for its end. Returns 0 with what wait(2) says in *RET_STATUS, or a negative errno. */
int spawn_reap(struct spawned *spawned, int *ret_status);

/* Closes the descriptors. A process that was never let go ends. Safe on a zeroed one, and twice. */
void spawn_close(struct spawned *spawned);

#endif /* LIB_SPAWN_H */
