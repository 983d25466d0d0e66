/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/utf8.h"
#include "pipeline/coverage.h"
#include "sources/file_open/file_open.h"
#include "sources/process_exec/process_exec.h"
#include "support/raw.h"
#include "support/sample.h"
#include "support/scene.h"

/* A line has at most this many bytes, its newline included. */
#define LINE_SIZE (32U << 10)

static struct raw raw;
static struct scene scene;

static int close_scene(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static int open_scene(void **state)
{
	(void)state;
	scene_open(&scene, "text", true);
	return 0;
}

static const char *taken(void)
{
	assert_int_equal(scene_take(&scene, &raw), 0);
	return scene_text(&scene);
}

static const char *written(const struct sample *sample)
{
	assert_int_equal(scene_document(&scene, sample, &sample_fields), 0);
	return scene_text(&scene);
}

static void test_event_is_one_line(void **state)
{
	struct file_open_event *event = (void *)raw.bytes;

	(void)state;
	raw_begin(&raw, SOURCE_file_open);
	event->result = -2;
	raw_tail_text(&raw, offsetof(struct file_open_event, name), "/home/bob/my key.pem");
	assert_string_equal(taken(), "09:00:05.123456 demo[100] file_open "
				     "\"/home/USER/my key.pem\" O_RDONLY ENOENT private_key\n");
}

static void test_arguments_are_quoted_where_they_have_spaces(void **state)
{
	static const char argv[] = "sh\0-c\0echo a  b\0\0x";

	(void)state;
	raw_begin(&raw, SOURCE_process_exec);
	raw_tail_text(&raw, offsetof(struct process_exec_event, exe), "/bin/dash");
	raw_tail(&raw, offsetof(struct process_exec_event, argv), argv, sizeof(argv));
	assert_string_equal(taken(), "09:00:05.123456 demo[100] process_exec /bin/dash "
				     "sh -c \"echo a  b\" \"\" x\n");
}

static void test_process_name_imitates_no_event(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_exit);
	memcpy(raw_hdr(&raw)->comm, "a[1] file_open", sizeof("a[1] file_open"));
	memcpy(raw_hdr(&raw)->thread, "a[1] file_open", sizeof("a[1] file_open"));
	assert_memory_equal(taken(), "09:00:05.123456 \"a[1] file_open\"[100] process_exit ", 51);
}

static void test_every_type_has_its_text(void **state)
{
	(void)state;
	assert_string_equal(
		written(&sample_full),
		"flag=yes count=42 delta=-7 id=12345 time=09:00:00.123456 flags=O_WRONLY|O_CREAT "
		"signal=SIGSEGV path=/home/USER/cert.pem text=\"seen in /home/USER/log\" user=USER "
		"plain argv=curl --user bob:*** \"a b\" signals=SIGKILL,SIGTERM,99 number=3 "
		"text=three number=1 text=one counts./home/USER/a=1 counts.b=2\n"
		"  parts: /home/USER/a number=1 texts=x y\n"
		"  parts: b number=2 texts=\n"
		"  items: number=1 text=one\n"
		"  items: number=2\n");
}

static void test_field_without_value_is_left_out(void **state)
{
	const struct sample empty = { 0 };

	(void)state;
	assert_string_equal(written(&empty),
			    "flag=no count=0 delta=0 id=0 time=00:00:00.000000 flags=O_RDONLY "
			    "signal=0 signals= number=0\n");
}

static void test_keys_of_maps_are_quoted_and_escaped(void **state)
{
	static const struct sample_part parts[] = { { "a b", 1, { NULL, 0 } },
						    { "\033[31m\n", 2, { NULL, 0 } },
						    { NULL, 3, { NULL, 0 } },
						    { "", 4, { NULL, 0 } } };
	const struct sample sample = {
		.counts = { .items = parts, .count = 4, .stride = sizeof(parts[0]) },
	};
	const char *text = written(&sample);

	(void)state;
	assert_non_null(strstr(text, " number=0 counts.\"a b\"=1 counts.\\x1b[31m\\n=2 "
				     "counts.\"\"=4\n"));
}

