/* SPDX-License-Identifier: MIT */
/* Rules about arguments, and calls that do the same without them. */
#include <string.h>

#include "syscalls/policy_private.h"

#define NAMES_MAX 8

static const char *const equals[][NAMES_MAX] = {
#define EQUAL(...) { __VA_ARGS__ },
#include "syscalls/equals.def"
#undef EQUAL
};

#define NR_EQUALS (sizeof(equals) / sizeof(equals[0]))

/* What a rule is about. */
struct subject {
	enum syscall_arch arch;
	uint32_t nr;
};

static bool is_named(const struct subject *call, const char *name)
{
	int nr = syscall_number(call->arch, name);

	return nr >= 0 && (uint32_t)nr == call->nr;
}

/* Whether any phase allows CALL; in *RET_SEEN, whether one does because it was recorded. */
static bool is_allowed(const struct policy *policy, const struct subject *call, bool *ret_seen)
{
	bool is_there = false;

	*ret_seen = false;
	for (size_t i = 0; i < policy->nr_phases; i++) {
		is_there |= policy_allows(policy, i, call->arch, call->nr);
		*ret_seen |= policy_set_has(&policy->phases[i].seen, call->arch, call->nr);
	}
	return is_there;
}

static void take_away(struct policy *policy, const struct subject *call)
{
	for (size_t i = 0; i < policy->nr_phases; i++) {
		policy_set_remove(&policy->phases[i].allowed, call->arch, call->nr);
		policy_set_remove(&policy->phases[i].seen, call->arch, call->nr);
	}
}

bool policy_falls_back(const struct policy *policy, enum syscall_arch arch, uint32_t nr)
{
	const struct subject call = { arch, nr };
	int clone = syscall_number(arch, "clone");

	return clone >= 0 && is_named(&call, "clone3") &&
	       policy_has_rule(policy, arch, (uint32_t)clone);
}

/* Whether each phase that allows clone3 allows clone, too: then it can do without. */
static bool has_clone(const struct policy *policy, const struct subject *clone3)
{
	int clone = syscall_number(clone3->arch, "clone");

	for (size_t i = 0; i < policy->nr_phases; i++)
		if (policy_allows(policy, i, clone3->arch, clone3->nr) &&
		    !policy_allows(policy, i, clone3->arch, (uint32_t)clone))
			return false;
	return true;
}

/* OTHER does what the call of RULE does, and has no rule. */
static void settle(struct policy *policy, const struct policy_rule *rule,
		   const struct subject *other)
{
	const char *name = syscall_name(other->arch, other->nr);
	bool is_native = other->arch == policy->native;
	bool is_seen;

	if (!is_allowed(policy, other, &is_seen))
		return;
	if (policy_falls_back(policy, other->arch, other->nr) && has_clone(policy, other)) {
		take_away(policy, other);
		if (is_seen)
			policy_note(&policy->warnings,
				    "'%s%s%s' was recorded, and fails with ENOSYS because of the "
				    "rule of 'clone': a filter does not see its flags, and C "
				    "libraries then call clone",
				    is_native ? "" : syscall_arch_name(other->arch),
				    is_native ? "" : ":", name);
		return;
	}
	if (!is_seen && !classes_has_need(name)) {
		take_away(policy, other);
		return;
	}
	policy_note(
		&policy->warnings,
		"'%s%s%s' is allowed with any arguments, and can do what the rule of '%s' is to "
		"prevent",
		is_native ? "" : syscall_arch_name(other->arch), is_native ? "" : ":", name,
		syscall_name((enum syscall_arch)rule->arch, rule->nr));
}

static bool holds(const char *const *names, const struct subject *call)
{
	for (size_t i = 0; i < NAMES_MAX && names[i]; i++)
		if (is_named(call, names[i]))
			return true;
	return false;
}

/* Whether an earlier rule is about the same call. */
static bool is_repeated(const struct policy *policy, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (policy->rules[i].arch == policy->rules[at].arch &&
		    policy->rules[i].nr == policy->rules[at].nr)
			return true;
	return false;
}

/* Looks at what is equal to the call of RULE, in every architecture. */
static void settle_rule(struct policy *policy, const struct policy_rule *rule,
			const char *const *names)
{
	const struct subject call = { (enum syscall_arch)rule->arch, rule->nr };

	if (!holds(names, &call))
		return;
	for (size_t i = 0; i < NAMES_MAX && names[i]; i++) {
		struct subject other = { .arch = call.arch };
		int nr = syscall_number(call.arch, names[i]);

		if (nr < 0 || is_named(&call, names[i]) ||
		    policy_has_rule(policy, call.arch, (uint32_t)nr))
			continue;
		other.nr = (uint32_t)nr;
		settle(policy, rule, &other);
	}
}

static bool lists(const char *const *names, const char *name)
{
	for (size_t i = 0; i < NAMES_MAX && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool policy_are_equal(const char *a, const char *b)
{
	for (size_t i = 0; i < NR_EQUALS; i++)
		if (lists(equals[i], a) && lists(equals[i], b))
			return true;
	return false;
}

void policy_settle_rules(struct policy *policy)
{
	for (size_t i = 0; i < policy->nr_rules; i++)
		for (size_t k = 0; k < NR_EQUALS && !is_repeated(policy, i); k++)
			settle_rule(policy, &policy->rules[i], equals[k]);
}
