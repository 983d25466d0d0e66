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

#include "lib/columns.h"
#include "syscalls/numbers.h"
#include "syscalls/phrases.h"

static void test_calls_are_named(void **state)
{
	char text[PHRASE_SIZE];

	(void)state;
	assert_string_equal(phrase_call(text, (uint32_t)syscall_arch_native(),
					(uint32_t)syscall_number(syscall_arch_native(), "read")),
			    "read");
	assert_string_equal(phrase_call(text, SYSCALL_ARCH_i386, 20), "i386 getpid");
	assert_string_equal(phrase_call(text, SYSCALL_ARCH_x86_64, 999), "x86_64 number 999");
}

static void test_times_have_a_unit(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.0 us" },
		{ 1999, "1.9 us" },
		{ 999999, "999.9 us" },
		{ 4500000, "4.5 ms" },
		{ UINT64_C(61234567890), "61.2 s" },
		{ UINT64_MAX, "18446744073.7 s" },
	};
	char text[PHRASE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(phrase_time(text, cases[i].ns), cases[i].text);
}

/* What phrase_print() makes of TEXT, until the next call. */
static const char *printed(const char *lead, const char *text)
{
	static char *result;
	size_t size;
	FILE *out;

	free(result);
	result = NULL;
	out = open_memstream(&result, &size);
	assert_non_null(out);
	phrase_print(out, lead, text);
	assert_int_equal(fclose(out), 0);
	return result;
}

static void test_text_is_wrapped_below_its_lead(void **state)
{
	(void)state;
	assert_string_equal(printed("  - ", "short"), "  - short\n");
	assert_string_equal(printed("", ""), "\n");
	assert_string_equal(
		printed("  - ", "the first of these words fill a line to its very last column, "
				"which is 80, and the others come below"),
		"  - the first of these words fill a line to its very last column, which is 80,\n"
		"    and the others come below\n");
}

/* A word of any length and any bytes stays within its line. */
static void test_long_and_foreign_words_are_tamed(void **state)
{
	char word[300];
	const char *text;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	word[3] = '\033';
	text = printed("  - ", word);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "..."));
	assert_true(columns_count(text, strlen(text) - 1) <= 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_named),
		cmocka_unit_test(test_times_have_a_unit),
		cmocka_unit_test(test_text_is_wrapped_below_its_lead),
		cmocka_unit_test(test_long_and_foreign_words_are_tamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
