/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "sources/api_call/call.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/process_exec/process_exec.h"
#include "sources/process_exit/process_exit.h"
#include "sources/process_fork/process_fork.h"
#include "support/parsed.h"
#include "support/raw.h"
#include "support/scene.h"

static struct raw raw;
static struct scene scene;

static int open_lines(void **state)
{
	(void)state;
	scene_open(&scene, "json-lines", false);
	return 0;
}

static int close_scene(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static int nr_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static int take(void)
{
	return scene_take(&scene, &raw);
}

static void make_open(const char *name)
{
	raw_begin(&raw, SOURCE_file_open);
	raw_tail_text(&raw, offsetof(struct file_open_event, name), name);
}

static void make_load(const char *path)
{
	struct lib_load_event *event = (void *)raw.bytes;

	raw_begin(&raw, SOURCE_lib_load);
	event->inode = 7;
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), path);
}

static void make_fork(uint32_t pid, uint32_t ppid, uint64_t start_ns)
{
	raw_begin(&raw, SOURCE_process_fork);
	raw_hdr(&raw)->tgid = raw_hdr(&raw)->tid = pid;
	raw_hdr(&raw)->ppid = ppid;
	raw_hdr(&raw)->start_ns = start_ns;
}

static void test_record_becomes_an_event(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	assert_int_equal(take(), 0);
	assert_string_equal(scene_text(&scene),
			    "{\"event_type\":\"process_fork\","
			    "\"timestamp\":\"2026-11-21T09:00:05.123456Z\",\"pid\":100,\"ppid\":1,"
			    "\"uid\":1000,\"process\":\"demo\",\"start_time_ns\":1000000000}\n");
	assert_int_equal(scene.pipeline.nr_written, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_fork].written, 1);
}

static void test_thread_is_told_where_it_differs(void **state)
{
	const char *text;

	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	memcpy(raw_hdr(&raw)->thread, "worker", 7);
	assert_int_equal(take(), 0);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "process"), "demo");
	assert_string_equal(parsed_value(text, "thread"), "worker");
	raw_begin(&raw, SOURCE_process_fork);
	assert_int_equal(take(), 0);
	assert_null(parsed_value(scene_text(&scene), "thread"));
}

static void test_names_without_nul_are_not_read_beyond(void **state)
{
	const char *text;

	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	memset(raw_hdr(&raw)->comm, 'c', COMM_SIZE);
	memset(raw_hdr(&raw)->thread, 't', COMM_SIZE);
	assert_int_equal(take(), 0);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "process"), "cccccccccccccccc");
	assert_string_equal(parsed_value(text, "thread"), "tttttttttttttttt");
}

static void test_container_comes_from_the_process_table(void **state)
{
	static const char group[] = "lxc.payload.web";
	const char *text;

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, offsetof(struct process_exec_event, cgroup), group);
	assert_int_equal(take(), 0);
	scene_text(&scene);
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), 0);
	text = scene_text(&scene);
	assert_string_equal(parsed_value(text, "container.id"), "web");
	assert_string_equal(parsed_value(text, "container.name"), "web");
	/* another process of the same pid is another process */
	raw_hdr(&raw)->start_ns++;
	assert_int_equal(take(), 0);
	assert_null(parsed_value(scene_text(&scene), "container"));
}

static void test_what_is_no_record_is_counted_and_skipped(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_hdr(&raw)->version = 99;
	assert_int_equal(take(), 0);
	raw.size = 3;
	assert_int_equal(take(), 0);
	raw.size = 0;
	assert_int_equal(take(), 0);
	assert_int_equal(scene.pipeline.nr_unknown, 3);
	raw_begin(&raw, SOURCE_process_exec);
	raw_hdr(&raw)->size = 5;
	assert_int_equal(take(), 0);
	assert_int_equal(scene.pipeline.nr_unknown, 3);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exec].malformed, 1);
	assert_string_equal(scene_text(&scene), "");
	assert_int_equal(scene.pipeline.nr_written, 0);
}

static void test_malformed_record_does_not_touch_the_table(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_hdr(&raw)->size++;
	assert_int_equal(take(), 0);
	assert_int_equal(processes_count(scene.pipeline.processes), 0);
}

