/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/json.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define OUT_MAX	       (1 << 18)

/* Collects what the writer hands over; call number FAIL_AT fails. */
struct sink {
	char bytes[OUT_MAX];
	size_t size;
	unsigned int nr_calls;
	unsigned int fail_at;
};

static struct sink sink;

static int sink_flush(void *ctx, const char *bytes, size_t size)
{
	struct sink *to = ctx;

	if (++to->nr_calls == to->fail_at)
		return -ENOSPC;
	if (size > sizeof(to->bytes) - 1 - to->size)
		return -EFBIG;
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
	to->bytes[to->size] = '\0';
	return 0;
}

static char buffer[4096];

static void start_with(struct json *json, size_t cap, enum json_style style)
{
	sink.size = 0;
	sink.bytes[0] = '\0';
	sink.nr_calls = 0;
	sink.fail_at = 0;
	json_init(json, buffer, cap, style, sink_flush, &sink);
}

static void start(struct json *json)
{
	start_with(json, sizeof(buffer), JSON_COMPACT);
}

static void write_document(struct json *json)
{
	json_object_begin(json);
	JSON_KEY(json, "name");
	json_string(json, BYTES("a \"b\""));
	JSON_KEY(json, "empty");
	json_array_begin(json);
	json_array_end(json);
	json_key(json, BYTES("list \x01"));
	json_array_begin(json);
	json_u64(json, 1);
	json_s64(json, -2);
	json_object_begin(json);
	json_object_end(json);
	json_array_begin(json);
	json_bool(json, true);
	json_bool(json, false);
	json_array_end(json);
	json_array_end(json);
	JSON_KEY(json, "object");
	json_object_begin(json);
	JSON_KEY(json, "none");
	json_null(json);
	JSON_KEY(json, "raw");
	json_raw(json, BYTES("[1,2]"));
	JSON_KEY(json, "when");
	json_time(json, 0);
	json_object_end(json);
	json_object_end(json);
	json_newline(json);
}

static const char compact_document[] =
	"{\"name\":\"a \\\"b\\\"\",\"empty\":[],\"list \\u0001\":[1,-2,{},[true,false]],"
	"\"object\":{\"none\":null,\"raw\":[1,2],\"when\":\"1970-01-01T00:00:00.000000Z\"}}\n";

/* As `jq .` prints it, but for the raw value. */
static const char pretty_document[] = "{\n"
				      "  \"name\": \"a \\\"b\\\"\",\n"
				      "  \"empty\": [],\n"
				      "  \"list \\u0001\": [\n"
				      "    1,\n"
				      "    -2,\n"
				      "    {},\n"
				      "    [\n"
				      "      true,\n"
				      "      false\n"
				      "    ]\n"
				      "  ],\n"
				      "  \"object\": {\n"
				      "    \"none\": null,\n"
				      "    \"raw\": [1,2],\n"
				      "    \"when\": \"1970-01-01T00:00:00.000000Z\"\n"
				      "  }\n"
				      "}\n";

static void test_document_is_compact_or_indented(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	write_document(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, compact_document);

	start_with(&json, sizeof(buffer), JSON_PRETTY);
	write_document(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, pretty_document);
}

static void test_buffer_size_makes_no_difference(void **state)
{
	(void)state;
	for (size_t cap = JSON_BUFFER_MIN; cap < 400; cap++) {
		char *small = guard_alloc(cap);
		struct json json;

		start(&json);
		json_init(&json, small, cap, JSON_PRETTY, sink_flush, &sink);
		for (int i = 0; i < 3; i++)
			write_document(&json);
		assert_int_equal(json_flush(&json), 0);
		assert_int_equal(sink.size, 3 * (sizeof(pretty_document) - 1));
		assert_memory_equal(sink.bytes, pretty_document, sizeof(pretty_document) - 1);
		assert_string_equal(sink.bytes + 2 * (sizeof(pretty_document) - 1),
				    pretty_document);
		guard_free(small, cap);
	}
}

