/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/reader.h"

static void test_numbers_are_read_in_network_order(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	struct reader reader = reader_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(reader_u8(&reader), 1);
	assert_int_equal(reader_u16(&reader), 0x0203);
	assert_int_equal(reader_u24(&reader), 0x040506);
	assert_int_equal(reader_u32(&reader), 0x0708090a);
	assert_int_equal(reader.left, 0);
	assert_false(reader.is_short);
}

static void test_what_is_not_there_is_0_and_remembered(void **state)
{
	static const uint8_t bytes[] = { 0xff, 0xff, 0xff };
	struct reader reader = reader_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(reader_u32(&reader), 0);
	assert_true(reader.is_short);
	assert_int_equal(reader_u8(&reader), 0);
	assert_null(reader_skip(&reader, 1));
	assert_true(reader.is_short);
}

static void test_vector_is_a_reader_of_its_own(void **state)
{
	static const uint8_t bytes[] = { 0, 2, 7, 8, 9, 3, 1 };
	struct reader reader = reader_of(bytes, sizeof(bytes));
	struct reader part = reader_vector(&reader, 2);

	(void)state;
	assert_int_equal(part.left, 2);
	assert_int_equal(reader_u16(&part), 0x0708);
	assert_int_equal(reader_u8(&part), 0);
	assert_true(part.is_short);
	assert_int_equal(reader_u8(&reader), 9);
	part = reader_vector(&reader, 1);
	assert_int_equal(part.left, 0);
	assert_true(part.is_short);
	assert_true(reader.is_short);
}

/* A flow of which nothing has come has no bytes at all. */
static void test_nothing_is_read_as_nothing(void **state)
{
	struct reader reader = reader_of(NULL, 0);
	struct reader part = reader_part(&reader, 0);

	(void)state;
	assert_false(part.is_short || reader.is_short);
	assert_null(reader_skip(&reader, 0));
	part = reader_vector(&reader, 1);
	assert_true(part.is_short && reader.is_short);
	assert_int_equal(part.left, 0);
}

/* Half of the number that says how many bytes follow. */
static void test_vector_without_its_size_is_short(void **state)
{
	static const uint8_t bytes[] = { 0 };
	struct reader reader = reader_of(bytes, sizeof(bytes));
	struct reader part = reader_vector(&reader, 2);

	(void)state;
	assert_true(part.is_short && reader.is_short);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_read_in_network_order),
		cmocka_unit_test(test_what_is_not_there_is_0_and_remembered),
		cmocka_unit_test(test_vector_is_a_reader_of_its_own),
		cmocka_unit_test(test_nothing_is_read_as_nothing),
		cmocka_unit_test(test_vector_without_its_size_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
