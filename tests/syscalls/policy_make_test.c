/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/policies.h"
#include "support/verdicts.h"

static const struct policy_config exact = { .action = POLICY_ERRNO, .is_exact = true };

static struct recording *three_phases(void)
{
	struct recording *recording = recording_made("first second");

	recording_did(recording, NODE_START_command, 0, "openat mmap exit_group");
	recording_did(recording, NODE_START_phase, 1, "bind listen");
	recording_did(recording, NODE_START_phase, 2, "epoll_wait accept4");
	recording_did(recording, NODE_START_thread, 2, "futex");
	recording_ran(recording, "00000000000000000000000000000001");
	return recording;
}

/* A filter is never taken away: what a phase needs those before it allow. */
static void test_phases_allow_what_comes_after(void **state)
{
	struct policy *policy = policy_made_of(three_phases(), &exact);

	(void)state;
	assert_int_equal(policy->nr_phases, 3);
	assert_null(policy->phases[0].point);
	assert_string_equal(policy->phases[1].point, "first");
	assert_string_equal(policy->phases[2].point, "second");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(policy_takes(policy, i, "openat"), i == 0);
		assert_int_equal(policy_takes(policy, i, "bind"), i <= 1);
		assert_true(policy_takes(policy, i, "epoll_wait"));
		assert_true(policy_takes(policy, i, "futex"));
		assert_false(policy_takes(policy, i, "ptrace"));
	}
	assert_false(policy_allows(policy, 3, SYSCALL_ARCH_x86_64, 0));
	policy_free(policy);
}

static void test_phases_shrink(void **state)
{
	struct policy *policy;
	size_t nr_phases = 0;

	(void)state;
	for (size_t i = 0; (policy = verdicts_sample(i)); i++) {
		for (size_t k = 1; k < policy->nr_phases; k++, nr_phases++) {
			assert_true(policy_set_contains(&policy->phases[k - 1].allowed,
							&policy->phases[k].allowed));
			assert_true(policy_set_count(&policy->phases[k].allowed) <
				    policy_set_count(&policy->phases[k - 1].allowed));
		}
		policy_free(policy);
	}
	assert_true(nr_phases >= 4);
}

static void test_phases_that_take_nothing_away_are_left_out(void **state)
{
	struct recording *recording = recording_made("first same last");
	struct policy *policy;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "openat");
	/* what happens in 1 happens again in 2 */
	recording_did(recording, NODE_START_phase, 1, "read");
	recording_did(recording, NODE_START_phase, 2, "read write");
	recording_did(recording, NODE_START_phase, 3, "write");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	assert_int_equal(policy->nr_phases, 3);
	assert_string_equal(policy->phases[1].point, "first");
	assert_string_equal(policy->phases[2].point, "last");
	assert_true(policy_warns(policy, "the point 'same' has no effect"));
	assert_false(policy_warns(policy, "the point 'last'"));
	policy_free(policy);
}

static void test_of_equal_phases_the_one_that_was_reached_stays(void **state)
{
	struct recording *recording = recording_made("never came later");
	struct policy *policy;

	(void)state;
	recording->phases[1].nr_hits = 0;
	recording_did(recording, NODE_START_command, 0, "openat");
	recording_did(recording, NODE_START_phase, 3, "read write");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	assert_int_equal(policy->nr_phases, 2);
	assert_string_equal(policy->phases[1].point, "came");
	assert_true(policy_takes(policy, 1, "read"));
	assert_false(policy_takes(policy, 1, "openat"));
	assert_true(policy_warns(policy, "the point 'never' is left out"));
	assert_true(policy_warns(policy, "the point 'later' has no effect"));
	policy_free(policy);
}

static void test_the_program_can_be_executed_in_phase_0_alone(void **state)
{
	struct policy *policy = policy_made_of(three_phases(), &exact);

	(void)state;
	assert_true(policy_takes(policy, 0, "execve"));
	assert_false(policy_takes(policy, 1, "execve"));
	assert_false(policy_takes(policy, 0, "execveat"));
	policy_free(policy);
}

