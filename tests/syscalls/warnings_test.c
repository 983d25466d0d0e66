/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "syscalls/made_recording.h"
#include "syscalls/warnings.h"

/* Two runs of write, complete, of which there is nothing to say. */
static struct recording *made_good(void)
{
	struct recording *recording = MADE_OF(1, 1), *second = MADE_OF(2, 1);

	assert_int_equal(recording_merge(recording, second), 0);
	recording_free(second);
	return recording;
}

/* RECORDING has the warning EXPECTED and no other, or none where that is NULL; and frees it. */
static void assert_warning(struct recording *recording, const char *expected)
{
	char warning[RECORDING_WARNING_MAX] = "";

	if (expected) {
		assert_true(recording_warning(recording, 0, warning));
		assert_string_equal(warning, expected);
	}
	assert_false(recording_warning(recording, expected ? 1 : 0, warning));
	recording_free(recording);
}

static void test_good_recording_has_none(void **state)
{
	(void)state;
	assert_warning(made_good(), NULL);
}

static void test_lost_calls_are_summed(void **state)
{
	struct recording *recording = made_good();

	(void)state;
	recording->runs[1].lost = 1;
	recording->runs[0].lost = 2;
	assert_warning(recording, "3 calls were lost: others than those shown may be among them");
	recording = made_good();
	recording->runs[0].lost = 1;
	assert_warning(recording, "1 call was lost: others than those shown may be among them");
	recording = made_good();
	recording->runs[0].lost = recording->runs[1].lost = UINT64_MAX;
	assert_warning(recording, "18446744073709551615 calls were lost: others than those shown "
				  "may be among them");
}

static void test_runs_that_tell_less_are_counted(void **state)
{
	struct recording *recording = made_good();

	(void)state;
	recording->runs[1].was_filtered = true;
	assert_warning(recording,
		       "a seccomp filter was there before, in 1 of 2 runs: what would have come "
		       "of calls that it refused is not seen");
	recording = made_good();
	recording->runs[1].is_complete = false;
	assert_warning(recording, "1 of 2 runs were cut short: what the program would have done is "
				  "not seen");
	assert_warning(MADE_OF(1, 1),
		       "a single run: calls that are made now and then may not be in it");
	recording = made_good();
	recording->is_mixed = true;
	assert_warning(recording, "the runs are of different programs, or builds of one");
}

static void test_points_that_were_not_reached_are_named(void **state)
{
	struct recording *recording = made_good();

	(void)state;
	recording_add_phase(recording, "aeMain");
	recording_add_phase(recording, "first:\033[31maccept");
	recording_add_phase(recording, "signal:USR1");
	recording->phases[3].nr_hits = 1;
	assert_warning(recording, "no process reached 'aeMain', 'first:\\x1b[31maccept'");
}

static void test_io_uring_is_seen(void **state)
{
	struct recording *recording = made_good();
	static const char expected[] =
		"io_uring was used: what it did for the program is no system "
		"call, and is not seen";

	(void)state;
	recording->runs[0].nr_io_uring = 1;
	assert_warning(recording, expected);
	recording = made_good();
	made_call(recording, 0, 426, 3, 0);
	assert_warning(recording, expected);
	/* a probe that is refused is no use of it */
	recording = made_good();
	made_call(recording, 0, 426, 3, 3);
	assert_warning(recording, "always failed: io_uring_enter");
}

static void test_calls_of_other_architectures_are_counted(void **state)
{
	struct recording *recording = made_good();
	struct recording_call call = { .nr = 20, .arch = SYSCALL_ARCH_i386, .count = 7 };

	(void)state;
	assert_int_equal(recording_add(recording, 0, &call), 0);
	call.nr = 1;
	assert_int_equal(recording_add(recording, 0, &call), 0);
	call.arch = SYSCALL_ARCH_x32;
	assert_int_equal(recording_add(recording, 0, &call), 0);
	assert_warning(recording, "32-bit calls: 2 of i386, 1 of x32");
}

static void test_calls_without_a_name_are_counted(void **state)
{
	struct recording *recording = made_good();

	(void)state;
	made_call(recording, 0, 1000, 1, 0);
	assert_warning(recording, "1 call with a number that has no name here");
	recording = made_good();
	made_call(recording, 0, 1000, 1, 0);
	made_call(recording, 0, 1001, 1, 0);
	assert_warning(recording, "2 calls with a number that has no name here");
}

/* In one node always, in another one not, is not always. */
static void test_calls_that_always_failed_are_named(void **state)
{
	struct recording *recording = made_good();
	int child = recording_node(recording, 0, NODE_START_fork, 0, "/bin/prog", NULL);

	(void)state;
	made_call(recording, 0, 21, 3, 3);
	made_call(recording, 0, 2, 5, 5);
	made_call(recording, 0, 3, 5, 5);
	made_call(recording, child, 3, 5, 4);
	/* rt_sigreturn: the error is that of the call that the signal interrupted. */
	made_call(recording, child, 15, 2, 2);
	assert_warning(recording, "always failed: open, access");
}

static void test_long_lists_say_how_many_more(void **state)
{
	struct recording *recording = made_good();
	char warning[RECORDING_WARNING_MAX];
	size_t nr_named = 1, more = 0;

	(void)state;
	for (uint32_t nr = 2; nr < 300; nr++)
		made_call(recording, 0, nr, 1, 1);
	for (int i = 0; i < 60; i++)
		recording_add_phase(recording, "a-point-with-a-long-name-\xe2\x82\xac-of-all");
	assert_true(recording_warning_of(recording, WARNING_FAILED, warning));
	for (const char *at = warning; (at = strchr(at, ',')); at++)
		nr_named++;
	assert_int_equal(sscanf(strstr(warning, " and "), " and %zu more", &more), 1);
	assert_int_equal(nr_named + more, 297); /* all but rt_sigreturn */
	assert_true(recording_warning_of(recording, WARNING_PHASES, warning));
	assert_non_null(strstr(warning, " and "));
	recording_free(recording);
}

static void test_growth_is_told_of_five_runs_but_not_the_first(void **state)
{
	static const size_t expected[] = { 0, 0, 1, 2, 3, 4, 5, 5 };
	struct recording *recording = made_new();

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		const struct recording_run run = made_run(i);

		assert_int_equal(recording_growth_runs(recording), expected[i]);
		assert_int_equal(recording_add_run(recording, &run, recording), 0);
	}
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_recording_has_none),
		cmocka_unit_test(test_lost_calls_are_summed),
		cmocka_unit_test(test_runs_that_tell_less_are_counted),
		cmocka_unit_test(test_points_that_were_not_reached_are_named),
		cmocka_unit_test(test_io_uring_is_seen),
		cmocka_unit_test(test_calls_of_other_architectures_are_counted),
		cmocka_unit_test(test_calls_without_a_name_are_counted),
		cmocka_unit_test(test_calls_that_always_failed_are_named),
		cmocka_unit_test(test_long_lists_say_how_many_more),
		cmocka_unit_test(test_growth_is_told_of_five_runs_but_not_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