static void test_record_not_wanted_still_keeps_the_table(void **state)
{
	(void)state;
	scene.pipeline.filter.wanted = 1U << SOURCE_file_open;
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(take(), 0);
	assert_string_equal(scene_text(&scene), "");
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exec].filtered, 1);
	assert_non_null(processes_find(scene.pipeline.processes, RAW_PID));
}

static void test_exit_is_reported_once(void **state)
{
	(void)state;
	make_fork(RAW_PID, RAW_PPID, RAW_START_NS);
	assert_int_equal(take(), 0);
	scene_text(&scene);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	assert_int_equal(nr_lines(scene_text(&scene)), 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exit].written, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exit].filtered, 1);
}

static void test_exit_of_a_process_nobody_knew_is_reported(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(take(), 0);
	assert_int_equal(nr_lines(scene_text(&scene)), 1);
}

static void test_library_is_reported_once_an_image(void **state)
{
	struct fate *fate = &scene.pipeline.fates[SOURCE_lib_load];

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(take(), 0);
	scene_text(&scene);
	make_load("/lib/libssl.so.3");
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	assert_int_equal(nr_lines(scene_text(&scene)), 1);
	assert_int_equal(fate->filtered, 1);
	raw_begin(&raw, SOURCE_process_exec);
	assert_int_equal(take(), 0);
	make_load("/lib/libssl.so.3");
	assert_int_equal(take(), 0);
	assert_int_equal(nr_lines(scene_text(&scene)), 2);
	assert_int_equal(fate->written, 2);
}

static void test_first_events_only(void **state)
{
	struct fate *fate = &scene.pipeline.fates[SOURCE_file_open];

	(void)state;
	scene.pipeline.max_events = 3;
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	/* the last one that is wanted ends the run */
	assert_int_equal(take(), -ECANCELED);
	assert_int_equal(take(), -ECANCELED);
	assert_int_equal(take(), -ECANCELED);
	assert_int_equal(nr_lines(scene_text(&scene)), 3);
	assert_int_equal(fate->written, 3);
	assert_int_equal(fate->throttled, 2);
	assert_int_equal(scene.pipeline.nr_written, 3);
}

static void test_events_not_wanted_do_not_count_as_events(void **state)
{
	(void)state;
	scene.pipeline.max_events = 1;
	scene.pipeline.filter.wanted = 1U << SOURCE_process_exit;
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(take(), -ECANCELED);
}

/* Nothing that went in is unaccounted for, whatever it was. */
static void test_every_record_has_one_fate(void **state)
{
	uint64_t sent[NR_SOURCES] = { 0 };
	uint32_t seed = 12345;

	(void)state;
	scene.pipeline.max_events = 300;
	scene.pipeline.filter.files[0] = "*.pem";
	scene.pipeline.filter.nr_files = 1;
	scene.pipeline.filter.libraries[0] = "libssl";
	scene.pipeline.filter.nr_libraries = 1;
	for (int i = 0; i < 10000; i++) {
		enum source_id source;

		seed = seed * 1664525U + 1013904223U;
		source = (seed >> 16) % NR_SOURCES;
		raw_begin(&raw, source);
		raw_hdr(&raw)->tgid = 1 + (seed >> 24) % 8;
		if (source == SOURCE_file_open)
			raw_tail_text(&raw, offsetof(struct file_open_event, name),
				      seed & 0x100 ? "/a/b.pem" : "/a/b.key");
		if (source == SOURCE_lib_load && seed & 0x200)
			raw_tail_text(&raw, offsetof(struct lib_load_event, path),
				      seed & 0x100 ? "/lib/libssl.so.3" : "/lib/libz.so.1");
		if (seed & 0x400)
			raw_hdr(&raw)->size++;
		sent[source]++;
		take();
		if (i % 100 == 0)
			processes_expire(scene.pipeline.processes);
	}
	assert_int_equal(nr_lines(scene_text(&scene)), 300);
	for (enum source_id source = 0; source < NR_SOURCES; source++) {
		const struct fate *fate = &scene.pipeline.fates[source];

		assert_int_equal(fate_total(fate), sent[source]);
		assert_true(fate->malformed > 0);
		assert_true(fate->filtered > 0);
		assert_int_equal(fate->sink_failed, 0);
	}
	assert_true(scene.pipeline.fates[SOURCE_file_open].written > 0);
	assert_true(scene.pipeline.fates[SOURCE_file_open].throttled > 0);
	assert_int_equal(scene.pipeline.nr_unknown, 0);
}

