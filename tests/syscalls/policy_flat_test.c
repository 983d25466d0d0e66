/* SPDX-License-Identifier: MIT */
/* A policy as one process hands it to another: whole, or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/policies.h"
#include "syscalls/policy_flat.h"

static const struct policy_config config = { .is_exact = true };
static struct policy_flat flat;
static struct policy *policy;

static int begin(void **state)
{
	struct recording *recording = recording_made("main first:accept");
	char what[POLICY_WHAT_SIZE];

	(void)state;
	recording_did(recording, NODE_START_command, 0, "execve openat read clone i386:getpid");
	recording_did(recording, NODE_START_phase, 1, "openat read write");
	recording_did(recording, NODE_START_phase, 2, "write");
	policy = policy_made_of(recording, &config);
	assert_int_equal(policy->nr_phases, 3);
	assert_int_equal(policy_add_rule(policy, "read:0=3,5,7", what), 0);
	memset(&flat, 0, sizeof(flat));
	assert_int_equal(policy_flatten(policy, &flat), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

/* The policy as both formats and filters are made of it, which is all that there is to it. */
static char *rendered(const struct policy *of)
{
	struct policy_notes notes = { 0 };
	char *text = NULL;
	char *ended;
	size_t size;

	assert_int_equal(policy_format_find("json")->render(of, 0, &notes, &text, &size), 0);
	policy_notes_free(&notes);
	ended = strndup(text, size);
	free(text);
	return ended;
}

static void test_it_arrives_as_it_was(void **state)
{
	struct policy *again = NULL;
	char *before, *after;

	(void)state;
	policy_notes_free(&policy->warnings);
	assert_int_equal(policy_unflatten(&flat, &again), 0);
	before = rendered(policy);
	after = rendered(again);
	assert_string_equal(before, after);
	assert_non_null(strstr(after, "first:accept"));
	free(before);
	free(after);
	policy_free(again);
}

static void test_text_that_is_too_long_is_not_cut(void **state)
{
	char text[POLICY_FLAT_ID + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[POLICY_FLAT_ID] = '\0';
	policy->build_id = text;
	assert_int_equal(policy_flatten(policy, &flat), -E2BIG);
	text[POLICY_FLAT_ID - 1] = '\0';
	assert_int_equal(policy_flatten(policy, &flat), 0);
	policy->phases[1].point = text + POLICY_FLAT_ID - POINT_TEXT_SIZE;
	assert_int_equal(policy_flatten(policy, &flat), 0);
	policy->build_id = NULL;
	text[POLICY_FLAT_ID - 1] = 'a';
	assert_int_equal(policy_flatten(policy, &flat), -E2BIG);
}

/* With BYTES instead of what is there it is refused. */
static void refused_with(void *at, const void *bytes, size_t size)
{
	struct policy *none = NULL;
	uint8_t before[64];

	memcpy(before, at, size);
	memcpy(at, bytes, size);
	assert_int_equal(policy_unflatten(&flat, &none), -EBADMSG);
	assert_null(none);
	memcpy(at, before, size);
	assert_int_equal(policy_unflatten(&flat, &none), 0);
	policy_free(none);
}

static void refused_number(uint32_t *at, uint32_t number)
{
	refused_with(at, &number, sizeof(number));
}

static void test_numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	refused_number(&flat.action, NR_POLICY_ACTIONS);
	refused_number(&flat.native, SYSCALL_ARCH_x32);
	refused_number(&flat.native, NR_SYSCALL_ARCHES);
	refused_number(&flat.native, SYSCALL_ARCH_arm64); /* which it has not */
	refused_number(&flat.nr_phases, 0);
	refused_number(&flat.nr_phases, 4); /* the fourth has no point */
	refused_number(&flat.nr_phases, RECORDING_PHASES_MAX + 1);
	refused_number(&flat.nr_rules, 2); /* the second has no values */
	refused_number(&flat.nr_rules, POLICY_RULES_MAX + 1);
	refused_number(&flat.last[SYSCALL_ARCH_x86_64], SYSCALLS_MAX);
	refused_number(&flat.has_arch[SYSCALL_ARCH_x86_64], 0);
	refused_number(&flat.has_arch[SYSCALL_ARCH_x86_64], 2);
	refused_number(&flat.has_arch[SYSCALL_ARCH_i386], 0); /* it allows calls of it */
	flat.has_arch[SYSCALL_ARCH_i386] = 1;
}

static void test_texts_that_are_none_are_refused(void **state)
{
	char whole[POINT_TEXT_SIZE];

	(void)state;
	refused_with(flat.phases[1].point, "\xff", 1);
	refused_with(flat.phases[1].point, "", 1);
	refused_with(flat.phases[0].point, "x", 2);
	refused_with(flat.exe, "\xc3(", 2);
	refused_with(flat.build_id, "\x80", 2);
	refused_with(flat.exe_sha256, "\xed\xa0\x80", 4);
	memcpy(whole, flat.phases[2].point, sizeof(whole));
	memset(flat.phases[2].point, 'x', sizeof(whole));
	assert_int_equal(policy_unflatten(&flat, &policy), -EBADMSG);
	memcpy(flat.phases[2].point, whole, sizeof(whole));
}

static void test_phases_only_take_away(void **state)
{
	struct policy_set *last = &flat.phases[2].allowed;
	uint64_t more = last->words[SYSCALL_ARCH_x86_64][0] | 1U << 2; /* open */
	uint64_t all = UINT64_MAX;

	(void)state;
	refused_with(&last->words[SYSCALL_ARCH_x86_64][0], &more, sizeof(more));
	refused_with(&last->words[SYSCALL_ARCH_arm64][15], &all, sizeof(all));
	refused_with(&flat.phases[2].seen.words[SYSCALL_ARCH_x86_64][0], &all, sizeof(all));
}

static void test_rules_hold_together(void **state)
{
	struct policy_rule *rule = &flat.rules[0];
	const uint8_t arches = NR_SYSCALL_ARCHES, six = 6, none = 0, many = POLICY_VALUES_MAX + 1;
	const uint64_t same[] = { 3, 3 }, back[] = { 5, 3 };

	(void)state;
	assert_int_equal(flat.nr_rules, 1);
	refused_with(&rule->arch, &arches, 1);
	refused_with(&rule->argument, &six, 1);
	refused_with(&rule->nr_values, &none, 1);
	refused_with(&rule->nr_values, &many, 1);
	refused_with(rule->values, same, sizeof(same));
	refused_with(rule->values, back, sizeof(back));
	refused_number(&rule->nr, 2); /* open, which it does not allow */
	refused_number(&rule->nr, UINT32_MAX);
	flat.rules[1] = flat.rules[0];
	refused_number(&flat.nr_rules, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_arrives_as_it_was),
		TEST(test_text_that_is_too_long_is_not_cut),
		TEST(test_numbers_out_of_range_are_refused),
		TEST(test_texts_that_are_none_are_refused),
		TEST(test_phases_only_take_away),
		TEST(test_rules_hold_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
