/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_VERDICTS_H
#define TESTS_SUPPORT_VERDICTS_H

/*
 * Whether what a format makes of a policy answers as the policy does, for each number from 0 to 600
 * of x86_64, i386 and x32, and for some beyond. Failure ends the test program.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "syscalls/policy.h"

/* What a format says otherwise by its nature. */
enum verdicts_but {
	VERDICTS_SAME,
	VERDICTS_UNKNOWN_EPERM, /* EPERM also for numbers that are not known */
	VERDICTS_UNKNOWN_KILL,	/* these kill */
};

/* Policies of all kinds, for the caller to free: the I-th, or NULL after the last. */
struct policy *verdicts_sample(size_t i);

/* How many numbers of PHASE were compared; each of ANSWER's is SECCOMP_RET_*. */
size_t verdicts_compare(const struct policy *policy, size_t phase, enum verdicts_but but,
			uint32_t (*answer)(const void *ctx, const struct seccomp_data *data),
			const void *ctx);

/* The same for a filter. */
size_t verdicts_compare_filter(const struct policy *policy, size_t phase, enum verdicts_but but,
			       const struct sock_filter *filter, size_t nr);

/* What FORMAT makes of PHASE, for the caller to free, with a NUL behind it. */
char *verdicts_render(const struct policy *policy, const char *format, size_t phase,
		      size_t *ret_size);

#endif /* TESTS_SUPPORT_VERDICTS_H */
