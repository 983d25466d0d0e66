/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "lib/log.h"
#include "support/capture.h"
#include "trace/libbpf_log.h"

#define KEPT_MAX (64U << 10)

/* What libbpf calls when it has something to say. */
static libbpf_print_fn_t print;

/* Makes libbpf print by the module again, and returns by what. */
static int begin(void **state)
{
	(void)state;
	libbpf_log_start();
	print = libbpf_set_print(NULL);
	libbpf_set_print(print);
	log_set_level(LOG_INFO);
	return 0;
}

__attribute__((format(printf, 2, 3))) static void say(enum libbpf_print_level level,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	assert_int_equal(print(level, format, args), 0);
	va_end(args);
}

/* The text ends with what was said last: earlier tests of this program have said things, too. */
static void assert_ends(const char *expected)
{
	const char *text = libbpf_log_text();

	assert_true(strlen(text) >= strlen(expected));
	assert_string_equal(text + strlen(text) - strlen(expected), expected);
}

static void test_warnings_are_kept_and_not_shown(void **state)
{
	size_t size;

	(void)state;
	capture_begin(STDERR_FILENO);
	say(LIBBPF_WARN, "libbpf: %s: %d\n", "bad", 1);
	say(LIBBPF_INFO, "libbpf: more\n");
	capture_end(&size);
	assert_int_equal(size, 0);
	assert_ends("libbpf: bad: 1\nlibbpf: more\n");
}

static void test_debug_messages_are_dropped(void **state)
{
	char before[KEPT_MAX];

	(void)state;
	snprintf(before, sizeof(before), "%s", libbpf_log_text());
	say(LIBBPF_DEBUG, "libbpf: noise\n");
	assert_string_equal(libbpf_log_text(), before);
}

static void test_messages_are_shown_line_by_line_when_asked(void **state)
{
	const char *shown;

	(void)state;
	log_set_level(LOG_DEBUG);
	capture_begin(STDERR_FILENO);
	say(LIBBPF_WARN, "first %d\n\nsecond", 5);
	shown = capture_end(NULL);
	assert_non_null(strstr(shown, "DEBUG: first 5\n"));
	assert_non_null(strstr(shown, "DEBUG: second\n"));
	/* Every line says when, and empty ones are none. */
	assert_int_equal(shown[0], '[');
	assert_int_equal(strchr(shown, '\n')[1], '[');
	assert_int_equal(strchr(strchr(shown, '\n') + 1, '\n')[1], '\0');
	assert_ends("first 5\n\nsecond");
}

/* A verifier's log: the end of it tells, and the text stays one string. */
static void test_end_of_a_long_log_is_kept(void **state)
{
	char line[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		say(LIBBPF_WARN, "instruction %05d of the program\n", i);
		assert_true(strlen(libbpf_log_text()) < KEPT_MAX);
	}
	assert_ends("instruction 19999 of the program\n");
	for (int i = 19600; i < 20000; i++) {
		snprintf(line, sizeof(line), "instruction %05d of the program\n", i);
		assert_non_null(strstr(libbpf_log_text(), line));
	}
	assert_null(strstr(libbpf_log_text(), "instruction 00000 "));
}

static void test_one_message_larger_than_all_room_is_cut(void **state)
{
	static char large[4 * KEPT_MAX];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	say(LIBBPF_WARN, "%s", large);
	assert_true(strlen(libbpf_log_text()) < KEPT_MAX);
	assert_true(strlen(libbpf_log_text()) >= KEPT_MAX / 2 - 1);
	say(LIBBPF_WARN, "the last word\n");
	assert_ends("the last word\n");
	assert_true(strlen(libbpf_log_text()) < KEPT_MAX);
}

static void test_libbpf_itself_is_heard(void **state)
{
	size_t size;

	(void)state;
	capture_begin(STDERR_FILENO);
	assert_null(bpf_object__open_mem("no object", 9, NULL));
	capture_end(&size);
	assert_int_equal(size, 0);
	assert_non_null(strstr(libbpf_log_text(), "libbpf: "));
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

static void test_verdicts_are_not_missing_rights(void **state)
{
	(void)state;
	libbpf_log_error(0);
	assert_int_equal(libbpf_log_error(-EACCES), -EACCES);
	say(LIBBPF_WARN, "libbpf: prog '%s': BPF program load failed: %s\n", "a", "no");
	assert_int_equal(libbpf_log_error(-EACCES), -EACCES);
	say(LIBBPF_WARN, "prog '%s': -- BEGIN PROG LOAD LOG --\n%s-- END PROG LOAD LOG --\n", "a",
	    "R2 min value is negative");
	assert_int_equal(libbpf_log_error(-EACCES), -EINVAL);
	/* of an earlier object */
	assert_int_equal(libbpf_log_error(-EACCES), -EACCES);
	say(LIBBPF_WARN, "prog '%s': -- BEGIN PROG LOAD LOG --\n%s-- END PROG LOAD LOG --\n", "a",
	    "R2 min value is negative");
	assert_int_equal(libbpf_log_error(-EPERM), -EPERM);
	assert_int_equal(libbpf_log_error(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_warnings_are_kept_and_not_shown),
		TEST(test_debug_messages_are_dropped),
		TEST(test_messages_are_shown_line_by_line_when_asked),
		TEST(test_end_of_a_long_log_is_kept),
		TEST(test_one_message_larger_than_all_room_is_cut),
		TEST(test_libbpf_itself_is_heard),
		TEST(test_verdicts_are_not_missing_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