static void test_the_always_list_is_in_each_phase(void **state)
{
	static const char *const names[] = { "exit",	     "exit_group",     "restart_syscall",
					     "rt_sigreturn", "rt_sigprocmask", "getpid",
					     "gettid",	     "tgkill",	       "clock_gettime",
					     "gettimeofday", "time",	       "getcpu" };
	struct policy *policy = policy_made_of(three_phases(), &exact);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t phase = 0; phase < 3; phase++)
			assert_true(policy_takes(policy, phase, names[i]));
	policy_free(policy);
}

static void test_what_was_seen_is_told_from_what_was_added(void **state)
{
	struct policy *policy = policy_made_of(three_phases(), &exact);

	(void)state;
	assert_int_equal(policy_set_count(&policy->phases[0].seen), 8);
	assert_int_equal(policy_set_count(&policy->phases[2].seen), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(
			policy_set_contains(&policy->phases[i].allowed, &policy->phases[i].seen));
	policy_free(policy);
}

static void test_architectures_are_those_of_the_calls(void **state)
{
	struct policy *policy = policy_made("read i386:getpid");

	(void)state;
	assert_true(policy->has_arch[SYSCALL_ARCH_x86_64]);
	assert_true(policy->has_arch[SYSCALL_ARCH_i386]);
	assert_false(policy->has_arch[SYSCALL_ARCH_x32]);
	assert_false(policy->has_arch[SYSCALL_ARCH_arm64]);
	assert_int_equal(policy->native, SYSCALL_ARCH_x86_64);
	/* one instruction of a program of 64 bits: it ends and returns from signals by its own */
	assert_true(policy_takes(policy, 0, "i386:getpid"));
	assert_false(policy_takes(policy, 0, "i386:exit"));
	assert_false(policy_takes(policy, 0, "i386:execve"));
	policy_free(policy);
	policy = policy_made("i386:brk i386:write i386:exit_group");
	assert_int_equal(policy->native, SYSCALL_ARCH_x86_64);
	assert_true(policy_takes(policy, 0, "i386:sigreturn"));
	assert_true(policy_takes(policy, 0, "i386:clock_gettime64"));
	assert_true(policy_takes(policy, 0, "execve"));
	policy_free(policy);
}

static void test_known_numbers_end_where_both_tables_do(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	assert_true(policy->last[SYSCALL_ARCH_x86_64] >= 439);
	assert_true(policy->last[SYSCALL_ARCH_x86_64] <= syscall_last(SYSCALL_ARCH_x86_64));
	policy_free(policy);
}

static void test_the_program_is_named(void **state)
{
	struct recording *recording = three_phases();
	struct policy *policy;

	(void)state;
	recording->build_id = "0123";
	policy = policy_made_of(recording, &exact);
	assert_string_equal(policy->exe, "/usr/bin/program");
	assert_string_equal(policy->build_id, "0123");
	assert_int_equal(strlen(policy->exe_sha256), 64);
	assert_int_equal(policy->nr_runs, 1);
	policy_free(policy);
	recording = three_phases();
	recording->exe_sha256[0] = '\0';
	policy = policy_made_of(recording, &exact);
	assert_null(policy->exe_sha256);
	assert_null(policy->build_id);
	policy_free(policy);
}

static void test_an_empty_recording_gives_the_always_list(void **state)
{
	struct policy *policy = policy_made("");

	(void)state;
	assert_int_equal(policy->nr_phases, 1);
	assert_int_equal(policy_set_count(&policy->phases[0].seen), 0);
	assert_true(policy_takes(policy, 0, "exit_group"));
	assert_false(policy_takes(policy, 0, "read"));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phases_allow_what_comes_after),
		cmocka_unit_test(test_phases_shrink),
		cmocka_unit_test(test_phases_that_take_nothing_away_are_left_out),
		cmocka_unit_test(test_of_equal_phases_the_one_that_was_reached_stays),
		cmocka_unit_test(test_the_program_can_be_executed_in_phase_0_alone),
		cmocka_unit_test(test_the_always_list_is_in_each_phase),
		cmocka_unit_test(test_what_was_seen_is_told_from_what_was_added),
		cmocka_unit_test(test_architectures_are_those_of_the_calls),
		cmocka_unit_test(test_known_numbers_end_where_both_tables_do),
		cmocka_unit_test(test_the_program_is_named),
		cmocka_unit_test(test_an_empty_recording_gives_the_always_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
