/* SPDX-License-Identifier: MIT */
/* The policy as minijail0(5) says that it is read: a line is at most 1023 bytes, others kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>

#include "support/policies.h"
#include "support/verdicts.h"

#define LINE_MAX_SIZE 1023
#define RULE_SIZE     LINE_MAX_SIZE

struct rules {
	char calls[SYSCALLS_MAX][RULE_SIZE]; /* what is behind the colon; empty: not listed */
	size_t nr;
};

static void read_rules(const char *text, struct rules *ret)
{
	char *copy = strdup(text), *rest = copy, *line;

	assert_non_null(copy);
	memset(ret, 0, sizeof(*ret));
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');
		int nr;

		if (!*line || *line == '#')
			continue;
		assert_true(strlen(line) < LINE_MAX_SIZE);
		assert_non_null(colon);
		*colon = '\0';
		nr = syscall_number(SYSCALL_ARCH_x86_64, line);
		assert_true(nr >= 0);
		assert_int_equal(colon[1], ' ');
		/* listed twice, the first one would win */
		assert_string_equal(ret->calls[nr], "");
		snprintf(ret->calls[nr], RULE_SIZE, "%s", colon + 2);
		ret->nr++;
	}
	free(copy);
}

/* "arg1 == 5" */
static bool atom_holds(const char *atom, const struct seccomp_data *data)
{
	unsigned int argument;
	char value[32];
	int size;

	assert_int_equal(sscanf(atom, " arg%u == %31s %n", &argument, value, &size), 2);
	assert_true(argument < 6);
	/* as strtol(3) reads it: beyond its ends is at its ends */
	return data->args[argument] == (uint64_t)strtol(value, NULL, 0);
}

static bool expression_holds(char *expression, const struct seccomp_data *data)
{
	bool holds = false;
	char *group;

	while (expression && (group = expression)) {
		bool all = true;
		char *end = strstr(group, "||");

		expression = end ? end + 2 : NULL;
		if (end)
			*end = '\0';
		while (group) {
			char *next = strstr(group, "&&");

			if (next)
				*next = '\0';
			all &= atom_holds(group, data);
			group = next ? next + 2 : NULL;
		}
		holds |= all;
	}
	return holds;
}

static uint32_t refusal(const char *text)
{
	int error;

	assert_int_equal(sscanf(text, " return %d", &error), 1);
	return SECCOMP_RET_ERRNO | (uint32_t)error;
}

static uint32_t answer(const void *ctx, const struct seccomp_data *data)
{
	const struct rules *rules = ctx;
	uint32_t nr = (uint32_t)data->nr;
	char rule[RULE_SIZE], *semicolon;

	if (data->arch != AUDIT_ARCH_X86_64 || nr >= SYSCALLS_MAX || !rules->calls[nr][0])
		return SECCOMP_RET_KILL_PROCESS;
	memcpy(rule, rules->calls[nr], sizeof(rule));
	if (strcmp(rule, "1") == 0)
		return SECCOMP_RET_ALLOW;
	if (strncmp(rule, "return", 6) == 0)
		return refusal(rule);
	semicolon = strchr(rule, ';');
	if (semicolon)
		*semicolon = '\0';
	if (expression_holds(rule, data))
		return SECCOMP_RET_ALLOW;
	return semicolon ? refusal(semicolon + 1) : SECCOMP_RET_KILL_PROCESS;
}

static struct rules rules;

static void test_jails_are_under_the_policy(void **state)
{
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		bool can_be_said = policy->action == POLICY_ERRNO || policy->action == POLICY_KILL;

		for (size_t phase = 0; can_be_said && phase < policy->nr_phases; phase++) {
			char *text = verdicts_render(policy, "minijail", phase, NULL);

			read_rules(text, &rules);
			nr_compared += verdicts_compare(policy, phase, VERDICTS_UNKNOWN_KILL,
							answer, &rules);
			free(text);
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 9 * 4 * 601);
}

static uint32_t answer_to(const char *name, uint64_t first, uint64_t second)
{
	const struct seccomp_data data = {
		.nr = syscall_number(SYSCALL_ARCH_x86_64, name),
		.arch = AUDIT_ARCH_X86_64,
		.args = { first, second },
	};

	return answer(&rules, &data);
}

static void test_rules_are_expressions(void **state)
{
	struct policy *policy = policy_made("read ioctl lseek socket execve");
	char what[POLICY_WHAT_SIZE], *text;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "lseek:1=1,4294967297,-1", what), 0);
	assert_int_equal(policy_add_rule(policy, "socket:0=1,2", what), 0);
	assert_int_equal(policy_add_rule(policy, "socket:1=1,5", what), 0);
	text = verdicts_render(policy, "minijail", 0, NULL);
	read_rules(text, &rules);
	free(text);
	assert_int_equal(answer_to("lseek", 7, 1), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to("lseek", 7, UINT64_C(0x100000001)), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to("lseek", 7, UINT64_MAX), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to("lseek", 7, 2), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer_to("lseek", 7, INT64_MAX), SECCOMP_RET_ERRNO | EPERM);
	for (uint64_t i = 0; i < 4; i++)
		for (uint64_t k = 0; k < 8; k++)
			assert_int_equal(answer_to("socket", i, k) == SECCOMP_RET_ALLOW,
					 (i == 1 || i == 2) && (k == 1 || k == 5));
	policy_set_action(policy, POLICY_KILL);
	text = verdicts_render(policy, "minijail", 0, NULL);
	read_rules(text, &rules);
	free(text);
	assert_int_equal(answer_to("lseek", 7, 2), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer_to("lseek", 7, 1), SECCOMP_RET_ALLOW);
	policy_free(policy);
}

/* It would be cut by the parser, and then mean something else. */
static void test_lines_that_are_too_long_are_an_error(void **state)
{
	struct policy *policy = policy_made("socket");
	struct policy_notes notes = { 0 };
	size_t size;
	char *text;

	(void)state;
	for (uint8_t i = 0; i < 2; i++) {
		struct policy_rule *rule = &policy->rules[policy->nr_rules++];

		rule->nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "socket");
		rule->argument = i;
		for (rule->nr_values = 0; rule->nr_values < POLICY_VALUES_MAX; rule->nr_values++)
			rule->values[rule->nr_values] = rule->nr_values;
	}
	assert_int_equal(policy_format_find("minijail")->render(policy, 0, &notes, &text, &size),
			 -E2BIG);
	policy_notes_free(&notes);
	policy_free(policy);
}

static void test_what_it_cannot_say_is_said(void **state)
{
	struct policy *policy = policy_made("read execve i386:getpid #600");
	struct policy_notes notes = { 0 };
	size_t size;
	char *text;

	(void)state;
	assert_int_equal(policy_format_find("minijail")->render(policy, 0, &notes, &text, &size),
			 0);
	assert_true(notes_say(&notes, "one architecture: calls of i386, which were seen, kill"));
	assert_true(notes_say(&notes, "left out, since they have no name here: #600"));
	assert_true(notes_say(&notes, "calls that are not known yet kill in this format"));
	free(text);
	policy_notes_free(&notes);
	for (int action = POLICY_LOG; action <= POLICY_NOTIFY; action++) {
		policy_set_action(policy, (enum policy_action)action);
		assert_int_equal(
			policy_format_find("minijail")->render(policy, 0, &notes, &text, &size),
			-EOPNOTSUPP);
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jails_are_under_the_policy),
		cmocka_unit_test(test_rules_are_expressions),
		cmocka_unit_test(test_lines_that_are_too_long_are_an_error),
		cmocka_unit_test(test_what_it_cannot_say_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
