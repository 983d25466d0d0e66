/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tap/draft.h"

#define FIXED 100

static struct draft draft;
static uint8_t bytes[DRAFT_SIZE];

static int begin(void **state)
{
	(void)state;
	memset(&draft, 0xee, sizeof(draft));
	memset(bytes, 'b', sizeof(bytes));
	draft_begin(&draft, FIXED);
	return 0;
}

static void expect_tail(struct tail tail, size_t off, size_t size)
{
	assert_int_equal(tail.off, off);
	assert_int_equal(tail.size, size);
}

static void test_fixed_part_is_zeros(void **state)
{
	static const uint8_t zeros[FIXED];

	(void)state;
	assert_ptr_equal(draft_begin(&draft, FIXED), draft.bytes);
	assert_memory_equal(draft.bytes, zeros, FIXED);
	assert_int_equal(draft.size, FIXED);
	assert_false(draft.is_cut);
}

static void test_tails_follow_each_other(void **state)
{
	(void)state;
	expect_tail(draft_add(&draft, "abc", 3, 1), FIXED, 3);
	expect_tail(draft_add(&draft, "de", 2, 1), FIXED + 3, 2);
	assert_memory_equal(draft.bytes + FIXED, "abcde", 5);
	assert_int_equal(draft.size, FIXED + 5);
}

/* No byte of an earlier record is between them. */
static void test_aligned_tail_has_zeros_before_it(void **state)
{
	(void)state;
	expect_tail(draft_add(&draft, "a", 1, 4), FIXED, 1);
	expect_tail(draft_add(&draft, "bbbb", 4, 4), FIXED + 4, 4);
	expect_tail(draft_add(&draft, "cccc", 4, 8), 112, 4);
	assert_memory_equal(draft.bytes + FIXED, "a\0\0\0bbbb\0\0\0\0cccc", 16);
}

static void test_empty_tail_takes_nothing(void **state)
{
	(void)state;
	draft_add(&draft, "a", 1, 1);
	expect_tail(draft_add(&draft, NULL, 0, 8), 0, 0);
	assert_int_equal(draft.size, FIXED + 1);
	assert_false(draft.is_cut);
}

/* Offset and size of a tail, and the size of the record, are 16 bits. */
static void test_what_does_not_fit_is_left_out_and_remembered(void **state)
{
	const size_t room = DRAFT_SIZE - 1 - FIXED;

	(void)state;
	expect_tail(draft_add(&draft, bytes, room + 1, 1), 0, 0);
	assert_true(draft.is_cut);
	assert_int_equal(draft.size, FIXED);
	draft_begin(&draft, FIXED);
	expect_tail(draft_add(&draft, bytes, room, 1), FIXED, room);
	assert_false(draft.is_cut);
	assert_int_equal(draft.size, UINT16_MAX);
	expect_tail(draft_add(&draft, bytes, 1, 1), 0, 0);
	assert_true(draft.is_cut);
	expect_tail(draft_add(&draft, bytes, SIZE_MAX, 1), 0, 0);
	assert_int_equal(draft.size, UINT16_MAX);
}

/* A gap for the sake of alignment counts. */
static void test_alignment_does_not_pass_the_end(void **state)
{
	(void)state;
	draft_add(&draft, bytes, DRAFT_SIZE - 2 - FIXED, 1);
	expect_tail(draft_add(&draft, bytes, 1, 8), 0, 0);
	assert_true(draft.is_cut);
	assert_int_equal(draft.size, DRAFT_SIZE - 2);
	expect_tail(draft_add(&draft, bytes, 1, 1), DRAFT_SIZE - 2, 1);
}

static void test_tail_grows_as_long_as_it_fits(void **state)
{
	struct tail tail = { 0 };

	(void)state;
	draft_extend(&draft, &tail, "", 0);
	expect_tail(tail, 0, 0);
	draft_extend(&draft, &tail, "ab", 2);
	draft_extend(&draft, &tail, "", 0);
	draft_extend(&draft, &tail, "cd", 2);
	expect_tail(tail, FIXED, 4);
	assert_memory_equal(draft.bytes + FIXED, "abcd", 4);
	draft_extend(&draft, &tail, bytes, DRAFT_SIZE);
	expect_tail(tail, FIXED, 4);
	assert_true(draft.is_cut);
}

static void test_verdict_is_a_number_and_its_evidence(void **state)
{
	struct tail tail = { 0 };

	(void)state;
	draft_verdict(&draft, &tail, 7, "why");
	draft_verdict(&draft, &tail, 8, "");
	expect_tail(tail, FIXED, 7);
	assert_memory_equal(draft.bytes + FIXED, "\7\3why\10\0", 7);
}

static void test_longer_evidence_is_cut(void **state)
{
	struct tail tail = { 0 };

	(void)state;
	bytes[300] = '\0';
	draft_verdict(&draft, &tail, 7, (const char *)bytes);
	expect_tail(tail, FIXED, 2 + UINT8_MAX);
	assert_int_equal(draft.bytes[FIXED + 1], UINT8_MAX);
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fixed_part_is_zeros),
		TEST(test_tails_follow_each_other),
		TEST(test_aligned_tail_has_zeros_before_it),
		TEST(test_empty_tail_takes_nothing),
		TEST(test_what_does_not_fit_is_left_out_and_remembered),
		TEST(test_alignment_does_not_pass_the_end),
		TEST(test_tail_grows_as_long_as_it_fits),
		TEST(test_verdict_is_a_number_and_its_evidence),
		TEST(test_longer_evidence_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
