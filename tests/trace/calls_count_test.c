/* SPDX-License-Identifier: MIT */
/* Calls that were only counted, and what coverage says of all calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/parsed.h"
#include "support/scene.h"
#include "trace/made_calls.h"

/* COUNT calls of the function in SLOT by process PID, which began at RAW_START_NS. */
static struct api_count *count_calls(size_t at, uint32_t pid, uint32_t slot, uint64_t count)
{
	calls.uprobes.counts[at] = (struct api_count){
		.key = ((uint64_t)pid << 32 | slot) + 1,
		.start_ns = RAW_START_NS,
		.count = count,
	};
	return &calls.uprobes.counts[at];
}

static struct scene scene;

static void open_counting(void)
{
	scene_open(&scene, "json-lines", false);
	scene.pipeline.handlers[SOURCE_api_call].resolve = calls_resolve;
	scene.pipeline.handlers[SOURCE_api_call].resolve_ctx = &calls;
}

static void test_counts_become_records(void **state)
{
	struct api_count *count;
	const char *text;

	(void)state;
	open_counting();
	map_library(libssl, 0);
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(scene_take(&scene, &raw), 0);
	scene_text(&scene);
	count = count_calls(5, RAW_PID, slot_of("SSL_read"), 4321);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 0, RAW_TS_NS), 0);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "function_name"), "SSL_read");
	assert_string_equal(parsed_value(text, "count"), "4321");
	assert_string_equal(parsed_value(text, "timestamp"), "2026-11-21T09:00:05.123456Z");
	assert_string_equal(parsed_value(text, "pid"), "100");
	assert_string_equal(parsed_value(text, "ppid"), "1");
	assert_string_equal(parsed_value(text, "uid"), "1000");
	assert_string_equal(parsed_value(text, "process"), RAW_COMM);
	assert_int_equal(calls.nr_made, 1);
	/* told once; the place is its own while the process lives */
	assert_int_equal(count->count, 0);
	assert_int_not_equal(count->key, 0);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 0, RAW_TS_NS), 0);
	assert_string_equal(scene_text(&scene), "");
	assert_int_equal(calls.nr_made, 1);
	/* and goes on where it was */
	count->count = 9;
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, RAW_PID, RAW_TS_NS), 0);
	assert_string_equal(parsed_value(scene_text(&scene), "count"), "9");
	assert_int_equal(count->key, 0);
	scene_close(&scene);
}

static void test_counts_of_a_process_are_told_at_its_end(void **state)
{
	uint32_t slot;

	(void)state;
	open_counting();
	map_library(libssl, 0);
	slot = slot_of("SSL_write");
	count_calls(0, 7, slot, 1);
	count_calls(1, 8, slot, 2);
	count_calls(API_COUNTS_MAX - 1, 7, slot_of("SSL_read"), 3);
	count_calls(2, 7, slot_of("SSL_write_ex"), 0);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 7, RAW_TS_NS), 0);
	assert_int_equal(calls.nr_made, 2);
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].written, 2);
	assert_int_equal(calls.uprobes.counts[0].key, 0);
	assert_int_equal(calls.uprobes.counts[2].key, 0);
	assert_int_equal(calls.uprobes.counts[API_COUNTS_MAX - 1].key, 0);
	assert_int_equal(calls.uprobes.counts[1].count, 2);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 0, RAW_TS_NS), 0);
	assert_int_equal(calls.nr_made, 3);
	scene_close(&scene);
}

/* Every record that is made has a fate, so that the accounts are right. */
static void test_counts_of_no_function_are_malformed(void **state)
{
	(void)state;
	open_counting();
	map_library(libssl, 0);
	count_calls(3, 7, API_SLOTS_MAX - 1, 5);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 0, RAW_TS_NS), 0);
	assert_string_equal(scene_text(&scene), "");
	assert_int_equal(calls.nr_made, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].malformed, 1);
	scene_close(&scene);
}

static void test_counts_stop_where_the_output_does(void **state)
{
	uint32_t slot;

	(void)state;
	open_counting();
	map_library(libssl, 0);
	slot = slot_of("SSL_read");
	scene.pipeline.max_events = 1;
	for (size_t i = 0; i < 3; i++)
		count_calls(i, 7 + (uint32_t)i, slot, 1);
	assert_int_equal(calls_tell_counts(&calls, &scene.pipeline, 0, RAW_TS_NS), -ECANCELED);
	assert_int_equal(calls.nr_made, 1);
	scene_close(&scene);
}

