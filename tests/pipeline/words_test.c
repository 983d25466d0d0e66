/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/words.h"
#include "support/guard.h"

static void test_token_ends_at_each_delimiter(void **state)
{
	static const char delimiters[] = " \t\n\"'`=:,;@&|<>()\x01\x1f";

	(void)state;
	for (unsigned int c = 0; c < 256; c++) {
		char text[] = { 'a', (char)c, 'b' };
		const char *copy = guard_copy(text, sizeof(text));
		bool is_delimiter = !c || (c < 0x80 && strchr(delimiters, (char)c)) || c <= ' ';

		assert_int_equal(word_token_end(copy, copy + 3) - copy, is_delimiter ? 1 : 3);
		guard_free(copy, sizeof(text));
	}
}

static void test_quotes_end_where_they_close(void **state)
{
	static const struct {
		const char *text;
		bool is_escaped;
		size_t expected;
	} cases[] = {
		{ "'a'b", false, 3 },	      { "''b", false, 2 },	{ "'it''s' x", false, 7 },
		{ "\"a\\\"b\" x", false, 6 }, { "'a\\' x", false, 4 },	{ "\"a\\\"b", true, 4 },
		{ "\"open", false, 5 },	      { "\"open\\", false, 6 }, { "\"", false, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].text);
		const char *copy = guard_copy(cases[i].text, size);

		assert_int_equal(word_quote_end(copy, copy + size, cases[i].is_escaped) - copy,
				 cases[i].expected);
		guard_free(copy, size);
	}
}

static void test_shell_words_end_as_in_a_shell(void **state)
{
	static const struct {
		const char *text;
		char within;
		const char *word;
	} cases[] = {
		{ "abc def", 0, "abc" },
		{ "abc;def", 0, "abc" },
		{ "abc|def", 0, "abc" },
		{ "abc&&def", 0, "abc" },
		{ "abc>def", 0, "abc" },
		{ "abc)", 0, "abc" },
		{ "a\\ b c", 0, "a\\ b" },
		{ "'a b' c", 0, "'a b'" },
		{ "x\"a b\"'c d'y z", 0, "x\"a b\"'c d'y" },
		{ "\"a\\\" b\" c", 0, "\"a\\\" b\"" },
		{ "'a;b'c;d", 0, "'a;b'c" },
		{ "abc\" def", '"', "abc" },
		{ "a;b\" c", '"', "a;b" },
		{ "a'b c\"", '"', "a'b" },
		{ "a\\", 0, "a\\" },
		{ "", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].text);
		const char *copy = guard_copy(cases[i].text, size);
		size_t word = (size_t)(word_shell_end(copy, copy + size, cases[i].within) - copy);

		if (word != strlen(cases[i].word) || memcmp(copy, cases[i].word, word) != 0)
			fail_msg("the word of <%s> is <%.*s>", copy, (int)word, copy);
		guard_free(copy, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_ends_at_each_delimiter),
		cmocka_unit_test(test_quotes_end_where_they_close),
		cmocka_unit_test(test_shell_words_end_as_in_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
