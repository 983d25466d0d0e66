/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_FILTER_H
#define SYSCALLS_FILTER_H

/*
 * A phase of a policy as a classic BPF program for seccomp(2). What decides that a call is allowed
 * reads the architecture and the number alone, so that the kernel remembers it (Linux 5.11, the
 * bitmap of kernel/seccomp.c); arguments are read only below the call that has a rule.
 *
 * Calls of other architectures, and x32's among those of x86_64, kill the process whatever the
 * action is: their numbers mean other calls.
 */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/policy.h"

#define FILTER_MAX BPF_MAXINSNS /* 4096, linux/bpf_common.h */

struct filter_config {
	/* What becomes of a call that is not allowed; the policy's own action where it is < 0. */
	int action; /* enum policy_action */
	/*
	 * The program installs later phases itself: seccomp(2) of the native architecture stays
	 * allowed in all phases but the last.
	 */
	bool installs_itself;
	/* Of all that is not allowed, also of other architectures, and of execve, a listener is
	 * told. */
	bool tells_all;
};

/*
 * Compiles phase PHASE into RET. Returns the number of instructions, or -E2BIG.
 */
int filter_compile(const struct policy *policy, size_t phase, const struct filter_config *config,
		   struct sock_filter ret[static FILTER_MAX]);

/*
 * Installs a filter in this thread, with SECCOMP_FILTER_FLAG_TSYNC among FLAGS in all threads.
 * FLAGS are those of seccomp(2). The caller has set no_new_privs, or has CAP_SYS_ADMIN. Returns 0,
 * the descriptor of the listener where that was asked for, or a negative errno: -EBUSY where
 * another thread has a filter of its own.
 */
int filter_install(const struct sock_filter *filter, size_t nr, unsigned int flags);

#endif /* SYSCALLS_FILTER_H */
