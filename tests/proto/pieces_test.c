/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proto/pieces.h"
#include "support/guard.h"

#define SIZE 256

static struct pieces pieces;
static uint8_t *whole;

static int setup(void **state)
{
	(void)state;
	memset(&pieces, 0, sizeof(pieces));
	whole = guard_alloc(SIZE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guard_free(whole, SIZE);
	return 0;
}

/* Puts SIZE times the letter. */
static bool put(uint32_t at, uint32_t size, char letter)
{
	uint8_t *bytes = guard_alloc(size);
	bool has_room;

	memset(bytes, letter, size);
	has_room = pieces_put(&pieces, whole, at, bytes, size);
	guard_free(bytes, size);
	return has_room;
}

static void expect(const char *text)
{
	assert_int_equal(pieces_prefix(&pieces), strlen(text));
	assert_memory_equal(whole, text, strlen(text));
}

static void test_pieces_in_order_follow_each_other(void **state)
{
	(void)state;
	expect("");
	assert_true(put(0, 2, 'a'));
	assert_true(put(2, 3, 'b'));
	expect("aabbb");
	assert_int_equal(pieces.count, 1);
}

static void test_pieces_in_reverse_are_joined(void **state)
{
	(void)state;
	put(4, 2, 'c');
	put(2, 2, 'b');
	expect("");
	assert_int_equal(pieces.count, 1);
	put(0, 2, 'a');
	expect("aabbcc");
	assert_int_equal(pieces.count, 1);
}

static void test_what_came_first_stays(void **state)
{
	(void)state;
	put(1, 2, 'a');
	put(5, 2, 'b');
	put(0, 8, 'c');
	expect("caaccbbc");
	put(0, 8, 'd');
	put(3, 3, 'd');
	expect("caaccbbc");
	put(6, 4, 'e');
	expect("caaccbbcee");
	assert_int_equal(pieces.count, 1);
}

static void test_piece_that_reaches_into_two_joins_them(void **state)
{
	(void)state;
	put(0, 3, 'a');
	put(6, 3, 'b');
	put(10, 1, 'z');
	put(2, 5, 'c');
	expect("aaacccbbb");
	assert_int_equal(pieces.count, 2);
}

static void test_nothing_changes_nothing(void **state)
{
	(void)state;
	assert_true(put(3, 0, 'a'));
	assert_int_equal(pieces.count, 0);
	assert_true(put(SIZE, 0, 'a'));
	assert_int_equal(pieces.count, 0);
}

static void test_last_byte_is_in_reach(void **state)
{
	(void)state;
	assert_true(put(SIZE - 1, 1, 'b'));
	assert_true(put(0, SIZE, 'a'));
	assert_int_equal(pieces_prefix(&pieces), SIZE);
	assert_int_equal(whole[SIZE - 1], 'b');
	assert_int_equal(whole[SIZE - 2], 'a');
}

static void test_one_hole_too_many_is_refused(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PIECES_MAX; i++)
		assert_true(put(2 * i + 1, 1, 'a'));
	assert_int_equal(pieces.count, PIECES_MAX);
	assert_false(put(2 * PIECES_MAX + 1, 1, 'b'));
	assert_int_equal(whole[2 * PIECES_MAX + 1], 0);
	/* One that closes a hole is not. */
	assert_true(put(2, 1, 'c'));
	assert_int_equal(pieces.count, PIECES_MAX - 1);
	assert_true(put(2 * PIECES_MAX + 1, 1, 'b'));
	assert_true(put(0, 1, 'd'));
	assert_memory_equal(whole, "daca", 4);
	assert_int_equal(pieces_prefix(&pieces), 4);
}

/* Against a plain map of the bytes, with pieces at random. */
static void test_any_order_gives_what_a_map_of_bytes_gives(void **state)
{
	uint8_t map[SIZE] = { 0 };
	uint32_t seed = 1, prefix;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint32_t at, size;

		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % SIZE;
		size = (seed >> 20) % 9;
		if (size > SIZE - at)
			size = SIZE - at;
		if (round % 100 == 0) {
			memset(map, 0, sizeof(map));
			memset(whole, 0, SIZE);
			memset(&pieces, 0, sizeof(pieces));
		}
		if (!put(at, size, (char)(1 + round % 100)))
			continue;
		for (uint32_t i = at; i < at + size; i++)
			map[i] = map[i] ? map[i] : (uint8_t)(1 + round % 100);
		assert_memory_equal(map, whole, SIZE);
		for (prefix = 0; prefix < SIZE && map[prefix];)
			prefix++;
		assert_int_equal(pieces_prefix(&pieces), prefix);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces_in_order_follow_each_other, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_pieces_in_reverse_are_joined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_came_first_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_piece_that_reaches_into_two_joins_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nothing_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_byte_is_in_reach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_hole_too_many_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_order_gives_what_a_map_of_bytes_gives,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
