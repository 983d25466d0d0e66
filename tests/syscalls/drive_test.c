/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "syscalls/drive.h"

static void test_words_are_split_at_blanks(void **state)
{
	char *words[DRIVE_WORDS_MAX + 1];
	char text[] = "  redis-cli -p\t7777   'a b' \n";

	(void)state;
	assert_int_equal(drive_split(text, words), 5);
	assert_string_equal(words[0], "redis-cli");
	assert_string_equal(words[1], "-p");
	assert_string_equal(words[2], "7777");
	/* There is no shell: quotes are letters. */
	assert_string_equal(words[3], "'a");
	assert_string_equal(words[4], "b'");
	assert_null(words[5]);
}

static void test_none_and_too_many_are_refused(void **state)
{
	char *words[DRIVE_WORDS_MAX + 1];
	char none[] = " \t\n ", empty[] = "";
	char many[2 * DRIVE_WORDS_MAX + 3];

	(void)state;
	assert_int_equal(drive_split(none, words), -EINVAL);
	assert_int_equal(drive_split(empty, words), -EINVAL);
	for (size_t i = 0; i <= DRIVE_WORDS_MAX; i++)
		memcpy(many + 2 * i, "x ", 2);
	many[2 * DRIVE_WORDS_MAX + 2] = '\0';
	assert_int_equal(drive_split(many, words), -E2BIG);
	many[2 * DRIVE_WORDS_MAX] = '\0';
	for (size_t i = 0; i < DRIVE_WORDS_MAX; i++)
		memcpy(many + 2 * i, "x ", 2);
	assert_int_equal(drive_split(many, words), DRIVE_WORDS_MAX);
	assert_null(words[DRIVE_WORDS_MAX]);
}

static void test_what_was_never_started_is_told(void **state)
{
	struct keeper keeper = { .fd = -1 };
	struct drive drive;

	(void)state;
	drive_begin(&drive, &keeper);
	assert_false(drive_is_overdue(&drive));
	assert_int_equal(drive_end(&drive), -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_split_at_blanks),
		cmocka_unit_test(test_none_and_too_many_are_refused),
		cmocka_unit_test(test_what_was_never_started_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
