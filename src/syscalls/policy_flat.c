/* SPDX-License-Identifier: MIT */
#include "syscalls/policy_flat.h"

#include <errno.h>
#include <string.h>

#include "lib/utf8.h"
#include "syscalls/policy_private.h"

/* Copies TEXT, NULL is none, to SIZE bytes of zeros. */
static int put(char *out, size_t size, const char *text)
{
	if (!text)
		return 0;
	if (strlen(text) >= size)
		return -E2BIG;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int policy_flatten(const struct policy *policy, struct policy_flat *ret)
{
	int err = put(ret->exe, sizeof(ret->exe), policy->exe);

	if (!err)
		err = put(ret->build_id, sizeof(ret->build_id), policy->build_id);
	if (!err)
		err = put(ret->exe_sha256, sizeof(ret->exe_sha256), policy->exe_sha256);
	ret->nr_runs = policy->nr_runs;
	ret->action = (uint32_t)policy->action;
	ret->native = (uint32_t)policy->native;
	ret->nr_phases = (uint32_t)policy->nr_phases;
	ret->nr_rules = (uint32_t)policy->nr_rules;
	for (size_t i = 0; i < NR_SYSCALL_ARCHES; i++) {
		ret->last[i] = policy->last[i];
		ret->has_arch[i] = policy->has_arch[i];
	}
	for (size_t i = 0; !err && i < policy->nr_phases; i++) {
		struct policy_flat_phase *phase = &ret->phases[i];

		err = put(phase->point, sizeof(phase->point), policy->phases[i].point);
		phase->allowed = policy->phases[i].allowed;
		phase->seen = policy->phases[i].seen;
	}
	memcpy(ret->rules, policy->rules, policy->nr_rules * sizeof(ret->rules[0]));
	return err;
}

/* Whether TEXT, of SIZE bytes, ends and is UTF-8. */
static bool is_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	uint32_t rune = 0;

	for (size_t at = 0; at < length && rune != UTF8_INVALID;)
		at += utf8_decode(text + at, length - at, &rune);
	return length < size && rune != UTF8_INVALID;
}

/* Whether nothing is in SET of an architecture that FLAT does not have. */
static bool is_of_arches(const struct policy_flat *flat, const struct policy_set *set)
{
	for (size_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
		for (size_t i = 0; !flat->has_arch[arch] && i < SYSCALLS_MAX / 64; i++)
			if (set->words[arch][i])
				return false;
	return true;
}

static bool are_arches_sound(const struct policy_flat *flat)
{
	for (size_t i = 0; i < NR_SYSCALL_ARCHES; i++)
		if (flat->has_arch[i] > 1 || flat->last[i] >= SYSCALLS_MAX)
			return false;
	if (flat->native != SYSCALL_ARCH_x86_64 && flat->native != SYSCALL_ARCH_i386 &&
	    flat->native != SYSCALL_ARCH_arm64)
		return false;
	return flat->has_arch[flat->native] &&
	       (!flat->has_arch[SYSCALL_ARCH_x32] || flat->has_arch[SYSCALL_ARCH_x86_64]);
}

static bool are_phases_sound(const struct policy_flat *flat)
{
	if (flat->nr_phases == 0 || flat->nr_phases > RECORDING_PHASES_MAX)
		return false;
	for (size_t i = 0; i < flat->nr_phases; i++) {
		const struct policy_flat_phase *phase = &flat->phases[i];

		if (!is_text(phase->point, sizeof(phase->point)) || (i == 0) != !*phase->point ||
		    !is_of_arches(flat, &phase->allowed) ||
		    !policy_set_contains(&phase->allowed, &phase->seen))
			return false;
		if (i > 0 && !policy_set_contains(&flat->phases[i - 1].allowed, &phase->allowed))
			return false;
	}
	return true;
}

static bool is_rule_sound(const struct policy_flat *flat, const struct policy_rule *rule)
{
	if (rule->arch >= NR_SYSCALL_ARCHES || rule->argument >= POLICY_ARGUMENTS ||
	    rule->nr_values == 0 || rule->nr_values > POLICY_VALUES_MAX ||
	    !policy_set_has(&flat->phases[0].allowed, (enum syscall_arch)rule->arch, rule->nr))
		return false;
	for (size_t i = 1; i < rule->nr_values; i++)
		if (rule->values[i - 1] >= rule->values[i])
			return false;
	return true;
}

static bool are_rules_sound(const struct policy_flat *flat)
{
	if (flat->nr_rules > POLICY_RULES_MAX)
		return false;
	for (size_t i = 0; i < flat->nr_rules; i++) {
		const struct policy_rule *rule = &flat->rules[i];

		if (!is_rule_sound(flat, rule))
			return false;
		for (size_t j = 0; j < i; j++)
			if (flat->rules[j].arch == rule->arch && flat->rules[j].nr == rule->nr &&
			    flat->rules[j].argument == rule->argument)
				return false;
	}
	return true;
}

static bool is_sound(const struct policy_flat *flat)
{
	return flat->action < NR_POLICY_ACTIONS && are_arches_sound(flat) &&
	       are_phases_sound(flat) && are_rules_sound(flat) &&
	       is_text(flat->exe, sizeof(flat->exe)) &&
	       is_text(flat->build_id, sizeof(flat->build_id)) &&
	       is_text(flat->exe_sha256, sizeof(flat->exe_sha256));
}

/* A copy of TEXT that is POLICY's. Returns false when there is no memory. */
static bool keep(struct policy *policy, const char *text, const char **ret)
{
	*ret = *text ? pool_text(&policy->pool, text, strlen(text)) : NULL;
	return *ret || !*text;
}

static bool keep_texts(struct policy *policy, const struct policy_flat *flat)
{
	bool has_all = keep(policy, flat->exe, &policy->exe) &&
		       keep(policy, flat->build_id, &policy->build_id) &&
		       keep(policy, flat->exe_sha256, &policy->exe_sha256);

	for (size_t i = 0; has_all && i < flat->nr_phases; i++)
		has_all = keep(policy, flat->phases[i].point, &policy->phases[i].point);
	return has_all;
}

int policy_unflatten(const struct policy_flat *flat, struct policy **ret)
{
	struct policy *policy;

	if (!is_sound(flat))
		return -EBADMSG;
	if (policy_new(&policy, flat->nr_phases))
		return -ENOMEM;
	policy->action = (enum policy_action)flat->action;
	policy->nr_runs = flat->nr_runs;
	policy->native = (enum syscall_arch)flat->native;
	for (size_t i = 0; i < NR_SYSCALL_ARCHES; i++) {
		policy->last[i] = flat->last[i];
		policy->has_arch[i] = flat->has_arch[i];
	}
	for (size_t i = 0; i < flat->nr_phases; i++) {
		policy->phases[i].allowed = flat->phases[i].allowed;
		policy->phases[i].seen = flat->phases[i].seen;
	}
	memcpy(policy->rules, flat->rules, flat->nr_rules * sizeof(flat->rules[0]));
	policy->nr_rules = flat->nr_rules;
	if (!keep_texts(policy, flat)) {
		policy_free(policy);
		return -ENOMEM;
	}
	*ret = policy;
	return 0;
}
