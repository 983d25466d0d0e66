/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POLICY_FLAT_H
#define SYSCALLS_POLICY_FLAT_H

/*
 * A policy without pointers: what a process without rights hands to one that has some, in memory
 * that both share. Texts are NUL-terminated, an empty one is none. Warnings are not part of it.
 */

#include <limits.h>

#include "syscalls/points.h"
#include "syscalls/policy.h"

#define POLICY_FLAT_ID 256

struct policy_flat_phase {
	char point[POINT_TEXT_SIZE];
	struct policy_set allowed;
	struct policy_set seen;
};

struct policy_flat {
	uint64_t nr_runs;
	uint32_t action;
	uint32_t native;
	uint32_t nr_phases;
	uint32_t nr_rules;
	uint32_t last[NR_SYSCALL_ARCHES];
	uint32_t has_arch[NR_SYSCALL_ARCHES];
	char exe[PATH_MAX];
	char build_id[POLICY_FLAT_ID];
	char exe_sha256[POLICY_FLAT_ID];
	struct policy_flat_phase phases[RECORDING_PHASES_MAX];
	struct policy_rule rules[POLICY_RULES_MAX];
};

/* Fills RET, zeros. Returns 0, or -E2BIG: a text is longer than any that is ever written. */
int policy_flatten(const struct policy *policy, struct policy_flat *ret);

/*
 * Makes a policy of FLAT, which may be anything but does not change meanwhile. What comes of it is
 * as sound as what policy_parse() makes. Returns 0, -ENOMEM or -EBADMSG.
 */
int policy_unflatten(const struct policy_flat *flat, struct policy **ret);

#endif /* SYSCALLS_POLICY_FLAT_H */
