/* SPDX-License-Identifier: MIT */
#include "lib/json.h"

#include <errno.h>
#include <time.h>

#include "lib/utf8.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* The widest decimal of 64 bits: 18446744073709551615, -9223372036854775808. */
#define DECIMAL_MAX 20

/* What can come before an item: comma, newline, indentation; and a quote. */
#define PREFIX_MAX (2 + 2 * JSON_DEPTH_MAX + 1)

/* Every fixed-size write below fits in an empty buffer; strings are written in pieces. */
_Static_assert(JSON_BUFFER_MIN >= PREFIX_MAX + sizeof("2026-11-21T09:00:00.123456Z\""), "buffer");
_Static_assert(JSON_DEPTH_MAX < 32, "struct json::objects has a bit for each depth");

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930"
				  "31323334353637383940414243444546474849505152535455565758596061"
				  "62636465666768697071727374757677787980818283848586878889909192"
				  "93949596979899";

static void json_fail(struct json *json, int err)
{
	if (!json->err)
		json->err = err;
}

void json_init(struct json *json, char *buffer, size_t cap, enum json_style style,
	       int (*flush)(void *ctx, const char *bytes, size_t size), void *ctx)
{
	*json = (struct json){
		.buffer = buffer,
		.cap = cap,
		.flush = flush,
		.ctx = ctx,
		.err = cap < JSON_BUFFER_MIN ? -EINVAL : 0,
		.is_pretty = style == JSON_PRETTY,
		/* no time has this second, so the first one is rendered */
		.second = UINT64_MAX,
	};
}

int json_error(const struct json *json)
{
	return json->err;
}

size_t json_pending(const struct json *json)
{
	return json->size;
}

int json_flush(struct json *json)
{
	int err;

	if (json->err || !json->size || !json->flush)
		return json->err;
	err = json->flush(json->ctx, json->buffer, json->size);
	json->size = 0;
	if (err < 0)
		json_fail(json, err);
	return json->err;
}

/* Room for SIZE bytes, at most JSON_BUFFER_MIN. False after an error. */
static bool json_reserve(struct json *json, size_t size)
{
	if (json->err)
		return false;
	if (json->cap - json->size >= size)
		return true;
	if (!json->flush) {
		json_fail(json, -ENOBUFS);
		return false;
	}
	return json_flush(json) == 0;
}

/*
 * memcpy() for the few bytes of a key or a word: two copies of fixed size that may overlap take
 * less time than one whose size the compiler does not know.
 */