/* What a handler was called with, and what it says. */
static struct {
	int result; /* enum stage_result */
	const struct api_function *function;
	unsigned int nr_resolved;
	unsigned int nr_handled;
	unsigned int nr_resolved_first; /* when the last one was handled */
	uint32_t tgid;
} seen;

static int resolve(void *ctx, struct record *record)
{
	assert_ptr_equal(ctx, &seen.result);
	assert_non_null(record->hdr);
	/* what is derived comes after, for what is wanted */
	assert_int_equal(record->unix_ns, 0);
	seen.nr_resolved++;
	seen.tgid = record->hdr->tgid;
	if (seen.function)
		return api_call_resolve(record, seen.function, "/opt/own/libown.so",
					LIBRARY_FAMILY_openssl, false);
	return seen.result;
}

static void handle(void *ctx, struct record *record)
{
	assert_ptr_equal(ctx, &seen.nr_handled);
	assert_int_not_equal(record->unix_ns, 0);
	seen.nr_handled++;
	seen.nr_resolved_first = seen.nr_resolved;
}

static void add_handler(enum source_id source, int result)
{
	memset(&seen, 0, sizeof(seen));
	seen.result = result;
	scene.pipeline.handlers[source] = (struct pipeline_handler){
		.resolve = resolve,
		.resolve_ctx = &seen.result,
		.handle = handle,
		.ctx = &seen.nr_handled,
	};
}

static void test_record_is_resolved_and_then_handled(void **state)
{
	(void)state;
	add_handler(SOURCE_file_open, STAGE_NEXT);
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), 0);
	assert_int_equal(seen.nr_resolved, 1);
	assert_int_equal(seen.nr_handled, 1);
	assert_int_equal(seen.nr_resolved_first, 1);
	assert_int_equal(seen.tgid, RAW_PID);
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].written, 1);
	/* records of other sources are not theirs */
	make_load("/lib/libssl.so.3");
	assert_int_equal(take(), 0);
	assert_int_equal(seen.nr_resolved + seen.nr_handled, 2);
}

/* The filter looks at what resolving has found, and keeps nothing from it. */
static void test_record_is_resolved_before_it_is_filtered(void **state)
{
	(void)state;
	add_handler(SOURCE_file_open, STAGE_NEXT);
	scene.pipeline.filter.wanted = 1U << SOURCE_process_exit;
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), 0);
	assert_int_equal(seen.nr_resolved, 1);
	assert_int_equal(seen.nr_handled, 0);
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].filtered, 1);
}

static void test_what_is_resolved_is_filtered(void **state)
{
	static const struct {
		const char *library;
		int nr_lines;
	} cases[] = { { "openssl", 1 }, { "libown", 1 }, { "gnutls", 0 }, { "libssl", 0 } };

	(void)state;
	add_handler(SOURCE_api_call, STAGE_NEXT);
	seen.function = api_find(LIBRARY_FAMILY_openssl, "SSL_new", 7);
	scene.pipeline.filter.nr_libraries = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene.pipeline.filter.libraries[0] = cases[i].library;
		raw_begin(&raw, SOURCE_api_call);
		assert_int_equal(take(), 0);
		assert_int_equal(nr_lines(scene_text(&scene)), cases[i].nr_lines);
	}
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].filtered, 2);
	assert_int_equal(scene.pipeline.fates[SOURCE_api_call].written, 2);
}