static void test_newline_puts_each_event_on_a_line(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	json_array_begin(&json);
	json_newline(&json);
	for (int i = 0; i < 2; i++) {
		json_object_begin(&json);
		json_object_end(&json);
		json_newline(&json);
	}
	json_array_end(&json);
	json_newline(&json);
	json_flush(&json);
	assert_string_equal(sink.bytes, "[\n{},\n{}\n]\n");

	start(&json);
	json_array_begin(&json);
	json_newline(&json);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, "[\n]");
}

static void test_newline_changes_nothing_in_pretty_style(void **state)
{
	struct json json;

	(void)state;
	start_with(&json, sizeof(buffer), JSON_PRETTY);
	json_array_begin(&json);
	json_newline(&json);
	json_u64(&json, 1);
	json_newline(&json);
	json_u64(&json, 2);
	json_newline(&json);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, "[\n  1,\n  2\n]");
}

static void test_documents_never_touch(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	json_u64(&json, 1);
	json_u64(&json, 2);
	json_newline(&json);
	json_u64(&json, 3);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, "1\n2\n3");
}

static const struct {
	const char *bytes;
	size_t size;
	const char *expected;
} string_cases[] = {
	{ BYTES(""), "\"\"" },
	{ BYTES("/etc/ssl/certs/ca-certificates.crt"), "\"/etc/ssl/certs/ca-certificates.crt\"" },
	{ BYTES("\"\\/"), "\"\\\"\\\\/\"" },
	{ BYTES("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
	{ BYTES("\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x1b\x1c\x1d\x1e\x1f"),
	  "\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\u000e\\u000f\\u0010\\u001b\\u001c"
	  "\\u001d\\u001e\\u001f\"" },
	{ BYTES("a\0b"), "\"a\\u0000b\"" },
	{ BYTES("\x7f"), "\"\\u007f\"" },
	{ BYTES("\xc2\x9b\xe2\x80\xae"), "\"\\u009b\\u202e\"" },
	{ BYTES("gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91"), "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91\"" },
	/* overlong, surrogate, above U+10FFFF, cut, stray: U+FFFD for each maximal subpart */
	{ BYTES("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ BYTES("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ BYTES("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ BYTES("\xf0\x9f\x94"), "\"\xef\xbf\xbd\"" },
	{ BYTES("\xf0\x9f\x94z\xff"), "\"\xef\xbf\xbdz\xef\xbf\xbd\"" },
};

static void test_string_is_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(string_cases) / sizeof(string_cases[0]); i++) {
		const char *bytes = guard_copy(string_cases[i].bytes, string_cases[i].size);
		struct json json;

		start(&json);
		json_string(&json, bytes, string_cases[i].size);
		assert_int_equal(json_flush(&json), 0);
		assert_string_equal(sink.bytes, string_cases[i].expected);
		guard_free(bytes, string_cases[i].size);
	}
}

static void test_cstring_takes_null(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	json_array_begin(&json);
	json_cstring(&json, "text");
	json_cstring(&json, NULL);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, "[\"text\",null]");
}

/* A comm of control characters is what overflows a buffer sized for the plain text. */
static void test_comm_of_control_characters_fits(void **state)
{
	char comm[15], *small = guard_alloc(JSON_BUFFER_MIN);
	struct json json;

	(void)state;
	memset(comm, 1, sizeof(comm));
	json_init(&json, small, JSON_BUFFER_MIN, JSON_COMPACT, NULL, NULL);
	json_string(&json, comm, sizeof(comm));
	assert_int_equal(json_error(&json), 0);
	assert_int_equal(json_pending(&json), 2 + 15 * 6);
	guard_free(small, JSON_BUFFER_MIN);
}

static void test_string_may_exceed_the_buffer(void **state)
{
	static char text[100000];
	struct json_object *parsed;
	struct json json;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)("abcdefgh\n\"\x1b"[i % 11]);
	start_with(&json, JSON_BUFFER_MIN, JSON_COMPACT);
	json_string(&json, text, sizeof(text));
	assert_int_equal(json_flush(&json), 0);
	assert_true(sink.nr_calls > 100);
	parsed = json_tokener_parse(sink.bytes);
	assert_int_equal(json_object_get_string_len(parsed), sizeof(text));
	assert_memory_equal(json_object_get_string(parsed), text, sizeof(text));
	json_object_put(parsed);
}

