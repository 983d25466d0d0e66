/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/parsed.h"
#include "support/sample.h"
#include "support/scene.h"

static struct scene scene;

static int close_scene(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

/* SAMPLE in FORMAT, as the only document of its stream. */
static const char *written(const char *format, bool is_redacted, const struct sample *sample)
{
	scene_open(&scene, format, is_redacted);
	assert_int_equal(scene_document(&scene, sample, &sample_fields), 0);
	return scene_end(&scene);
}

/* The value of FIELD alone. */
static const char *value_of(const char *field, const struct sample *sample)
{
	static char value[1 << 20];
	const char *found = parsed_value(written("json-lines", false, sample), field);

	snprintf(value, sizeof(value), "%s", found ? found : "(none)");
	scene_close(&scene);
	return value;
}

static void test_every_type_has_its_json(void **state)
{
	(void)state;
	assert_string_equal(
		written("json-lines", true, &sample_full),
		"{\"flag\":true,\"count\":42,\"delta\":-7,\"id\":12345,"
		"\"time\":\"2026-11-21T09:00:00.123456Z\",\"flags\":\"O_WRONLY|O_CREAT\","
		"\"signal\":\"SIGSEGV\",\"path\":\"/home/USER/cert.pem\","
		"\"text\":\"seen in /home/USER/log\",\"user\":\"USER\",\"plain\":\"plain\","
		"\"argv\":[\"curl\",\"--user\",\"bob:***\",\"a b\"],"
		"\"cmdline\":\"curl --user bob:*** a b\",\"signals\":[\"SIGKILL\",\"SIGTERM\",99],"
		"\"one\":{\"number\":3,\"text\":\"three\"},\"other\":{\"number\":1,\"text\":"
		"\"one\"},\"counts\":{\"/home/USER/a\":1,\"b\":2},"
		"\"parts\":{\"/home/USER/a\":{\"number\":1,\"texts\":[\"x\",\"y\"]},"
		"\"b\":{\"number\":2,\"texts\":[]}},"
		"\"items\":[{\"number\":1,\"text\":\"one\"},{\"number\":2,\"text\":null}]}\n");
}

static void test_no_redact_shows_paths_and_names_but_no_secrets(void **state)
{
	const char *text = written("json-lines", false, &sample_full);

	(void)state;
	assert_string_equal(parsed_value(text, "path"), "/home/bob/cert.pem");
	assert_string_equal(parsed_value(text, "text"), "seen in /srv/alice/log");
	assert_string_equal(parsed_value(text, "user"), "alice");
	assert_string_equal(parsed_value(text, "argv.2"), "bob:***");
	assert_string_equal(parsed_value(text, "cmdline"), "curl --user bob:*** a b");
}

static void test_field_without_value_is_null_or_left_out(void **state)
{
	const struct sample empty = { 0 };

	(void)state;
	assert_string_equal(
		written("json-lines", true, &empty),
		"{\"flag\":false,\"count\":0,\"delta\":0,\"id\":0,"
		"\"time\":\"1970-01-01T00:00:00.000000Z\",\"flags\":\"O_RDONLY\",\"signal\":0,"
		"\"path\":null,\"text\":null,\"user\":null,\"argv\":null,\"cmdline\":null,"
		"\"signals\":[],\"one\":{\"number\":0,\"text\":null},\"counts\":{},\"parts\":{},"
		"\"items\":[]}\n");
}

static void test_stream_is_the_same_as_lines(void **state)
{
	char lines[4096];

	(void)state;
	snprintf(lines, sizeof(lines), "%s", written("json-lines", true, &sample_full));
	scene_close(&scene);
	assert_string_equal(written("json-stream", true, &sample_full), lines);
}

static void test_pretty_is_indented(void **state)
{
	const struct sample sample = { .argv = { "a\0b", 3 }, .flag = true };

	(void)state;
	assert_string_equal(written("json-pretty", true, &sample),
			    "{\n"
			    "  \"flag\": true,\n"
			    "  \"count\": 0,\n"
			    "  \"delta\": 0,\n"
			    "  \"id\": 0,\n"
			    "  \"time\": \"1970-01-01T00:00:00.000000Z\",\n"
			    "  \"flags\": \"O_RDONLY\",\n"
			    "  \"signal\": 0,\n"
			    "  \"path\": null,\n"
			    "  \"text\": null,\n"
			    "  \"user\": null,\n"
			    "  \"argv\": [\n"
			    "    \"a\",\n"
			    "    \"b\"\n"
			    "  ],\n"
			    "  \"cmdline\": \"a b\",\n"
			    "  \"signals\": [],\n"
			    "  \"one\": {\n"
			    "    \"number\": 0,\n"
			    "    \"text\": null\n"
			    "  },\n"
			    "  \"counts\": {},\n"
			    "  \"parts\": {},\n"
			    "  \"items\": []\n"
			    "}\n");
}

static void test_array_has_its_items_on_lines(void **state)
{
	static const struct sample_item items[] = { { 1, "a" }, { 2, "b" }, { 3, "c" } };
	const struct fields *table = sample_fields.fields[sample_fields.nr_fields - 1].sub;

	(void)state;
	scene_open(&scene, "json-array", true);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(scene_document(&scene, &items[i], table), 0);
	assert_string_equal(scene_end(&scene), "[\n"
					       "{\"number\":1,\"text\":\"a\"},\n"
					       "{\"number\":2,\"text\":\"b\"},\n"
					       "{\"number\":3,\"text\":\"c\"}\n"
					       "]\n");
}

static void test_array_of_nothing_is_an_array(void **state)
{
	const char *text;

	(void)state;
	scene_open(&scene, "json-array", true);
	text = scene_end(&scene);
	assert_string_equal(text, "[\n]\n");
	assert_int_equal(parsed_count(text, strlen(text)), 1);
}

/* A reader that is fed after each pass sees only whole elements. */
static void test_array_flushed_in_pieces_is_one_array(void **state)
{
	static const struct sample_item item = { 1, "a" };
	const struct fields *table = sample_fields.fields[sample_fields.nr_fields - 1].sub;
	char text[512] = "";

	(void)state;
	scene_open(&scene, "json-array", true);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(scene_document(&scene, &item, table), 0);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
			 scene_text(&scene));
		assert_int_equal(text[strlen(text) - 1], '}');
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", scene_end(&scene));
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_string_equal(parsed_value(text, "3.number"), "1");
	assert_null(parsed_value(text, "4"));
}

