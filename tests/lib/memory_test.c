/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/bytes.h"
#include "lib/hash.h"
#include "lib/memory.h"

static void test_text_is_handed_over(void **state)
{
	struct memory_text text;
	char *bytes = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(memory_text_begin(&text), 0);
	fputs("two\nlines\n", text.out);
	assert_int_equal(memory_text_end(&text, 0, &bytes, &size), 0);
	assert_int_equal(size, 10);
	assert_string_equal(bytes, "two\nlines\n");
	free(bytes);
}

static void test_text_of_a_failure_is_thrown_away(void **state)
{
	struct memory_text text;
	char *bytes = NULL;
	size_t size = 77;

	(void)state;
	assert_int_equal(memory_text_begin(&text), 0);
	fputs("half", text.out);
	assert_int_equal(memory_text_end(&text, -E2BIG, &bytes, &size), -E2BIG);
	assert_null(bytes);
	assert_int_equal(size, 77);
}

/* More than the buffer of a writer, so that it is handed over in pieces. */
static void test_json_of_any_size_is_whole(void **state)
{
	struct memory_json memory;
	char *bytes = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(memory_json_begin(&memory, JSON_COMPACT), 0);
	json_array_begin(&memory.json);
	for (int i = 0; i < 100000; i++)
		json_u64(&memory.json, 5);
	json_array_end(&memory.json);
	assert_int_equal(memory_json_end(&memory, 0, &bytes, &size), 0);
	assert_int_equal(size, 2 * 100000 + 1);
	assert_memory_equal(bytes, "[5,5,", 5);
	assert_memory_equal(bytes + size - 4, "5,5]", 4);
	free(bytes);
}

static void test_json_that_is_none_is_an_error(void **state)
{
	struct memory_json memory;
	char *bytes = NULL;
	size_t size = 77;

	(void)state;
	assert_int_equal(memory_json_begin(&memory, JSON_PRETTY), 0);
	json_object_begin(&memory.json);
	json_u64(&memory.json, 1); /* without a key */
	assert_int_equal(memory_json_end(&memory, 0, &bytes, &size), -EINVAL);
	assert_null(bytes);
	assert_int_equal(memory_json_begin(&memory, JSON_PRETTY), 0);
	json_u64(&memory.json, 1);
	assert_int_equal(memory_json_end(&memory, -E2BIG, &bytes, &size), -E2BIG);
	assert_null(bytes);
	assert_int_equal(size, 77);
}

/* As of draft-eastlake-fnv, appendix C, with the NUL that ends a text. */
static void test_hashes_are_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(hash_byte(HASH_BEGIN, 'a'), 0xe40c292c);
	assert_int_equal(hash_text(HASH_BEGIN, ""), 0x050c5d1f);
	assert_int_equal(hash_text(HASH_BEGIN, "foobar"), 0xc1c9eb8);
	assert_int_equal(hash_text(HASH_BEGIN, NULL), HASH_BEGIN);
	assert_int_equal(hash_number(HASH_BEGIN, 'a'),
			 hash_byte(hash_byte(hash_text(HASH_BEGIN, "a"), 0), 0));
}

static void test_texts_are_equal_or_both_missing(void **state)
{
	char copy[] = "text";

	(void)state;
	assert_true(text_equal("text", copy));
	assert_false(text_equal("text", "texts"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_false(text_equal("", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_handed_over),
		cmocka_unit_test(test_text_of_a_failure_is_thrown_away),
		cmocka_unit_test(test_json_of_any_size_is_whole),
		cmocka_unit_test(test_json_that_is_none_is_an_error),
		cmocka_unit_test(test_hashes_are_fnv_1a),
		cmocka_unit_test(test_texts_are_equal_or_both_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
