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
#include "syscalls/totals.h"

/* Two runs: root 1 2; then in phase 1 2 3, the child 3, of /bin/sh. The second run has no 3. */
static struct recording *made(void)
{
	struct recording *both = NULL;

	for (unsigned int i = 1; i <= 2; i++) {
		struct recording *recording = made_new();
		const struct recording_run run = made_run(i);
		int root = made_root(recording), later, child;

		recording_add_phase(recording, "p");
		later = recording_node(recording, (uint32_t)root, NODE_START_phase, 1, "/bin/prog",
				       NULL);
		child = recording_node(recording, (uint32_t)later, NODE_START_exec, 1, "/bin/sh",
				       NULL);
		made_call(recording, root, 2, 10, 1);
		made_call(recording, root, 1, 7, 0);
		made_call(recording, later, 2, 100, 2);
		if (i == 1) {
			made_call(recording, later, 3, 5, 5);
			made_call(recording, child, 3, 6, 0);
		}
		assert_int_equal(recording_add_run(recording, &run, recording), 0);
		if (both) {
			assert_int_equal(recording_merge(both, recording), 0);
			recording_free(recording);
		} else {
			both = recording;
		}
	}
	return both;
}

static void assert_total(const struct totals *totals, size_t at, uint32_t nr, uint64_t count,
			 uint64_t errors, uint32_t nr_runs)
{
	assert_true(at < totals->nr_calls);
	assert_int_equal(totals->calls[at].nr, nr);
	assert_int_equal(totals->calls[at].count, count);
	assert_int_equal(totals->calls[at].errors, errors);
	assert_int_equal(totals->calls[at].nr_runs, nr_runs);
}

static void test_all_nodes_are_added_up(void **state)
{
	struct recording *recording = made();
	struct totals totals;

	(void)state;
	assert_int_equal(
		totals_make(recording, &(struct totals_of){ .phase = RECORDING_NONE }, &totals), 0);
	assert_int_equal(totals.nr_calls, 3);
	assert_total(&totals, 0, 1, 14, 0, 2);
	/* in both phases of a run is in one run */
	assert_total(&totals, 1, 2, 220, 6, 2);
	assert_total(&totals, 2, 3, 11, 5, 1);
	assert_int_equal(totals.count, 245);
	assert_int_equal(totals.calls[1].first_seen_ns, 2000);
	totals_free(&totals);
	recording_free(recording);
}

static void test_phase_is_its_nodes_alone(void **state)
{
	struct recording *recording = made();
	struct totals totals;

	(void)state;
	assert_int_equal(totals_make(recording, &(struct totals_of){ .phase = 0 }, &totals), 0);
	assert_int_equal(totals.nr_calls, 2);
	assert_total(&totals, 1, 2, 20, 2, 2);
	totals_free(&totals);
	assert_int_equal(totals_make(recording, &(struct totals_of){ .phase = 1 }, &totals), 0);
	assert_int_equal(totals.nr_calls, 2);
	assert_total(&totals, 0, 2, 200, 4, 2);
	assert_total(&totals, 1, 3, 11, 5, 1);
	totals_free(&totals);
	recording_free(recording);
}

static void test_program_is_its_nodes_alone(void **state)
{
	struct recording *recording = made();
	struct totals totals;

	(void)state;
	assert_int_equal(
		totals_make(recording,
			    &(struct totals_of){ .phase = RECORDING_NONE, .exe = "/bin/sh" },
			    &totals),
		0);
	assert_int_equal(totals.nr_calls, 1);
	assert_total(&totals, 0, 3, 6, 0, 1);
	totals_free(&totals);
	assert_int_equal(totals_make(recording,
				     &(struct totals_of){ .phase = RECORDING_NONE, .exe = "/x" },
				     &totals),
			 0);
	assert_int_equal(totals.nr_calls, 0);
	totals_free(&totals);
	recording_free(recording);
}

static void test_most_frequent_call_comes_first(void **state)
{
	struct recording *recording = made();
	struct recording_call call = { .nr = 1, .arch = SYSCALL_ARCH_i386, .count = 14 };
	struct totals totals;

	(void)state;
	assert_int_equal(recording_add(recording, 0, &call), 0);
	assert_int_equal(
		totals_make(recording, &(struct totals_of){ .phase = RECORDING_NONE }, &totals), 0);
	totals_sort(&totals);
	assert_int_equal(totals.calls[0].nr, 2);
	assert_int_equal(totals.calls[1].arch, SYSCALL_ARCH_x86_64);
	assert_int_equal(totals.calls[2].arch, SYSCALL_ARCH_i386);
	assert_int_equal(totals.calls[3].nr, 3);
	totals_free(&totals);
	recording_free(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_nodes_are_added_up),
		cmocka_unit_test(test_phase_is_its_nodes_alone),
		cmocka_unit_test(test_program_is_its_nodes_alone),
		cmocka_unit_test(test_most_frequent_call_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