static void check_argv(const char *bytes, size_t size, const char *argv, const char *cmdline)
{
	const struct sample sample = { .argv = { bytes, size } };

	assert_string_equal(value_of("argv", &sample), argv);
	assert_string_equal(value_of("cmdline", &sample), cmdline);
}

static void test_argument_lists_are_split_at_nul(void **state)
{
	(void)state;
	check_argv("a", 1, "[\"a\"]", "a");
	check_argv("a\0", 2, "[\"a\"]", "a");
	check_argv("a\0b", 3, "[\"a\",\"b\"]", "a b");
	check_argv("a\0b\0", 4, "[\"a\",\"b\"]", "a b");
	check_argv("a\0\0b\0", 5, "[\"a\",\"\",\"b\"]", "a  b");
	check_argv("\0", 1, "[\"\"]", "");
	check_argv("\0\0", 2, "[\"\",\"\"]", " ");
	check_argv("a\0\0", 3, "[\"a\",\"\"]", "a ");
	check_argv("", 0, "[]", "");
}

static void test_identifiers_above_2_53_are_strings(void **state)
{
	struct sample sample = { .id = 1ULL << 53 };

	(void)state;
	assert_non_null(strstr(written("json-lines", false, &sample), "\"id\":9007199254740992,"));
	scene_close(&scene);
	sample.id++;
	assert_non_null(
		strstr(written("json-lines", false, &sample), "\"id\":\"9007199254740993\","));
	scene_close(&scene);
	sample.id = UINT64_MAX;
	assert_string_equal(value_of("id", &sample), "18446744073709551615");
	/* only to be closed */
	written("json-lines", false, &sample);
}

static void test_numbers_keep_all_digits(void **state)
{
	struct sample sample = { .count = UINT64_MAX, .delta = INT32_MIN };
	const char *text = written("json-lines", false, &sample);

	(void)state;
	assert_non_null(strstr(text, "\"count\":18446744073709551615,"));
	assert_non_null(strstr(text, "\"delta\":-2147483648,"));
}

static void test_unknown_codes_and_flags_are_numbers(void **state)
{
	static const uint32_t codes[] = { 0, UINT32_MAX };
	struct sample sample = {
		.signal = UINT64_MAX,
		.open_flags = UINT64_MAX,
		.signals = { codes, 2 },
	};
	const char *text = written("json-lines", false, &sample);

	(void)state;
	assert_non_null(strstr(text, "\"signal\":18446744073709551615,"));
	assert_string_equal(parsed_value(text, "signals"), "[0,4294967295]");
	assert_non_null(strstr(parsed_value(text, "flags"), "|0x"));
}

static void test_hostile_bytes_stay_json(void **state)
{
	char all[256];
	const struct sample sample = {
		.path = { all, sizeof(all) },
		.text = { all, sizeof(all) },
		.user = { all, sizeof(all) },
		.plain = { all, sizeof(all) },
		.argv = { all, sizeof(all) },
	};
	const char *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)(255 - i);
	for (int is_redacted = 0; is_redacted <= 1; is_redacted++) {
		text = written("json-lines", is_redacted, &sample);
		assert_int_equal(parsed_count(text, strlen(text)), 1);
		/* One line, and nothing in it that acts on a terminal. */
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		for (const char *at = text; at[1]; at++)
			assert_true((unsigned char)*at >= ' ' && *at != '\x7f');
		scene_close(&scene);
	}
	written("json-lines", true, &sample);
}

