/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/pathname.h"
#include "support/guard.h"

static const struct {
	const char *path;
	const char *expected;
	size_t base;
	bool is_rooted;
} cases[] = {
	{ "", "", 0, false },
	{ "/", "/", 0, true },
	{ "//", "/", 0, true },
	{ "/.", "/", 0, true },
	{ "/..", "/", 0, true },
	{ ".", ".", 0, false },
	{ "./", ".", 0, false },
	{ "../", "../", 2, false },
	{ "a/..", ".", 0, false },
	{ "/etc/ssl", "/etc/ssl", 0, true },
	{ "/etc/ssl/", "/etc/ssl/", 0, true },
	{ "//etc///ssl//", "/etc/ssl/", 0, true },
	{ "/etc/./ssl/.", "/etc/ssl", 0, true },
	{ "/etc/../home/x", "/home/x", 0, true },
	{ "/../../home/x", "/home/x", 0, true },
	{ "/a/b/../../c/..", "/", 0, true },
	{ "/a/.../b", "/a/.../b", 0, true },
	{ "/a/..b/.c", "/a/..b/.c", 0, true },
	{ "a/b/../c", "a/c", 0, false },
	{ "./a", "a", 0, false },
	{ "..", "..", 2, false },
	{ "../a", "../a", 2, false },
	{ "../../a/../b", "../../b", 5, false },
	{ "a/../../b", "../b", 2, false },
	{ "/proc/self/root/home/x", "/proc/self/root/home/x", 15, true },
	{ "/proc/self/root", "/proc/self/root", 15, true },
	{ "/proc/self/root/../../home/x", "/proc/self/root/home/x", 15, true },
	{ "/proc//1/./root//x/", "/proc/1/root/x/", 12, true },
	{ "/proc/thread-self/root/x", "/proc/thread-self/root/x", 22, true },
	{ "/proc/12/task/34/root/x", "/proc/12/task/34/root/x", 21, true },
	{ "/x/../proc/self/root/x", "/proc/self/root/x", 15, true },
	{ "/proc/self/root/proc/1/root/x", "/proc/self/root/proc/1/root/x", 27, true },
	{ "/proc/self/cwd/x", "/proc/self/cwd/x", 14, false },
	{ "/proc/self/cwd/../x", "/proc/self/cwd/../x", 17, false },
	{ "/proc/self/cwd/a/../x", "/proc/self/cwd/x", 14, false },
	{ "../proc/self/root/x", "../proc/self/root/x", 17, true },
	{ "proc/self/root/x", "proc/self/root/x", 14, true },
	/* not the links of a process */
	{ "/proc/root/x", "/proc/root/x", 0, true },
	{ "/proc/selfish/root/x", "/proc/selfish/root/x", 0, true },
	{ "/proc/1/task/root/x", "/proc/1/task/root/x", 0, true },
	{ "/proc/1/fd/root/x", "/proc/1/fd/root/x", 0, true },
	{ "/etc/self/root/x", "/etc/self/root/x", 0, true },
	{ "/proc/self/rooted/x", "/proc/self/rooted/x", 0, true },
};

static void test_normalise_gives_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].path);
		const char *path = guard_copy(cases[i].path, size);
		struct pathname name;

		path_normalise(&name, path, size);
		if (name.size != strlen(cases[i].expected) ||
		    memcmp(name.bytes, cases[i].expected, name.size) != 0)
			fail_msg("'%s' became '%.*s'", cases[i].path, (int)name.size, name.bytes);
		if (name.base != cases[i].base || name.is_rooted != cases[i].is_rooted)
			fail_msg("'%s': base %zu", cases[i].path, name.base);
		assert_false(name.is_truncated);
		guard_free(path, size);
	}
}

static void test_normalise_twice_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pathname once, twice;

		path_normalise(&once, cases[i].path, strlen(cases[i].path));
		path_normalise(&twice, once.bytes, once.size);
		assert_int_equal(once.size, twice.size);
		assert_memory_equal(once.bytes, twice.bytes, once.size);
		assert_int_equal(once.base, twice.base);
	}
}

static void test_plain_paths_are_those_that_stay(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].path);
		const char *path = guard_copy(cases[i].path, size);
		bool stays = size > 0 && path[0] == '/' && size == strlen(cases[i].expected) &&
			     memcmp(path, cases[i].expected, size) == 0;

		/* all of /proc goes the long way */
		if (strncmp(cases[i].path, "/proc/", 6) == 0)
			stays = false;
		if (path_is_plain(path, size) != stays)
			fail_msg("'%s'", cases[i].path);
		guard_free(path, size);
	}
	assert_true(path_is_plain("/home/x/.ssh/id_rsa", 19));
	assert_true(path_is_plain("/home/x/...", 11));
}

static void test_long_path_is_cut(void **state)
{
	static char path[3 * PATHNAME_MAX];
	struct pathname name;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path_normalise(&name, path, sizeof(path));
	assert_int_equal(name.size, PATHNAME_MAX);
	assert_true(name.is_truncated);
	assert_memory_equal(name.bytes, path, PATHNAME_MAX);
}

/* What did not fit is taken back first: the result is that of a buffer of any size. */
static void test_long_path_that_goes_back_is_whole(void **state)
{
	static char path[10 * PATHNAME_MAX];
	const size_t nr_components = PATHNAME_MAX;
	struct pathname name;
	size_t size = 0;

	(void)state;
	memcpy(path, "/home", 5);
	size = 5;
	for (size_t i = 0; i < nr_components; i++, size += 4)
		memcpy(path + size, "/abc", 4);
	for (size_t i = 0; i < nr_components; i++, size += 3)
		memcpy(path + size, "/..", 3);
	memcpy(path + size, "/x", 2);
	size += 2;
	path_normalise(&name, path, size);
	assert_int_equal(name.size, 7);
	assert_memory_equal(name.bytes, "/home/x", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise_gives_one_spelling),
		cmocka_unit_test(test_normalise_twice_changes_nothing),
		cmocka_unit_test(test_plain_paths_are_those_that_stay),
		cmocka_unit_test(test_long_path_is_cut),
		cmocka_unit_test(test_long_path_that_goes_back_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
