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
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "sinks/sink.h"
#include "support/capture.h"
#include "support/files.h"
#include "support/parsed.h"
#include "support/sample.h"
#include "support/scene.h"

#define NR_EVENTS 3000

static struct scene scene;

static int close_scene(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static void test_every_format_is_found(void **state)
{
	static const char *const formats[] = { "json-stream", "json-lines", "json-array",
					       "json-pretty", "text" };

	(void)state;
	assert_int_equal(NR_SINKS, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct sink *sink = sink_find(formats[i]);

		assert_non_null(sink);
		assert_string_equal(sink->format, formats[i]);
		assert_non_null(sink->help);
		assert_non_null(sink->record);
		assert_ptr_equal(sinks[i], sink);
	}
}

static void test_unknown_format_is_not_found(void **state)
{
	(void)state;
	assert_null(sink_find(""));
	assert_null(sink_find("json"));
	assert_null(sink_find("TEXT"));
	assert_null(sink_find("json-lines "));
}

static void test_nothing_is_written_before_it_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SINKS; i++) {
		scene_open(&scene, sinks[i]->format, true);
		assert_int_equal(scene_document(&scene, &sample_full, &sample_fields), 0);
		assert_int_equal(lseek(scene.file, 0, SEEK_END), 0);
		assert_int_equal(writer_flush(scene.pipeline.writer), 0);
		assert_true(lseek(scene.file, 0, SEEK_END) > 0);
		scene_close(&scene);
	}
}

static void test_flush_of_nothing_is_no_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SINKS; i++) {
		scene_open(&scene, sinks[i]->format, true);
		assert_int_equal(writer_flush(scene.pipeline.writer), 0);
		assert_int_equal(writer_flush(scene.pipeline.writer), 0);
		scene_close(&scene);
	}
}

/* A burst between two flushes does not grow the buffer. */
static void test_full_buffer_is_handed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SINKS; i++) {
		off_t before = 0;

		scene_open(&scene, sinks[i]->format, true);
		for (int n = 0; n < NR_EVENTS; n++) {
			off_t after;

			assert_int_equal(scene_document(&scene, &sample_full, &sample_fields), 0);
			after = lseek(scene.file, 0, SEEK_END);
			if (after == before)
				continue;
			assert_true(after - before > WRITER_FLUSH_SIZE);
			assert_true(after - before < WRITER_FLUSH_SIZE + 4096);
			before = after;
		}
		assert_true(before > 4 * WRITER_FLUSH_SIZE);
		scene_close(&scene);
	}
}

static void test_all_of_a_burst_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < SINK_text; i++) {
		const char *text;
		int expected = i == SINK_json_array ? 1 : NR_EVENTS;

		scene_open(&scene, sinks[i]->format, true);
		for (int n = 0; n < NR_EVENTS; n++)
			assert_int_equal(scene_document(&scene, &sample_full, &sample_fields), 0);
		text = scene_end(&scene);
		assert_int_equal(parsed_count(text, strlen(text)), expected);
		if (i == SINK_json_array) {
			assert_string_equal(parsed_value(text, "2999.count"), "42");
			assert_null(parsed_value(text, "3000"));
		}
		scene_close(&scene);
	}
}

static void test_several_tables_make_one_document(void **state)
{
	static const struct field first[] = { { NAMED("a"), .type = FIELD_BOOL, .get = get_bool } };
	static const struct field second[] = { { NAMED("b"), .type = FIELD_BOOL,
						 .get = get_bool } };
	static const struct fields tables[] = { FIELDS(first), FIELDS(second) };
	const struct fields *const both[] = { &tables[0], &tables[1] };
	const bool value = true;
	const struct record record = { .bytes = (const uint8_t *)&value };

	(void)state;
	scene_open(&scene, "json-lines", true);
	assert_int_equal(writer_record(scene.pipeline.writer, &record, both, 2), 0);
	assert_int_equal(writer_record(scene.pipeline.writer, &record, both, 1), 0);
	assert_int_equal(writer_record(scene.pipeline.writer, &record, both, 0), 0);
	assert_string_equal(scene_text(&scene), "{\"a\":true,\"b\":true}\n{\"a\":true}\n{}\n");
}

/* Of both halves of a stream in FORMAT whose file takes LIMIT bytes; all of it is in one of them.
 */
