/* SPDX-License-Identifier: MIT */
/*
 * src/lib/json.c and src/lib/utf8.c: whatever is written in whatever order, the output is JSON and
 * UTF-8 by the judgement of json-c and of the C library, and strings come back as they went in.
 */
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/json.h"
#include "lib/utf8.h"

#define OUT_MAX (1 << 20)

static char out[OUT_MAX + 1];
static size_t out_size;

static int collect(void *ctx, const char *bytes, size_t size)
{
	(void)ctx;
	if (size > OUT_MAX - out_size)
		return -ENOSPC;
	memcpy(out + out_size, bytes, size);
	out_size += size;
	out[out_size] = '\0';
	return 0;
}

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_utf8(char *bytes, size_t size)
{
	static char utf32[4 * (OUT_MAX + 1)];
	static iconv_t to_utf32;
	char *to = utf32;
	size_t room = sizeof(utf32);

	if (!to_utf32)
		to_utf32 = iconv_open("UTF-32LE", "UTF-8");
	check(iconv(to_utf32, &bytes, &size, &to, &room) != (size_t)-1);
}

/* One call for each byte or so: numbers, containers, strings of what follows. */
static void write_calls(struct json *json, const uint8_t *data, size_t size)
{
	while (size > 0) {
		uint8_t call = *data++ % 16;
		const char *bytes = (const char *)data;
		size_t taken = --size ? data[0] % 32 : 0;

		if (taken > size)
			taken = size;
		switch (call) {
		case 0:
			json_object_begin(json);
			break;
		case 1:
			json_object_end(json);
			break;
		case 2:
			json_array_begin(json);
			break;
		case 3:
			json_array_end(json);
			break;
		case 4:
			json_u64(json, size * UINT64_C(0x123456789abcdef));
			break;
		case 5:
			json_s64(json, -(int64_t)size);
			break;
		case 6:
			json_id64(json, UINT64_C(1) << taken << taken);
			break;
		case 7:
			json_bool(json, taken & 1);
			break;
		case 8:
			json_null(json);
			break;
		case 9:
			json_time(json, size * UINT64_C(0x123456789abcdef));
			break;
		case 10:
			json_newline(json);
			break;
		case 11:
			JSON_KEY(json, "literal");
			break;
		default:
			if (call < 14)
				json_string(json, bytes, taken);
			else
				json_key(json, bytes, taken);
			data += taken;
			size -= taken;
		}
	}
}

/* The longest start of what CALLS give that is well formed, with all it left open closed. */
static void check_calls(const uint8_t *data, size_t size, enum json_style style, size_t cap)
{
	char *buffer = malloc(cap);
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	struct json json;

	out_size = 0;
	json_init(&json, buffer, cap, style, collect, NULL);
	json_array_begin(&json);
	write_calls(&json, data, size);
	/* a wrong order sticks; what came before it is whole once the containers are closed */
	if (json.err == 0) {
		if (json.has_key)
			json_null(&json);
		while (json.depth > 0) {
			if (json.objects >> json.depth & 1)
				json_object_end(&json);
			else
				json_array_end(&json);
		}
		check(json_flush(&json) == 0);
		check_utf8(out, out_size);
		for (size_t at = 0; at < out_size;) {
			json_tokener_reset(tokener);
			json_object_put(
				json_tokener_parse_ex(tokener, out + at, (int)(out_size - at)));
			if (json_tokener_get_error(tokener) == json_tokener_continue) {
				/* a number or white space at the very end */
				json_object_put(json_tokener_parse_ex(tokener, "", 1));
				at = out_size;
				break;
			}
			check(json_tokener_get_error(tokener) == json_tokener_success);
			at += json_tokener_get_parse_end(tokener);
		}
	}
	json_tokener_free(tokener);
	free(buffer);
}

/* The whole input as one string: a reader gets it back, broken sequences replaced. */
static void check_string(const char *bytes, size_t size)
{
	char small[JSON_BUFFER_MIN], *expected = malloc(3 * size + 1);
	struct json_object *array, *string;
	size_t written = 0;
	struct json json;

	for (size_t at = 0; at < size;) {
		uint32_t rune = 0;
		size_t step = utf8_decode(bytes + at, size - at, &rune);

		check(step > 0 && step <= size - at);
		memcpy(expected + written, rune == UTF8_INVALID ? "\xef\xbf\xbd" : bytes + at,
		       rune == UTF8_INVALID ? 3 : step);
		written += rune == UTF8_INVALID ? 3 : step;
		at += step;
	}
	out_size = 0;
	json_init(&json, small, sizeof(small), JSON_COMPACT, collect, NULL);
	json_array_begin(&json);
	json_string(&json, bytes, size);
	json_array_end(&json);
	check(json_flush(&json) == 0);
	check_utf8(out, out_size);
	array = json_tokener_parse(out);
	string = json_object_array_get_idx(array, 0);
	check((size_t)json_object_get_string_len(string) == written);
	check(memcmp(json_object_get_string(string), expected, written) == 0);
	json_object_put(array);
	free(expected);
}

/* For people: nothing that acts on a terminal, cut or not. */
static void check_text(const char *bytes, size_t size, size_t cap)
{
	char *text = malloc(cap);
	size_t written = text_escape(text, cap, bytes, size);

	check(written < cap && text[written] == '\0');
	for (size_t at = 0; at < written;) {
		uint32_t rune = 0;

		at += utf8_decode(text + at, written - at, &rune);
		check(rune != UTF8_INVALID && !utf8_is_control(rune));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 4096)
		return 0;
	check_calls(data + 2, size - 2, data[0] & 1 ? JSON_PRETTY : JSON_COMPACT,
		    JSON_BUFFER_MIN + data[1]);
	check_string((const char *)data + 2, size - 2);
	check_text((const char *)data + 2, size - 2, 1 + data[1]);
	return 0;
}