static void copy_short(char *out, const char *bytes, size_t size)
{
	if (size > 16) {
		memcpy(out, bytes, size);
	} else if (size >= 8) {
		memcpy(out, bytes, 8);
		memcpy(out + size - 8, bytes + size - 8, 8);
	} else if (size >= 4) {
		memcpy(out, bytes, 4);
		memcpy(out + size - 4, bytes + size - 4, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			out[i] = bytes[i];
	}
}

/* Only after json_reserve(). */
static void put(struct json *json, const char *bytes, size_t size)
{
	copy_short(json->buffer + json->size, bytes, size);
	json->size += size;
}

static void put_char(struct json *json, char c)
{
	json->buffer[json->size++] = c;
}

/* Any number of bytes, in as many pieces as the buffer makes necessary. */
static void put_long(struct json *json, const char *bytes, size_t size)
{
	while (size > json->cap - json->size) {
		size_t piece = json->cap - json->size;

		put(json, bytes, piece);
		bytes += piece;
		size -= piece;
		if (!json_reserve(json, 1))
			return;
	}
	put(json, bytes, size);
}

static bool is_in_object(const struct json *json)
{
	return json->objects >> json->depth & 1;
}

static void put_line(struct json *json)
{
	put_char(json, '\n');
	if (json->is_pretty)
		for (unsigned int i = 0; i < json->depth; i++)
			put(json, "  ", 2);
	json->wants_newline = false;
}

/* Whatever separates the next item from what is there. Only with PREFIX_MAX reserved. */
static void put_separator(struct json *json)
{
	if (json->depth == 0) {
		if (json->has_item)
			put_char(json, '\n');
	} else {
		if (json->has_item)
			put_char(json, ',');
		if (json->is_pretty || json->wants_newline)
			put_line(json);
	}
	json->has_item = true;
}

/* Begins a value of which SIZE bytes, at most JSON_BUFFER_MIN - PREFIX_MAX, follow at once. */
static bool value_begin(struct json *json, size_t size)
{
	if (!json_reserve(json, PREFIX_MAX + size))
		return false;
	if (json->has_key) {
		json->has_key = false;
		return true;
	}
	if (is_in_object(json)) {
		json_fail(json, -EINVAL);
		return false;
	}
	put_separator(json);
	return true;
}

static void container_begin(struct json *json, bool is_object)
{
	if (!json->err && json->depth == JSON_DEPTH_MAX)
		json_fail(json, -E2BIG);
	if (!value_begin(json, 1))
		return;
	put_char(json, is_object ? '{' : '[');
	json->depth++;
	json->objects &= ~(UINT32_C(1) << json->depth);
	json->objects |= (uint32_t)is_object << json->depth;
	json->has_item = false;
	json->wants_newline = false;
}

static void container_end(struct json *json, bool is_object)
{
	if (!json_reserve(json, PREFIX_MAX))
		return;
	if (json->depth == 0 || json->has_key || is_in_object(json) != is_object) {
		json_fail(json, -EINVAL);
		return;
	}
	json->depth--;
	if (json->wants_newline || (json->is_pretty && json->has_item))
		put_line(json);
	put_char(json, is_object ? '}' : ']');
	json->has_item = true;
}

void json_object_begin(struct json *json)
{
	container_begin(json, true);
}

void json_object_end(struct json *json)
{
	container_end(json, true);
}

void json_array_begin(struct json *json)
{
	container_begin(json, false);
}

void json_array_end(struct json *json)
{
	container_end(json, false);
}

/* Two characters, "\u001b" or, for what is no UTF-8, U+FFFD. Returns the length of the input. */
static size_t put_escaped(struct json *json, const char *bytes, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[][2] = { "\"\"", "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt" };
	uint32_t rune;
	size_t step = utf8_decode(bytes, size, &rune);

	if (rune == UTF8_INVALID) {
		put(json, "\xef\xbf\xbd", 3);
		return step;
	}
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
		if (rune != (unsigned char)shorts[i][0])
			continue;
		put_char(json, '\\');
		put_char(json, shorts[i][1]);
		return step;
	}
	if (utf8_is_control(rune)) {
		put(json, "\\u", 2);
		for (int shift = 12; shift >= 0; shift -= 4)
			put_char(json, hex[rune >> shift & 0xf]);
	} else {
		put(json, bytes, step);
	}
	return step;
}

/* A string's content and its closing quote. */
static void put_string(struct json *json, const char *bytes, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t piece = size - at, plain;

		if (!json_reserve(json, 1))
			return;
		if (piece > json->cap - json->size)
			piece = json->cap - json->size;
		plain = utf8_plain_copy(json->buffer + json->size, bytes + at, piece);
		json->size += plain;
		at += plain;
		if (plain == piece)
			continue;
		if (!json_reserve(json, sizeof("\\u0000") - 1))
			return;
		at += put_escaped(json, bytes + at, size - at);
	}
	if (json_reserve(json, 1))
		put_char(json, '"');
}

void json_string(struct json *json, const char *bytes, size_t size)
{
	if (!value_begin(json, 1))
		return;
	put_char(json, '"');
	put_string(json, bytes, size);
}

static bool key_begin(struct json *json)
{
	if (!json_reserve(json, PREFIX_MAX))
		return false;
	if (json->has_key || !is_in_object(json)) {
		json_fail(json, -EINVAL);
		return false;
	}
	put_separator(json);
	json->has_key = true;
	return true;
}

void json_key(struct json *json, const char *key, size_t size)
{
	if (!key_begin(json))
		return;
	put_char(json, '"');
	put_string(json, key, size);
	if (!json_reserve(json, 2))
		return;
	put_char(json, ':');
	if (json->is_pretty)
		put_char(json, ' ');
}

