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

#include "lib/wrap.h"

static void expect(const struct wrap *how, const char *text, const char *lines)
{
	char *out = NULL;
	size_t size;
	FILE *file = open_memstream(&out, &size);

	assert_non_null(file);
	wrap_print(file, how, text);
	assert_int_equal(fclose(file), 0);
	assert_string_equal(out, lines);
	free(out);
}

#define TEN   "123456789 "
#define FORTY TEN TEN TEN TEN

static void test_text_that_fits_stays_a_line(void **state)
{
	const struct wrap plain = { 0, 0, "", "" };
	const struct wrap indented = { 2, 4, "", "" };

	(void)state;
	expect(&plain, "", "\n");
	expect(&plain, "a b", "a b\n");
	expect(&indented, "a  b ", "  a b\n");
	/* 79 columns, and 80 */
	expect(&plain, FORTY FORTY, FORTY TEN TEN TEN "123456789\n");
	expect(&plain, FORTY TEN TEN TEN "1234567890", FORTY TEN TEN TEN "1234567890\n");
}

static void test_a_line_has_80_columns_at_most(void **state)
{
	const struct wrap plain = { 0, 0, "", "" };
	const struct wrap indented = { 2, 4, "", "" };

	(void)state;
	expect(&plain, FORTY TEN TEN TEN "12345678901", FORTY TEN TEN "123456789\n12345678901\n");
	expect(&indented, FORTY TEN TEN TEN "1234567890",
	       "  " FORTY TEN TEN "123456789\n    1234567890\n");
	expect(&indented, FORTY TEN TEN TEN "12345678", "  " FORTY TEN TEN TEN "12345678\n");
}

static void test_the_end_of_a_line_that_goes_on_counts(void **state)
{
	const struct wrap command = { 0, 2, "", " \\" };

	(void)state;
	expect(&command, FORTY TEN TEN TEN "12345678", FORTY TEN TEN TEN "12345678\n");
	expect(&command, FORTY TEN TEN TEN "123456789",
	       FORTY TEN TEN "123456789 \\\n  123456789\n");
}

static void test_what_leads_counts_and_keeps_its_blanks(void **state)
{
	const struct wrap led = { 2, 7, "do:  ", "" };

	(void)state;
	expect(&led, "a b", "  do:  a b\n");
	expect(&led, FORTY TEN TEN "1234567890123 45",
	       "  do:  " FORTY TEN TEN "1234567890123\n       45\n");
}

static void test_a_longer_word_has_a_line(void **state)
{
	const struct wrap plain = { 0, 2, "", "" };
	char word[101];
	char text[128];
	char lines[128];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	snprintf(text, sizeof(text), "a %s b", word);
	snprintf(lines, sizeof(lines), "a\n  %s\n  b\n", word);
	expect(&plain, text, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_that_fits_stays_a_line),
		cmocka_unit_test(test_a_line_has_80_columns_at_most),
		cmocka_unit_test(test_the_end_of_a_line_that_goes_on_counts),
		cmocka_unit_test(test_what_leads_counts_and_keeps_its_blanks),
		cmocka_unit_test(test_a_longer_word_has_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