static void test_numbers_are_exact(void **state)
{
	static const struct {
		uint64_t value;
		const char *u64, *id64;
	} cases[] = {
		{ 0, "0", "0" },
		{ 9, "9", "9" },
		{ 10, "10", "10" },
		{ 99, "99", "99" },
		{ 100, "100", "100" },
		{ 12345, "12345", "12345" },
		{ UINT64_C(1) << 53, "9007199254740992", "9007199254740992" },
		{ (UINT64_C(1) << 53) + 1, "9007199254740993", "\"9007199254740993\"" },
		{ UINT64_MAX, "18446744073709551615", "\"18446744073709551615\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json json;

		start(&json);
		json_u64(&json, cases[i].value);
		json_flush(&json);
		assert_string_equal(sink.bytes, cases[i].u64);
		start(&json);
		json_id64(&json, cases[i].value);
		json_flush(&json);
		assert_string_equal(sink.bytes, cases[i].id64);
	}
}

static void test_every_length_of_number_is_right(void **state)
{
	char expected[32];

	(void)state;
	for (uint64_t value = 1; value <= UINT64_MAX / 3; value = value * 3 + 1) {
		struct json json;

		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
		start(&json);
		json_u64(&json, value);
		json_flush(&json);
		assert_string_equal(sink.bytes, expected);
	}
}

static void test_signed_numbers_reach_both_ends(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	json_array_begin(&json);
	json_s64(&json, INT64_MIN);
	json_s64(&json, -1);
	json_s64(&json, 0);
	json_s64(&json, INT64_MAX);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_string_equal(sink.bytes, "[-9223372036854775808,-1,0,9223372036854775807]");
}

static void test_time_is_utc_in_microseconds(void **state)
{
	/* seconds from `date -u -d TEXT +%s` */
	static const struct {
		uint64_t unix_ns;
		const char *expected;
	} cases[] = {
		{ 0, "\"1970-01-01T00:00:00.000000Z\"" },
		{ 1795251600123456789, "\"2026-11-21T09:00:00.123456Z\"" },
		{ 1795251600999999999, "\"2026-11-21T09:00:00.999999Z\"" },
		{ 1795251601000000000, "\"2026-11-21T09:00:01.000000Z\"" },
		{ 1795251600000001000, "\"2026-11-21T09:00:00.000001Z\"" },
		{ 1709251199000000000, "\"2024-02-29T23:59:59.000000Z\"" },
		{ 4102444800000000000, "\"2100-01-01T00:00:00.000000Z\"" },
		{ UINT64_MAX, "\"2554-07-21T23:34:33.709551Z\"" },
	};
	struct json json;

	(void)state;
	start(&json);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sink.size = 0;
		json_time(&json, cases[i].unix_ns);
		json_newline(&json);
		assert_int_equal(json_flush(&json), 0);
		sink.bytes[sink.size - 1] = '\0';
		assert_string_equal(sink.bytes, cases[i].expected);
	}
}

static void test_depth_is_bounded(void **state)
{
	struct json json;

	(void)state;
	start(&json);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_begin(&json);
	assert_int_equal(json_error(&json), 0);
	json_array_begin(&json);
	assert_int_equal(json_error(&json), -E2BIG);

	start_with(&json, JSON_BUFFER_MIN, JSON_PRETTY);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_begin(&json);
	json_null(&json);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	json_object_put(json_tokener_parse(sink.bytes));
}

static void misuse_value_without_key(struct json *json)
{
	json_object_begin(json);
	json_u64(json, 1);
}

static void misuse_key_in_array(struct json *json)
{
	json_array_begin(json);
	JSON_KEY(json, "a");
}

