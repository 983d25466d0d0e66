/* SPDX-License-Identifier: MIT */
/*
 * A drop-in for a service, systemd.exec(5): SystemCallFilter= and what goes with it. Settings of
 * the unit itself are reset first, as filters would be merged with them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "syscalls/format.h"
#include "syscalls/policy_private.h"

#define WIDTH 96 /* of a line */

/* What is allowed without being listed. */
static const char *const defaults[] = {
#define DEFAULT(name) #name,
#include "syscalls/systemd.def"
#undef DEFAULT
};

/* Writes NAMES as one setting or more, which are merged, each beginning with SETTING. */
static void print_names(FILE *out, const char *setting, const struct format_names *names)
{
	size_t column = 0;

	for (size_t i = 0; i < names->nr; i++) {
		size_t size = strlen(names->list[i]);

		if (column == 0 || column + size + 1 > WIDTH) {
			fprintf(out, "%s%s%s", column ? "\n" : "", setting, names->list[i]);
			column = strlen(setting) + size;
		} else {
			fprintf(out, " %s", names->list[i]);
			column += size + 1;
		}
	}
	if (column > 0)
		fputc('\n', out);
}

/* Whether NAME is a call of an architecture of POLICY, and systemd will know it. */
static bool is_known(const struct policy *policy, const char *name)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		int nr = syscall_number((enum syscall_arch)arch, name);

		if (nr >= 0 && policy->has_arch[arch] &&
		    policy_can_name((enum syscall_arch)arch, (uint32_t)nr))
			return true;
	}
	return false;
}

/* What is allowed anyway and was not seen: to be taken away again. */
static void find_surplus(const struct policy *policy, const struct format_names *names,
			 struct format_names *ret)
{
	ret->nr = 0;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!format_has(names, defaults[i]) && is_known(policy, defaults[i]))
			ret->list[ret->nr++] = defaults[i];
}

static void print_arches(FILE *out, const struct policy *policy)
{
	fputs("SystemCallArchitectures=\nSystemCallArchitectures=native", out);
	if (policy->has_arch[SYSCALL_ARCH_i386] && policy->native != SYSCALL_ARCH_i386)
		fputs(" x86", out);
	if (policy->has_arch[SYSCALL_ARCH_x32])
		fputs(" x32", out);
	fputc('\n', out);
}

static void print_settings(FILE *out, const struct policy *policy, const struct format_names *names,
			   struct format_names *surplus)
{
	if (policy->action == POLICY_LOG) {
		fputs("SystemCallFilter=\nSystemCallLog=\n", out);
		print_names(out, "SystemCallLog=~", names);
		print_arches(out, policy);
		return;
	}
	fputs("SystemCallFilter=\n", out);
	print_names(out, "SystemCallFilter=", names);
	find_surplus(policy, names, surplus);
	print_names(out, "SystemCallFilter=~", surplus);
	fprintf(out, "SystemCallErrorNumber=%s\n",
		policy->action == POLICY_KILL ? "kill" : "EPERM");
	print_arches(out, policy);
}

static void note_limits(const struct policy *policy, struct policy_notes *notes)
{
	const struct policy_rule *last = NULL;

	if (policy->action == POLICY_ERRNO)
		policy_note(notes, "calls that are not known yet fail with EPERM in this format, "
				   "not with ENOSYS");
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		const char *name = syscall_name((enum syscall_arch)rule->arch, rule->nr);

		if (last && last->nr == rule->nr && last->arch == rule->arch)
			continue;
		last = rule;
		policy_note(notes,
			    "this format knows no arguments: '%s' is allowed whatever they are",
			    name ? name : "a call");
	}
}

/* What is to fail so that another call is made, whose arguments this format cannot say. */
static void add_fallback(const struct policy *policy, size_t phase, struct format_names *names)
{
	const char *name = format_fallback(policy, phase);
	size_t at = names->nr;

	if (!name || format_has(names, name))
		return;
	for (; at > 0 && strcmp(names->list[at - 1], name) > 0; at--)
		names->list[at] = names->list[at - 1];
	names->list[at] = name;
	names->nr++;
}

static int format_systemd_render(const struct policy *policy, size_t phase,
				 struct policy_notes *notes, char **ret, size_t *ret_size)
{
	_cleanup_(cleanup_free) struct format_names *names = malloc(sizeof(*names));
	_cleanup_(cleanup_free) struct format_names *surplus = malloc(sizeof(*surplus));
	struct policy_notes own = { 0 };
	struct memory_text page;

	if (policy->action == POLICY_NOTIFY)
		return -EOPNOTSUPP;
	if (!names || !surplus || memory_text_begin(&page))
		return -ENOMEM;
	format_names(policy, phase, &own, names);
	add_fallback(policy, phase, names);
	note_limits(policy, &own);
	format_head(page.out, policy, phase, "# ");
	format_own(page.out, &own, "# ", notes);
	fputs("# To be put into /etc/systemd/system/NAME.service.d/.\n\n[Service]\n", page.out);
	print_settings(page.out, policy, names, surplus);
	return memory_text_end(&page, 0, ret, ret_size);
}

const struct policy_format policy_format_systemd = {
	.name = "systemd",
	.help = "one phase as a drop-in for a service",
	.render = format_systemd_render,
};
