/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/process_exec/process_exec.h"
#include "sources/process_fork/process_fork.h"
#include "support/parsed.h"
#include "support/stage.h"

static void test_fork_is_the_child(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	raw_hdr(&raw)->tgid = raw_hdr(&raw)->tid = 4194304;
	raw_hdr(&raw)->ppid = 100;
	raw_hdr(&raw)->uid = UINT32_MAX;
	raw_hdr(&raw)->start_ns = (1ULL << 53) + 1;
	assert_string_equal(taken(), "{\"event_type\":\"process_fork\","
				     "\"timestamp\":\"2026-11-21T09:00:05.123456Z\","
				     "\"pid\":4194304,\"ppid\":100,\"uid\":4294967295,"
				     "\"process\":\"demo\","
				     "\"start_time_ns\":\"9007199254740993\"}\n");
}

static void test_comm_of_any_bytes_is_json(void **state)
{
	const char *text;

	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	memcpy(raw_hdr(&raw)->comm,
	       "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\xff\xfe", 16);
	text = taken();
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_non_null(strstr(text,
			       "\"process\":\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007"
			       "\\b\\u000b\\f\\u000e\\u000f\\u0010\\u0011\xef\xbf\xbd\xef\xbf"
			       "\xbd\""));
}

static void test_child_is_in_its_parents_container(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, offsetof(struct process_exec_event, cgroup), "lxc.payload.web");
	taken();
	raw_begin(&raw, SOURCE_process_fork);
	raw_hdr(&raw)->tgid = 200;
	raw_hdr(&raw)->ppid = RAW_PID;
	assert_string_equal(parsed_value(taken(), "container.name"), "web");
	raw_hdr(&raw)->tgid = 201;
	raw_hdr(&raw)->ppid = 55;
	assert_null(parsed_value(taken(), "container"));
}

static void test_rename_is_not_reported_but_remembered(void **state)
{
	const struct process *process;

	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	taken();
	raw_hdr(&raw)->type = PROCESS_RENAME;
	memcpy(raw_hdr(&raw)->comm, "renamed", 8);
	assert_string_equal(taken(), "");
	process = processes_find(scene.pipeline.processes, RAW_PID);
	assert_non_null(process);
	assert_string_equal(process->comm, "renamed");
	assert_int_equal(scene.pipeline.fates[SOURCE_process_fork].filtered, 1);
}

static void test_rename_enters_a_process(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	raw_hdr(&raw)->type = PROCESS_RENAME;
	assert_string_equal(taken(), "");
	assert_non_null(processes_find(scene.pipeline.processes, RAW_PID));
}

static void test_process_that_left_the_set_is_forgotten(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	taken();
	raw_hdr(&raw)->type = PROCESS_RENAME;
	raw_hdr(&raw)->flags = HDR_LEFT_SET;
	assert_string_equal(taken(), "");
	assert_null(processes_find(scene.pipeline.processes, RAW_PID));
	/* one that was never in it */
	assert_string_equal(taken(), "");
	assert_int_equal(processes_count(scene.pipeline.processes), 0);
}

static void test_fork_with_a_full_table_is_reported(void **state)
{
	struct processes *before = scene.pipeline.processes;
	struct processes *full;

	(void)state;
	assert_int_equal(processes_new(&full, 1, false), 0);
	processes_add(full, 1, 1);
	scene.pipeline.processes = full;
	raw_begin(&raw, SOURCE_process_fork);
	assert_string_equal(parsed_value(taken(), "pid"), "100");
	assert_true(processes_refused(full) > 0);
	scene.pipeline.processes = before;
	processes_free(full);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fork_is_the_child),
		TEST(test_comm_of_any_bytes_is_json),
		TEST(test_child_is_in_its_parents_container),
		TEST(test_rename_is_not_reported_but_remembered),
		TEST(test_rename_enters_a_process),
		TEST(test_process_that_left_the_set_is_forgotten),
		TEST(test_fork_with_a_full_table_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
