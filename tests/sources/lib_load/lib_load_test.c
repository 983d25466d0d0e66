/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/lib_load/lib_load.h"
#include "sources/process_exec/process_exec.h"
#include "support/parsed.h"
#include "support/stage.h"

#define AT(member) offsetof(struct lib_load_event, member)

static struct lib_load_event *const event = (void *)raw.bytes;

/* A mapping as trace/stream.c makes it: no more is known than pid and tid. */
static void make(const char *path, const char *build_id)
{
	raw_begin(&raw, SOURCE_lib_load);
	*raw_hdr(&raw) = (struct event_hdr){
		.version = WIRE_VERSION,
		.source = SOURCE_lib_load,
		.size = sizeof(*event),
		.ts_ns = RAW_TS_NS,
		.tgid = RAW_PID,
		.tid = RAW_PID,
	};
	event->inode = 99;
	event->dev_major = 254;
	raw_tail_text(&raw, AT(path), path);
	if (build_id)
		raw_tail_text(&raw, AT(build_id), build_id);
}

static void exec_process(const char *cgroup)
{
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, offsetof(struct process_exec_event, cgroup), cgroup);
	taken();
}

static void test_load_has_what_the_process_table_knows(void **state)
{
	(void)state;
	exec_process("lxc.payload.web");
	make("/usr/lib/libssl.so.3", "00ff");
	assert_string_equal(taken(),
			    "{\"event_type\":\"lib_load\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\","
			    "\"container\":{\"id\":\"web\",\"name\":\"web\"},"
			    "\"library\":\"/usr/lib/libssl.so.3\",\"library_name\":\"libssl.so.3\","
			    "\"family\":\"openssl\",\"dev\":\"254:0\",\"inode\":99,"
			    "\"build_id\":\"00ff\"}\n");
}

/* Nothing is made up: no parent 0 and no user 0. */
static void test_load_of_an_unknown_process_has_its_pid_only(void **state)
{
	(void)state;
	make("/usr/lib/libssl.so.3", NULL);
	assert_string_equal(taken(),
			    "{\"event_type\":\"lib_load\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,"
			    "\"process\":\"\","
			    "\"library\":\"/usr/lib/libssl.so.3\",\"library_name\":\"libssl.so.3\","
			    "\"family\":\"openssl\",\"dev\":\"254:0\",\"inode\":99}\n");
	assert_int_equal(processes_count(scene.pipeline.processes), 0);
}

static void test_process_that_is_not_selected_is_not_reported(void **state)
{
	(void)state;
	scene_close(&scene);
	scene_open_selective(&scene, "json-lines");
	make("/usr/lib/libssl.so.3", NULL);
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_lib_load].filtered, 1);
	exec_process("user.slice");
	make("/usr/lib/libssl.so.3", NULL);
	assert_string_equal(parsed_value(taken(), "family"), "openssl");
}

static void test_family_is_that_of_the_catalogue(void **state)
{
	static const char *const cases[][2] = {
		{ "/usr/lib/x86_64-linux-gnu/libssl.so.3", "openssl" },
		{ "/usr/lib/x86_64-linux-gnu/libcrypto.so.1.1", "openssl" },
		{ "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so", "openssl" },
		{ "/usr/lib/x86_64-linux-gnu/libgnutls.so.30", "gnutls" },
		{ "/usr/lib/x86_64-linux-gnu/libnss3.so", "nss" },
		{ "/usr/lib/libsodium.so.23", "libsodium" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i][0], NULL);
		assert_string_equal(parsed_value(taken(), "family"), cases[i][1]);
	}
}

static void test_other_files_are_dropped(void **state)
{
	static const char *const paths[] = {
		"/usr/lib/libc.so.6",
		"/usr/lib/libsslclient.so",
		"/tmp/libssl notes.txt",
		"/usr/bin/openssl",
		"//anon",
		"[vdso]",
		"/usr/lib/libssl.so.x",
		"x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		make(paths[i], NULL);
		assert_string_equal(taken(), "");
	}
	assert_int_equal(scene.pipeline.fates[SOURCE_lib_load].filtered, 8);
}

