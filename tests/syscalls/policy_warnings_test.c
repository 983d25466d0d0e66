/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/policies.h"

static const struct policy_config exact = { .action = POLICY_ERRNO, .is_exact = true };

/* The policy of three runs of CALLS; in the last of them also LATE. */
static struct policy *made_of_runs(const char *calls, const char *late)
{
	struct recording *all = recording_made("");

	recording_did(all, NODE_START_command, 0, calls);
	recording_ran(all, "00000000000000000000000000000001");
	for (int i = 2; i <= 3; i++) {
		struct recording *recording = recording_made("");
		char id[33];

		snprintf(id, sizeof(id), "%032d", i);
		recording_did(recording, NODE_START_command, 0, calls);
		if (i == 3)
			recording_did(recording, NODE_START_command, 0, late);
		recording_ran(recording, id);
		assert_int_equal(recording_merge(all, recording), 0);
		recording_free(recording);
	}
	return policy_made_of(all, &exact);
}

static void test_one_run_is_warned_about(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	assert_true(policy_warns(policy, "a single run"));
	policy_free(policy);
	policy = made_of_runs("read", "");
	assert_false(policy_warns(policy, "a single run"));
	policy_free(policy);
}

static void test_calls_of_one_run_are_named(void **state)
{
	struct policy *policy = made_of_runs("read write", "fsync i386:getpid");

	(void)state;
	assert_true(policy_warns(policy, "seen in 1 of 3 runs only: fsync, i386:getpid"));
	assert_true(policy_warns(policy, "the last 2 of 3 runs added 2 calls"));
	policy_free(policy);
	policy = made_of_runs("read write", "");
	assert_false(policy_warns(policy, "runs only"));
	assert_false(policy_warns(policy, "runs added"));
	policy_free(policy);
}

static void test_what_goes_around_filters_is_warned_about(void **state)
{
	static const char *const names[] = { "io_uring_setup", "io_uring_enter", "ptrace",
					     "process_vm_writev", "pidfd_getfd" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct policy *policy = policy_made(names[i]);
		char text[64];

		snprintf(text, sizeof(text), "'%s' is allowed", names[i]);
		assert_true(policy_warns(policy, text));
		policy_free(policy);
		policy = policy_made("read");
		assert_false(policy_warns(policy, text));
		policy_free(policy);
	}
}

static void test_executing_while_serving_is_warned_about(void **state)
{
	struct recording *recording = recording_made("serve");
	struct policy *policy;

	(void)state;
	recording_did(recording, NODE_START_command, 0, "openat");
	recording_did(recording, NODE_START_phase, 1, "read execve");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	assert_true(
		policy_warns(policy, "'execve' is allowed while serving, in phase 1 ('serve')"));
	policy_free(policy);
	recording = recording_made("serve");
	recording_did(recording, NODE_START_command, 0, "openat execve");
	recording_did(recording, NODE_START_phase, 1, "read");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	assert_false(policy_warns(policy, "'execve' is allowed"));
	policy_free(policy);
	policy = policy_made("read");
	assert_true(policy_warns(policy, "'execve' is allowed to the end"));
	policy_free(policy);
}

/* What the recording itself is warned about is a warning of the policy, too. */
static void test_warnings_of_the_recording_are_kept(void **state)
{
	struct recording *recording = recording_made("never");
	struct recording_run run = { .id = "00000000000000000000000000000001",
				     .lost = 12,
				     .was_filtered = true };
	const struct recording_call failed = { .nr = 21, .count = 3, .errors = 3 };
	struct policy *policy;

	(void)state;
	recording->phases[1].nr_hits = 0;
	recording_did(recording, NODE_START_command, 0, "read i386:getpid #600");
	assert_int_equal(recording_add(recording, 0, &failed), 0);
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	policy = policy_made_of(recording, &exact);
	assert_true(policy_warns(policy, "12 calls were lost"));
	assert_true(policy_warns(policy, "a seccomp filter was there before"));
	assert_true(policy_warns(policy, "1 of 1 runs were cut short"));
	assert_true(policy_warns(policy, "no process reached 'never'"));
	assert_true(policy_warns(policy, "32-bit calls: 1 of i386"));
	assert_true(policy_warns(policy, "always failed: access"));
	policy_free(policy);
}

static void test_unknown_bytes_of_the_program_are_warned_about(void **state)
{
	struct recording *recording = recording_made("");
	struct policy *policy;

	(void)state;
	recording->exe_sha256[0] = '\0';
	recording_did(recording, NODE_START_command, 0, "read");
	recording_ran(recording, "00000000000000000000000000000001");
	policy = policy_made_of(recording, &exact);
	assert_true(policy_warns(policy, "a change of it will not be noticed"));
	policy_free(policy);
}

