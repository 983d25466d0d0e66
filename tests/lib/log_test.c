/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "support/capture.h"

#define STAMP "^\\[2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6}Z\\] "

static bool matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool is_match;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	is_match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return is_match;
}

static const char *logged(enum log_level max, enum log_level level, const char *text)
{
	log_set_level(max);
	capture_begin(STDERR_FILENO);
	log_message(level, "%s", text);
	log_set_level(LOG_INFO);
	return capture_end(NULL);
}

static void test_message_has_time_and_level(void **state)
{
	(void)state;
	assert_true(matches(logged(LOG_DEBUG, LOG_ERROR, "a"), STAMP "ERROR: a\n$"));
	assert_true(matches(logged(LOG_DEBUG, LOG_WARN, "b"), STAMP "WARN: b\n$"));
	assert_true(matches(logged(LOG_DEBUG, LOG_INFO, "c"), STAMP "INFO: c\n$"));
	assert_true(matches(logged(LOG_DEBUG, LOG_DEBUG, "d"), STAMP "DEBUG: d\n$"));
}

static void test_macros_choose_the_level(void **state)
{
	const char *text;

	(void)state;
	log_set_level(LOG_DEBUG);
	capture_begin(STDERR_FILENO);
	log_error("%d", 1);
	log_warn("%d", 2);
	log_info("%d", 3);
	log_debug("%d", 4);
	text = capture_end(NULL);
	log_set_level(LOG_INFO);
	assert_true(matches(text, "ERROR: 1\n.*WARN: 2\n.*INFO: 3\n.*DEBUG: 4\n$"));
}

static void test_messages_above_the_level_are_dropped(void **state)
{
	(void)state;
	for (enum log_level max = LOG_ERROR; max <= LOG_DEBUG; max++)
		for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++)
			assert_int_equal(*logged(max, level, "x") != '\0', level <= max);
}

static void test_level_is_info_unless_set(void **state)
{
	(void)state;
	assert_int_equal(log_get_level(), LOG_INFO);
	log_set_level(LOG_WARN);
	assert_int_equal(log_get_level(), LOG_WARN);
	log_set_level(LOG_INFO);
}

static void test_long_message_is_cut_to_one_line(void **state)
{
	char text[4096];
	const char *line;
	size_t size;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	line = logged(LOG_INFO, LOG_INFO, text);
	size = strlen(line);
	assert_int_equal(size, 1023);
	assert_int_equal(line[size - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
	assert_true(matches(line, STAMP "INFO: x+\n$"));
}

/* Every length around the one at which a message is cut. */
static void test_message_that_just_fits_is_whole(void **state)
{
	char text[1100];

	(void)state;
	for (size_t size = 900; size < 1050; size++) {
		const char *line;
		const char *message;

		memset(text, 'x', size);
		text[size] = '\0';
		line = logged(LOG_INFO, LOG_INFO, text);
		message = strstr(line, "INFO: ") + 6;
		if (strlen(line) < 1023)
			assert_int_equal(strlen(message), size + 1);
		assert_int_equal(line[strlen(line) - 1], '\n');
	}
}

static void test_error_report_has_the_four_parts(void **state)
{
	(void)state;
	capture_begin(STDERR_FILENO);
	error_report("it failed", "because", "Solution: do", "man x");
	assert_string_equal(capture_end(NULL), "Error: it failed\n\nbecause\n\nSolution: do\n"
					       "\nFor more information: man x\n");
}

static void test_error_report_leaves_out_what_is_not_given(void **state)
{
	(void)state;
	capture_begin(STDERR_FILENO);
	error_report("it failed", NULL, NULL, NULL);
	assert_string_equal(capture_end(NULL), "Error: it failed\n");
	capture_begin(STDERR_FILENO);
	error_report("it failed", NULL, "do", NULL);
	assert_string_equal(capture_end(NULL), "Error: it failed\n\ndo\n");
}

static void test_error_report_is_not_dropped_by_any_level(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	capture_begin(STDERR_FILENO);
	error_report("it failed", NULL, NULL, NULL);
	log_set_level(LOG_INFO);
	assert_string_equal(capture_end(NULL), "Error: it failed\n");
}

/* A verifier's log has up to 64 KiB, and its end is what tells. */
static void test_error_report_prints_long_parts_whole(void **state)
{
	static char detail[60000];
	const char *text;
	size_t size;

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 2] = 'y';
	capture_begin(STDERR_FILENO);
	error_report("it failed", "why", detail, "man x");
	text = capture_end(&size);
	assert_int_equal(size,
			 strlen("Error: it failed\n\nwhy\n\n\n\nFor more information: man x\n") +
				 sizeof(detail) - 1);
	assert_non_null(strstr(text, "xy\n\nFor more information: man x\n"));
}

static void test_quote_makes_foreign_text_harmless(void **state)
{
	char out[LOG_QUOTE_SIZE];

	(void)state;
	assert_string_equal(log_quote(out, "plain"), "plain");
	assert_ptr_equal(log_quote(out, "plain"), out);
	assert_string_equal(log_quote(out, "\033[2Ja\nb\xff"), "\\x1b[2Ja\\nb\\xff");
}

static void test_quote_cuts_at_its_size(void **state)
{
	char out[LOG_QUOTE_SIZE];
	char text[2 * LOG_QUOTE_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(log_quote(out, text)), LOG_QUOTE_SIZE - 1);
	memset(text, '\x01', sizeof(text) - 1);
	log_quote(out, text);
	/* whole escapes only */
	assert_int_equal(strlen(out), (LOG_QUOTE_SIZE - 1) / 4 * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_is_info_unless_set),
		cmocka_unit_test(test_message_has_time_and_level),
		cmocka_unit_test(test_macros_choose_the_level),
		cmocka_unit_test(test_messages_above_the_level_are_dropped),
		cmocka_unit_test(test_long_message_is_cut_to_one_line),
		cmocka_unit_test(test_message_that_just_fits_is_whole),
		cmocka_unit_test(test_error_report_has_the_four_parts),
		cmocka_unit_test(test_error_report_leaves_out_what_is_not_given),
		cmocka_unit_test(test_error_report_is_not_dropped_by_any_level),
		cmocka_unit_test(test_error_report_prints_long_parts_whole),
		cmocka_unit_test(test_quote_makes_foreign_text_harmless),
		cmocka_unit_test(test_quote_cuts_at_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
