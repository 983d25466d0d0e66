/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/process_exec/process_exec.h"
#include "support/parsed.h"
#include "support/stage.h"

#define AT(member) offsetof(struct process_exec_event, member)
#define ARGV_MAX   16384

/* An exec with the SIZE bytes of ARGV. */
static const char *exec_of(const char *argv, size_t size)
{
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, AT(exe), "/usr/bin/x");
	raw_tail(&raw, AT(argv), argv, size);
	return taken();
}

static void test_exec_has_all_its_fields(void **state)
{
	static const char argv[] = "curl\0-s\0https://localhost/";

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, AT(exe), "/usr/bin/curl");
	raw_tail_text(&raw, AT(cwd), "/home/bob/src");
	raw_tail(&raw, AT(argv), argv, sizeof(argv));
	assert_string_equal(taken(),
			    "{\"event_type\":\"process_exec\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\",\"exe\":\"/usr/bin/curl\","
			    "\"cmdline\":\"curl -s https://localhost/\","
			    "\"argv\":[\"curl\",\"-s\",\"https://localhost/\"],"
			    "\"cwd\":\"/home/USER/src\",\"start_time_ns\":1000000000,"
			    "\"truncated\":false}\n");
}

static void test_exec_without_anything_has_nulls(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	assert_string_equal(taken(),
			    "{\"event_type\":\"process_exec\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\",\"exe\":null,\"cmdline\":null,"
			    "\"argv\":null,\"cwd\":null,\"start_time_ns\":1000000000,"
			    "\"truncated\":false}\n");
}

static void check_truncated(uint32_t flags, const char *expected)
{
	struct process_exec_event *event = (void *)raw.bytes;

	raw_begin(&raw, SOURCE_process_exec);
	event->flags = flags;
	assert_string_equal(parsed_value(taken(), "truncated"), expected);
}

static void test_what_is_not_whole_is_marked(void **state)
{
	(void)state;
	check_truncated(0, "false");
	check_truncated(EXEC_COMPAT, "false");
	check_truncated(EXEC_ARGV_CUT, "true");
	check_truncated(EXEC_PATH_CUT, "true");
	check_truncated(EXEC_ARGV_FAULT, "true");
	check_truncated(EXEC_COMPAT | EXEC_ARGV_CUT, "true");
}

static void test_secrets_of_arguments_are_never_shown(void **state)
{
	static const char argv[] = "mysql\0-psecret1\0--password=secret2\0--token\0secret3";
	const char *text = exec_of(argv, sizeof(argv));

	(void)state;
	assert_null(strstr(text, "secret"));
	assert_string_equal(parsed_value(text, "argv.0"), "mysql");
	assert_string_equal(parsed_value(text, "argv.3"), "--token");
}

static void test_arguments_need_not_be_text(void **state)
{
	static const char argv[] = "x\0\xff\xfe\0\x01\n\"\\\0\xc3\xa9\0\xed\xa0\x80";
	const char *text = exec_of(argv, sizeof(argv));

	(void)state;
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_string_equal(parsed_value(text, "argv.1"), "\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(parsed_value(text, "argv.2"), "\x01\n\"\\");
	assert_string_equal(parsed_value(text, "argv.3"), "\xc3\xa9");
	assert_string_equal(parsed_value(text, "argv.4"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void test_largest_argument_list_is_whole(void **state)
{
	static char argv[ARGV_MAX];
	char path[16];
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(argv); i++)
		argv[i] = i % 8 == 7 ? '\0' : 'x';
	text = exec_of(argv, sizeof(argv));
	snprintf(path, sizeof(path), "argv.%d", ARGV_MAX / 8 - 1);
	assert_string_equal(parsed_value(text, path), "xxxxxxx");
	assert_int_equal(strlen(parsed_value(text, "cmdline")), ARGV_MAX - 1);
	/* one argument that was cut has no NUL */
	memset(argv, 'x', sizeof(argv));
	text = exec_of(argv, sizeof(argv));
	assert_int_equal(strlen(parsed_value(text, "argv.0")), ARGV_MAX);
}

static void test_all_bytes_of_the_largest_list_may_need_escapes(void **state)
{
	static char argv[ARGV_MAX];
	const char *text;

	(void)state;
	memset(argv, '\xff', sizeof(argv));
	text = exec_of(argv, sizeof(argv));
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_int_equal(strlen(parsed_value(text, "argv.0")), 3 * ARGV_MAX);
	memset(argv, '\x01', sizeof(argv));
	text = exec_of(argv, sizeof(argv));
	assert_int_equal(strlen(parsed_value(text, "argv.0")), ARGV_MAX);
}

static void test_empty_arguments_are_kept(void **state)
{
	(void)state;
	assert_string_equal(parsed_value(exec_of("", 1), "argv"), "[\"\"]");
	assert_string_equal(parsed_value(exec_of("x\0\0y", 5), "argv"), "[\"x\",\"\",\"y\"]");
}

static void test_exec_enters_the_process_and_its_container(void **state)
{
	const struct process *process;

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, AT(cgroup), "lxc.payload.web");
	assert_string_equal(parsed_value(taken(), "container.name"), "web");
	process = processes_find(scene.pipeline.processes, RAW_PID);
	assert_non_null(process);
	assert_int_equal(process->ppid, RAW_PPID);
	assert_int_equal(process->uid, RAW_UID);
	assert_string_equal(process->comm, RAW_COMM);
	assert_string_equal(process->container->name, "web");
	/* moved out of it */
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, AT(cgroup), "user.slice");
	assert_null(parsed_value(taken(), "container"));
}

static void test_container_id_has_no_name(void **state)
{
	const char *text;

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(
		&raw, AT(cgroup),
		"docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope");
	text = taken();
	assert_string_equal(parsed_value(text, "container.id"),
			    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	assert_null(parsed_value(text, "container.name"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exec_has_all_its_fields),
		TEST(test_exec_without_anything_has_nulls),
		TEST(test_what_is_not_whole_is_marked),
		TEST(test_secrets_of_arguments_are_never_shown),
		TEST(test_arguments_need_not_be_text),
		TEST(test_largest_argument_list_is_whole),
		TEST(test_all_bytes_of_the_largest_list_may_need_escapes),
		TEST(test_empty_arguments_are_kept),
		TEST(test_exec_enters_the_process_and_its_container),
		TEST(test_container_id_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
