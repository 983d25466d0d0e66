/* SPDX-License-Identifier: MIT */
/* Rules about the arguments of calls, as people type them. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls/policy_private.h"

#define NAME_SIZE  64
#define VALUE_SIZE 32

#define SIGN_BIT   UINT64_C(0x80000000)
#define HIGH_BITS  UINT64_C(0xffffffff00000000)

static const struct {
	const char *name, *kinds;
} prototypes[] = {
#define ARGUMENTS(name, kinds) { #name, kinds },
#include "syscalls/arguments.def"
#undef ARGUMENTS
};

/* What the arguments of call NAME are, or NULL. */
static const char *kinds_of(const char *name)
{
	for (size_t i = 0; i < sizeof(prototypes) / sizeof(prototypes[0]); i++)
		if (strcmp(prototypes[i].name, name) == 0)
			return prototypes[i].kinds;
	return NULL;
}

static int __attribute__((format(printf, 2, 3)))
wrong(char ret_what[static POLICY_WHAT_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_what, POLICY_WHAT_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

/* A rule on its way from its text. */
struct typed {
	char name[NAME_SIZE];
	unsigned int argument;
	char kind; /* of arguments.def */
	const char *values;
};

static int parse_head(const char *text, struct typed *ret, char ret_what[static POLICY_WHAT_SIZE])
{
	size_t size = strcspn(text, ":");
	const char *kinds;

	if (size == 0 || size >= sizeof(ret->name) || text[size] != ':' || text[size + 1] < '0' ||
	    text[size + 1] > '9' || text[size + 2] != '=')
		return wrong(ret_what, "not CALL:N=V[,V...]");
	memcpy(ret->name, text, size);
	ret->name[size] = '\0';
	ret->argument = (unsigned int)(text[size + 1] - '0');
	ret->values = text + size + 3;
	kinds = kinds_of(ret->name);
	if (!kinds)
		return wrong(ret_what, "what the arguments of that call are is not known");
	if (!*kinds)
		return wrong(ret_what, "'%s' has no arguments", ret->name);
	if (ret->argument >= strlen(kinds))
		return wrong(ret_what, "'%s' has %zu argument%s, counted from 0", ret->name,
			     strlen(kinds), strlen(kinds) == 1 ? "" : "s");
	ret->kind = kinds[ret->argument];
	if (ret->kind == 'p')
		return wrong(
			ret_what,
			"argument %u of '%s' is a pointer: a filter sees the address, not what "
			"is there%s",
			ret->argument, ret->name,
			strcmp(ret->name, "clone3") == 0 ? ". clone has its flags in argument 0"
							 : "");
	return 0;
}

/* Reads the value at *AT, and moves *AT behind it. */
static int parse_value(const char **at, uint64_t *ret)
{
	size_t size = strcspn(*at, ",");
	char text[VALUE_SIZE];
	bool is_negative = **at == '-';
	const char *digits = text + is_negative;
	char *end;

	if (size == 0 || size >= sizeof(text))
		return -EINVAL;
	memcpy(text, *at, size);
	text[size] = '\0';
	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoull(digits, &end, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
	if (errno || *end || (is_negative && *ret > (uint64_t)INT64_MAX + 1))
		return -EINVAL;
	if (is_negative)
		*ret = 0 - *ret;
	*at += size;
	return 0;
}

/*
 * Adds VALUE of an argument of KIND to RULE. The kernel does not look at the upper half of a
 * register that holds 32 bits, and C libraries fill it with zeros or with the sign: both are it.
 */
static int add_value(struct policy_rule *rule, uint64_t value, char kind)
{
	int err;

	if (kind != 'i')
		return policy_rule_add(rule, value);
	if ((value & HIGH_BITS) != 0 && ((value & HIGH_BITS) != HIGH_BITS || !(value & SIGN_BIT)))
		return -ERANGE;
	err = policy_rule_add(rule, value & ~HIGH_BITS);
	if (!err && value & SIGN_BIT)
		err = policy_rule_add(rule, value | HIGH_BITS);
	return err;
}

static int parse_values(const struct typed *typed, struct policy_rule *rule,
			char ret_what[static POLICY_WHAT_SIZE])
{
	const char *at = typed->values;

	for (;;) {
		uint64_t value;
		int err = parse_value(&at, &value);

		if (err)
			return wrong(ret_what, "not a number: '%s'", at);
		err = add_value(rule, value, typed->kind);
		if (err == -ERANGE)
			return wrong(ret_what, "argument %u of '%s' has 32 bits", typed->argument,
				     typed->name);
		if (err)
			return wrong(ret_what, "more than %d values", POLICY_VALUES_MAX);
		if (!*at)
			return 0;
		at++;
	}
}

/* The rule for the argument ARGUMENT of a call, made where there is none; NULL: too many. */
static struct policy_rule *rule_for(struct policy *policy, enum syscall_arch arch, uint32_t nr,
				    uint8_t argument)
{
	struct policy_rule *rule = policy->rules;

	for (size_t i = 0; i < policy->nr_rules; i++, rule++)
		if (rule->arch == arch && rule->nr == nr && rule->argument == argument)
			return rule;
	if (policy->nr_rules == POLICY_RULES_MAX)
		return NULL;
	policy->nr_rules++;
	*rule = (struct policy_rule){ .nr = nr, .arch = (uint8_t)arch, .argument = argument };
	return rule;
}

static int add_rule(struct policy *policy, const struct typed *typed, enum syscall_arch arch,
		    uint32_t nr, char ret_what[static POLICY_WHAT_SIZE])
{
	struct policy_rule *rule = rule_for(policy, arch, nr, (uint8_t)typed->argument);

	if (!rule)
		return wrong(ret_what, "more than %d rules", POLICY_RULES_MAX);
	return parse_values(typed, rule, ret_what);
}

/* Those of i386 that find their arguments in memory, arch/x86/kernel/sys_ia32.c and old_select. */
static bool is_indirect(enum syscall_arch arch, const char *name)
{
	return arch == SYSCALL_ARCH_i386 &&
	       (strcmp(name, "mmap") == 0 || strcmp(name, "select") == 0);
}

int policy_add_rule(struct policy *policy, const char *text, char ret_what[static POLICY_WHAT_SIZE])
{
	struct policy_rule before[POLICY_RULES_MAX];
	size_t nr_before = policy->nr_rules;
	bool is_allowed = false;
	struct typed typed = { 0 };
	int err = parse_head(text, &typed, ret_what);

	memcpy(before, policy->rules, sizeof(before));
	for (size_t arch = 0; !err && arch < NR_SYSCALL_ARCHES; arch++) {
		int nr = syscall_number((enum syscall_arch)arch, typed.name);

		if (nr < 0 || !policy_allows(policy, 0, (enum syscall_arch)arch, (uint32_t)nr))
			continue;
		if (is_indirect((enum syscall_arch)arch, typed.name)) {
			policy_note(&policy->warnings,
				    "'i386:%s' is allowed with any arguments: they are in memory, "
				    "where a filter does not see them",
				    typed.name);
			continue;
		}
		is_allowed = true;
		err = add_rule(policy, &typed, (enum syscall_arch)arch, (uint32_t)nr, ret_what);
	}
	if (!err && !is_allowed)
		err = wrong(ret_what, "'%s' is not allowed in any case", typed.name);
	if (err) {
		memcpy(policy->rules, before, sizeof(before));
		policy->nr_rules = nr_before;
	}
	return err;
}
