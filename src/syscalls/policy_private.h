/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POLICY_PRIVATE_H
#define SYSCALLS_POLICY_PRIVATE_H

/* What the files that make up policies share. */

#include "syscalls/policy.h"

/* Of the documents. */
#define POLICY_VERSION "1.0"

/* Values of arguments are read and shown as such. */
#define POLICY_ARGUMENTS 6

/* A policy with NR_PHASES phases that allow nothing. Returns 0 or -ENOMEM. */
int policy_new(struct policy **ret, size_t nr_phases);

/* Adds VALUE to those of RULE. Returns 0 or -E2BIG. */
int policy_rule_add(struct policy_rule *rule, uint64_t value);

/* Whether calls A and B can do the same: equals.def. */
bool policy_are_equal(const char *a, const char *b);

/* Whether libseccomp knows call NR by the same name, too. There is a policy. */
bool policy_can_name(enum syscall_arch arch, uint32_t nr);

/*
 * The highest number of ARCH that is known here: to this program and to the libseccomp that it is
 * linked with. Tables of this program may be newer; but formats that are made of names are read
 * with libseccomp, and could not say of a newer call that it fails with EPERM.
 */
uint32_t policy_last(enum syscall_arch arch);

/* How far a policy goes beyond what was recorded. */
enum classes_reach {
	CLASSES_EXACT,	  /* the always-list */
	CLASSES_DRIFT,	  /* another version of the same C library */
	CLASSES_PORTABLE, /* another C library */
};

struct classes_phase {
	enum classes_reach reach;
	bool is_native;	  /* the architecture of the machine */
	bool is_first;	  /* phase 0: the program is executed and starts in it */
	bool has_threads; /* one was seen in any phase */
};

/*
 * Adds to SET, which holds what was seen of ARCH in a phase, what is allowed besides. The more was
 * seen, the more is added, never less, so that phases that shrink do so afterwards.
 */
void classes_widen(struct policy_set *set, enum syscall_arch arch,
		   const struct classes_phase *phase);

/* Whether NAME is one of the calls that are allowed whatever was seen: start, end, threads. */
bool classes_has_need(const char *name);

/*
 * Adds what makes POLICY weaker, or less certain, than it looks, to its warnings: what it allows,
 * and how RECORDING was made.
 */
void policy_warn(struct policy *policy, const struct recording *recording);

#endif /* SYSCALLS_POLICY_PRIVATE_H */