/* They are let go of together with the rest of their file, which is then attached anew. */
static void test_probe_that_is_hit_too_often_is_taken_off(void **state)
{
	static struct coverage coverage;
	const struct coverage_lapse *lapse;
	uint32_t slot;
	uint64_t now = 1000000000000;

	(void)state;
	map_library(libssl, 0);
	map_library(libcrypto, 0);
	slot = slot_of("EVP_PBE_scrypt");
	calls_tick(&calls, now);
	assert_int_equal(asked->nr_sets, 2);
	calls.uprobes.slots[slot].is_off = 1;
	/* not at every pass */
	calls_tick(&calls, now + 1000000);
	assert_int_equal(asked->nr_sets, 2);
	calls_tick(&calls, now + 1000000000);
	assert_int_equal(asked->nr_sets, 3);
	assert_int_equal(asked->nr_gone, 1);
	assert_int_equal(asked->gone[0], 1);
	assert_int_equal(asked->nr_probes[2], asked->nr_probes[1] - 1);
	/* and once */
	calls_tick(&calls, now + 2000000000);
	assert_int_equal(asked->nr_sets, 3);
	coverage_of_calls(&coverage);
	assert_int_equal(coverage.lapses.count, 1);
	lapse = coverage.lapses.items;
	assert_string_equal(lapse->function, "EVP_PBE_scrypt");
	assert_string_equal(lapse->library, libcrypto);
}

static void test_coverage_says_what_was_lost(void **state)
{
	static struct coverage coverage;

	(void)state;
	coverage_of_calls(&coverage);
	assert_int_equal(coverage.not_seen.count, 0);
	*calls.uprobes.shared =
		(struct api_shared){ .counts_lost = 3, .frames_lost = 5, .faults = 7 };
	session.nr_roots_refused = 9;
	coverage_of_calls(&coverage);
	assert_int_equal(gap_of(&coverage, "calls of functions that are counted", "room"), 3);
	assert_int_equal(gap_of(&coverage, "results of calls", "nested"), 5);
	assert_int_equal(gap_of(&coverage, "arguments of calls", "memory"), 7);
	assert_int_equal(gap_of(&coverage, "calls in containers", "root"), 9);
	assert_int_equal(coverage.not_seen.count, 4);
}

static void test_more_late_libraries_than_are_named_are_counted(void **state)
{
	static struct coverage coverage;

	(void)state;
	calls.nr_late = COVERAGE_LATE_MAX;
	map_library(libssl, 0);
	map_library(libcrypto, 0);
	assert_int_equal(calls.nr_late, COVERAGE_LATE_MAX + 2);
	coverage_of_calls(&coverage);
	assert_int_equal(coverage.late.count, COVERAGE_LATE_MAX);
	assert_true(coverage.late.truncated);
	assert_int_equal(gap_of(&coverage, "libraries in late_attach", "named"), 2);
}

static void test_more_lapses_than_are_named_are_counted(void **state)
{
	static struct coverage coverage;

	(void)state;
	map_library(libcrypto, 0);
	for (uint32_t i = 0; i < COVERAGE_LAPSES_MAX + 4; i++)
		calls.uprobes.slots[i].is_off = 1;
	calls_tick(&calls, 1000000000000);
	coverage_of_calls(&coverage);
	assert_int_equal(coverage.lapses.count, COVERAGE_LAPSES_MAX);
	assert_int_equal(gap_of(&coverage, "functions in detached", "named"), 4);
}

#define TEST(function)	   cmocka_unit_test_setup_teardown(function, begin, end)
#define TEST_ALL(function) cmocka_unit_test_setup_teardown(function, begin_all, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ALL(test_counts_become_records),
		TEST_ALL(test_counts_of_a_process_are_told_at_its_end),
		TEST_ALL(test_counts_of_no_function_are_malformed),
		TEST_ALL(test_counts_stop_where_the_output_does),
		TEST(test_probe_that_is_hit_too_often_is_taken_off),
		TEST(test_coverage_says_what_was_lost),
		TEST(test_more_late_libraries_than_are_named_are_counted),
		TEST(test_more_lapses_than_are_named_are_counted),
	};

	return cmocka_run_group_tests(tests, find_libraries, NULL);
}