static void test_actions_that_refuse_nothing_are_warned_about(void **state)
{
	struct policy *policy = policy_made("read");

	(void)state;
	assert_false(policy_warns(policy, "the action is"));
	policy_set_action(policy, POLICY_LOG);
	assert_true(policy_warns(policy, "the action is log"));
	policy_set_action(policy, POLICY_NOTIFY);
	assert_true(policy_warns(policy, "the action is notify"));
	assert_int_equal(policy->action, POLICY_NOTIFY);
	policy_free(policy);
}

static void test_names_are_cut_and_counted(void **state)
{
	struct policy_set set = { 0 };
	char text[POLICY_NAMES_SIZE];

	(void)state;
	policy_names(&set, SYSCALL_ARCH_x86_64, text);
	assert_string_equal(text, "");
	policy_set_add(&set, SYSCALL_ARCH_x86_64, 0);
	policy_set_add(&set, SYSCALL_ARCH_x86_64, 900);
	policy_set_add(&set, SYSCALL_ARCH_i386, 1);
	policy_names(&set, SYSCALL_ARCH_x86_64, text);
	assert_string_equal(text, "read, #900, i386:exit");
	policy_names(&set, SYSCALL_ARCH_i386, text);
	assert_string_equal(text, "x86_64:read, x86_64:#900, exit");
	for (uint32_t nr = 0; nr < 300; nr++)
		policy_set_add(&set, SYSCALL_ARCH_x86_64, nr);
	policy_names(&set, SYSCALL_ARCH_x86_64, text);
	assert_non_null(strstr(text, "read, write, open, "));
	assert_non_null(strstr(text, " more"));
	assert_true(strlen(text) < sizeof(text));
}

/* The last ones are left out, and nothing is written beyond. */
static void test_notes_are_bounded(void **state)
{
	struct policy_notes notes = { 0 };
	char text[1024];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 2 * POLICY_NOTES_MAX; i++)
		policy_note(&notes, "%d %s", i, text);
	assert_int_equal(notes.nr, POLICY_NOTES_MAX);
	assert_true(strlen(notes.list[0]) < sizeof(text));
	assert_int_equal(strncmp(notes.list[63], "63 x", 4), 0);
	policy_notes_free(&notes);
	assert_int_equal(notes.nr, 0);
}

/* Calls of i386 undo a filter as well as the machine's own. */
static void test_other_architectures_are_warned_about_too(void **state)
{
	struct policy *policy = policy_made("read i386:ptrace i386:execve i386:execveat");

	(void)state;
	assert_true(policy_warns(policy, "'i386:ptrace' is allowed: it reaches into other"));
	assert_true(policy_warns(policy, "'i386:execve' is allowed to the end: a phase"));
	assert_true(policy_warns(policy, "'i386:execveat' is allowed to the end: a phase"));
	assert_false(policy_warns(policy, "'ptrace'"));
	policy_free(policy);
}

static void test_another_action_takes_its_warning_back(void **state)
{
	struct policy *policy = policy_made("read");
	size_t nr = policy->warnings.nr;

	(void)state;
	policy_set_action(policy, POLICY_LOG);
	assert_int_equal(policy->warnings.nr, nr + 1);
	policy_set_action(policy, POLICY_KILL);
	assert_false(policy_warns(policy, "the action is"));
	assert_int_equal(policy->warnings.nr, nr);
	policy_set_action(policy, POLICY_NOTIFY);
	policy_set_action(policy, POLICY_NOTIFY);
	assert_int_equal(policy->warnings.nr, nr + 1);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_run_is_warned_about),
		cmocka_unit_test(test_calls_of_one_run_are_named),
		cmocka_unit_test(test_what_goes_around_filters_is_warned_about),
		cmocka_unit_test(test_executing_while_serving_is_warned_about),
		cmocka_unit_test(test_warnings_of_the_recording_are_kept),
		cmocka_unit_test(test_unknown_bytes_of_the_program_are_warned_about),
		cmocka_unit_test(test_actions_that_refuse_nothing_are_warned_about),
		cmocka_unit_test(test_names_are_cut_and_counted),
		cmocka_unit_test(test_notes_are_bounded),
		cmocka_unit_test(test_other_architectures_are_warned_about_too),
		cmocka_unit_test(test_another_action_takes_its_warning_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
