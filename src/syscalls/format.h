/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_FORMAT_H
#define SYSCALLS_FORMAT_H

/* What the formats of policies share. */

#include <stdio.h>

#include "syscalls/policy.h"

/*
 * Writes foreign TEXT where comments are: what could end a comment or a line, or act on a terminal,
 * is a '?'.
 */
void format_text(FILE *out, const char *text);

/*
 * Writes what POLICY is, and its warnings, as lines of a comment that begin with PREFIX. PHASE is
 * the one that is rendered; SIZE_MAX: all.
 */
void format_head(FILE *out, const struct policy *policy, size_t phase, const char *prefix);

/*
 * Writes each of OWN, what this format alone has to be warned of, as the warnings of
 * format_head(), adds it to NOTES, and frees OWN.
 */
void format_own(FILE *out, struct policy_notes *own, const char *prefix,
		struct policy_notes *notes);

/*
 * The names that are allowed in PHASE, of all architectures together, as formats that are made of
 * names say them. What they cannot say goes to NOTES: calls without a name that libseccomp knows,
 * and names that allow a call of one architecture because another one's was seen.
 */
struct format_names {
	const char *list[NR_SYSCALL_ARCHES * SYSCALLS_MAX]; /* sorted, no two alike */
	size_t nr;
};
void format_names(const struct policy *policy, size_t phase, struct policy_notes *notes,
		  struct format_names *ret);

/* The names of the native architecture that are known and not allowed in PHASE. */
void format_others(const struct policy *policy, size_t phase, struct format_names *ret);

/*
 * The name of the call that has to fail with ENOSYS in PHASE whatever the action is, see
 * policy_falls_back(); NULL: there is none.
 */
const char *format_fallback(const struct policy *policy, size_t phase);

/*
 * The rules of the call NAME: how many; the I-th is in RET. They are the native architecture's, or,
 * where that does not allow it, those of the first other one that has some.
 */
size_t format_rules(const struct policy *policy, const char *name,
		    const struct policy_rule *ret[static POLICY_RULES_MAX]);

/* Whether a name is in NAMES. */
bool format_has(const struct format_names *names, const char *name);

#endif /* SYSCALLS_FORMAT_H */
