/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/process_exit/process_exit.h"
#include "support/parsed.h"
#include "support/stage.h"

/* The end of another process each time, with wait status STATUS. */
static const char *exit_of(uint32_t status)
{
	static uint32_t pid = 1000;
	struct process_exit_event *event = (void *)raw.bytes;

	raw_begin(&raw, SOURCE_process_exit);
	event->hdr.tgid = pid++;
	event->status = status;
	return taken();
}

static void test_exit_has_all_its_fields(void **state)
{
	struct process_exit_event *event = (void *)raw.bytes;

	(void)state;
	raw_begin(&raw, SOURCE_process_exit);
	event->status = 3 << 8;
	assert_string_equal(
		taken(), "{\"event_type\":\"process_exit\","
			 "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			 "\"uid\":1000,\"process\":\"demo\",\"exit_code\":3,\"duration_ms\":4123,"
			 "\"start_time_ns\":1000000000}\n");
}

static void test_exit_by_signal_has_all_its_fields(void **state)
{
	struct process_exit_event *event = (void *)raw.bytes;

	(void)state;
	raw_begin(&raw, SOURCE_process_exit);
	event->status = 11 | 0x80;
	assert_string_equal(taken(),
			    "{\"event_type\":\"process_exit\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\",\"exit_code\":139,"
			    "\"signal\":\"SIGSEGV\",\"core_dumped\":true,\"duration_ms\":4123,"
			    "\"start_time_ns\":1000000000}\n");
}

static void check_exit(uint32_t status, const char *code, const char *signal, const char *core)
{
	static char text[1024];
	const char *fields[] = { "exit_code", "signal", "core_dumped" };
	const char *expected[] = { code, signal, core };

	snprintf(text, sizeof(text), "%s", exit_of(status));
	for (size_t i = 0; i < 3; i++) {
		const char *value = parsed_value(text, fields[i]);

		if (expected[i])
			assert_string_equal(value, expected[i]);
		else
			assert_null(value);
	}
}

static void test_exit_code_is_what_a_shell_gives(void **state)
{
	(void)state;
	check_exit(0, "0", NULL, NULL);
	check_exit(1 << 8, "1", NULL, NULL);
	check_exit(3 << 8, "3", NULL, NULL);
	check_exit(255 << 8, "255", NULL, NULL);
	/* exit(256 + 7): the kernel keeps eight bits */
	check_exit(0x10700, "7", NULL, NULL);
}

static void test_killed_process_has_signal_and_128_more(void **state)
{
	(void)state;
	check_exit(1, "129", "SIGHUP", NULL);
	check_exit(9, "137", "SIGKILL", NULL);
	check_exit(15, "143", "SIGTERM", NULL);
	check_exit(31, "159", "SIGSYS", NULL);
	check_exit(6 | 0x80, "134", "SIGABRT", "true");
	check_exit(34, "162", "SIGRTMIN", NULL);
	check_exit(36, "164", "SIGRTMIN+2", NULL);
	check_exit(64, "192", "SIGRTMIN+30", NULL);
	/* what the C library keeps for itself, and what no kernel sends */
	check_exit(32, "160", "SIG32", NULL);
	check_exit(127, "255", "SIG127", NULL);
}

static void test_every_status_is_json(void **state)
{
	(void)state;
	for (uint32_t status = 0; status < 1 << 16; status += 37) {
		const char *text = exit_of(status);

		assert_int_equal(parsed_count(text, strlen(text)), 1);
		processes_expire(scene.pipeline.processes);
	}
}

static void check_duration(uint64_t start_ns, uint64_t end_ns, const char *expected)
{
	raw_begin(&raw, SOURCE_process_exit);
	raw_hdr(&raw)->start_ns = start_ns;
	raw_hdr(&raw)->ts_ns = end_ns;
	assert_string_equal(parsed_value(taken(), "duration_ms"), expected);
}

static void test_duration_is_from_start_to_end(void **state)
{
	(void)state;
	check_duration(1000, 1000, "0");
	check_duration(1001, 1000999, "0");
	check_duration(1002, 1001002, "1");
	check_duration(5000000001, 8000000000, "2999");
	check_duration(86400000000000, 864000000000000, "777600000");
	/* clocks of two CPUs */
	check_duration(2000, 1000, "0");
}

static void test_second_record_of_an_end_is_dropped(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exit);
	assert_true(*taken() != '\0');
	assert_string_equal(taken(), "");
	processes_expire(scene.pipeline.processes);
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exit].filtered, 2);
}

/* Whether it was known before or not, it takes up no place for long. */
static void test_ended_process_is_forgotten(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		assert_true(*exit_of(0) != '\0');
		processes_expire(scene.pipeline.processes);
	}
	processes_expire(scene.pipeline.processes);
	processes_expire(scene.pipeline.processes);
	assert_int_equal(processes_count(scene.pipeline.processes), 0);
	assert_int_equal(processes_refused(scene.pipeline.processes), 0);
}

static void test_end_of_an_older_process_of_the_pid_is_reported(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	taken();
	raw_begin(&raw, SOURCE_process_exit);
	raw_hdr(&raw)->start_ns = RAW_START_NS - 1;
	assert_string_equal(parsed_value(taken(), "start_time_ns"), "999999999");
}

static void test_end_with_a_full_table_is_reported(void **state)
{
	struct processes *before = scene.pipeline.processes;
	struct processes *full;

	(void)state;
	assert_int_equal(processes_new(&full, 1, false), 0);
	processes_add(full, 1, 1);
	scene.pipeline.processes = full;
	assert_string_equal(parsed_value(exit_of(0), "exit_code"), "0");
	scene.pipeline.processes = before;
	processes_free(full);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit_has_all_its_fields),
		TEST(test_exit_by_signal_has_all_its_fields),
		TEST(test_exit_code_is_what_a_shell_gives),
		TEST(test_killed_process_has_signal_and_128_more),
		TEST(test_every_status_is_json),
		TEST(test_duration_is_from_start_to_end),
		TEST(test_second_record_of_an_end_is_dropped),
		TEST(test_ended_process_is_forgotten),
		TEST(test_end_of_an_older_process_of_the_pid_is_reported),
		TEST(test_end_with_a_full_table_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
