/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tap/stream.h"

static uint8_t text[2 * TAP_STREAM_MAX];

static int fill_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	return 0;
}

static void add(struct tap_stream *stream, uint32_t begin, uint32_t end)
{
	assert_int_equal(tap_stream_add(stream, begin, text + begin, end - begin), 0);
}

static void check(const struct tap_stream *stream, size_t size)
{
	assert_int_equal(tap_stream_size(stream), size);
	if (size)
		assert_memory_equal(stream->bytes, text, size);
}

static void test_nothing_is_empty(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	check(&stream, 0);
	tap_stream_done(&stream);
}

static void test_buffer_is_as_large_as_what_came(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	assert_int_equal(tap_stream_cost(&stream), 0);
	add(&stream, 0, 1);
	assert_int_equal(stream.cap, 64);
	add(&stream, 1, 64);
	assert_int_equal(stream.cap, 64);
	assert_int_equal(tap_stream_cost(&stream), 64 + 16 + 16 + 16);
	add(&stream, 64, 556);
	assert_int_equal(stream.cap, 1024);
	check(&stream, 556);
	tap_stream_done(&stream);
}

static void test_any_order_gives_the_same(void **state)
{
	static const uint32_t orders[][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 }, { 0, 3, 1, 2 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct tap_stream stream = { 0 };

		for (size_t j = 0; j < 4; j++)
			add(&stream, orders[i][j] * 500, orders[i][j] * 500 + 500);
		check(&stream, 2000);
		assert_int_equal(stream.nr_ranges, 1);
		tap_stream_done(&stream);
	}
}

static void test_hole_ends_what_is_there(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	add(&stream, 0, 100);
	add(&stream, 200, 300);
	check(&stream, 100);
	add(&stream, 100, 199);
	check(&stream, 199);
	add(&stream, 199, 200);
	check(&stream, 300);
	tap_stream_done(&stream);
}

/* A host that is attacked takes the first copy or the last; what was parsed does not change. */
static void test_first_copy_of_a_byte_counts(void **state)
{
	static const uint8_t zeros[400];
	struct tap_stream stream = { 0 };

	(void)state;
	add(&stream, 0, 100);
	add(&stream, 200, 300);
	assert_int_equal(tap_stream_add(&stream, 0, zeros, 100), 0);
	assert_int_equal(tap_stream_add(&stream, 50, zeros, 250), 0);
	assert_int_equal(tap_stream_size(&stream), 300);
	assert_memory_equal(stream.bytes, text, 100);
	assert_memory_equal(stream.bytes + 100, zeros, 100);
	assert_memory_equal(stream.bytes + 200, text + 200, 100);
	tap_stream_done(&stream);
}

static void test_no_more_than_the_maximum_is_kept(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	add(&stream, TAP_STREAM_MAX - 10, TAP_STREAM_MAX + 10);
	assert_int_equal(stream.cap, TAP_STREAM_MAX);
	assert_int_equal(tap_stream_add(&stream, TAP_STREAM_MAX, text, 10), 0);
	assert_int_equal(tap_stream_add(&stream, UINT32_MAX, text, 10), 0);
	add(&stream, 0, sizeof(text));
	check(&stream, TAP_STREAM_MAX);
	tap_stream_done(&stream);
}

static void test_more_holes_than_are_remembered_lose_only_what_is_behind(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 3 * TAP_STREAM_GAPS; i++)
		add(&stream, 10 + i * 20, 20 + i * 20);
	assert_int_equal(stream.nr_ranges, TAP_STREAM_GAPS + 1);
	for (uint32_t i = 0; i < 3 * TAP_STREAM_GAPS; i++)
		add(&stream, i * 20, 10 + i * 20);
	check(&stream, 20 * (TAP_STREAM_GAPS + 1) + 10);
	tap_stream_done(&stream);
}

static void test_bytes_can_be_moved(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	assert_int_equal(tap_stream_shift(&stream, 100), 0);
	check(&stream, 0);
	/* What is at 100 now will have been at 0, in the buffer that it then needs. */
	assert_int_equal(tap_stream_add(&stream, 0, text + 100, 50), 0);
	assert_int_equal(tap_stream_add(&stream, 60, text + 160, 40), 0);
	assert_int_equal(tap_stream_shift(&stream, 100), 0);
	assert_int_equal(stream.nr_ranges, 2);
	assert_int_equal(stream.cap, 256);
	check(&stream, 0);
	add(&stream, 0, 100);
	check(&stream, 150);
	add(&stream, 150, 160);
	check(&stream, 200);
	tap_stream_done(&stream);
}

static void test_bytes_that_are_moved_too_far_are_gone(void **state)
{
	struct tap_stream stream = { 0 };

	(void)state;
	add(&stream, 0, 100);
	add(&stream, 200, 300);
	assert_int_equal(tap_stream_shift(&stream, TAP_STREAM_MAX - 50), 0);
	assert_int_equal(stream.nr_ranges, 1);
	assert_int_equal(stream.ranges[0].begin, TAP_STREAM_MAX - 50);
	assert_int_equal(stream.ranges[0].end, TAP_STREAM_MAX);
	assert_int_equal(tap_stream_shift(&stream, UINT32_MAX), 0);
	assert_int_equal(tap_stream_cost(&stream), 0);
	add(&stream, 0, 100);
	check(&stream, 100);
	tap_stream_done(&stream);
}

/* Against an array of what is there, for all that a sender may do. */
static void test_random_segments_agree_with_a_map(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct tap_stream stream = { 0 };
		uint8_t there[1024] = { 0 };
		size_t prefix = 0;

		/* As many as can not leave more holes than are remembered. */
		for (int i = 0; i <= TAP_STREAM_GAPS; i++) {
			uint32_t begin = (uint32_t)rand_r(&seed) % 600;
			uint32_t end = begin + 1 + (uint32_t)rand_r(&seed) % 200;

			add(&stream, begin, end);
			memset(there + begin, 1, end - begin);
			for (uint32_t r = 0; r + 1 < stream.nr_ranges; r++)
				assert_true(stream.ranges[r].end < stream.ranges[r + 1].begin);
		}
		while (there[prefix])
			prefix++;
		check(&stream, prefix);
		tap_stream_done(&stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_empty),
		cmocka_unit_test(test_buffer_is_as_large_as_what_came),
		cmocka_unit_test(test_any_order_gives_the_same),
		cmocka_unit_test(test_hole_ends_what_is_there),
		cmocka_unit_test(test_first_copy_of_a_byte_counts),
		cmocka_unit_test(test_no_more_than_the_maximum_is_kept),
		cmocka_unit_test(test_more_holes_than_are_remembered_lose_only_what_is_behind),
		cmocka_unit_test(test_bytes_can_be_moved),
		cmocka_unit_test(test_bytes_that_are_moved_too_far_are_gone),
		cmocka_unit_test(test_random_segments_agree_with_a_map),
	};

	return cmocka_run_group_tests(tests, fill_text, NULL);
}
