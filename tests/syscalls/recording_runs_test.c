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
#include "syscalls/recording_private.h"

static void test_run_has_the_calls_of_all_nodes_once(void **state)
{
	struct recording *recording = made_new();
	const struct recording_run run = made_run(1);
	int root = made_root(recording), child, later;

	(void)state;
	recording_add_phase(recording, "p");
	child = recording_node(recording, (uint32_t)root, NODE_START_fork, 0, "/bin/prog", NULL);
	later = recording_node(recording, (uint32_t)root, NODE_START_phase, 1, "/bin/prog", NULL);
	made_call(recording, later, 0, 1, 0);
	made_call(recording, root, 7, 1, 0);
	made_call(recording, child, 7, 1, 0);
	made_call(recording, child, 2, 1, 0);
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	assert_int_equal(recording->nr_runs, 1);
	assert_int_equal(recording->runs[0].nr_calls, 3);
	assert_int_equal(recording->runs[0].calls[0], RECORDING_KEY(0, SYSCALL_ARCH_x86_64, 2));
	assert_int_equal(recording->runs[0].calls[1], RECORDING_KEY(0, SYSCALL_ARCH_x86_64, 7));
	assert_int_equal(recording->runs[0].calls[2], RECORDING_KEY(1, SYSCALL_ARCH_x86_64, 0));
	assert_int_equal(recording->nodes[child].nr_runs, 1);
	assert_int_equal(recording->nodes[child].calls[0].nr_runs, 1);
	recording_free(recording);
}

static void test_run_of_another_recording_leaves_the_counts(void **state)
{
	struct recording *recording = MADE_OF(1, 5, 6), *other = MADE_OF(2, 7);
	const struct recording_run run = made_run(3);

	(void)state;
	assert_int_equal(recording_add_run(recording, &run, other), 0);
	assert_int_equal(recording->nr_runs, 2);
	assert_int_equal(recording->runs[1].nr_calls, 1);
	assert_int_equal(RECORDING_KEY_NR(recording->runs[1].calls[0]), 7);
	assert_int_equal(recording->nodes[0].nr_runs, 1);
	recording_free(recording);
	recording_free(other);
}

static void test_rings_are_counted_on_each_architecture(void **state)
{
	struct recording_run run = made_run(1);
	const struct recording_call enter = {
		.nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "io_uring_enter"),
		.arch = SYSCALL_ARCH_x86_64,
		.count = UINT64_C(5000000000),
	};
	const struct recording_call other = {
		.nr = (uint32_t)syscall_number(SYSCALL_ARCH_i386, "io_uring_enter"),
		.arch = SYSCALL_ARCH_i386,
		.count = 2,
	};
	const struct recording_call setup = {
		.nr = (uint32_t)syscall_number(SYSCALL_ARCH_x86_64, "io_uring_setup"),
		.arch = SYSCALL_ARCH_x86_64,
		.count = 1,
	};

	(void)state;
	run.nr_io_uring = 0;
	recording_run_count(&run, &setup);
	assert_int_equal(run.nr_io_uring, 0);
	recording_run_count(&run, &enter);
	recording_run_count(&run, &other);
	assert_true(run.nr_io_uring == UINT64_C(5000000002));
}

static void test_runs_are_sorted_and_each_is_there_once(void **state)
{
	static const unsigned int ids[] = { 5, 1, 9, 3, 7 };
	struct recording *recording = made_new();
	struct recording_run run;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		run = made_run(ids[i]);
		assert_int_equal(recording_add_run(recording, &run, recording), 0);
	}
	/* the id alone says which run it is */
	run.started_ns = 1;
	assert_int_equal(recording_add_run(recording, &run, recording), -EEXIST);
	for (size_t i = 0; i < 5; i++) {
		run = made_run(2 * (unsigned int)i + 1);
		assert_string_equal(recording->runs[i].id, run.id);
	}
	recording_free(recording);
}