static void test_deleted_library_is_known_still(void **state)
{
	const char *text;

	(void)state;
	make("/usr/lib/libssl.so.3 (deleted)", NULL);
	text = taken();
	assert_string_equal(parsed_value(text, "family"), "openssl");
	assert_string_equal(parsed_value(text, "library"), "/usr/lib/libssl.so.3 (deleted)");
}

static void test_name_is_what_follows_the_last_slash(void **state)
{
	(void)state;
	make("/a/b/libssl.so", NULL);
	assert_string_equal(parsed_value(taken(), "library_name"), "libssl.so");
	make("libssl.so", NULL);
	assert_string_equal(parsed_value(taken(), "library_name"), "libssl.so");
	make("/libssl.so", NULL);
	assert_string_equal(parsed_value(taken(), "library_name"), "libssl.so");
}

static void test_path_is_redacted(void **state)
{
	(void)state;
	make("/home/bob/openssl/libssl.so.3", NULL);
	assert_string_equal(parsed_value(taken(), "library"), "/home/USER/openssl/libssl.so.3");
}

static void test_library_is_reported_once_a_file_and_image(void **state)
{
	(void)state;
	exec_process("user.slice");
	make("/usr/lib/libssl.so.3", NULL);
	assert_true(*taken() != '\0');
	assert_string_equal(taken(), "");
	/* the same inode on another device is another file */
	event->dev_major = 8;
	assert_true(*taken() != '\0');
	event->dev_minor = 1;
	assert_true(*taken() != '\0');
	event->inode = 100;
	assert_true(*taken() != '\0');
	assert_string_equal(taken(), "");
	exec_process("user.slice");
	make("/usr/lib/libssl.so.3", NULL);
	assert_true(*taken() != '\0');
}

static void test_record_without_path_is_malformed(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_lib_load);
	raw_tail_text(&raw, AT(build_id), "00ff");
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_lib_load].malformed, 1);
}

static void test_longest_path_is_whole(void **state)
{
	char path[4097];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	memcpy(path + sizeof(path) - 11, "/libssl.so", 11);
	scene_close(&scene);
	scene_open(&scene, "json-lines", false);
	exec_process("user.slice");
	make(path, "0123456789abcdef0123456789abcdef01234567");
	assert_int_equal(strlen(parsed_value(taken(), "library")), 4096);
}

/* The copy that gets the process's data would not fit: nothing is written beyond the arena. */
static void test_record_larger_than_the_arena_is_malformed(void **state)
{
	static char path[20000];

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 11, "/libssl.so", 11);
	exec_process("user.slice");
	make(path, NULL);
	assert_string_equal(taken(), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_lib_load].malformed, 1);
}

static void test_record_itself_is_not_changed(void **state)
{
	static struct raw before;

	(void)state;
	exec_process("lxc.payload.web");
	make("/usr/lib/libssl.so.3", "00ff");
	before = raw;
	assert_string_equal(parsed_value(taken(), "process"), "demo");
	assert_memory_equal(before.bytes, raw.bytes, raw.size);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_load_has_what_the_process_table_knows),
		TEST(test_load_of_an_unknown_process_has_its_pid_only),
		TEST(test_process_that_is_not_selected_is_not_reported),
		TEST(test_family_is_that_of_the_catalogue),
		TEST(test_other_files_are_dropped),
		TEST(test_deleted_library_is_known_still),
		TEST(test_name_is_what_follows_the_last_slash),
		TEST(test_path_is_redacted),
		TEST(test_library_is_reported_once_a_file_and_image),
		TEST(test_record_without_path_is_malformed),
		TEST(test_longest_path_is_whole),
		TEST(test_record_larger_than_the_arena_is_malformed),
		TEST(test_record_itself_is_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