static void test_every_single_byte_survives_or_is_replaced(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		const char byte = (char)i;
		const struct sample sample = { .plain = { &byte, 1 } };
		const char *value = value_of("plain", &sample);

		if (i == 0)
			assert_string_equal(value, "");
		else if (i < 128)
			assert_true(value[0] == byte && value[1] == '\0');
		else
			assert_string_equal(value, "\xef\xbf\xbd");
	}
	scene_open(&scene, "json-lines", false);
}

/* Keys are foreign text like any string. */
static void test_keys_of_maps_are_escaped_and_redacted(void **state)
{
	char all[256];
	const struct sample_part parts[] = {
		{ .name = all, .number = 1 },
		{ .name = "a\"b\n\033[31m\\", .number = 2 },
		{ .name = "in /home/bob/x --password=hunter2", .number = 3 },
		{ .name = "", .number = 4 },
	};
	const struct sample sample = {
		.parts = { .items = parts, .count = 4, .stride = sizeof(parts[0]) },
	};
	const char *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)(255 - i);
	text = written("json-lines", true, &sample);
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	for (const char *at = text; at[1]; at++)
		assert_true((unsigned char)*at >= ' ' && *at != '\x7f');
	assert_string_equal(parsed_value(text, "parts.a\"b\n\033[31m\\.number"), "2");
	assert_string_equal(parsed_value(text, "parts.in /home/USER/x --password=***.number"), "3");
	assert_string_equal(parsed_value(text, "parts..number"), "4");
	assert_null(strstr(text, "hunter2"));
	scene_close(&scene);
	text = written("json-lines", false, &sample);
	assert_string_equal(parsed_value(text, "parts.in /home/bob/x --password=***.number"), "3");
}

static void test_item_without_key_is_left_out_of_a_map(void **state)
{
	static const struct sample_part parts[] = { { "a", 1, { NULL, 0 } },
						    { NULL, 2, { NULL, 0 } },
						    { "c", 3, { NULL, 0 } } };
	const struct sample sample = {
		.counts = { .items = parts, .count = 3, .stride = sizeof(parts[0]) },
		.parts = { .items = parts + 1, .count = 1, .stride = sizeof(parts[0]) },
	};

	(void)state;
	assert_non_null(strstr(written("json-lines", true, &sample),
			       "\"counts\":{\"a\":1,\"c\":3},\"parts\":{},"));
}

