/* SPDX-License-Identifier: MIT */
/*
 * A policy of minijail0(5): `NAME: 1`, `NAME: return ERRNO`, `NAME: arg0 == N || ...`. What is not
 * listed kills. It is about the native architecture alone; all others kill.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/format.h"
#include "syscalls/policy_private.h"

/* MAX_LINE_LENGTH of its parser is 1024, with the newline and the NUL. */
#define LINE_MAX_SIZE 1000

/*
 * Its parser reads numbers as signed ones, in which those from 2^63 on are the largest there is:
 * they have to be negative.
 */
static int print_value(FILE *out, uint8_t argument, uint64_t value)
{
	if (value > INT64_MAX)
		return fprintf(out, "arg%u == -%" PRIu64, argument, 0 - value);
	return fprintf(out, "arg%u == %" PRIu64, argument, value);
}

/* Its alternatives are of all rules together: each combination of values is one. */
static int print_rules(FILE *out, const struct policy *policy, const char *name,
		       const struct policy_rule *const *rules, size_t nr)
{
	int size = fprintf(out, "%s: ", name);
	size_t nr_entries = 1;

	for (size_t i = 0; i < nr && nr_entries <= LINE_MAX_SIZE; i++)
		nr_entries *= rules[i]->nr_values;
	for (size_t entry = 0; entry < nr_entries && size < LINE_MAX_SIZE; entry++) {
		size_t rest = entry;

		for (size_t i = 0; i < nr; i++) {
			const char *between = entry ? " || " : "";

			size += fprintf(out, "%s", i ? " && " : between);
			size += print_value(out, rules[i]->argument,
					    rules[i]->values[rest % rules[i]->nr_values]);
			rest /= rules[i]->nr_values;
		}
	}
	if (policy->action == POLICY_ERRNO)
		size += fprintf(out, "; return %d", EPERM);
	fputc('\n', out);
	return size < LINE_MAX_SIZE ? 0 : -E2BIG;
}

static void note_limits(const struct policy *policy, struct policy_notes *notes)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		if (policy->has_arch[arch] && arch != policy->native)
			policy_note(
				notes,
				"this format has one architecture: calls of %s, which were seen, "
				"kill",
				syscall_arch_name((enum syscall_arch)arch));
	if (policy->action == POLICY_ERRNO)
		policy_note(notes,
			    "calls that are not known yet kill in this format, and fail with "
			    "ENOSYS in others");
}

/* The names alone that are allowed in the native architecture. */
static void native_names(const struct policy *policy, size_t phase, struct policy_notes *notes,
			 struct format_names *ret)
{
	struct policy_set unnamed = { 0 };
	char text[POLICY_NAMES_SIZE];

	ret->nr = 0;
	for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
		const char *name = syscall_name(policy->native, nr);

		if (!policy_allows(policy, phase, policy->native, nr))
			continue;
		if (name)
			ret->list[ret->nr++] = name;
		else
			policy_set_add(&unnamed, policy->native, nr);
	}
	if (policy_set_count(&unnamed) == 0)
		return;
	policy_names(&unnamed, policy->native, text);
	policy_note(notes, "left out, since they have no name here: %s", text);
}

static int print_calls(FILE *out, const struct policy *policy, size_t phase,
		       struct format_names *names)
{
	const struct policy_rule *rules[POLICY_RULES_MAX];
	int err = 0;

	for (size_t i = 0; i < names->nr && !err; i++) {
		size_t nr = format_rules(policy, names->list[i], rules);

		if (nr > 0)
			err = print_rules(out, policy, names->list[i], rules, nr);
		else
			fprintf(out, "%s: 1\n", names->list[i]);
	}
	if (!err && format_fallback(policy, phase))
		fprintf(out, "%s: return %d\n", format_fallback(policy, phase), ENOSYS);
	if (err || policy->action != POLICY_ERRNO)
		return err;
	fprintf(out, "\n# Known, and refused.\n");
	format_others(policy, phase, names);
	for (size_t i = 0; i < names->nr; i++)
		fprintf(out, "%s: return %d\n", names->list[i], EPERM);
	return 0;
}

static int format_minijail_render(const struct policy *policy, size_t phase,
				  struct policy_notes *notes, char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_free) struct format_names *names = malloc(sizeof(*names));
	struct policy_notes own = { 0 };
	struct memory_text page;

	if (policy->action == POLICY_LOG || policy->action == POLICY_NOTIFY)
		return -EOPNOTSUPP;
	if (!names || memory_text_begin(&page))
		return -ENOMEM;
	native_names(policy, phase, &own, names);
	note_limits(policy, &own);
	format_head(page.out, policy, phase, "# ");
	format_own(page.out, &own, "# ", notes);
	fputc('\n', page.out);
	return memory_text_end(&page, print_calls(page.out, policy, phase, names), ret, ret_size);
}

const struct policy_format policy_format_minijail = {
	.name = "minijail",
	.help = "one phase as a policy of minijail0 -S",
	.render = format_minijail_render,
};
