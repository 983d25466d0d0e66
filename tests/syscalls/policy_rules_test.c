/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "support/policies.h"

static char what[POLICY_WHAT_SIZE];

static struct policy *made(void)
{
	return policy_made("read ioctl fcntl lseek mmap clone3 clone openat prctl i386:ioctl");
}

/* What is wrong with TEXT; NULL: nothing. */
static const char *fault(const char *text)
{
	struct policy *policy = made();
	int err = policy_add_rule(policy, text, what);

	policy_free(policy);
	assert_true(err == 0 || err == -EINVAL);
	return err ? what : NULL;
}

static void test_values_are_decimal_or_hexadecimal(void **state)
{
	struct policy *policy = made();
	const struct policy_rule *rule = policy->rules;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "lseek:1=0x10,3,18446744073709551615,-2", what),
			 0);
	assert_int_equal(policy->nr_rules, 1);
	assert_int_equal(rule->nr, 8);
	assert_int_equal(rule->argument, 1);
	assert_int_equal(rule->nr_values, 4);
	assert_int_equal(rule->values[0], 3);
	assert_int_equal(rule->values[1], 16);
	assert_true(rule->values[2] == UINT64_MAX - 1);
	assert_true(rule->values[3] == UINT64_MAX);
	policy_free(policy);
}

/* The kernel does not look at the upper half; C libraries fill it in one way or the other. */
static void test_values_of_32_bits_are_taken_in_both_spellings(void **state)
{
	struct policy *policy = made();
	const struct policy_rule *rule = policy->rules;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "openat:0=-100,3", what), 0);
	assert_int_equal(rule->nr_values, 3);
	assert_int_equal(rule->values[0], 3);
	assert_true(rule->values[1] == 0xffffff9c);
	assert_true(rule->values[2] == UINT64_C(0xffffffffffffff9c));
	/* musl sends this one with the sign */
	assert_int_equal(policy_add_rule(policy, "ioctl:1=0x80045430", what), 0);
	assert_int_equal(policy->rules[1].nr_values, 2);
	assert_non_null(fault("openat:0=4294967296"));
	assert_string_equal(what, "argument 0 of 'openat' has 32 bits");
	assert_non_null(fault("openat:0=-2147483649"));
	policy_free(policy);
}

static void test_a_rule_is_for_each_architecture_that_allows_the_call(void **state)
{
	struct policy *policy = made();

	(void)state;
	assert_int_equal(policy_add_rule(policy, "ioctl:1=0x5401", what), 0);
	assert_int_equal(policy->nr_rules, 2);
	assert_int_equal(policy->rules[0].arch, SYSCALL_ARCH_x86_64);
	assert_int_equal(policy->rules[0].nr, 16);
	assert_int_equal(policy->rules[1].arch, SYSCALL_ARCH_i386);
	assert_int_equal(policy->rules[1].nr, 54);
	policy_free(policy);
}

static void test_rules_for_one_argument_are_one(void **state)
{
	struct policy *policy = made();

	(void)state;
	assert_int_equal(policy_add_rule(policy, "lseek:2=0", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:2=2,0", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:1=0", what), 0);
	assert_int_equal(policy->nr_rules, 2);
	assert_int_equal(policy->rules[0].nr_values, 2);
	policy_free(policy);
}

