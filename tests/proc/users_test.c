/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/users.h"
#include "support/files.h"

static struct users *read_text(const char *text)
{
	struct users *users = NULL;
	const char *path = files_path("passwd");

	file_put(path, text, 0600);
	assert_int_equal(users_new(&users, path), 0);
	unlink(path);
	return users;
}

static void test_names_are_found_by_uid(void **state)
{
	struct users *users = read_text("root:x:0:0:root:/root:/bin/sh\n"
					"nobody:*:65534:65534:::\n"
					"ann:x:1000:1000:Ann:/home/ann:/bin/sh\n"
					"bob:x:1001\n"
					"late:x:999:");

	(void)state;
	assert_string_equal(users_name(users, 0), "root");
	assert_string_equal(users_name(users, 65534), "nobody");
	assert_string_equal(users_name(users, 1000), "ann");
	assert_string_equal(users_name(users, 999), "late");
	/* no field behind the uid: the line is not whole */
	assert_null(users_name(users, 1001));
	assert_null(users_name(users, 1));
	assert_null(users_name(users, UINT32_MAX));
	assert_int_equal(users_count(users), 4);
	users_free(users);
}

static void test_of_one_uid_the_first_name_counts(void **state)
{
	struct users *users = read_text("b:x:5:0:\nroot:x:0:0:\na:x:5:0:\ntoor:x:0:0:\nc:x:5:0:\n");

	(void)state;
	assert_string_equal(users_name(users, 5), "b");
	assert_string_equal(users_name(users, 0), "root");
	users_free(users);
}

static void test_other_lines_are_no_accounts(void **state)
{
	struct users *users = read_text("\n:\n::\n:::\n:x:1:\n+nis::2:0:::\n-nis::3:0:::\n"
					"#old:x:4:4:::\na:x:-5:\nb:x: 6:\nc:x::\nd:x:0x7:\n"
					"e:x:4294967295:0:\nf:x:4294967304:0:\ng:x:00000000009:\n"
					"h:x:8a:\nok:x:4294967294:0:\n");

	(void)state;
	assert_int_equal(users_count(users), 1);
	assert_string_equal(users_name(users, 4294967294), "ok");
	for (uint32_t uid = 0; uid < 10; uid++)
		assert_null(users_name(users, uid));
	users_free(users);
}

static void test_names_too_long_are_left_out(void **state)
{
	char text[2 * USER_NAME_MAX + 64];
	struct users *users;

	(void)state;
	snprintf(text, sizeof(text), "%0*d:x:1:\n%0*d:x:2:\n", USER_NAME_MAX, 0, USER_NAME_MAX + 1,
		 0);
	users = read_text(text);
	assert_int_equal(strlen(users_name(users, 1)), USER_NAME_MAX);
	assert_null(users_name(users, 2));
	users_free(users);
}

static void test_no_more_than_the_limit_is_kept(void **state)
{
	enum {
		LINE = 16,
		COUNT = USERS_MAX + 10
	};
	char *text = malloc(LINE * COUNT + 1);
	struct users *users;
	size_t at = 0;

	(void)state;
	for (int i = COUNT; i > 0; i--)
		at += (size_t)snprintf(text + at, LINE + 1, "u%d:x:%d:\n", i, i);
	users = read_text(text);
	free(text);
	assert_int_equal(users_count(users), USERS_MAX);
	assert_string_equal(users_name(users, COUNT), "u65546");
	assert_string_equal(users_name(users, 11), "u11");
	assert_null(users_name(users, 10));
	users_free(users);
}

static void test_a_file_that_is_not_there_has_no_accounts(void **state)
{
	struct users *users = NULL;

	(void)state;
	assert_int_equal(users_new(&users, files_path("none")), 0);
	assert_int_equal(users_count(users), 0);
	assert_null(users_name(users, 0));
	users_free(users);
	users_free(NULL);
	users = NULL;
	assert_int_equal(users_new(&users, files_dir()), -EISDIR);
	assert_null(users);
}

static void test_this_machine_names_root_as_libc_does(void **state)
{
	const struct passwd *entry = getpwuid(0);
	struct users *users = NULL;

	(void)state;
	assert_int_equal(users_new(&users, "/etc/passwd"), 0);
	if (entry)
		assert_string_equal(users_name(users, 0), entry->pw_name);
	users_free(users);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, files_begin, files_end)
	const struct CMUnitTest tests[] = {
		TEST(test_names_are_found_by_uid),
		TEST(test_of_one_uid_the_first_name_counts),
		TEST(test_other_lines_are_no_accounts),
		TEST(test_names_too_long_are_left_out),
		TEST(test_no_more_than_the_limit_is_kept),
		TEST(test_a_file_that_is_not_there_has_no_accounts),
		TEST(test_this_machine_names_root_as_libc_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