/* The value of one that has none stays, as null. */
static void test_key_without_value_has_null(void **state)
{
	static const struct sample_item items[] = { { 0, "a" }, { 0, NULL } };
	static const struct field pair_fields[] = {
		{ NAMED("key"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
		  .at = offsetof(struct sample_item, text), .help = "a key" },
		{ NAMED("other"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
		  .at = sizeof(items[0]) + offsetof(struct sample_item, text),
		  .help = "of the next" },
	};
	static const struct fields pair_table = FIELDS(pair_fields);
	static const struct field map_fields[] = {
		{ NAMED("map"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .get = get_list,
		  .sub = &pair_table, .help = "a map" },
	};
	static const struct fields map_table = FIELDS(map_fields);
	const struct item_list list = { .items = items, .count = 1, .stride = sizeof(items) };

	(void)state;
	scene_open(&scene, "json-lines", true);
	assert_int_equal(scene_document(&scene, &list, &map_table), 0);
	assert_string_equal(scene_end(&scene), "{\"map\":{\"a\":null}}\n");
}

/* 16 KiB in which every byte needs six, twice. */
static void test_largest_argument_list_is_whole(void **state)
{
	static char bytes[16384];
	const struct sample sample = { .argv = { bytes, sizeof(bytes) } };
	const char *text;

	(void)state;
	memset(bytes, '\x01', sizeof(bytes));
	text = written("json-lines", false, &sample);
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_int_equal(strlen(parsed_value(text, "cmdline")), sizeof(bytes));
	assert_int_equal(strlen(parsed_value(text, "argv.0")), sizeof(bytes));
}

static void test_most_arguments_are_whole(void **state)
{
	static char bytes[16384];
	const struct sample sample = { .argv = { bytes, sizeof(bytes) } };
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 2)
		bytes[i] = 'a';
	text = written("json-lines", true, &sample);
	assert_int_equal(parsed_count(text, strlen(text)), 1);
	assert_string_equal(parsed_value(text, "argv.8191"), "a");
	assert_null(parsed_value(text, "argv.8192"));
}

/* A document whose table comes after that of the struct it begins with. */
struct listed {
	uint64_t number;
	struct text_list paths;
	struct text_list texts;
	struct text_list none;
};

static const struct field number_fields[] = {
	{ NAMED("number"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = offsetof(struct listed, number), .help = "a number" },
};
static const struct fields number_table = FIELDS(number_fields);

static const struct field listed_fields[] = {
	{ NAMED("paths"), .type = FIELD_STRV, .class = CLASS_PATH, .get = get_texts,
	  .at = offsetof(struct listed, paths), .help = "paths" },
	{ NAMED("texts"), .type = FIELD_STRV, .class = CLASS_TEXT, .get = get_texts,
	  .at = offsetof(struct listed, texts), .help = "texts" },
	{ NAMED("none"), .type = FIELD_STRV, .class = CLASS_PUBLIC, .get = get_texts,
	  .at = offsetof(struct listed, none), .help = "nothing" },
};
static const struct fields listed_table = FIELDS_AFTER(&number_table, listed_fields);

#define LIST(literal)                                                                              \
	{                                                                                          \
		.bytes = literal, .size = sizeof(literal)                                          \
	}

static const struct listed listed = {
	.number = 7,
	.paths = LIST("/home/bob/a.pem\0/srv/alice/b.pem\0/etc/c.pem\0/home"),
	.texts = LIST("open: /home/bob/x\0plain"),
};

static void test_base_table_is_written_first_and_lists_item_by_item(void **state)
{
	(void)state;
	scene_open(&scene, "json-lines", true);
	assert_int_equal(scene_document(&scene, &listed, &listed_table), 0);
	assert_string_equal(
		scene_end(&scene),
		"{\"number\":7,\"paths\":[\"/home/USER/a.pem\",\"/home/USER/b.pem\","
		"\"/etc/c.pem\",\"/home\"],\"texts\":[\"open: /home/USER/x\",\"plain\"],"
		"\"none\":[]}\n");
}

static void test_lists_are_shown_as_they_are_without_redaction(void **state)
{
	const char *text;

	(void)state;
	scene_open(&scene, "json-lines", false);
	assert_int_equal(scene_document(&scene, &listed, &listed_table), 0);
	text = scene_end(&scene);
	assert_string_equal(parsed_value(text, "paths.0"), "/home/bob/a.pem");
	assert_string_equal(parsed_value(text, "paths.1"), "/srv/alice/b.pem");
	assert_string_equal(parsed_value(text, "texts.0"), "open: /home/bob/x");
}

/* Far more than what redaction has room for at a time: each path stands for itself. */
static void test_list_of_any_size_is_whole(void **state)
{
	static const char path[] = "/home/bob/some/where/cert.pem";
	static char bytes[20000 * sizeof(path)];
	const struct listed many = { .paths = { .bytes = bytes, .size = sizeof(bytes) } };
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += sizeof(path))
		memcpy(bytes + i, path, sizeof(path));
	scene_open(&scene, "json-lines", true);
	assert_int_equal(scene_document(&scene, &many, &listed_table), 0);
	text = scene_end(&scene);
	assert_string_equal(parsed_value(text, "paths.0"), "/home/USER/some/where/cert.pem");
	assert_string_equal(parsed_value(text, "paths.19999"), "/home/USER/some/where/cert.pem");
	assert_null(parsed_value(text, "paths.20000"));
}

#define TEST(function) cmocka_unit_test_teardown(function, close_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_type_has_its_json),
		TEST(test_no_redact_shows_paths_and_names_but_no_secrets),
		TEST(test_field_without_value_is_null_or_left_out),
		TEST(test_stream_is_the_same_as_lines),
		TEST(test_pretty_is_indented),
		TEST(test_array_has_its_items_on_lines),
		TEST(test_array_of_nothing_is_an_array),
		TEST(test_array_flushed_in_pieces_is_one_array),
		cmocka_unit_test(test_argument_lists_are_split_at_nul),
		TEST(test_identifiers_above_2_53_are_strings),
		TEST(test_numbers_keep_all_digits),
		TEST(test_unknown_codes_and_flags_are_numbers),
		TEST(test_hostile_bytes_stay_json),
		TEST(test_every_single_byte_survives_or_is_replaced),
		TEST(test_keys_of_maps_are_escaped_and_redacted),
		TEST(test_item_without_key_is_left_out_of_a_map),
		TEST(test_key_without_value_has_null),
		TEST(test_largest_argument_list_is_whole),
		TEST(test_most_arguments_are_whole),
		TEST(test_base_table_is_written_first_and_lists_item_by_item),
		TEST(test_lists_are_shown_as_they_are_without_redaction),
		TEST(test_list_of_any_size_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
