/* SPDX-License-Identifier: MIT */
#include "syscalls/policy.h"

#include <errno.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls/policy_private.h"

#define NOTE_SIZE 512

/* What policy_can_name() tells, since the first policy_new(). */
static struct policy_set nameable;
static bool has_nameable;

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[NR_POLICY_ACTIONS] = {
		[POLICY_ERRNO] = "errno",
		[POLICY_KILL] = "kill",
		[POLICY_LOG] = "log",
		[POLICY_NOTIFY] = "notify",
	};

	return names[action];
}

void policy_set_add(struct policy_set *set, enum syscall_arch arch, uint32_t nr)
{
	if (nr < SYSCALLS_MAX)
		set->words[arch][nr / 64] |= UINT64_C(1) << nr % 64;
}

void policy_set_remove(struct policy_set *set, enum syscall_arch arch, uint32_t nr)
{
	if (nr < SYSCALLS_MAX)
		set->words[arch][nr / 64] &= ~(UINT64_C(1) << nr % 64);
}

bool policy_set_has(const struct policy_set *set, enum syscall_arch arch, uint32_t nr)
{
	return nr < SYSCALLS_MAX && set->words[arch][nr / 64] >> nr % 64 & 1;
}

size_t policy_set_count(const struct policy_set *set)
{
	size_t nr = 0;

	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (size_t i = 0; i < SYSCALLS_MAX / 64; i++)
			nr += (size_t)__builtin_popcountll(set->words[arch][i]);
	return nr;
}

bool policy_set_contains(const struct policy_set *set, const struct policy_set *part)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (size_t i = 0; i < SYSCALLS_MAX / 64; i++)
			if (part->words[arch][i] & ~set->words[arch][i])
				return false;
	return true;
}

void policy_note(struct policy_notes *notes, const char *format, ...)
{
	char text[NOTE_SIZE];
	const char *kept;
	va_list args;

	if (notes->nr == POLICY_NOTES_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kept = pool_text(&notes->pool, text, strlen(text));
	notes->list[notes->nr++] = kept ? kept : "a warning was lost for want of memory";
}

void policy_notes_free(struct policy_notes *notes)
{
	pool_free(&notes->pool);
	*notes = (struct policy_notes){ 0 };
}

/* The architecture as libseccomp has it. */
static uint32_t token_of(enum syscall_arch arch)
{
	static const uint32_t tokens[NR_SYSCALL_ARCHES] = {
		[SYSCALL_ARCH_x86_64] = SCMP_ARCH_X86_64,
		[SYSCALL_ARCH_i386] = SCMP_ARCH_X86,
		[SYSCALL_ARCH_x32] = SCMP_ARCH_X32,
		[SYSCALL_ARCH_arm64] = SCMP_ARCH_AARCH64,
	};

	return tokens[arch];
}

/*
 * Whether libseccomp has the name of call NR, which is NAME. Returns 1, 0 or -ENOMEM: it answers
 * with a copy.
 */
static int is_named(enum syscall_arch arch, uint32_t nr, const char *name)
{
	/* of x32 it takes numbers with the bit */
	int number = (int)(arch == SYSCALL_ARCH_x32 ? nr | SYSCALL_X32_BIT : nr);
	char *known;
	bool is_same;

	errno = 0;
	known = seccomp_syscall_resolve_num_arch(token_of(arch), number);
	if (!known)
		return errno == ENOMEM ? -ENOMEM : 0;
	is_same = strcmp(known, name) == 0;
	free(known);
	return is_same;
}

/*
 * Finds out, once, which calls it can name: later nobody could be told that there was no memory to
 * ask. Returns 0 or -ENOMEM.
 */
static int names_find(void)
{
	struct policy_set found = { 0 };

	if (has_nameable)
		return 0;
	for (int arch = 0; arch < NR_SYSCALL_ARCHES; arch++) {
		for (uint32_t nr = 0; nr <= syscall_last((enum syscall_arch)arch); nr++) {
			const char *name = syscall_name((enum syscall_arch)arch, nr);
			int is_known = name ? is_named((enum syscall_arch)arch, nr, name) : 0;

			if (is_known < 0)
				return is_known;
			if (is_known)
				policy_set_add(&found, (enum syscall_arch)arch, nr);
		}
	}
	nameable = found;
	has_nameable = true;
	return 0;
}

int policy_new(struct policy **ret, size_t nr_phases)
{
	struct policy *policy;
	int err = names_find();

	if (err)
		return err;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	policy->native = SYSCALL_ARCH_x86_64;
	policy->phases = pool_take(&policy->pool, nr_phases * sizeof(*policy->phases));
	if (!policy->phases) {
		free(policy);
		return -ENOMEM;
	}
	policy->nr_phases = nr_phases;
	*ret = policy;
	return 0;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	policy_notes_free(&policy->warnings);
	pool_free(&policy->pool);
	free(policy);
}

bool policy_allows(const struct policy *policy, size_t phase, enum syscall_arch arch, uint32_t nr)
{
	return phase < policy->nr_phases && policy->has_arch[arch] &&
	       policy_set_has(&policy->phases[phase].allowed, arch, nr);
}

bool policy_can_name(enum syscall_arch arch, uint32_t nr)
{
	return policy_set_has(&nameable, arch, nr);
}

uint32_t policy_last(enum syscall_arch arch)
{
	uint32_t nr = syscall_last(arch);

	while (nr > 0 && !policy_can_name(arch, nr))
		nr--;
	return nr;
}

/*
 * A number without a name is answered as the kernel does, and so is one that libseccomp cannot
 * name, or formats that are made of names would not agree with those made of numbers.
 */
int policy_refusal(const struct policy *policy, enum syscall_arch arch, uint32_t nr)
{
	if (policy_falls_back(policy, arch, nr))
		return -ENOSYS;
	return nr <= policy->last[arch] && policy_can_name(arch, nr) ? -EPERM : -ENOSYS;
}

/* The first value of RULE that is VALUE or above. */
static size_t place_of(const struct policy_rule *rule, uint64_t value)
{
	size_t at = 0;

	while (at < rule->nr_values && rule->values[at] < value)
		at++;
	return at;
}

int policy_rule_add(struct policy_rule *rule, uint64_t value)
{
	size_t at = place_of(rule, value);

	if (at < rule->nr_values && rule->values[at] == value)
		return 0;
	if (rule->nr_values == POLICY_VALUES_MAX)
		return -E2BIG;
	memmove(&rule->values[at + 1], &rule->values[at],
		(rule->nr_values - at) * sizeof(rule->values[0]));
	rule->values[at] = value;
	rule->nr_values++;
	return 0;
}

bool policy_has_rule(const struct policy *policy, enum syscall_arch arch, uint32_t nr)
{
	for (size_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].arch == arch && policy->rules[i].nr == nr)
			return true;
	return false;
}

bool policy_rules_hold(const struct policy *policy, enum syscall_arch arch, uint32_t nr,
		       const uint64_t args[static 6])
{
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		size_t at;

		if (rule->arch != arch || rule->nr != nr)
			continue;
		at = place_of(rule, args[rule->argument]);
		if (at == rule->nr_values || rule->values[at] != args[rule->argument])
			return false;
	}
	return true;
}