static int count_halves(const char *format, rlim_t limit, const char *mark)
{
	const struct redact_options options = { .passwd_path = "/dev/null" };
	const struct record record = { .bytes = (const uint8_t *)&sample_full };
	const struct fields *const tables[] = { &sample_fields };
	struct redactor *redactor;
	struct output output;
	struct writer *writer;
	struct rlimit before;
	struct rlimit limited;
	const char *rest;
	size_t rest_size;
	int count = 0;
	int err = 0;

	assert_int_equal(redactor_new(&redactor, &options), 0);
	assert_int_equal(output_open(&output, files_path("file"), NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limited = before;
	limited.rlim_cur = limit;
	signal(SIGXFSZ, SIG_IGN);
	capture_begin(STDOUT_FILENO);
	setrlimit(RLIMIT_FSIZE, &limited);
	err = writer_new(&writer, sink_find(format), &output, redactor, false);
	for (int i = 0; i < 300 && !err; i++)
		err = writer_record(writer, &record, tables, 1);
	if (!err)
		err = writer_end(writer);
	setrlimit(RLIMIT_FSIZE, &before);
	rest = capture_end(&rest_size);
	writer_free(writer);
	output_close(&output);
	redactor_free(redactor);
	assert_int_equal(err, 0);
	/* The first flush has more than 64 KiB, the whole stream less than 1 MiB. */
	if (limit <= WRITER_FLUSH_SIZE || limit == 1 << 20)
		assert_int_equal(output.failed, limit <= WRITER_FLUSH_SIZE);
	for (int half = 0; half < 2; half++) {
		const char *text = half ? rest : file_text(files_path("file"));

		if (*text && strncmp(format, "json", 4) == 0)
			assert_true(parsed_count(text, strlen(text)) > 0);
		for (const char *at = text; (at = strstr(at, mark)); at++)
			count++;
	}
	return count;
}

static void test_output_that_fills_up_loses_and_tears_nothing(void **state)
{
	static const rlim_t limits[] = { 0, 1, 1000, 65536, 66000, 70000, 100000, 120000, 1 << 20 };

	(void)state;
	file_put(files_path("file"), "", 0600);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		assert_int_equal(count_halves("json-lines", limits[i], "\"flag\":true"), 300);
		assert_int_equal(count_halves("json-array", limits[i], "\"flag\":true"), 300);
		assert_int_equal(count_halves("text", limits[i], "flag=yes"), 300);
	}
}

static void test_error_of_the_output_is_told(void **state)
{
	static const char *const formats[] = { "json-lines", "text" };
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct output output;
		struct writer *writer;
		char path[32];
		int ends[2];
		const struct record record = { .bytes = (const uint8_t *)&sample_full };
		const struct fields *const tables[] = { &sample_fields };

		scene_open(&scene, formats[i], true);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
		assert_int_equal(output_open(&output, path, NULL), 0);
		close(ends[0]);
		close(ends[1]);
		assert_int_equal(
			writer_new(&writer, sink_find(formats[i]), &output, scene.redactor, false),
			0);
		assert_int_equal(writer_record(writer, &record, tables, 1), 0);
		assert_int_equal(writer_flush(writer), -EPIPE);
		writer_free(writer);
		output_close(&output);
		scene_close(&scene);
	}
	signal(SIGPIPE, before);
}

static void test_free_takes_null(void **state)
{
	(void)state;
	writer_free(NULL);
}

static void test_text_beyond_the_buffer_is_refused(void **state)
{
	static char bytes[WRITER_BUFFER_SIZE + 1];

	(void)state;
	scene_open(&scene, "text", true);
	assert_int_equal(writer_append(scene.pipeline.writer, bytes, sizeof(bytes)), -E2BIG);
	assert_int_equal(writer_append(scene.pipeline.writer, bytes, WRITER_BUFFER_SIZE), 0);
	assert_int_equal(writer_append(scene.pipeline.writer, bytes, 1), -E2BIG);
	assert_int_equal(writer_flush(scene.pipeline.writer), 0);
	assert_int_equal(lseek(scene.file, 0, SEEK_END), WRITER_BUFFER_SIZE);
}

/* What is shown of VALUE in a field of CLASS. */
static const char *redacted(enum field_class class, const char *value)
{
	static char text[256];
	const struct field field = { .type = FIELD_STR, .class = class };
	const struct value it = { .present = true, .str = { value, strlen(value) } };
	size_t size;
	const char *bytes = writer_redact(scene.pipeline.writer, &field, &it, &size);

	snprintf(text, sizeof(text), "%.*s", (int)size, bytes);
	return text;
}

static void test_redaction_follows_the_class(void **state)
{
	(void)state;
	scene_open(&scene, "json-lines", true);
	assert_string_equal(redacted(CLASS_PUBLIC, "/home/bob"), "/home/bob");
	assert_string_equal(redacted(CLASS_PATH, "/home/bob/x"), "/home/USER/x");
	assert_string_equal(redacted(CLASS_PATH, "/srv/alice/x"), "/home/USER/x");
	assert_string_equal(redacted(CLASS_ARGS, "--password=x"), "--password=***");
	assert_string_equal(redacted(CLASS_TEXT, "read /home/bob/x"), "read /home/USER/x");
	assert_string_equal(redacted(CLASS_USER, "alice"), "USER");
	assert_string_equal(redacted(CLASS_USER, "www-data"), "www-data");
	assert_string_equal(redacted(CLASS_HOST, "web1"), "web1");
	assert_string_equal(redacted(CLASS_ADDR, "127.0.0.1:443"), "127.0.0.1:443");
}

static void test_without_redaction_only_secrets_are_hidden(void **state)
{
	(void)state;
	scene_open(&scene, "json-lines", false);
	assert_string_equal(redacted(CLASS_PATH, "/home/bob/x"), "/home/bob/x");
	assert_string_equal(redacted(CLASS_ARGS, "--password=x"), "--password=***");
	assert_string_equal(redacted(CLASS_TEXT, "read /home/bob/x"), "read /home/bob/x");
	assert_string_equal(redacted(CLASS_USER, "alice"), "alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_format_is_found),
		cmocka_unit_test(test_unknown_format_is_not_found),
		cmocka_unit_test(test_nothing_is_written_before_it_is_asked_for),
		cmocka_unit_test(test_flush_of_nothing_is_no_error),
		cmocka_unit_test(test_full_buffer_is_handed_over),
		cmocka_unit_test(test_all_of_a_burst_is_there),
		cmocka_unit_test_teardown(test_several_tables_make_one_document, close_scene),
		cmocka_unit_test_setup_teardown(test_output_that_fills_up_loses_and_tears_nothing,
						files_begin, files_end),
		cmocka_unit_test(test_error_of_the_output_is_told),
		cmocka_unit_test(test_free_takes_null),
		cmocka_unit_test_teardown(test_text_beyond_the_buffer_is_refused, close_scene),
		cmocka_unit_test_teardown(test_redaction_follows_the_class, close_scene),
		cmocka_unit_test_teardown(test_without_redaction_only_secrets_are_hidden,
					  close_scene),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