static void test_bare_map_is_without_its_name(void **state)
{
	static const struct sample_item items[] = {
		{ 0, "a" }, { 0, "x y" }, { 0, "c" }, { 0, NULL }
	};
	static const struct field pair_fields[] = {
		{ NAMED("key"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
		  .at = offsetof(struct sample_item, text), .help = "a key" },
		{ NAMED("other"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
		  .at = sizeof(items[0]) + offsetof(struct sample_item, text), .help = "the next" },
	};
	static const struct fields pair_table = FIELDS(pair_fields);
	static const struct field map_fields[] = {
		{ NAMED("map"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .get = get_list,
		  .text = TEXT_BARE, .sub = &pair_table, .help = "a map" },
	};
	static const struct fields map_table = FIELDS(map_fields);
	const struct item_list list = { .items = items,
					.count = 2,
					.stride = 2 * sizeof(items[0]) };

	(void)state;
	assert_int_equal(scene_document(&scene, &list, &map_table), 0);
	assert_string_equal(scene_text(&scene), "a=\"x y\" c=\n");
}

static void test_numbers_are_whole(void **state)
{
	const struct sample sample = { .count = UINT64_MAX, .delta = INT32_MIN, .id = UINT64_MAX };

	(void)state;
	assert_non_null(strstr(written(&sample), "count=18446744073709551615 delta=-2147483648 "
						 "id=18446744073709551615 "));
}

static void test_foreign_bytes_are_escaped(void **state)
{
	const struct sample sample = { .plain = { "a\033[31mb\nc\xff\\", 11 } };

	(void)state;
	assert_non_null(strstr(written(&sample), " a\\x1b[31mb\\nc\\xff\\\\ "));
}

static void test_comm_is_escaped(void **state)
{
	(void)state;
	raw_begin(&raw, SOURCE_process_fork);
	memset(raw_hdr(&raw)->comm, '\x01', COMM_SIZE);
	assert_string_equal(taken(),
			    "09:00:05.123456 "
			    "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01"
			    "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01[100] process_fork\n");
}

static void check_is_text(const char *text)
{
	size_t size = strlen(text);
	uint32_t rune;

	for (size_t at = 0; at < size;) {
		at += utf8_decode(text + at, size - at, &rune);
		assert_int_not_equal(rune, UTF8_INVALID);
		assert_true(rune == '\n' || !utf8_is_control(rune));
	}
}

static void test_hostile_bytes_stay_one_line_of_text(void **state)
{
	char all[256];
	struct sample sample = {
		.path = { all, sizeof(all) },
		.text = { all, sizeof(all) },
		.user = { all, sizeof(all) },
		.plain = { all, sizeof(all) },
		.argv = { all, sizeof(all) },
	};
	const char *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	text = written(&sample);
	check_is_text(text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* At every length around the maximum; each character has three bytes, or its escape six. */
static void check_cut(const char *character, size_t size)
{
	static char bytes[2 * LINE_SIZE];
	size_t nr = LINE_SIZE / size;

	for (size_t i = 0; i < nr; i++)
		memcpy(bytes + i * size, character, size);
	for (size_t before = 0; before < 12; before++) {
		const struct sample sample = {
			.path = { "xxxxxxxxxxxx", before },
			.plain = { bytes, nr * size },
		};
		const char *text = written(&sample);
		size_t length = strlen(text);

		assert_true(length <= LINE_SIZE && length > LINE_SIZE - 12);
		assert_int_equal(text[length - 1], '\n');
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
		check_is_text(text);
	}
}

static void test_too_long_line_is_cut_between_characters(void **state)
{
	(void)state;
	check_cut("x", 1);
	check_cut("\xe2\x82\xac", 3);
	check_cut("\xf0\x9f\x94\x91", 4);
	check_cut("\xe2\x80\xae", 3); /* U+202E, escaped */
	check_cut("\n", 1);
}

static void test_coverage_begins_its_line_and_lists_its_sources(void **state)
{
	static struct coverage coverage;
	const struct source_counters counters = {
		.hit = 9, .rejected = 5, .ring_full = 1, .sent = 3
	};
	const struct fate fate = { .written = 3 };

	(void)state;
	coverage_init(&coverage, 0, true);
	coverage_add_source(&coverage, &file_open_source, true, NULL, &counters, &fate);
	coverage_add_source(&coverage, &lib_load_source, false, "no right",
			    &(struct source_counters){ 0 }, &(struct fate){ 0 });
	coverage_add_gap(&coverage, "io_uring opens", "no hook", 7);
	assert_int_equal(scene_document(&scene, &coverage, &coverage_fields), 0);
	assert_string_equal(scene_text(&scene),
			    "coverage\n"
			    "  sources: file_open seen=9 rejected=5 sent=3 written=3 ring_full=1\n"
			    "  sources: lib_load reason=\"no right\"\n"
			    "  not_seen: \"io_uring opens\" why=\"no hook\" count=7\n");
}

static void test_colour_is_there_when_asked_for(void **state)
{
	struct writer *writer;
	struct writer *before = scene.pipeline.writer;

	(void)state;
	assert_int_equal(
		writer_new(&writer, sink_find("text"), &scene.output, scene.redactor, true), 0);
	scene.pipeline.writer = writer;
	raw_begin(&raw, SOURCE_process_fork);
	assert_int_equal(scene_take(&scene, &raw), 0);
	assert_string_equal(scene_text(&scene), "09:00:05.123456 \033[1mdemo\033[0m[100] "
						"\033[36mprocess_fork\033[0m\n");
	scene.pipeline.writer = before;
	writer_free(writer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_scene, close_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_event_is_one_line),
		TEST(test_arguments_are_quoted_where_they_have_spaces),
		TEST(test_process_name_imitates_no_event),
		TEST(test_every_type_has_its_text),
		TEST(test_field_without_value_is_left_out),
		TEST(test_keys_of_maps_are_quoted_and_escaped),
		TEST(test_bare_map_is_without_its_name),
		TEST(test_numbers_are_whole),
		TEST(test_foreign_bytes_are_escaped),
		TEST(test_comm_is_escaped),
		TEST(test_hostile_bytes_stay_one_line_of_text),
		TEST(test_too_long_line_is_cut_between_characters),
		TEST(test_coverage_begins_its_line_and_lists_its_sources),
		TEST(test_colour_is_there_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
