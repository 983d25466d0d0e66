/* SPDX-License-Identifier: MIT */
#ifndef CMD_POLICIES_H
#define CMD_POLICIES_H

/* The policy that commands are given with --policy: reading it, and what is wrong with it. */

#include "cmd/options.h"
#include "syscalls/policy.h"

/*
 * Reads the policy, and gives it the action of --action where there is one. Returns 0 or an exit
 * status, having said what is wrong. policy_free() ends it.
 */
int policies_read(const struct options *options, struct policy **ret);

/*
 * Says that the policy cannot be used for WHY, and what can be done, ACTION, which may be NULL.
 * Returns EXIT_ERROR.
 */
int policies_refuse(const struct options *options, const char *why, const char *action);

#endif /* CMD_POLICIES_H */