static void test_rules_hold_together(void **state)
{
	struct policy *policy = made();
	const uint64_t good[6] = { 0, 5, 2 }, bad[6] = { 0, 5, 1 };

	(void)state;
	assert_true(policy_rules_hold(policy, SYSCALL_ARCH_x86_64, 8, bad));
	assert_int_equal(policy_add_rule(policy, "lseek:2=0,2", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:1=5", what), 0);
	assert_true(policy_has_rule(policy, SYSCALL_ARCH_x86_64, 8));
	assert_false(policy_has_rule(policy, SYSCALL_ARCH_i386, 8));
	assert_true(policy_rules_hold(policy, SYSCALL_ARCH_x86_64, 8, good));
	assert_false(policy_rules_hold(policy, SYSCALL_ARCH_x86_64, 8, bad));
	policy_free(policy);
}

static void test_pointers_are_refused(void **state)
{
	(void)state;
	assert_non_null(fault("clone3:0=0x11"));
	assert_non_null(strstr(what, "argument 0 of 'clone3' is a pointer"));
	assert_non_null(strstr(what, "clone has its flags in argument 0"));
	assert_non_null(fault("openat:1=5"));
	assert_non_null(strstr(what, "is a pointer"));
	assert_non_null(fault("read:1=5"));
	assert_null(fault("clone:0=0x1200011"));
	assert_null(fault("mmap:2=1,3"));
	assert_null(fault("prctl:0=15"));
}

static void test_wrong_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"ioctl",
		"ioctl:",
		"ioctl:1",
		"ioctl:1=",
		":1=5",
		"ioctl:=5",
		"ioctl:1=,",
		"ioctl:1=5,",
		"ioctl:1=5,,6",
		"ioctl:1=x",
		"ioctl:1=5x",
		"ioctl:1=0x",
		"ioctl:1=-",
		"ioctl:1=--5",
		"ioctl:1= 5",
		"ioctl:1=+5",
		"ioctl:x=5",
		"ioctl:11=5",
		"ioctl:9=5",
		"ioctl:3=5",
		"nosuchcall:0=1",
		"lseek:1=18446744073709551616",
		"lseek:1=-9223372036854775809",
		"lseek:1=0x10000000000000000",
		"lseek:1=00000000000000000000000000000000000000000000000005",
		"averyveryveryveryveryveryveryveryveryveryveryveryverylongnameofacall:1=5",
		"ioctl:1=5=6",
		"ioctl:1:5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!fault(texts[i]))
			fail_msg("'%s' is taken", texts[i]);
	assert_null(fault("lseek:1=-9223372036854775808"));
}

static void test_what_is_refused_changes_nothing(void **state)
{
	struct policy *policy = made();

	(void)state;
	assert_int_equal(policy_add_rule(policy, "lseek:1=5", what), 0);
	assert_int_equal(policy_add_rule(policy, "lseek:1=6,x", what), -EINVAL);
	assert_int_equal(policy_add_rule(policy, "ioctl:1=6,x", what), -EINVAL);
	assert_int_equal(policy->nr_rules, 1);
	assert_int_equal(policy->rules[0].nr_values, 1);
	policy_free(policy);
}

static void test_calls_that_are_not_allowed_need_no_rule(void **state)
{
	(void)state;
	assert_non_null(fault("kill:1=9"));
	assert_string_equal(what, "'kill' is not allowed in any case");
}

static void test_rules_and_values_are_bounded(void **state)
{
	struct policy *policy = made();
	char text[64];
	int err = 0;

	(void)state;
	for (int i = 0; i < POLICY_VALUES_MAX; i++) {
		snprintf(text, sizeof(text), "lseek:1=%d", i);
		assert_int_equal(policy_add_rule(policy, text, what), 0);
	}
	assert_int_equal(policy_add_rule(policy, "lseek:1=99", what), -EINVAL);
	assert_string_equal(what, "more than 32 values");
	/* one that is there already is none more */
	assert_int_equal(policy_add_rule(policy, "lseek:1=7", what), 0);
	policy_free(policy);
	policy = made();
	policy->has_arch[SYSCALL_ARCH_i386] = false;
	for (uint32_t nr = 0; nr < 400 && !err; nr++)
		for (int k = 0; k < 6 && syscall_name(SYSCALL_ARCH_x86_64, nr); k++) {
			policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, nr);
			snprintf(text, sizeof(text), "%s:%d=1",
				 syscall_name(SYSCALL_ARCH_x86_64, nr), k);
			policy_add_rule(policy, text, what);
			if (strcmp(what, "more than 64 rules") == 0)
				err = 1;
		}
	assert_int_equal(err, 1);
	assert_int_equal(policy->nr_rules, POLICY_RULES_MAX);
	policy_free(policy);
}

/* A row with another letter would be a whole register, without anybody seeing it. */
static void test_prototypes_are_of_known_kinds(void **state)
{
	static const char *const kinds[] = {
#define ARGUMENTS(name, kinds) kinds,
#include "syscalls/arguments.def"
#undef ARGUMENTS
	};

	(void)state;
	assert_true(sizeof(kinds) / sizeof(kinds[0]) > 350);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_true(strlen(kinds[i]) <= 6);
		assert_int_equal(strspn(kinds[i], "pil"), strlen(kinds[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_decimal_or_hexadecimal),
		cmocka_unit_test(test_values_of_32_bits_are_taken_in_both_spellings),
		cmocka_unit_test(test_a_rule_is_for_each_architecture_that_allows_the_call),
		cmocka_unit_test(test_rules_for_one_argument_are_one),
		cmocka_unit_test(test_rules_hold_together),
		cmocka_unit_test(test_pointers_are_refused),
		cmocka_unit_test(test_wrong_texts_are_refused),
		cmocka_unit_test(test_what_is_refused_changes_nothing),
		cmocka_unit_test(test_calls_that_are_not_allowed_need_no_rule),
		cmocka_unit_test(test_rules_and_values_are_bounded),
		cmocka_unit_test(test_prototypes_are_of_known_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