static void misuse_key_at_top(struct json *json)
{
	json_key(json, BYTES("a"));
}

static void misuse_two_keys(struct json *json)
{
	json_object_begin(json);
	JSON_KEY(json, "a");
	JSON_KEY(json, "b");
}

static void misuse_key_without_value(struct json *json)
{
	json_object_begin(json);
	JSON_KEY(json, "a");
	json_object_end(json);
}

static void misuse_wrong_end(struct json *json)
{
	json_object_begin(json);
	json_array_end(json);
}

static void misuse_end_of_nothing(struct json *json)
{
	json_array_end(json);
}

static void misuse_empty_raw(struct json *json)
{
	json_array_begin(json);
	json_raw(json, "", 0);
}

static void test_misuse_is_refused_and_sticks(void **state)
{
	static void (*const cases[])(struct json * json) = {
		misuse_value_without_key, misuse_key_in_array,	    misuse_key_at_top,
		misuse_two_keys,	  misuse_key_without_value, misuse_wrong_end,
		misuse_end_of_nothing,	  misuse_empty_raw,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json json;
		size_t size;

		start(&json);
		cases[i](&json);
		assert_int_equal(json_error(&json), -EINVAL);
		size = json_pending(&json);
		write_document(&json);
		assert_int_equal(json_pending(&json), size);
		assert_int_equal(json_flush(&json), -EINVAL);
		assert_int_equal(sink.nr_calls, 0);
	}
}

static void test_first_error_of_the_output_is_kept(void **state)
{
	struct json json;

	(void)state;
	start_with(&json, JSON_BUFFER_MIN, JSON_COMPACT);
	sink.fail_at = 2;
	for (int i = 0; i < 10; i++)
		write_document(&json);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), -ENOSPC);
	assert_int_equal(json_error(&json), -ENOSPC);
	assert_int_equal(sink.nr_calls, 2);
}

static void test_fixed_buffer_reports_when_full(void **state)
{
	char *small = guard_alloc(JSON_BUFFER_MIN);
	struct json json;

	(void)state;
	json_init(&json, small, JSON_BUFFER_MIN, JSON_COMPACT, NULL, NULL);
	json_array_begin(&json);
	json_u64(&json, 42);
	json_array_end(&json);
	assert_int_equal(json_flush(&json), 0);
	assert_int_equal(json_pending(&json), 4);
	assert_memory_equal(small, "[42]", 4);
	for (int i = 0; i < 10; i++)
		write_document(&json);
	assert_int_equal(json_error(&json), -ENOBUFS);
	guard_free(small, JSON_BUFFER_MIN);
}

static void test_too_small_a_buffer_is_refused(void **state)
{
	struct json json;

	(void)state;
	json_init(&json, buffer, JSON_BUFFER_MIN - 1, JSON_COMPACT, sink_flush, &sink);
	json_null(&json);
	assert_int_equal(json_error(&json), -EINVAL);
	assert_int_equal(json_pending(&json), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_is_compact_or_indented),
		cmocka_unit_test(test_buffer_size_makes_no_difference),
		cmocka_unit_test(test_newline_puts_each_event_on_a_line),
		cmocka_unit_test(test_newline_changes_nothing_in_pretty_style),
		cmocka_unit_test(test_documents_never_touch),
		cmocka_unit_test(test_string_is_escaped),
		cmocka_unit_test(test_cstring_takes_null),
		cmocka_unit_test(test_comm_of_control_characters_fits),
		cmocka_unit_test(test_string_may_exceed_the_buffer),
		cmocka_unit_test(test_numbers_are_exact),
		cmocka_unit_test(test_every_length_of_number_is_right),
		cmocka_unit_test(test_signed_numbers_reach_both_ends),
		cmocka_unit_test(test_time_is_utc_in_microseconds),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_misuse_is_refused_and_sticks),
		cmocka_unit_test(test_first_error_of_the_output_is_kept),
		cmocka_unit_test(test_fixed_buffer_reports_when_full),
		cmocka_unit_test(test_too_small_a_buffer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
