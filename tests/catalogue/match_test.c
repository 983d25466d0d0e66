/* SPDX-License-Identifier: MIT */
/*
 * The kernel's first choice, compiled natively, against a reference that compares strings in the
 * plain way: what is in the catalogue passes, and what passes without being in it is excused by a
 * pattern of more than 16 bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <linux/types.h>
#include <sys/cdefs.h>

#include <cmocka.h>

#include "catalogue/files.h"
#include "catalogue/match.h"
#include "lib/array.h"

#define WORDS_SIZE    16
#define NAME_MAX_SIZE 256

/* The rows that the kernel has. */
static const struct row {
	const char *text; /* with its slash when it is a name */
	bool is_name;
} rows[] = {
#define FILE_EXT(end, type, kind)   { end, false },
#define FILE_NAME(name, type, kind) { "/" name, true },
#include "catalogue/files.def"
};

/* All rows, as names that they are made for. */
static const char *const samples[] = {
#define FILE_EXT(end, type, kind)	      "a" end,
#define FILE_NAME(name, type, kind)	      name,
#define FILE_FINER_DIR(dir, end, type, kind)  dir "/a" end,
#define FILE_FINER_NAME(name, type, kind)     name,
#define FILE_FINER_HAS(text, end, type, kind) text end,
#define FILE_FINER_EXT(end, type, kind)	      "a" end,
#include "catalogue/files.def"
	"0123abcd.0",
	"fedcba98.17",
	"0123abcd.r0",
	"fedcba98.r42",
};

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), wanted = strlen(end);

	return size >= wanted && !strcasecmp(name + size - wanted, end);
}

static bool is_hashed(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	if (strspn(base, "0123456789abcdefABCDEF") != 8 || base[8] != '.')
		return false;
	base += base[9] == 'r' || base[9] == 'R' ? 10 : 9;

	size_t digits = strspn(base, "0123456789");

	return digits >= 1 && digits <= 2 && !base[digits];
}

static bool is_in_catalogue(const char *name)
{
	char rooted[NAME_MAX_SIZE + 2];

	snprintf(rooted, sizeof(rooted), "/%s", name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (ends_with(rows[i].is_name ? rooted : name, rows[i].text))
			return true;
	return is_hashed(name);
}

/* Whether NAME ends like a pattern too long for the kernel to see whole. */
static bool is_excused(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = strlen(rows[i].text);

		if (size > WORDS_SIZE && ends_with(name, rows[i].text + size - WORDS_SIZE))
			return true;
	}
	return false;
}

/* As match.h describes the two words, byte for byte. */
static bool kernel_accepts(const char *name)
{
	size_t size = strlen(name);
	__u64 words[2] = { 0 };

	for (size_t at = 0; at < WORDS_SIZE && at <= size; at++) {
		unsigned char byte = at < size ? (unsigned char)name[size - 1 - at] : '/';

		words[at / 8] |= (__u64)byte << (8 * (at % 8));
	}
	return match_tail(words[0], words[1]);
}

/* Checks one name; returns whether it passes without being in the catalogue. */
static bool name_check(const char *name)
{
	bool reference = is_in_catalogue(name), kernel = kernel_accepts(name);

	if (reference && !kernel)
		fail_msg("the kernel would turn '%s' away", name);
	if (kernel && !reference && !is_excused(name))
		fail_msg("the kernel would let '%s' pass", name);
	if (reference != (file_classify(name, strlen(name)) != NULL))
		fail_msg("user space is wrong about '%s'", name);
	return kernel && !reference;
}

static void name_change_case(char *name, unsigned int how)
{
	for (size_t i = 0; name[i]; i++) {
		bool upper = how == 1 || (how == 2 && i % 2);

		if (upper && name[i] >= 'a' && name[i] <= 'z')
			name[i] = (char)(name[i] - 'a' + 'A');
	}
}

static void test_every_row_passes_in_any_case_and_place(void **state)
{
	static const char *const places[] = {
		"", "/", "/etc/", "a/", "/a/rather/long/directory/name/",
	};
	char name[NAME_MAX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		for (size_t place = 0; place < ARRAY_SIZE(places); place++) {
			for (unsigned int how = 0; how < 3; how++) {
				snprintf(name, sizeof(name), "%s%s", places[place], samples[i]);
				name_change_case(name, how);
				if (!is_in_catalogue(name))
					fail_msg("the reference misses '%s'", name);
				name_check(name);
			}
		}
	}
}

/* A row made longer, shorter or different by one byte. */
static void test_near_misses_are_told_apart(void **state)
{
	static const char bytes[] = "/.-_ak0Zr9\xe1\x01 ";
	unsigned int nr_false = 0;
	char name[NAME_MAX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t size = strlen(samples[i]);

		for (size_t at = 0; at <= size; at++) {
			for (const char *byte = bytes; *byte; byte++) {
				snprintf(name, sizeof(name), "%.*s%c%s", (int)at, samples[i], *byte,
					 samples[i] + at);
				nr_false += name_check(name);
				if (at == size)
					continue;
				name[at + 1] = '\0';
				snprintf(name + at + 1, sizeof(name) - at - 1, "%s",
					 samples[i] + at + 1);
				nr_false += name_check(name);
			}
			snprintf(name, sizeof(name), "%.*s%s", (int)at, samples[i],
				 samples[i] + at + (at < size));
			nr_false += name_check(name);
		}
	}
	/* The excuse is needed, or the long patterns were not tried. */
	assert_true(nr_false > 0);
}

static void test_random_names_are_judged_alike(void **state)
{
	static const char alphabet[] = "..//__-kKeEyYpPmMrRsShHtTcCdDbBaAfF0123456789oOnNiIgG";
	unsigned int seed = 20261121, nr_in = 0;
	char name[32];

	(void)state;
	for (unsigned int round = 0; round < 400000; round++) {
		size_t size = 1 + (size_t)rand_r(&seed) % 24;

		for (size_t i = 0; i < size; i++)
			name[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		name[size] = '\0';
		/* Pure chance seldom makes an extension; half of the names are given the end of
		 * one. */
		if (round % 2 && size > 8) {
			const char *end = samples[(size_t)rand_r(&seed) % ARRAY_SIZE(samples)];
			size_t taken = strlen(end) < size ? strlen(end) : size - 1;

			memcpy(name + size - taken, end + strlen(end) - taken, taken);
		}
		name_check(name);
		nr_in += is_in_catalogue(name);
	}
	assert_in_range(nr_in, 1000, 399000);
}

static void test_lower_case_is_that_of_ascii(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < 256; byte++) {
		__u64 expected = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;

		for (unsigned int shift = 0; shift < 64; shift += 8) {
			/* Neighbours of 0 and 0xff, lest a carry goes unseen. */
			__u64 mask = (__u64)0xff << shift, others = ~mask;

			assert_true(match_lower((__u64)byte << shift) == expected << shift);
			assert_true(match_lower((__u64)byte << shift | others) ==
				    (expected << shift | others));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_passes_in_any_case_and_place),
		cmocka_unit_test(test_near_misses_are_told_apart),
		cmocka_unit_test(test_random_names_are_judged_alike),
		cmocka_unit_test(test_lower_case_is_that_of_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