static void test_record_that_resolving_drops_is_counted(void **state)
{
	const struct fate *fate = &scene.pipeline.fates[SOURCE_lib_load];

	(void)state;
	add_handler(SOURCE_lib_load, STAGE_DROP);
	make_load("/lib/libssl.so.3");
	assert_int_equal(take(), 0);
	assert_int_equal(fate->filtered, 1);
	seen.result = STAGE_MALFORMED;
	make_load("/lib/libcrypto.so.3");
	((struct lib_load_event *)raw.bytes)->inode++;
	assert_int_equal(take(), 0);
	assert_int_equal(fate->malformed, 1);
	assert_int_equal(fate_total(fate), 2);
	assert_int_equal(seen.nr_resolved, 2);
	assert_int_equal(seen.nr_handled, 0);
	assert_string_equal(scene_text(&scene), "");
}

/* What decoding or the process table refuses, nobody has to look at. */
static void test_record_that_is_refused_before_is_not_resolved(void **state)
{
	(void)state;
	add_handler(SOURCE_process_exit, STAGE_NEXT);
	raw_begin(&raw, SOURCE_process_exit);
	raw_hdr(&raw)->size++;
	assert_int_equal(take(), 0);
	assert_int_equal(seen.nr_resolved, 0);
	raw_begin(&raw, SOURCE_process_exit);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 0);
	assert_int_equal(seen.nr_resolved, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exit].malformed, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_process_exit].filtered, 1);
}

static void test_record_beyond_the_first_is_not_handled(void **state)
{
	(void)state;
	add_handler(SOURCE_file_open, STAGE_NEXT);
	scene.pipeline.max_events = 1;
	make_open("/etc/ssl/cert.pem");
	assert_int_equal(take(), -ECANCELED);
	assert_int_equal(take(), -ECANCELED);
	assert_int_equal(seen.nr_resolved, 2);
	assert_int_equal(seen.nr_handled, 1);
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].throttled, 1);
}

static void test_output_that_is_gone_is_an_error_and_counted(void **state)
{
	char path[32];
	int ends[2];
	struct output output;
	struct writer *writer;
	struct writer *before = scene.pipeline.writer;
	void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
	uint64_t taken = 0;
	int err = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	assert_int_equal(output_open(&output, path, NULL), 0);
	assert_int_equal(writer_new(&writer, sink_find("text"), &output, scene.redactor, false), 0);
	close(ends[0]);
	scene.pipeline.writer = writer;
	make_open("/etc/ssl/cert.pem");
	while (!err && taken < 100000) {
		err = take();
		taken++;
	}
	scene.pipeline.writer = before;
	writer_free(writer);
	output_close(&output);
	close(ends[1]);
	signal(SIGPIPE, handler);
	assert_int_equal(err, -EPIPE);
	assert_int_equal(scene.pipeline.fates[SOURCE_file_open].sink_failed, 1);
	assert_int_equal(fate_total(&scene.pipeline.fates[SOURCE_file_open]), taken);
}

static void test_total_adds_every_fate(void **state)
{
	const struct fate fate = { .malformed = 1,
				   .filtered = 20,
				   .throttled = 300,
				   .sink_failed = 4000,
				   .written = 50000 };

	(void)state;
	assert_int_equal(fate_total(&fate), 54321);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_lines, close_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record_becomes_an_event),
		TEST(test_thread_is_told_where_it_differs),
		TEST(test_names_without_nul_are_not_read_beyond),
		TEST(test_container_comes_from_the_process_table),
		TEST(test_what_is_no_record_is_counted_and_skipped),
		TEST(test_malformed_record_does_not_touch_the_table),
		TEST(test_record_not_wanted_still_keeps_the_table),
		TEST(test_exit_is_reported_once),
		TEST(test_exit_of_a_process_nobody_knew_is_reported),
		TEST(test_library_is_reported_once_an_image),
		TEST(test_first_events_only),
		TEST(test_events_not_wanted_do_not_count_as_events),
		TEST(test_every_record_has_one_fate),
		TEST(test_record_is_resolved_and_then_handled),
		TEST(test_record_is_resolved_before_it_is_filtered),
		TEST(test_what_is_resolved_is_filtered),
		TEST(test_record_that_resolving_drops_is_counted),
		TEST(test_record_that_is_refused_before_is_not_resolved),
		TEST(test_record_beyond_the_first_is_not_handled),
		TEST(test_output_that_is_gone_is_an_error_and_counted),
		TEST(test_total_adds_every_fate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
