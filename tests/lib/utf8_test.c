/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/utf8.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define NR_RUNES       0x110000

/* An encoder of the test's own; returns 0 for what has no encoding. */
static size_t encode(unsigned char out[4], uint32_t rune)
{
	if (rune < 0x80) {
		out[0] = (unsigned char)rune;
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (unsigned char)(0xc0 | rune >> 6);
		out[1] = (unsigned char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune >= 0xd800 && rune <= 0xdfff)
		return 0;
	if (rune < 0x10000) {
		out[0] = (unsigned char)(0xe0 | rune >> 12);
		out[1] = (unsigned char)(0x80 | (rune >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (rune & 0x3f));
		return 3;
	}
	if (rune >= NR_RUNES)
		return 0;
	out[0] = (unsigned char)(0xf0 | rune >> 18);
	out[1] = (unsigned char)(0x80 | (rune >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (rune >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (rune & 0x3f));
	return 4;
}

static void test_decode_reads_every_code_point(void **state)
{
	(void)state;
	for (uint32_t rune = 0; rune < NR_RUNES; rune++) {
		unsigned char bytes[4];
		size_t size = encode(bytes, rune);
		uint32_t decoded = 0;

		if (!size)
			continue;
		if (utf8_decode((char *)bytes, size, &decoded) != size || decoded != rune)
			fail_msg("U+%04X is misread", rune);
	}
}

/*
 * Every sequence of three bytes against the definition: a byte sequence that begins no encoding is
 * one error as long as its longest prefix that begins one (D93b), or of one byte.
 */
static void test_decode_takes_maximal_subparts(void **state)
{
	unsigned char *prefixes[4] = { NULL };

	(void)state;
	for (size_t size = 1; size <= 3; size++)
		prefixes[size] = calloc(1, (size_t)1 << size * 8);
	for (uint32_t rune = 0; rune < NR_RUNES; rune++) {
		unsigned char bytes[4];
		size_t whole = encode(bytes, rune);
		uint32_t value = 0;

		for (size_t size = 1; size <= whole && size <= 3; size++) {
			value = value << 8 | bytes[size - 1];
			prefixes[size][value] = size == whole ? 2 : 1;
		}
	}
	for (uint32_t value = 0; value < 1 << 24; value++) {
		char bytes[3] = { (char)(value >> 16), (char)(value >> 8), (char)value };
		size_t expected = 1, size;
		bool is_valid = false;
		uint32_t rune = 0;

		for (size = 1; size <= 3; size++) {
			unsigned char kind = prefixes[size][value >> (3 - size) * 8];

			if (!kind)
				break;
			expected = size;
			is_valid = kind == 2;
			if (is_valid)
				break;
		}
		size = utf8_decode(bytes, sizeof(bytes), &rune);
		if (size != expected || (rune != UTF8_INVALID) != is_valid)
			fail_msg("%06X: %zu bytes, rune %X, expected %zu", value, size, rune,
				 expected);
	}
	for (size_t size = 1; size <= 3; size++)
		free(prefixes[size]);
}

static void test_decode_follows_the_standards_examples(void **state)
{
	/* Unicode 3.9, tables 3-8 to 3-11; '?' stands for U+FFFD */
	static const struct {
		const char *bytes;
		size_t size;
		const char *expected;
	} cases[] = {
		{ BYTES("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82"
			"A"),
		  "????????A" },
		{ BYTES("\xed\xa0\x80\xed\xbf\xbf\xed\xaf"
			"A"),
		  "????????A" },
		{ BYTES("\xf4\x91\x92\x93\xff"
			"A\x80\xbf"
			"B"),
		  "?????A??B" },
		{ BYTES("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
			"A"),
		  "????A" },
		{ BYTES("\xf0\x9f\x92"), "?" },
		{ BYTES("\xf0\x9f\x92\xf0\x9f\x92"), "??" },
		{ BYTES("\xf5\x80\x80\x80"), "????" },
		{ BYTES("\xfe\xff"), "??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *bytes = guard_copy(cases[i].bytes, cases[i].size);
		size_t nr = 0;
		char out[16];

		for (size_t at = 0; at < cases[i].size; nr++) {
			uint32_t rune = 0;

			at += utf8_decode(bytes + at, cases[i].size - at, &rune);
			out[nr] = rune == UTF8_INVALID ? '?' : (char)rune;
		}
		out[nr] = '\0';
		assert_string_equal(out, cases[i].expected);
		guard_free(bytes, cases[i].size);
	}
}

static void test_decode_of_nothing_returns_0(void **state)
{
	uint32_t rune = 7;

	(void)state;
	assert_int_equal(utf8_decode(guard_copy(NULL, 0), 0, &rune), 0);
	assert_int_equal(rune, 7);
}

static void test_decode_never_reads_past_the_end(void **state)
{
	static const char leads[] = "\xc3\xe2\xf0\xf1\xf4\xed";

	(void)state;
	for (const char *lead = leads; *lead; lead++) {
		char bytes[] = { *lead, (char)0x8f, (char)0x8f };

		if (*lead == '\xf0')
			bytes[1] = (char)0x9f;
		for (size_t size = 1; size <= 3; size++) {
			const char *copy = guard_copy(bytes, size);
			uint32_t rune;

			assert_in_range(utf8_decode(copy, size, &rune), 1, size);
			guard_free(copy, size);
		}
	}
}

/* The byte's place within a word and the words around it must make no difference. */
static void test_plain_copy_stops_at_each_special_byte(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < 256; byte++) {
		bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';

		for (size_t at = 0; at < 27; at++) {
			char text[] = "abcdefghijklmnopqrstuvwxyz~";
			size_t size = sizeof(text) - 1, copied;
			const char *bytes;
			char *out;

			text[at] = (char)byte;
			bytes = guard_copy(text, size);
			out = guard_alloc(size);
			copied = utf8_plain_copy(out, bytes, size);
			if (copied != (is_plain ? size : at) || memcmp(out, text, copied) != 0)
				fail_msg("byte %02x at %zu: copied %zu", byte, at, copied);
			guard_free(bytes, size);
			guard_free(out, size);
		}
	}
}

static void test_plain_copy_takes_every_size(void **state)
{
	(void)state;
	for (size_t size = 0; size < 40; size++) {
		const char *bytes = guard_copy("0123456789abcdefghijklmnopqrstuvwxyz/:;=", size);
		char *out = guard_alloc(size);

		assert_int_equal(utf8_plain_copy(out, bytes, size), size);
		assert_memory_equal(out, bytes, size);
		guard_free(bytes, size);
		guard_free(out, size);
	}
}

static const struct {
	const char *bytes;
	size_t size;
	const char *expected;
} escape_cases[] = {
	{ BYTES(""), "" },
	{ BYTES("plain text, \"quoted\""), "plain text, \"quoted\"" },
	{ BYTES("back\\slash"), "back\\\\slash" },
	{ BYTES("a\nb\rc\td"), "a\\nb\\rc\\td" },
	{ BYTES("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m" },
	{ BYTES("nul\0inside"), "nul\\x00inside" },
	{ BYTES("\x07\x08\x7f"), "\\x07\\x08\\x7f" },
	/* C1: U+009B is the one-character form of ESC [ */
	{ BYTES("\xc2\x9b"
		"31m\xc2\x85"),
	  "\\u009b31m\\u0085" },
	{ BYTES("\x9b"
		"31m"),
	  "\\x9b31m" },
	{ BYTES("a\xe2\x80\xae"
		"b\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9"),
	  "a\\u202eb\\u202a\\u2066\\u2069" },
	{ BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029" },
	{ BYTES("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"),
	  "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa" },
	{ BYTES("gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x94\x91"),
	  "gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x94\x91" },
	{ BYTES("\xc3"), "\\xc3" },
	{ BYTES("\xf0\x9f\x94"), "\\xf0\\x9f\\x94" },
	{ BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
	{ BYTES("\xff\xfe"), "\\xff\\xfe" },
	/* what looks like an escape has another spelling than a real one */
	{ BYTES("\\x1b"), "\\\\x1b" },
};

static void test_text_escape_makes_bytes_inert(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escape_cases) / sizeof(escape_cases[0]); i++) {
		const char *bytes = guard_copy(escape_cases[i].bytes, escape_cases[i].size);
		char out[128];
		size_t size = text_escape(out, sizeof(out), bytes, escape_cases[i].size);

		assert_string_equal(out, escape_cases[i].expected);
		assert_int_equal(size, strlen(out));
		guard_free(bytes, escape_cases[i].size);
	}
}

/* Cut at every size, the output is a prefix that ends between two units of the whole. */
static void test_text_escape_never_splits_a_unit(void **state)
{
	static const char bytes[] = "ab\n\xe2\x82\xac\x1b\\\xe2\x80\xae\xff\xf0\x9f\x94\x91z";
	static const char whole[] = "ab\\n\xe2\x82\xac\\x1b\\\\\\u202e\\xff\xf0\x9f\x94\x91z";
	static const size_t boundaries[] = { 0, 1, 2, 4, 7, 11, 13, 19, 23, 27, 28 };
	const size_t nr_boundaries = sizeof(boundaries) / sizeof(boundaries[0]);

	(void)state;
	for (size_t cap = 1; cap <= sizeof(whole); cap++) {
		char *out = guard_alloc(cap);
		size_t size = text_escape(out, cap, bytes, sizeof(bytes) - 1), expected = 0;

		for (size_t i = 0; i < nr_boundaries; i++)
			if (boundaries[i] < cap)
				expected = boundaries[i];
		assert_int_equal(size, expected);
		assert_memory_equal(out, whole, size);
		assert_int_equal(out[size], '\0');
		guard_free(out, cap);
	}
}

static void test_text_escape_of_no_room_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(text_escape(guard_alloc(0), 0, "abc", 3), 0);
}

static void test_text_escape_of_random_bytes_has_no_control(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		char bytes[64], out[64 * 6 + 1];
		size_t size = (size_t)random() % sizeof(bytes), written;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(random() % 3 ? random()
						       : "\xe2\x80\xae\xc2\x9b\x1b"[random() % 6]);
		written = text_escape(out, sizeof(out), bytes, size);
		for (size_t at = 0; at < written;) {
			uint32_t rune = 0;

			at += utf8_decode(out + at, written - at, &rune);
			assert_true(rune != UTF8_INVALID);
			assert_false(utf8_is_control(rune));
		}
	}
}

static size_t __attribute__((format(printf, 3, 4)))
vformat(char *out, size_t cap, const char *format, ...)
{
	va_list args;
	size_t size;

	va_start(args, format);
	size = text_vformat(out, cap, format, args);
	va_end(args);
	return size;
}

static void test_text_vformat_returns_what_is_there(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(vformat(out, sizeof(out), "%d", 1234567), 7);
	assert_string_equal(out, "1234567");
	assert_int_equal(vformat(out, sizeof(out), "%d", 12345678), 7);
	assert_string_equal(out, "1234567");
	assert_int_equal(vformat(out, 1, "x"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vformat(out, sizeof(out), "%s", ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_reads_every_code_point),
		cmocka_unit_test(test_decode_takes_maximal_subparts),
		cmocka_unit_test(test_decode_follows_the_standards_examples),
		cmocka_unit_test(test_decode_of_nothing_returns_0),
		cmocka_unit_test(test_decode_never_reads_past_the_end),
		cmocka_unit_test(test_plain_copy_stops_at_each_special_byte),
		cmocka_unit_test(test_plain_copy_takes_every_size),
		cmocka_unit_test(test_text_escape_makes_bytes_inert),
		cmocka_unit_test(test_text_escape_never_splits_a_unit),
		cmocka_unit_test(test_text_escape_of_no_room_writes_nothing),
		cmocka_unit_test(test_text_escape_of_random_bytes_has_no_control),
		cmocka_unit_test(test_text_vformat_returns_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
