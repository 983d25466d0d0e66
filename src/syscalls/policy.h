/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POLICY_H
#define SYSCALLS_POLICY_H

/*
 * A policy: which system calls a program may make, in each of its phases. All formats, and the
 * filters that are installed, are made from this one. All memory is the policy's.
 *
 * Always: phase 0 is there; a later phase never allows what an earlier one does not, since filters
 * can only be added; strings are valid UTF-8; calls of an architecture without has_arch are not
 * allowed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/pool.h"
#include "syscalls/numbers.h"
#include "syscalls/recording.h"

enum policy_action {
	POLICY_ERRNO, /* EPERM for calls that were known when it was made, ENOSYS for newer ones */
	POLICY_KILL,  /* the process */
	POLICY_LOG,
	POLICY_NOTIFY,
	NR_POLICY_ACTIONS,
};

/* As in options and files: "errno". */
const char *policy_action_name(enum policy_action action);

/* Of each architecture. A number from SYSCALLS_MAX on is never allowed. */
struct policy_set {
	uint64_t words[NR_SYSCALL_ARCHES][SYSCALLS_MAX / 64];
};

void policy_set_add(struct policy_set *set, enum syscall_arch arch, uint32_t nr);
void policy_set_remove(struct policy_set *set, enum syscall_arch arch, uint32_t nr);
bool policy_set_has(const struct policy_set *set, enum syscall_arch arch, uint32_t nr);
size_t policy_set_count(const struct policy_set *set);
/* Whether all of PART is in SET. */
bool policy_set_contains(const struct policy_set *set, const struct policy_set *part);

/*
 * Writes the names of the calls of SET, "i386:NAME" where they are not of NATIVE, "#N" without a
 * name; as many as fit, and how many more there are.
 */
#define POLICY_NAMES_SIZE 256
void policy_names(const struct policy_set *set, enum syscall_arch native,
		  char ret[static POLICY_NAMES_SIZE]);

/*
 * A call is allowed only with one of these values in one of its arguments (0 to 5), all 64 bits
 * of it. Of several rules of a call all have to hold.
 */
#define POLICY_VALUES_MAX 32
#define POLICY_RULES_MAX  64
struct policy_rule {
	uint32_t nr;
	uint8_t arch;
	uint8_t argument;
	uint8_t nr_values;
	uint64_t values[POLICY_VALUES_MAX]; /* ascending, no two alike */
};

struct policy_phase {
	const char *point; /* NULL for phase 0 */
	struct policy_set allowed;
	struct policy_set seen; /* what of that is there because it was recorded */
};

/* Sentences for people. They may hold foreign text: log_quote(). */
#define POLICY_NOTES_MAX 64
struct policy_notes {
	struct pool pool;
	const char *list[POLICY_NOTES_MAX];
	size_t nr;
};

