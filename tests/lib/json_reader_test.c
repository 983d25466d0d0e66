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
#include <iconv.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/json.h"
#include "lib/utf8.h"
#include "support/guard.h"

#define OUT_MAX (1 << 18)

/* Collects what the writer hands over. */
struct sink {
	char bytes[OUT_MAX];
	size_t size;
};

static struct sink sink;

static int sink_flush(void *ctx, const char *bytes, size_t size)
{
	struct sink *to = ctx;

	if (size > sizeof(to->bytes) - 1 - to->size)
		return -EFBIG;
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
	to->bytes[to->size] = '\0';
	return 0;
}

static void start_with(struct json *json, size_t cap, enum json_style style)
{
	static char buffer[4096];

	sink.size = 0;
	sink.bytes[0] = '\0';
	json_init(json, buffer, cap, style, sink_flush, &sink);
}

/* What a reader must get for BYTES: each broken sequence replaced. */
static size_t expect_text(char *out, const char *bytes, size_t size)
{
	size_t written = 0;

	for (size_t at = 0; at < size;) {
		uint32_t rune = 0;
		size_t step = utf8_decode(bytes + at, size - at, &rune);
		const char *from = rune == UTF8_INVALID ? "\xef\xbf\xbd" : bytes + at;
		size_t take = rune == UTF8_INVALID ? 3 : step;

		memcpy(out + written, from, take);
		written += take;
		at += step;
	}
	return written;
}

/* The C library's strict decoder, independent of ours. */
static bool is_utf8(char *bytes, size_t size)
{
	iconv_t to_utf32 = iconv_open("UTF-32LE", "UTF-8");
	static char out[4 * OUT_MAX];
	char *from = bytes, *to = out;
	size_t room = sizeof(out), result;

	assert_true(to_utf32 != (iconv_t)-1);
	result = iconv(to_utf32, &from, &size, &to, &room);
	iconv_close(to_utf32);
	return result != (size_t)-1;
}

static void test_random_bytes_survive_a_reader(void **state)
{
	(void)state;
	srandom(2);
	for (int round = 0; round < 20000; round++) {
		char bytes[80], expected[3 * sizeof(bytes)];
		size_t size = (size_t)random() % sizeof(bytes), expected_size;
		enum json_style style = random() % 2 ? JSON_PRETTY : JSON_COMPACT;
		struct json_object *parsed, *value;
		const char *copy;
		struct json json;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(random() % 4 ? random()
						       : "\xf0\x9f\xe2\x80\xc2\x22"[random() % 6]);
		copy = guard_copy(bytes, size);
		start_with(&json, JSON_BUFFER_MIN + (size_t)random() % 32, style);
		json_object_begin(&json);
		JSON_KEY(&json, "text");
		json_string(&json, copy, size);
		json_object_end(&json);
		assert_int_equal(json_flush(&json), 0);

		assert_true(is_utf8(sink.bytes, sink.size));
		parsed = json_tokener_parse(sink.bytes);
		assert_true(json_object_object_get_ex(parsed, "text", &value));
		expected_size = expect_text(expected, bytes, size);
		assert_int_equal(json_object_get_string_len(value), expected_size);
		assert_memory_equal(json_object_get_string(value), expected, expected_size);
		json_object_put(parsed);
		guard_free(copy, size);
	}
}

/* Writes one random value and, in a container, what it holds. Counts values in NR_VALUES. */
static void write_random(struct json *json, unsigned int depth, unsigned int *nr_values)
{
	bool is_object = random() % 2;

	++*nr_values;
	if (depth == 5 || random() % 3 == 0) {
		json_u64(json, (uint64_t)random());
		return;
	}
	if (is_object)
		json_object_begin(json);
	else
		json_array_begin(json);
	for (long i = random() % 5; i > 0; i--) {
		char key[] = { 'k', (char)('0' + i) };

		if (random() % 4 == 0)
			json_newline(json);
		if (is_object)
			json_key(json, key, sizeof(key));
		write_random(json, depth + 1, nr_values);
	}
	if (is_object)
		json_object_end(json);
	else
		json_array_end(json);
}

static unsigned int count_values(struct json_object *value)
{
	unsigned int nr = 1;

	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			nr += count_values(json_object_array_get_idx(value, i));
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			nr += count_values(member);
		}
	}
	return nr;
}

static void test_random_documents_survive_a_reader(void **state)
{
	(void)state;
	srandom(3);
	for (int round = 0; round < 5000; round++) {
		enum json_style style = random() % 2 ? JSON_PRETTY : JSON_COMPACT;
		struct json_object *parsed;
		unsigned int nr_values = 0;
		struct json json;

		start_with(&json, JSON_BUFFER_MIN, style);
		write_random(&json, 0, &nr_values);
		assert_int_equal(json_flush(&json), 0);
		parsed = json_tokener_parse(sink.bytes);
		if (!parsed)
			fail_msg("no JSON: %s", sink.bytes);
		assert_int_equal(count_values(parsed), nr_values);
		json_object_put(parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_bytes_survive_a_reader),
		cmocka_unit_test(test_random_documents_survive_a_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
