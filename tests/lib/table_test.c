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
#include "lib/table.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct table_column columns[] = {
	{ .title = "NAME" },
	{ .title = "PID", .is_number = true },
	{ .title = "PATH", .is_path = true, .can_shrink = true },
};

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_row(struct table *table, const char *name, unsigned long long pid, const char *path)
{
	table_row(table);
	table_cell(table, name, strlen(name));
	table_number(table, pid);
	table_cell(table, path, strlen(path));
}

static struct table *new_table(void)
{
	struct table *table = NULL;

	assert_int_equal(table_new(&table, columns, NR_COLUMNS), 0);
	return table;
}

static void assert_printed(const struct table *table, unsigned int width, unsigned int indent,
			   bool has_color, const char *expected)
{
	char *text = NULL;

	assert_int_equal(table_print(table, width, indent, has_color, &text), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void test_columns_are_as_wide_as_their_content(void **state)
{
	struct table *table = new_table();

	(void)state;
	add_row(table, "nginx", 7, "/usr/sbin/nginx");
	add_row(table, "a", 123456, "/a");
	assert_printed(table, 80, 0, false,
		       "NAME      PID  PATH\n"
		       "nginx       7  /usr/sbin/nginx\n"
		       "a      123456  /a\n");
	assert_printed(table, 80, 2, false,
		       "  NAME      PID  PATH\n"
		       "  nginx       7  /usr/sbin/nginx\n"
		       "  a      123456  /a\n");
	table_free(table);
}

static void test_table_without_rows_has_titles(void **state)
{
	struct table *table = new_table();

	(void)state;
	assert_printed(table, 80, 0, false, "NAME  PID  PATH\n");
	table_free(table);
}

static void test_empty_cells_leave_no_trailing_blanks(void **state)
{
	struct table *table = new_table();

	(void)state;
	add_row(table, "a", 1, "");
	table_row(table);
	table_cell(table, "b", 1);
	table_row(table);
	table_row(table);
	table_cell(table, NULL, 0);
	table_cell(table, NULL, 0);
	table_cell(table, "/p", 2);
	assert_printed(table, 80, 1, false,
		       " NAME  PID  PATH\n"
		       " a       1\n"
		       " b\n"
		       "\n"
		       "            /p\n");
	table_free(table);
}

static void test_path_is_cut_in_the_middle(void **state)
{
	struct table *table = new_table();

	(void)state;
	add_row(table, "nginx", 1234567, "/usr/lib/x86_64-linux-gnu/private/libcrypto.so.3");
	assert_printed(table, 40, 0, false,
		       "NAME       PID  PATH\n"
		       "nginx  1234567  /usr/li...libcrypto.so.3\n");
	table_free(table);
}

static void test_text_is_cut_at_the_end(void **state)
{
	static const struct table_column text_columns[] = {
		{ .title = "SUBJECT", .can_shrink = true },
		{ .title = "N", .is_number = true },
	};
	struct table *table;

	(void)state;
	assert_int_equal(table_new(&table, text_columns, 2), 0);
	table_row(table);
	table_cell(table, BYTES("CN=a.example,O=A rather long name of an organisation"));
	table_number(table, 18446744073709551615ULL);
	assert_printed(table, 40, 0, false,
		       "SUBJECT                                N\n"
		       "CN=a.example,O=...  18446744073709551615\n");
	table_free(table);
}

static void test_widest_columns_shrink_first_and_alike(void **state)
{
	static const struct table_column shrinking[] = {
		{ .title = "A", .can_shrink = true },
		{ .title = "B", .can_shrink = true },
		{ .title = "C", .can_shrink = true },
	};
	struct table *table;

	(void)state;
	assert_int_equal(table_new(&table, shrinking, 3), 0);
	table_row(table);
	table_cell(table, BYTES("0123456789012345678901234567890123456789"));
	table_cell(table, BYTES("short"));
	table_cell(table, BYTES("0123456789012345678901234567890123456789012345678901234567"));
	/* 40 - 2 * 2 - 5 = 31 for two columns */
	assert_printed(table, 40, 0, false,
		       "A                B      C\n"
		       "012345678901...  short  0123456789012...\n");
	table_free(table);
}

/* What may not shrink does before the line is too long; numbers never. */
static void test_line_fits_whatever_may_shrink(void **state)
{
	static const struct table_column fixed[] = {
		{ .title = "A" },
		{ .title = "NUMBER OF THINGS", .is_number = true },
		{ .title = "B", .can_shrink = true },
	};
	struct table *table;

	(void)state;
	assert_int_equal(table_new(&table, fixed, 3), 0);
	table_row(table);
	table_cell(table, BYTES("012345678901234567890123456789"));
	table_number(table, 1);
	table_cell(table, BYTES("0123456789"));
	assert_printed(table, 1, 0, false,
		       "A             NUMBER OF THINGS  B\n"
		       "012345678...                 1  01234...\n");
	table_free(table);
}

static void test_no_line_is_wider_than_asked(void **state)
{
	struct table *table = new_table();

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		char path[256];

		memset(path, i % 7 ? 'x' : '/', sizeof(path));
		table_row(table);
		table_cell(table, path, i);
		table_number(table, i * 1000003ULL);
		table_cell(table, path, sizeof(path) - i);
	}
	for (unsigned int width = 40; width < 200; width++) {
		char *text = NULL;

		assert_int_equal(table_print(table, width, width % 5, false, &text), 0);
		for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
			assert_in_range(columns_count(line, (size_t)(end - line)), 1, width);
		free(text);
	}
	table_free(table);
}

static void test_wide_and_combining_characters_align(void **state)
{
	struct table *table = new_table();

	(void)state;
	add_row(table, "\xe6\xbc\xa2\xe5\xad\x97", 1, "/a"); /* two ideographs */
	add_row(table, "e\xcc\x81t\xc3\xa9", 2, "/b");	     /* one accent combines */
	add_row(table, "\xf0\x9f\x94\x91", 3, "/c");	     /* an emoji */
	assert_printed(table, 80, 0, false,
		       "NAME  PID  PATH\n"
		       "\xe6\xbc\xa2\xe5\xad\x97    1  /a\n"
		       "e\xcc\x81t\xc3\xa9     2  /b\n"
		       "\xf0\x9f\x94\x91      3  /c\n");
	table_free(table);
}

static void test_what_acts_on_a_terminal_is_replaced(void **state)
{
	const char *name = guard_copy(BYTES("\x1b[2J\n\t\xff\xc2\x9b\xe2\x80\xae\xe6\xbc"));
	struct table *table = new_table();

	(void)state;
	table_row(table);
	table_cell(table, name, 14);
	table_number(table, 1);
	assert_printed(table, 80, 0, false,
		       "NAME        PID  PATH\n"
		       "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		       "\xef\xbf\xbd    1\n");
	table_free(table);
	guard_free(name, 14);
}

static void test_color_is_of_the_row_where_there_is_color(void **state)
{
	struct table *table = new_table();

	(void)state;
	add_row(table, "a", 1, "/a");
	table_color(table, "31");
	add_row(table, "b", 2, "/b");
	assert_printed(table, 80, 1, true,
		       " \033[1mNAME  PID  PATH\033[0m\n"
		       " \033[31ma       1  /a\033[0m\n"
		       " b       2  /b\n");
	assert_printed(table, 80, 1, false,
		       " NAME  PID  PATH\n"
		       " a       1  /a\n"
		       " b       2  /b\n");
	table_free(table);
}

static void test_cells_are_copied(void **state)
{
	struct table *table = new_table();
	char name[] = "first";

	(void)state;
	add_row(table, name, 1, "");
	memset(name, 'x', sizeof(name) - 1);
	assert_printed(table, 80, 0, false, "NAME   PID  PATH\nfirst    1\n");
	table_free(table);
}

static char name_of_nothing[] = "untouched";

static void assert_refused(struct table *table)
{
	char *text = name_of_nothing;

	assert_int_equal(table_print(table, 80, 0, false, &text), -EINVAL);
	assert_ptr_equal(text, name_of_nothing);
	table_free(table);
}

static void test_misuse_is_refused_and_sticks(void **state)
{
	struct table *table = new_table();

	(void)state;
	table_cell(table, "a", 1);
	add_row(table, "a", 1, "/a");
	assert_refused(table);

	table = new_table();
	table_color(table, "31");
	assert_refused(table);

	table = new_table();
	add_row(table, "a", 1, "/a");
	table_number(table, 4);
	table_row(table);
	assert_refused(table);

	table = new_table();
	add_row(table, "a", 1, "/a");
	table_color(table, "1;2;3;4;5;6;7;8;9");
	assert_refused(table);
}

static void test_huge_cell_is_cut_where_it_shows(void **state)
{
	size_t size = 1 << 20;
	char *bytes = malloc(size), *text = NULL;
	struct table *table = new_table();

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	table_row(table);
	table_cell(table, bytes, size);
	assert_int_equal(table_print(table, 1U << 30, 0, false, &text), 0);
	assert_string_equal(text + strlen(text) - 5, "x...\n");
	free(text);
	free(bytes);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_content),
		cmocka_unit_test(test_table_without_rows_has_titles),
		cmocka_unit_test(test_empty_cells_leave_no_trailing_blanks),
		cmocka_unit_test(test_path_is_cut_in_the_middle),
		cmocka_unit_test(test_text_is_cut_at_the_end),
		cmocka_unit_test(test_widest_columns_shrink_first_and_alike),
		cmocka_unit_test(test_line_fits_whatever_may_shrink),
		cmocka_unit_test(test_no_line_is_wider_than_asked),
		cmocka_unit_test(test_wide_and_combining_characters_align),
		cmocka_unit_test(test_what_acts_on_a_terminal_is_replaced),
		cmocka_unit_test(test_color_is_of_the_row_where_there_is_color),
		cmocka_unit_test(test_cells_are_copied),
		cmocka_unit_test(test_misuse_is_refused_and_sticks),
		cmocka_unit_test(test_huge_cell_is_cut_where_it_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
