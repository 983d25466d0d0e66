/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/verdicts.h"
#include "support/guard.h"

static struct arena arena;
static struct record record;
static const void *guarded;
static size_t guarded_size;

static int begin(void **state)
{
	(void)state;
	arena.used = 0;
	guarded = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (guarded)
		guard_free(guarded, guarded_size);
	return 0;
}

/* Rules 1 to 3 are some. */
static bool name_rule(uint8_t rule, struct finding *finding)
{
	static const char *const names[] = { NULL, "one", "two", "three" };

	if (rule == 0 || rule > 3)
		return false;
	finding->rule = names[rule];
	finding->severity = SEVERITY_low + rule;
	finding->why = "because";
	finding->policy = rule == 2 ? "RFC 1" : NULL;
	return true;
}

/* The findings of a tail of SIZE BYTES, which end at an unmapped page. */
static const struct item_list *read_bytes(const void *bytes, size_t size,
					  const struct item_list *more)
{
	if (guarded)
		guard_free(guarded, guarded_size);
	guarded_size = size;
	guarded = guard_copy(bytes, size);
	record = (struct record){ .bytes = guarded, .arena = &arena };
	return verdicts_read(&record, (struct tail){ .off = 0, .size = (uint16_t)size }, name_rule,
			     more);
}

#define READ(literal) read_bytes(literal, sizeof(literal) - 1, NULL)

static const struct finding *at(const struct item_list *list, size_t index)
{
	assert_non_null(list);
	assert_true(index < list->count);
	assert_int_equal(list->stride, sizeof(struct finding));
	return (const struct finding *)list->items + index;
}

static void expect(const struct item_list *list, size_t index, const char *rule,
		   const char *evidence)
{
	assert_string_equal(at(list, index)->rule, rule);
	assert_string_equal(at(list, index)->evidence, evidence);
}

static void test_each_verdict_is_a_finding(void **state)
{
	const struct item_list *list = READ("\1\3abc\2\0\3\2xy");

	(void)state;
	assert_int_equal(list->count, 3);
	expect(list, 0, "one", "abc");
	expect(list, 1, "two", "");
	expect(list, 2, "three", "xy");
	assert_int_equal(at(list, 1)->severity, SEVERITY_low + 2);
	assert_string_equal(at(list, 1)->why, "because");
	assert_string_equal(at(list, 1)->policy, "RFC 1");
	assert_null(at(list, 0)->policy);
	assert_null(at(list, 0)->file);
	assert_int_equal(at(list, 0)->processes.count, 0);
	assert_false(list->truncated);
}

static void test_none_is_none(void **state)
{
	(void)state;
	assert_null(READ(""));
	assert_null(READ("\0\0"));
}

static void test_numbers_that_are_no_rule_are_passed_over(void **state)
{
	const struct item_list *list = READ("\0\1x\1\1a\4\1y\xff\0\2\1b");

	(void)state;
	assert_int_equal(list->count, 2);
	expect(list, 0, "one", "a");
	expect(list, 1, "two", "b");
}

static void test_cut_verdict_is_none(void **state)
{
	(void)state;
	assert_null(READ("\1"));
	assert_null(READ("\1\1"));
	assert_null(READ("\1\xff"
			 "abc"));
	assert_int_equal(READ("\1\1a\2\2b")->count, 1);
	assert_int_equal(READ("\1\1a\2")->count, 1);
}

static void test_longest_evidence_is_whole(void **state)
{
	char bytes[2 + EVIDENCE_MAX];
	const struct item_list *list;

	(void)state;
	memset(bytes, 'e', sizeof(bytes));
	bytes[0] = 1;
	bytes[1] = (char)EVIDENCE_MAX;
	list = read_bytes(bytes, sizeof(bytes), NULL);
	assert_int_equal(strlen(at(list, 0)->evidence), EVIDENCE_MAX);
}

static const struct finding others[VERDICTS_MAX] = {
	{ .rule = "certificate_expired", .evidence = "notAfter" },
	{ .rule = "rsa_key_short", .evidence = "RSA-1024" },
};

static struct item_list others_of(size_t count)
{
	return (struct item_list){ others, count, sizeof(others[0]), false };
}

static void test_further_findings_follow(void **state)
{
	struct item_list more = others_of(2);
	const struct item_list *list = read_bytes("\1\1a", 3, &more);

	(void)state;
	assert_int_equal(list->count, 3);
	expect(list, 0, "one", "a");
	expect(list, 1, "certificate_expired", "notAfter");
	expect(list, 2, "rsa_key_short", "RSA-1024");
	list = read_bytes("", 0, &more);
	assert_int_equal(list->count, 2);
	more.count = 0;
	assert_null(read_bytes("", 0, &more));
}

static void test_what_is_beyond_the_limit_is_left_out_and_said(void **state)
{
	char bytes[2 * (VERDICTS_MAX + 1)];
	struct item_list more = others_of(1);
	const struct item_list *list;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i += 2) {
		bytes[i] = 1;
		bytes[i + 1] = 0;
	}
	list = read_bytes(bytes, sizeof(bytes) - 2, NULL);
	assert_int_equal(list->count, VERDICTS_MAX);
	assert_false(list->truncated);
	list = read_bytes(bytes, sizeof(bytes), NULL);
	assert_int_equal(list->count, VERDICTS_MAX);
	assert_true(list->truncated);
	list = read_bytes(bytes, sizeof(bytes) - 2, &more);
	assert_int_equal(list->count, VERDICTS_MAX);
	assert_true(list->truncated);
	more = others_of(VERDICTS_MAX);
	list = read_bytes("\1\0", 2, &more);
	assert_int_equal(list->count, VERDICTS_MAX);
	assert_true(list->truncated);
	expect(list, 1, "certificate_expired", "notAfter");
}

static void test_full_arena_has_no_room_for_any(void **state)
{
	(void)state;
	assert_non_null(arena_take(&arena, sizeof(arena.bytes) - 64));
	assert_null(READ("\1\1a"));
}

/* What is left out for want of room is said, too. */
static void test_evidence_without_room_is_left_out_and_said(void **state)
{
	char bytes[4 * (2 + EVIDENCE_MAX)];
	const struct item_list *list;

	(void)state;
	memset(bytes, 'e', sizeof(bytes));
	for (size_t i = 0; i < 4; i++) {
		bytes[i * (2 + EVIDENCE_MAX)] = 1;
		bytes[i * (2 + EVIDENCE_MAX) + 1] = (char)EVIDENCE_MAX;
	}
	/* The list itself takes most of what is left, and two texts the rest. */
	assert_non_null(arena_take(&arena, sizeof(arena.bytes) - VERDICTS_MAX * sizeof(*others) -
						   sizeof(struct item_list) -
						   2 * (EVIDENCE_MAX + 1)));
	list = read_bytes(bytes, sizeof(bytes), NULL);
	assert_int_equal(list->count, 2);
	assert_true(list->truncated);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_verdict_is_a_finding),
		TEST(test_none_is_none),
		TEST(test_numbers_that_are_no_rule_are_passed_over),
		TEST(test_cut_verdict_is_none),
		TEST(test_longest_evidence_is_whole),
		TEST(test_further_findings_follow),
		TEST(test_what_is_beyond_the_limit_is_left_out_and_said),
		TEST(test_full_arena_has_no_room_for_any),
		TEST(test_evidence_without_room_is_left_out_and_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
