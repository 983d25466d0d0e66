/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/columns.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t size;
	size_t nr_columns;
} counts[] = {
	{ BYTES(""), 0 },
	{ BYTES("abc def"), 7 },
	{ BYTES("gr\xc3\xbc\xc3\x9f"), 4 },
	{ BYTES("\xe4\xb8\x80"), 2 },		  /* U+4E00, first ideograph */
	{ BYTES("\xe1\x84\x80"), 2 },		  /* U+1100, first wide one */
	{ BYTES("\xe1\x83\xbf"), 1 },		  /* U+10FF, before it */
	{ BYTES("\xef\xbc\xa1\xef\xbd\xb1"), 3 }, /* fullwidth A, halfwidth katakana */
	{ BYTES("\xf0\x9f\x94\x91"), 2 },	  /* U+1F511, key */
	{ BYTES("\xf0\xbf\xbf\xbd"), 2 },	  /* U+3FFFD, last wide one */
	{ BYTES("\xf0\xbf\xbf\xbe"), 1 },	  /* U+3FFFE, behind it */
	{ BYTES("a\xcc\x80"), 1 },		  /* U+0300, first mark */
	{ BYTES("\xcb\xbf"), 1 },		  /* U+02FF, before it */
	{ BYTES("\xf3\xa0\x87\xaf"), 0 },	  /* U+E01EF, last one */
	{ BYTES("\xf3\xa0\x87\xb0"), 1 },	  /* U+E01F0, behind it */
	{ BYTES("\x1b[2J\x7f"), 5 },
	{ BYTES("\xc2\x9b\xe2\x80\xae"), 2 }, /* shown as U+FFFD, so not nothing */
	{ BYTES("\xff\xe6\xbc"), 2 },
};

static void test_columns_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const char *bytes = guard_copy(counts[i].bytes, counts[i].size);

		assert_int_equal(columns_count(bytes, counts[i].size), counts[i].nr_columns);
		guard_free(bytes, counts[i].size);
	}
}

static void assert_printed(const char *bytes, size_t width, enum columns_cut cut,
			   const char *expected)
{
	char *text = NULL;
	size_t size = 0, used;
	FILE *out = open_memstream(&text, &size);

	used = columns_print(out, bytes, strlen(bytes), width, cut);
	fclose(out);
	assert_string_equal(text, expected);
	assert_int_equal(used, columns_count(text, size));
	free(text);
}

static void test_cut_is_shown(void **state)
{
	(void)state;
	assert_printed("0123456789", 10, COLUMNS_CUT_END, "0123456789");
	assert_printed("0123456789", 9, COLUMNS_CUT_END, "012345...");
	assert_printed("0123456789", 9, COLUMNS_CUT_MIDDLE, "01...6789");
	assert_printed("0123456789", 4, COLUMNS_CUT_END, "0...");
	assert_printed("0123456789", 3, COLUMNS_CUT_MIDDLE, "...");
	assert_printed("0123456789", 2, COLUMNS_CUT_END, "..");
	assert_printed("0123456789", 0, COLUMNS_CUT_END, "");
}

static void test_mark_stays_with_its_character(void **state)
{
	(void)state;
	assert_printed("ae\xcc\x81xxxxxxxx", 5, COLUMNS_CUT_END, "ae\xcc\x81...");
	/* the accent of a character that is cut goes with it */
	assert_printed("xxxxxxxxe\xcc\x81z", 4, COLUMNS_CUT_MIDDLE, "...z");
}

static void test_controls_are_replaced(void **state)
{
	(void)state;
	assert_printed("a\x1b]0;\x07\xff", 80, COLUMNS_CUT_END,
		       "a\xef\xbf\xbd]0;\xef\xbf\xbd\xef\xbf\xbd");
}

/* Every width, with a wide character, a mark and garbage at each place of the cut. */
static void test_cut_takes_no_more_columns_than_given(void **state)
{
	static const char input[] =
		"/\xe6\xbc\xa2/e\xcc\x81\xff/\xe5\xad\x97\xe5\xad\x97/x\xcc\x81.pem";
	const size_t input_size = sizeof(input) - 1;
	const char *bytes = guard_copy(input, input_size);
	size_t total = columns_count(bytes, input_size);

	(void)state;
	assert_int_equal(total, 1 + 2 + 1 + 1 + 1 + 1 + 4 + 1 + 1 + 4);
	for (size_t width = 0; width <= total + 1; width++) {
		for (int cut = COLUMNS_CUT_END; cut <= COLUMNS_CUT_MIDDLE; cut++) {
			char *text = NULL;
			size_t size = 0, used;
			FILE *out = open_memstream(&text, &size);

			used = columns_print(out, bytes, input_size, width, (enum columns_cut)cut);
			fclose(out);
			assert_int_equal(used, columns_count(text, size));
			assert_in_range(used, width >= 4 ? 4 : width, width);
			assert_true(width < total || used == total);
			assert_true(width >= total || width < 3 || strstr(text, "..."));
			free(text);
		}
	}
	guard_free(bytes, input_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_counted),
		cmocka_unit_test(test_cut_is_shown),
		cmocka_unit_test(test_mark_stays_with_its_character),
		cmocka_unit_test(test_controls_are_replaced),
		cmocka_unit_test(test_cut_takes_no_more_columns_than_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
