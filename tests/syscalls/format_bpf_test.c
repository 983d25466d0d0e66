/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "support/cbpf.h"
#include "support/verdicts.h"

static void test_bytes_are_the_filter(void **state)
{
	struct policy *policy;
	size_t nr_compared = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t phase = 0; phase < policy->nr_phases; phase++) {
			size_t size;
			char *bytes = verdicts_render(policy, "bpf", phase, &size);

			assert_int_equal(size % sizeof(struct sock_filter), 0);
			nr_compared += verdicts_compare_filter(policy, phase, VERDICTS_SAME,
							       (const struct sock_filter *)bytes,
							       size / sizeof(struct sock_filter));
			free(bytes);
		}
		policy_free(policy);
	}
	assert_true(nr_compared > 11 * 4 * 601);
}

static void test_text_assembles_to_the_same_bytes(void **state)
{
	struct sock_filter code[BPF_MAXINSNS];
	struct policy *policy;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		char what[POLICY_WHAT_SIZE];

		if (i == 0)
			assert_int_equal(policy_add_rule(policy, "ioctl:1=0x5401,-1", what), 0);
		for (size_t phase = 0; phase < policy->nr_phases; phase++) {
			size_t size;
			char *bytes = verdicts_render(policy, "bpf", phase, &size);
			char *text = verdicts_render(policy, "bpf-text", phase, NULL);

			assert_int_equal(cbpf_assemble(text, code) * sizeof(code[0]), size);
			assert_memory_equal(code, bytes, size);
			free(text);
			free(bytes);
		}
		policy_free(policy);
	}
}

static void test_text_says_what_is_compared(void **state)
{
	struct policy *policy = verdicts_sample(0);
	char what[POLICY_WHAT_SIZE];
	char *text;

	(void)state;
	assert_int_equal(policy_add_rule(policy, "ioctl:1=0x5401", what), 0);
	text = verdicts_render(policy, "bpf-text", 0, NULL);
	assert_non_null(strstr(text, "jeq #0xc000003e, l3 /* x86_64 */"));
	assert_non_null(strstr(text, "/* open */"));
	assert_non_null(strstr(text, "ld [28] /* argument 1, upper half */"));
	assert_non_null(strstr(text, "ld [24] /* argument 1, lower half */"));
	/* a value of an argument is no call and no architecture */
	assert_non_null(strstr(text, "jeq #0x5401, "));
	assert_null(strstr(text, "jeq #0x0, l1 /* "));
	assert_non_null(strstr(text, "ret #0x50001 /* EPERM */"));
	assert_non_null(strstr(text, "ret #0x50026 /* ENOSYS */"));
	assert_non_null(strstr(text, "ret #0x80000000 /* kill the process */"));
	free(text);
	policy_free(policy);
}

static void test_too_much_is_an_error(void **state)
{
	struct policy *policy = verdicts_sample(7);
	struct policy_notes notes = { 0 };
	size_t size;
	char *text;

	(void)state;
	for (uint32_t i = 0; i < POLICY_RULES_MAX; i++) {
		policy_set_add(&policy->phases[0].allowed, SYSCALL_ARCH_x86_64, i);
		policy->rules[i] = (struct policy_rule){ .nr = i, .nr_values = POLICY_VALUES_MAX };
		for (uint64_t k = 0; k < POLICY_VALUES_MAX; k++)
			policy->rules[i].values[k] = k << 32;
	}
	policy->nr_rules = POLICY_RULES_MAX;
	assert_int_equal(policy_format_find("bpf")->render(policy, 0, &notes, &text, &size),
			 -E2BIG);
	assert_int_equal(policy_format_find("bpf-text")->render(policy, 0, &notes, &text, &size),
			 -E2BIG);
	assert_int_equal(policy_format_find("c")->render(policy, 0, &notes, &text, &size), -E2BIG);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_the_filter),
		cmocka_unit_test(test_text_assembles_to_the_same_bytes),
		cmocka_unit_test(test_text_says_what_is_compared),
		cmocka_unit_test(test_too_much_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