void json_key_raw(struct json *json, const char *key, size_t size)
{
	if (!key_begin(json))
		return;
	put_long(json, key, size);
	if (json->is_pretty && json_reserve(json, 1))
		put_char(json, ' ');
}

/* Two digits at a time from the right. Returns the length in OUT. */
static size_t decimal_render(char out[static DECIMAL_MAX], uint64_t value)
{
	char scratch[DECIMAL_MAX];
	size_t at = DECIMAL_MAX;

	while (value >= 100) {
		at -= 2;
		memcpy(scratch + at, digit_pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		at -= 2;
		memcpy(scratch + at, digit_pairs + value * 2, 2);
	} else {
		scratch[--at] = (char)('0' + value);
	}
	memcpy(out, scratch + at, DECIMAL_MAX - at);
	return DECIMAL_MAX - at;
}

static void put_decimal(struct json *json, uint64_t value)
{
	json->size += decimal_render(json->buffer + json->size, value);
}

void json_u64(struct json *json, uint64_t value)
{
	if (value_begin(json, DECIMAL_MAX))
		put_decimal(json, value);
}

void json_s64(struct json *json, int64_t value)
{
	if (!value_begin(json, DECIMAL_MAX + 1))
		return;
	if (value >= 0) {
		put_decimal(json, (uint64_t)value);
	} else {
		put_char(json, '-');
		/* -INT64_MIN is no int64_t */
		put_decimal(json, (uint64_t) - (value + 1) + 1);
	}
}

void json_id64(struct json *json, uint64_t value)
{
	bool is_exact = value <= UINT64_C(1) << 53;

	if (!value_begin(json, DECIMAL_MAX + 2))
		return;
	if (!is_exact)
		put_char(json, '"');
	put_decimal(json, value);
	if (!is_exact)
		put_char(json, '"');
}

void json_bool(struct json *json, bool value)
{
	if (value_begin(json, sizeof("false")))
		put(json, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json *json)
{
	if (value_begin(json, sizeof("null")))
		put(json, "null", 4);
}

static void put_pair(char *out, unsigned int value)
{
	memcpy(out, digit_pairs + (size_t)value * 2, 2);
}

/* Fills the cache: consecutive events mostly share their second. */
static void second_render(struct json *json, uint64_t second)
{
	/* 64 bits of nanoseconds end in the year 2554: always four digits, and gmtime_r() succeeds
	 */
	time_t when = (time_t)second;
	char *out = json->second_text;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	memcpy(out, "0000-00-00T00:00:00.", sizeof(json->second_text));
	put_pair(out, (unsigned int)(tm.tm_year + 1900) / 100);
	put_pair(out + 2, (unsigned int)(tm.tm_year + 1900) % 100);
	put_pair(out + 5, (unsigned int)tm.tm_mon + 1);
	put_pair(out + 8, (unsigned int)tm.tm_mday);
	put_pair(out + 11, (unsigned int)tm.tm_hour);
	put_pair(out + 14, (unsigned int)tm.tm_min);
	put_pair(out + 17, (unsigned int)tm.tm_sec);
	json->second = second;
}

void json_time(struct json *json, uint64_t unix_ns)
{
	unsigned int micros = (unsigned int)(unix_ns % NS_PER_SECOND / 1000);
	uint64_t second = unix_ns / NS_PER_SECOND;
	char fraction[6];

	if (!value_begin(json, sizeof("\"2026-11-21T09:00:00.123456Z\"")))
		return;
	if (second != json->second)
		second_render(json, second);
	put_pair(fraction, micros / 10000);
	put_pair(fraction + 2, micros / 100 % 100);
	put_pair(fraction + 4, micros % 100);
	put_char(json, '"');
	put(json, json->second_text, sizeof(json->second_text));
	put(json, fraction, sizeof(fraction));
	put(json, "Z\"", 2);
}

void json_raw(struct json *json, const char *bytes, size_t size)
{
	if (!size)
		json_fail(json, -EINVAL);
	if (value_begin(json, 0))
		put_long(json, bytes, size);
}

void json_newline(struct json *json)
{
	if (json->depth > 0) {
		json->wants_newline = true;
	} else if (json_reserve(json, 1)) {
		put_char(json, '\n');
		json->has_item = false;
	}
}
