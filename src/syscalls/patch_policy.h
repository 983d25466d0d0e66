/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_POLICY_H
#define SYSCALLS_PATCH_POLICY_H

/*
 * The filters of a program that installs them itself. They are those of its policy, with some
 * instructions in front that allow little more, and nothing more than it takes:
 *
 * - to install a filter with seccomp(2), in all phases but the last;
 * - that and prctl(PR_SET_NO_NEW_PRIVS) in all phases that may execute programs, since that may be
 *   the copy itself, which begins with these.
 *
 * With several phases each filter also tells which one it is of (patch_stub.h).
 */

#include <stdbool.h>

#include "syscalls/filter.h"
#include "syscalls/policy.h"

/* Instructions in front of a filter. */
#define PATCH_POLICY_MAX 16

/*
 * Compiles phase PHASE of POLICY, with ACTION as in struct filter_config. Returns the number of
 * instructions, or -E2BIG.
 */
int patch_policy_filter(const struct policy *policy, size_t phase, int action,
			struct sock_filter ret[static FILTER_MAX]);

/*
 * Takes execve(2) out of phase 0 where it is there only because `syscalls run` needs it: not
 * because the program was seen to call it. Returns whether it did.
 */
bool patch_policy_narrow(struct policy *policy);

/* Adds what is allowed besides to NOTES, in sentences for people. */
void patch_policy_note(const struct policy *policy, struct policy_notes *notes);

#endif /* SYSCALLS_PATCH_POLICY_H */
