/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_NOTIFY_H
#define SYSCALLS_NOTIFY_H

/*
 * Answers, in a thread of its own, for the kernel to processes under a policy: each call that the
 * filter does not allow by itself is told to it and waits for the answer (seccomp_unotify(2)), so
 * that none is missed, which the kernel's log would do. What the policy refuses is written down.
 *
 * This finds out what a policy lacks and is no wall: a process can change the memory that a call's
 * arguments point to, or its filter, after it was looked at.
 *
 * Order: notify_new(), notify_start(); notify_prepare() in the child that becomes COMMAND, right
 * before execve(2); notify_stop() when all is over.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/policy.h"
#include "syscalls/refusals.h"

struct notify_config {
	const struct policy *policy;
	struct refusals *refusals; /* the thread's until notify_stop() */
	/* The phase of process PID, called by the thread; NULL: they are all in phase 0. */
	uint32_t (*phase)(void *ctx, pid_t pid);
	void *ctx;
};

struct notify;

/* What CONFIG points to is borrowed until notify_free(). Returns 0 or a negative errno. */
int notify_new(struct notify **ret, const struct notify_config *config);

/* Makes the thread. Returns 0 or a negative errno. */
int notify_start(struct notify *notify);

/*
 * Installs the filter in this process, and sets no_new_privs. Allocates and locks nothing. Returns
 * 0 or a negative errno: -EBUSY where it is under a listener of somebody else's already.
 */
int notify_prepare(struct notify *notify);

/*
 * A descriptor, borrowed, that can be read from once the thread has ended: nobody is under the
 * filter any more, or there is an error, see notify_stop(). A process counts as long as nobody has
 * waited for it.
 */
int notify_over(const struct notify *notify);

/*
 * Ends the thread: whoever is still under the filter gets ENOSYS for what it does not allow.
 * Returns 0, or the negative errno for which the thread could not go on.
 */
int notify_stop(struct notify *notify);

void notify_free(struct notify *notify);

#endif /* SYSCALLS_NOTIFY_H */
