/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "proc/packages.h"
#include "support/package_tree.h"

#define STATUS "var/lib/dpkg/status"
#define INFO   PACKAGE_INFO

#define PACKAGE(name, version)                                                                     \
	"Package: " name "\nStatus: install ok installed\nVersion: " version "\n\n"

static const struct tree_file debian[] = {
	{ STATUS, PACKAGE("unmerged", "1.0") PACKAGE("merged", "2.0") PACKAGE("other", "3.0"), 0 },
	{ INFO "unmerged.list",
	  "/lib/x86_64-linux-gnu/libc.so.6\n/lib64/ld.so\n/bin/sh\n/lib/two\n", 0 },
	{ INFO "merged.list", "/usr/lib/new.so\n/usr/sbin/new\n/usr/lib/two\n/usr/libexec/x\n", 0 },
	{ INFO "other.list", "/opt/half\n/usr/lib/new.so\n", 0 },
};

static void expect(const char *path, const char *package)
{
	assert_string_equal(tree_owner(debian, ARRAY_SIZE(debian), path), package);
}

static void test_both_names_of_a_merged_usr_are_one_file(void **state)
{
	(void)state;
	expect("/usr/lib/x86_64-linux-gnu/libc.so.6", "unmerged 1.0");
	expect("/lib/x86_64-linux-gnu/libc.so.6", "unmerged 1.0");
	expect("/usr/lib64/ld.so", "unmerged 1.0");
	expect("/usr/bin/sh", "unmerged 1.0");
	expect("/lib/new.so", "merged 2.0");
	expect("/sbin/new", "merged 2.0");
	expect("/libexec/x", "");
	expect("/usr/libexec/x", "merged 2.0");
}

static void test_the_very_path_goes_before_the_other_name(void **state)
{
	(void)state;
	expect("/lib/two", "unmerged 1.0");
	expect("/usr/lib/two", "merged 2.0");
}

static void test_questions_are_answered_in_one_pass(void **state)
{
	struct package_query queries[] = {
		{ .path = "/opt/half" },       { .path = "/opt/none" },
		{ .path = "/usr/lib/new.so" }, { .path = "/lib/new.so" },
		{ .path = "/usr/lib/new.so" },
	};
	struct tree tree = { .files = debian, .nr_files = ARRAY_SIZE(debian) };

	(void)state;
	assert_int_equal(tree_find(&tree, queries, ARRAY_SIZE(queries)), 0);
	assert_string_equal(queries[0].package, "other 3.0");
	assert_string_equal(queries[1].package, "");
	assert_string_equal(queries[2].package, "merged 2.0");
	assert_string_equal(queries[3].package, "merged 2.0");
	assert_string_equal(queries[4].package, "merged 2.0");
	/* the status and each list, once */
	assert_int_equal(tree.nr_opened, 4);
}

static void test_a_root_without_a_database_is_told(void **state)
{
	static const struct tree_file denied = { STATUS, NULL, -EACCES };
	struct package_query query = { .path = "/opt/a", .package = "left over" };
	struct tree tree = { 0 };

	(void)state;
	assert_int_equal(tree_find(&tree, &query, 1), -ENOENT);
	assert_string_equal(query.package, "");
	tree = (struct tree){ .files = &denied, .nr_files = 1 };
	assert_int_equal(tree_find(&tree, &query, 1), -EACCES);
}

static void test_too_many_questions_are_refused(void **state)
{
	struct tree tree = { 0 };

	(void)state;
	assert_int_equal(tree_find(&tree, NULL, PACKAGE_QUERIES_MAX + 1), -E2BIG);
}

static void test_database_paths_are_relative(void **state)
{
	size_t nr = 0;
	const char *const *paths = packages_database_paths(&nr);

	(void)state;
	assert_int_equal(nr, 3);
	for (size_t i = 0; i < nr; i++)
		assert_true(paths[i][0] != '/' && !strstr(paths[i], ".."));
}

static void test_both_databases_are_asked(void **state)
{
	static const struct tree_file files[] = {
		{ STATUS, PACKAGE("a", "1"), 0 },
		{ INFO "a.list", "/opt/a\n/opt/both\n", 0 },
		{ "lib/apk/db/installed", "P:b\nV:2\nF:opt\nR:b\nR:both\n", 0 },
	};

	(void)state;
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/a"), "a 1");
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/b"), "b 2");
	assert_string_equal(tree_owner(files, ARRAY_SIZE(files), "/opt/both"), "a 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_names_of_a_merged_usr_are_one_file),
		cmocka_unit_test(test_the_very_path_goes_before_the_other_name),
		cmocka_unit_test(test_questions_are_answered_in_one_pass),
		cmocka_unit_test(test_a_root_without_a_database_is_told),
		cmocka_unit_test(test_too_many_questions_are_refused),
		cmocka_unit_test(test_database_paths_are_relative),
		cmocka_unit_test(test_both_databases_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
