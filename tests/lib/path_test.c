/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/path.h"
#include "support/guard.h"

#define PARTS_MAX 64
#define TEXT_MAX  512

/* Collapses PATH where the next byte is unmapped. Returns the result, terminated. */
static const char *collapse(const char *path, size_t size)
{
	static char result[TEXT_MAX];
	char *bytes = guard_alloc(size);

	memcpy(bytes, path, size);

	size_t collapsed = path_collapse(bytes, size);

	assert_true(collapsed <= size && collapsed < sizeof(result));
	memcpy(result, bytes, collapsed);
	result[collapsed] = '\0';
	guard_free(bytes, size);
	return result;
}

static void test_collapse_gives_what_the_table_says(void **state)
{
	static const char *const table[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "///", "/" },
		{ ".", "." },
		{ "..", ".." },
		{ "./", "." },
		{ "../", ".." },
		{ "./.", "." },
		{ "/.", "/" },
		{ "/..", "/" },
		{ "/../..", "/" },
		{ "/../etc", "/etc" },
		{ "/etc/ssl/cert.pem", "/etc/ssl/cert.pem" },
		{ "/etc//ssl///cert.pem", "/etc/ssl/cert.pem" },
		{ "/etc/./ssl/././cert.pem", "/etc/ssl/cert.pem" },
		{ "/etc/ssl/../pki/cert.pem", "/etc/pki/cert.pem" },
		{ "/etc/ssl/../../root/.ssh/id_rsa", "/root/.ssh/id_rsa" },
		{ "/srv/../home/bob", "/home/bob" },
		{ "/home//carol/k.pem", "/home/carol/k.pem" },
		{ "/a/b/c/../../..", "/" },
		{ "/a/b/c/../../../..", "/" },
		{ "/a/b/", "/a/b" },
		{ "/a/b/.", "/a/b" },
		{ "/a/b/..", "/a" },
		{ "a", "a" },
		{ "a/", "a" },
		{ "a//", "a" },
		{ "a/b", "a/b" },
		{ "a/..", "." },
		{ "a/../", "." },
		{ "a/../..", ".." },
		{ "a/../../b", "../b" },
		{ "a/../b", "b" },
		{ "./a", "a" },
		{ "../a", "../a" },
		{ "../../a", "../../a" },
		{ "../a/..", ".." },
		{ "../a/../..", "../.." },
		{ "../a/../../b", "../../b" },
		{ "..//../a", "../../a" },
		{ "a/./b/../c", "a/c" },
		{ "/...", "/..." },
		{ "/.../..", "/" },
		{ "/..a/..b", "/..a/..b" },
		{ "/.hidden/./x", "/.hidden/x" },
		{ "/a../b./..c", "/a../b./..c" },
		{ ".ssh/id_rsa", ".ssh/id_rsa" },
		{ "..data/tls.key", "..data/tls.key" },
		{ "x/..data/../tls.key", "x/tls.key" },
		{ "/a b/\xff\x01/../c", "/a b/c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(collapse(table[i][0], strlen(table[i][0])), table[i][1]);
}

static void test_collapse_keeps_the_empty_path_empty(void **state)
{
	(void)state;
	assert_int_equal(path_collapse(guard_alloc(0), 0), 0);
}

static void test_collapse_takes_nul_for_a_byte(void **state)
{
	static const char path[] = "/a\0/../b";

	(void)state;
	assert_string_equal(collapse(path, sizeof(path) - 1), "/b");
}

/* The same by other means: components on a stack, put together at the end. */
static size_t oracle(const char *path, size_t size, char *out)
{
	struct part {
		const char *name;
		size_t size;
	} stack[PARTS_MAX];
	size_t depth = 0;
	size_t at = 0;
	size_t used = 0;
	bool is_absolute = size > 0 && path[0] == '/';

	while (at < size) {
		struct part part = { .name = path + at };

		while (at < size && path[at] != '/') {
			at++;
			part.size++;
		}
		at++;

		bool is_up = part.size == 2 && strncmp(part.name, "..", 2) == 0;
		bool is_here = part.size == 0 || (part.size == 1 && *part.name == '.');
		bool can_pop = depth > 0 && !(stack[depth - 1].size == 2 &&
					      strncmp(stack[depth - 1].name, "..", 2) == 0);

		if (is_here || (is_up && depth == 0 && is_absolute))
			continue;
		if (is_up && can_pop)
			depth--;
		else
			stack[depth++] = part;
	}
	if (is_absolute)
		out[used++] = '/';
	for (size_t i = 0; i < depth; i++) {
		if (i > 0)
			out[used++] = '/';
		memcpy(out + used, stack[i].name, stack[i].size);
		used += stack[i].size;
	}
	if (size > 0 && used == 0)
		out[used++] = '.';
	return used;
}

/* What holds for every result, whatever the path was. */
static void check_is_collapsed(const char *path)
{
	size_t size = strlen(path);
	const char *at = path;
	bool is_leading = path[0] != '/';

	assert_null(strstr(path, "//"));
	if (size > 1)
		assert_int_not_equal(path[size - 1], '/');
	while (at && *at) {
		const char *slash = strchr(at, '/');
		size_t part = slash ? (size_t)(slash - at) : strlen(at);
		bool is_up = part == 2 && strncmp(at, "..", 2) == 0;

		assert_false(part == 1 && *at == '.' && size > 1);
		assert_false(is_up && !is_leading);
		if (part > 0)
			is_leading = is_leading && is_up;
		at = slash ? slash + 1 : NULL;
	}
}

static void check_path(const char *path, size_t size)
{
	char expected[TEXT_MAX];
	char first[TEXT_MAX];
	size_t expected_size = oracle(path, size, expected);
	const char *result = collapse(path, size);

	assert_int_equal(strlen(result), expected_size);
	assert_memory_equal(result, expected, expected_size);
	check_is_collapsed(result);
	memcpy(first, result, expected_size + 1);
	assert_string_equal(collapse(first, expected_size), first);
}

static void test_collapse_agrees_with_oracle_on_all_short_paths(void **state)
{
	static const char letters[] = { '/', '.', 'a' };
	unsigned int nr_checked = 0;

	(void)state;
	for (size_t size = 1; size <= 9; size++) {
		unsigned int nr_paths = 1;

		for (size_t i = 0; i < size; i++)
			nr_paths *= 3;
		for (unsigned int n = 0; n < nr_paths; n++) {
			char path[9];
			unsigned int rest = n;

			for (size_t i = 0; i < size; i++, rest /= 3)
				path[i] = letters[rest % 3];
			check_path(path, size);
			nr_checked++;
		}
	}
	assert_int_equal(nr_checked, 29523); /* 3 + 9 + ... + 3^9 */
}

static uint32_t next_random(uint32_t *seed)
{
	/* Numerical Recipes, 7.1: the quick and dirty generator. */
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void test_collapse_agrees_with_oracle_on_longer_paths(void **state)
{
	static const char *const words[] = { "/", "/",	"//", ".",   "..", "../", "/..", "/./",
					     "a", "bc", ".d", "...", "e.", "etc", "\xff" };
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char path[TEXT_MAX];
		size_t size = 0;
		size_t nr_words = 1 + next_random(&seed) % 30;

		for (size_t j = 0; j < nr_words; j++) {
			const char *word = words[next_random(&seed) % 15];

			memcpy(path + size, word, strlen(word));
			size += strlen(word);
		}
		check_path(path, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collapse_gives_what_the_table_says),
		cmocka_unit_test(test_collapse_keeps_the_empty_path_empty),
		cmocka_unit_test(test_collapse_takes_nul_for_a_byte),
		cmocka_unit_test(test_collapse_agrees_with_oracle_on_all_short_paths),
		cmocka_unit_test(test_collapse_agrees_with_oracle_on_longer_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
