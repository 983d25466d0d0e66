/* SPDX-License-Identifier: MIT */
#include "syscalls/format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls/policy_private.h"

static const struct policy_format *const formats[] = {
#define FORMAT(name) &policy_format_##name,
#include "syscalls/formats.def"
#undef FORMAT
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct policy_format *policy_format_find(const char *name)
{
	for (size_t i = 0; i < NR_FORMATS; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

const struct policy_format *policy_format_at(size_t i)
{
	return i < NR_FORMATS ? formats[i] : NULL;
}

void format_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text < ' ' || *text > '~' || *text == '*' || *text == '\\' ? '?' : *text,
		      out);
}

/* " action, of 3 runs of '/usr/bin/x'" */
static void print_origin(FILE *out, const struct policy *policy)
{
	fprintf(out, "action %s, from %" PRIu64 " run%s", policy_action_name(policy->action),
		policy->nr_runs, policy->nr_runs == 1 ? "" : "s");
	if (policy->exe) {
		fputs(" of ", out);
		format_text(out, policy->exe);
	}
}

static void print_phase(FILE *out, const struct policy *policy, size_t phase)
{
	if (policy->nr_phases == 1)
		return;
	fprintf(out, "phase %zu of %zu", phase, policy->nr_phases);
	if (policy->phases[phase].point) {
		fputs(", from ", out);
		format_text(out, policy->phases[phase].point);
		fputs(" on", out);
	}
}

static void print_notes(FILE *out, const struct policy_notes *notes, const char *prefix)
{
	for (size_t i = 0; i < notes->nr; i++) {
		fprintf(out, "%swarning: ", prefix);
		format_text(out, notes->list[i]);
		fputc('\n', out);
	}
}

void format_head(FILE *out, const struct policy *policy, size_t phase, const char *prefix)
{
	fprintf(out, "%sMade by crypto-tracer " VERSION ": which system calls are allowed.\n",
		prefix);
	fputs(prefix, out);
	print_origin(out, policy);
	fputc('\n', out);
	if (policy->exe_sha256) {
		fprintf(out, "%ssha256 ", prefix);
		format_text(out, policy->exe_sha256);
		fputc('\n', out);
	}
	if (phase != SIZE_MAX && policy->nr_phases > 1) {
		fputs(prefix, out);
		print_phase(out, policy, phase);
		fputs("; this format has one phase\n", out);
	}
	print_notes(out, &policy->warnings, prefix);
}

void format_own(FILE *out, struct policy_notes *own, const char *prefix, struct policy_notes *notes)
{
	print_notes(out, own, prefix);
	for (size_t i = 0; i < own->nr; i++)
		policy_note(notes, "%s", own->list[i]);
	policy_notes_free(own);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts NAMES and leaves out what is there twice. */
static void sort(struct format_names *names)
{
	size_t kept = 0;

	qsort(names->list, names->nr, sizeof(names->list[0]), compare);
	for (size_t i = 0; i < names->nr; i++)
		if (kept == 0 || strcmp(names->list[kept - 1], names->list[i]) != 0)
			names->list[kept++] = names->list[i];
	names->nr = kept;
}

bool format_has(const struct format_names *names, const char *name)
{
	return bsearch(&name, names->list, names->nr, sizeof(names->list[0]), compare) != NULL;
}

/* How many calls of architectures of POLICY NAMES stand for that are not allowed. */
static void note_widened(const struct policy *policy, size_t phase,
			 const struct format_names *names, struct policy_notes *notes)
{
	struct policy_set widened = { 0 };
	char text[POLICY_NAMES_SIZE];

	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (size_t i = 0; policy->has_arch[arch] && i < names->nr; i++) {
			int nr = syscall_number((enum syscall_arch)arch, names->list[i]);

			if (nr >= 0 &&
			    !policy_allows(policy, phase, (enum syscall_arch)arch, (uint32_t)nr))
				policy_set_add(&widened, (enum syscall_arch)arch, (uint32_t)nr);
		}
	if (policy_set_count(&widened) == 0)
		return;
	policy_names(&widened, policy->native, text);
	policy_note(notes,
		    "names stand for the calls of all architectures here: allowed though never "
		    "seen are %s",
		    text);
}

void format_names(const struct policy *policy, size_t phase, struct policy_notes *notes,
		  struct format_names *ret)
{
	struct policy_set unnamed = { 0 };
	char text[POLICY_NAMES_SIZE];

	ret->nr = 0;
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (uint32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
			if (!policy_allows(policy, phase, (enum syscall_arch)arch, nr))
				continue;
			if (policy_can_name((enum syscall_arch)arch, nr))
				ret->list[ret->nr++] = syscall_name((enum syscall_arch)arch, nr);
			else
				policy_set_add(&unnamed, (enum syscall_arch)arch, nr);
		}
	sort(ret);
	if (policy_set_count(&unnamed) > 0) {
		policy_names(&unnamed, policy->native, text);
		policy_note(notes, "left out, since libseccomp here does not know them: %s", text);
	}
	note_widened(policy, phase, ret, notes);
}

void format_others(const struct policy *policy, size_t phase, struct format_names *ret)
{
	ret->nr = 0;
	for (uint32_t nr = 0; nr <= policy->last[policy->native] && nr < SYSCALLS_MAX; nr++)
		if (policy_can_name(policy->native, nr) &&
		    !policy_allows(policy, phase, policy->native, nr) &&
		    !policy_falls_back(policy, policy->native, nr))
			ret->list[ret->nr++] = syscall_name(policy->native, nr);
	sort(ret);
}

const char *format_fallback(const struct policy *policy, size_t phase)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		int nr = syscall_number((enum syscall_arch)arch, "clone3");

		if (nr >= 0 && policy->action != POLICY_LOG &&
		    policy_falls_back(policy, (enum syscall_arch)arch, (uint32_t)nr) &&
		    !policy_allows(policy, phase, (enum syscall_arch)arch, (uint32_t)nr))
			return "clone3";
	}
	return NULL;
}

/* The rules of call NUMBER of ARCH. */
static size_t rules_of(const struct policy *policy, enum syscall_arch arch, int number,
		       const struct policy_rule *ret[static POLICY_RULES_MAX])
{
	size_t nr = 0;

	for (size_t i = 0; number >= 0 && i < policy->nr_rules; i++)
		if (policy->rules[i].arch == arch && policy->rules[i].nr == (uint32_t)number)
			ret[nr++] = &policy->rules[i];
	return nr;
}

size_t format_rules(const struct policy *policy, const char *name,
		    const struct policy_rule *ret[static POLICY_RULES_MAX])
{
	int number = syscall_number(policy->native, name);
	size_t nr = rules_of(policy, policy->native, number, ret);

	/* what is allowed with any arguments here has none, whatever another architecture's has */
	if (number >= 0 && policy_allows(policy, 0, policy->native, (uint32_t)number))
		return nr;
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES && nr == 0; arch++)
		nr = rules_of(policy, (enum syscall_arch)arch,
			      syscall_number((enum syscall_arch)arch, name), ret);
	return nr;
}