/* Adds a sentence. What does not fit any more, also into memory, is left out. */
void policy_note(struct policy_notes *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void policy_notes_free(struct policy_notes *notes);

struct policy {
	struct pool pool;
	enum policy_action action;
	const char *exe, *build_id, *exe_sha256; /* of the program; NULL: not known */
	uint64_t nr_runs;			 /* that it was made from */
	/*
	 * The highest number that was known when it was made, policy_last(): what is above is newer
	 * than the policy, and refused as by a kernel that does not have it, policy_refusal().
	 */
	uint32_t last[NR_SYSCALL_ARCHES];
	bool has_arch[NR_SYSCALL_ARCHES]; /* others are killed */
	enum syscall_arch native;	  /* of the machine that it is for */
	struct policy_phase *phases;
	size_t nr_phases; /* 1 to RECORDING_PHASES_MAX */
	struct policy_rule rules[POLICY_RULES_MAX];
	size_t nr_rules;
	/* What makes it weaker, or less certain, than it looks. */
	struct policy_notes warnings;
};

struct policy_config {
	enum policy_action action;
	bool is_exact;	  /* what was seen and the always-list only */
	bool is_portable; /* also what other C libraries call instead */
};

/*
 * Makes a policy of RECORDING. Phase I allows what any node of phase I and later did, since filters
 * only take away, and what classes.def adds; a phase that allows no less than the one before is
 * left out, with a warning. Returns 0, -ENOMEM. policy_free() ends it.
 */
int policy_make(const struct recording *recording, const struct policy_config *config,
		struct policy **ret);
void policy_free(struct policy *policy);

/* Gives POLICY another action, and warns of what is to be known about that. */
void policy_set_action(struct policy *policy, enum policy_action action);

bool policy_allows(const struct policy *policy, size_t phase, enum syscall_arch arch, uint32_t nr);

/* Whether the rules of the call, if any, hold. */
bool policy_rules_hold(const struct policy *policy, enum syscall_arch arch, uint32_t nr,
		       const uint64_t args[static 6]);
bool policy_has_rule(const struct policy *policy, enum syscall_arch arch, uint32_t nr);

/*
 * What the kernel answers to a call that is not allowed, with POLICY_ERRNO. -EPERM: it was known
 * when the policy was made. -ENOSYS: it is newer, or none; libraries then do without it, by calls
 * that were there when the program was recorded, where they take EPERM for the answer to what they
 * asked (runc issue 2151).
 */
int policy_refusal(const struct policy *policy, enum syscall_arch arch, uint32_t nr);

/*
 * Adds the rule TEXT, "CALL:N=V[,V...]", for each architecture that allows CALL. Values are decimal
 * or hexadecimal, negative ones too. A second rule for the same argument adds to its values.
 * Returns 0, or -EINVAL with what is wrong in RET_WHAT.
 */
#define POLICY_WHAT_SIZE 256
int policy_add_rule(struct policy *policy, const char *text,
		    char ret_what[static POLICY_WHAT_SIZE]);

/*
 * To be called when all rules are there: what can do the same as a call with a rule is taken out
 * where it was not recorded, and else warned of. clone3 is taken out in any case,
 * policy_falls_back().
 */
void policy_settle_rules(struct policy *policy);

/*
 * Whether the call, which is not allowed, is clone3 beside a rule of clone. It then fails with
 * ENOSYS under every action but POLICY_LOG, for which C libraries have clone: its flags are behind
 * a pointer, where no filter sees them (clone(2); glibc since 2.34, sysdeps/unix/sysv/linux/
 * clone-internal.c).
 */
bool policy_falls_back(const struct policy *policy, enum syscall_arch arch, uint32_t nr);

/*
 * Reads a policy, `--format json`, of SIZE bytes, which may be anything. Returns 0; -ENOMEM; or,
 * with what is wrong in *RET_WHAT, a static string, -EBADMSG, -ENOMSG: it is something else.
 */
int policy_parse(const char *bytes, size_t size, struct policy **ret, const char **ret_what);

/*
 * Reads the policy in the file FD, which is taken over and may be the negative errno for which it
 * could not be opened. Returns 0, or a negative errno with what is wrong, for people, in RET_WHAT.
 */
int policy_read(int fd, struct policy **ret, char ret_what[static POLICY_WHAT_SIZE]);

/*
 * Whether the program open at FD, borrowed, is the one that POLICY was made for. Returns 1 or 0;
 * -ENODATA: the policy does not say; or the negative errno of reading.
 */
int policy_is_of(const struct policy *policy, int fd);

/* A format: one file in src/syscalls, format_NAME.c, and one line in formats.def. */
struct policy_format {
	const char *name;
	const char *help;
	bool has_phases; /* all phases are said in it; PHASE counts for nothing */
	/*
	 * Renders phase PHASE of POLICY into *RET for the caller to free. What the format cannot
	 * say is added to NOTES. Returns 0 or a negative errno; -E2BIG: it is too much for it.
	 */
	int (*render)(const struct policy *policy, size_t phase, struct policy_notes *notes,
		      char **ret, size_t *ret_size);
};

#define FORMAT(name) extern const struct policy_format policy_format_##name;
#include "syscalls/formats.def"
#undef FORMAT

/* The format called NAME, or NULL. */
const struct policy_format *policy_format_find(const char *name);

/* The I-th, or NULL after the last. */
const struct policy_format *policy_format_at(size_t i);

#endif /* SYSCALLS_POLICY_H */
