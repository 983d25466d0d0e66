/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_POLICIES_H
#define TESTS_SUPPORT_POLICIES_H

/* Recordings and policies for tests, made of names. Failure ends the test program. */

#include "syscalls/policy.h"
#include "syscalls/recording.h"

/*
 * A recording of /usr/bin/program with the phases that begin at POINTS, separated by spaces, and no
 * nodes yet but its command's, number 0, which has done nothing.
 */
struct recording *recording_made(const char *points);

/*
 * Adds CALLS to a node of phase PHASE that was started so: names between spaces, "i386:getpid" of
 * another architecture, "#450" without a name.
 */
void recording_did(struct recording *recording, enum node_start start, uint32_t phase,
		   const char *calls);

/* Ends run ID of what RECORDING has so far. */
void recording_ran(struct recording *recording, const char *id);

/* The policy of one run that made CALLS in phase 0 and is exact. */
struct policy *policy_made(const char *calls);

/* The policy of RECORDING, which is freed; POLICY_ERRNO. */
struct policy *policy_made_of(struct recording *recording, const struct policy_config *config);

/* Whether POLICY allows the call NAME of x86_64, or "i386:NAME", in PHASE. */
bool policy_takes(const struct policy *policy, size_t phase, const char *name);

/* Whether a warning has TEXT in it. */
bool policy_warns(const struct policy *policy, const char *text);

/* Whether a note has TEXT in it. */
bool notes_say(const struct policy_notes *notes, const char *text);

/* What the policy answers to a call, worked out from its sets alone: SECCOMP_RET_*. */
uint32_t policy_answer(const struct policy *policy, size_t phase, uint32_t audit, uint32_t number,
		       const uint64_t args[static 6]);

#endif /* TESTS_SUPPORT_POLICIES_H */