static void test_runs_that_began_at_once_are_sorted_by_id(void **state)
{
	struct recording *recording = made_new();
	struct recording_run run = made_run(2);

	(void)state;
	run.started_ns += 999; /* less than a microsecond */
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	snprintf(run.id, sizeof(run.id), "%032x", 1);
	run.started_ns -= 998;
	assert_int_equal(recording_add_run(recording, &run, recording), 0);
	assert_true(recording->runs[0].started_ns == recording->runs[1].started_ns);
	assert_int_equal(recording->runs[0].id[31], '1');
	recording_free(recording);
}

static void test_runs_have_a_maximum(void **state)
{
	struct recording *recording = made_new();
	struct recording_run run;

	(void)state;
	for (unsigned int i = 0; i < RECORDING_RUNS_MAX; i++) {
		run = made_run(i);
		assert_int_equal(recording_insert_run(recording, &run, NULL, 0), 0);
	}
	run = made_run(RECORDING_RUNS_MAX);
	assert_int_equal(recording_insert_run(recording, &run, NULL, 0), -E2BIG);
	recording_free(recording);
}

/* Five runs that had 1 2, 1 2 3, 1, 4 1, 2 3. */
static void test_growth_is_what_the_last_runs_added(void **state)
{
	static const size_t expected[] = { 0, 0, 1, 1, 2, 4 };
	struct recording *recording = MADE_OF(1, 1, 2);
	struct recording *more[] = { MADE_OF(2, 1, 2, 3), MADE_OF(3, 1), MADE_OF(4, 4, 1),
				     MADE_OF(5, 2, 3) };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(recording_merge(recording, more[i]), 0);
		recording_free(more[i]);
	}
	for (size_t last = 0; last < 6; last++)
		assert_int_equal(recording_growth(recording, last), expected[last]);
	assert_int_equal(recording_growth(recording, 100), 4);
	recording_free(recording);
}

static void test_growth_of_no_runs_is_none(void **state)
{
	struct recording *recording = made_new();

	(void)state;
	assert_int_equal(recording_growth(recording, 0), 0);
	assert_int_equal(recording_growth(recording, 5), 0);
	recording_free(recording);
}

static void test_set_keeps_every_key_in_order(void **state)
{
	static struct recording_set set;
	static uint32_t keys[RECORDING_PHASES_MAX * NR_SYSCALL_ARCHES * SYSCALLS_MAX];
	size_t nr = 0;

	(void)state;
	for (uint32_t phase = RECORDING_PHASES_MAX; phase-- > 0;)
		for (uint32_t arch = 0; arch < NR_SYSCALL_ARCHES; arch++)
			for (uint32_t at = 0; at < SYSCALLS_MAX; at += 341) {
				assert_false(
					recording_set_has(&set, RECORDING_KEY(phase, arch, at)));
				assert_true(
					recording_set_add(&set, RECORDING_KEY(phase, arch, at)));
				assert_false(
					recording_set_add(&set, RECORDING_KEY(phase, arch, at)));
				assert_true(
					recording_set_has(&set, RECORDING_KEY(phase, arch, at)));
				nr++;
			}
	assert_int_equal(recording_set_keys(&set, NULL), nr);
	assert_int_equal(recording_set_keys(&set, keys), nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(i == 0 || keys[i - 1] < keys[i]);
		assert_true(recording_set_has(&set, keys[i]));
		assert_int_equal(RECORDING_KEY_NR(keys[i]) % 341, 0);
	}
	assert_int_equal(RECORDING_KEY_PHASE(keys[nr - 1]), RECORDING_PHASES_MAX - 1);
	assert_int_equal(RECORDING_KEY_ARCH(keys[nr - 1]), NR_SYSCALL_ARCHES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_has_the_calls_of_all_nodes_once),
		cmocka_unit_test(test_run_of_another_recording_leaves_the_counts),
		cmocka_unit_test(test_rings_are_counted_on_each_architecture),
		cmocka_unit_test(test_runs_are_sorted_and_each_is_there_once),
		cmocka_unit_test(test_runs_that_began_at_once_are_sorted_by_id),
		cmocka_unit_test(test_runs_have_a_maximum),
		cmocka_unit_test(test_growth_is_what_the_last_runs_added),
		cmocka_unit_test(test_growth_of_no_runs_is_none),
		cmocka_unit_test(test_set_keeps_every_key_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
