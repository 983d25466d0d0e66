/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/pool.h"
#include "support/guard.h"

#define LARGE (1U << 20)

static void assert_zeros(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(at[i], 0);
}

static void test_memory_is_zeros_and_aligned(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	for (size_t size = 1; size < 200; size++) {
		void *bytes = pool_take(&pool, size);

		assert_zeros(bytes, size);
		assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
		memset(bytes, 0xff, size);
	}
	pool_free(&pool);
}

/* Far more than a chunk in all: each piece keeps what was put into it. */
static void test_pieces_do_not_overlap(void **state)
{
	static unsigned char *pieces[2000];
	struct pool pool = { 0 };

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		pieces[i] = pool_take(&pool, 100 + i % 50);
		assert_zeros(pieces[i], 100 + i % 50);
		memset(pieces[i], (int)(i % 255) + 1, 100 + i % 50);
	}
	for (size_t i = 0; i < 2000; i++)
		for (size_t j = 0; j < 100 + i % 50; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
	pool_free(&pool);
}

static void test_piece_larger_than_a_chunk_is_whole(void **state)
{
	struct pool pool = { 0 };
	char *before = pool_text(&pool, "before", 6);
	char *large = pool_take(&pool, LARGE);
	char *after = pool_text(&pool, "after", 5);

	(void)state;
	assert_zeros(large, LARGE);
	memset(large, 0xff, LARGE);
	assert_string_equal(before, "before");
	assert_string_equal(after, "after");
	pool_free(&pool);
}

/* A document of nothing takes arrays of nothing, and NULL would mean that memory is out. */
static void test_nothing_from_a_new_pool_is_no_failure(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	assert_non_null(pool_take(&pool, 0));
	assert_non_null(pool_take(&pool, 0));
	assert_zeros(pool_take(&pool, 8), 8);
	pool_free(&pool);
}

static void test_nothing_from_a_used_up_chunk_is_no_failure(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	assert_non_null(pool_take(&pool, LARGE));
	assert_non_null(pool_take(&pool, 0));
	pool_free(&pool);
}

static void test_more_than_there_can_be_is_null(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	assert_null(pool_take(&pool, SIZE_MAX));
	assert_null(pool_take(&pool, SIZE_MAX - 15));
	assert_null(pool_take(&pool, SIZE_MAX / 2 + 1));
	/* Nothing was spoilt. */
	assert_zeros(pool_take(&pool, 16), 16);
	pool_free(&pool);
}

static void test_text_is_a_terminated_copy(void **state)
{
	struct pool pool = { 0 };
	const char *bytes = guard_copy("abc", 3);
	char *text = pool_text(&pool, bytes, 3);
	char *empty = pool_text(&pool, NULL, 0);

	(void)state;
	assert_string_equal(text, "abc");
	assert_ptr_not_equal(text, bytes);
	assert_string_equal(empty, "");
	assert_memory_equal(pool_text(&pool, "a\0b", 3), "a\0b\0", 4);
	pool_free(&pool);
}

static void test_freed_pool_can_be_used_again(void **state)
{
	struct pool pool = { 0 };

	(void)state;
	pool_free(&pool);
	memset(pool_take(&pool, 64), 0xff, 64);
	pool_free(&pool);
	assert_null(pool.chunks);
	assert_int_equal(pool.left, 0);
	pool_free(&pool);
	assert_zeros(pool_take(&pool, 64), 64);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeros_and_aligned),
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_piece_larger_than_a_chunk_is_whole),
		cmocka_unit_test(test_nothing_from_a_new_pool_is_no_failure),
		cmocka_unit_test(test_nothing_from_a_used_up_chunk_is_no_failure),
		cmocka_unit_test(test_more_than_there_can_be_is_null),
		cmocka_unit_test(test_text_is_a_terminated_copy),
		cmocka_unit_test(test_freed_pool_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
