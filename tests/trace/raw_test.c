/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/guard.h"
#include "trace/raw.h"

/* A record of every type, with as much text as it may have. */
static uint8_t bytes[RAW_RECORD_MAX];
static size_t size;

static void make(enum raw_type type, size_t fixed, const char *text, size_t text_size)
{
	const struct raw_head head = { .type = type,
				       .size = (uint32_t)(fixed + text_size),
				       .tgid = 10,
				       .tid = 11,
				       .comm = "name" };

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &head, sizeof(head));
	if (text_size)
		memcpy(bytes + fixed, text, text_size);
	size = fixed + text_size;
}

static void set_u32(size_t at, uint32_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

/* Parses a copy that ends where memory does, at an odd address. */
static int parse(struct raw *ret)
{
	const uint8_t *copy = guard_copy(bytes, size);
	int err = raw_parse(copy, size, ret);

	/* Its text would be borrowed from what is given back. */
	if (!err)
		ret->text = (const char *)bytes + (ret->text - (const char *)copy);
	guard_free(copy, size);
	return err;
}

static void make_open(const char *name)
{
	make(RAW_OPEN, sizeof(struct raw_open), name, strlen(name) + 1);
	set_u32(offsetof(struct raw_open, name_size), (uint32_t)strlen(name) + 1);
}

static void make_args(const char *args, size_t args_size)
{
	make(RAW_ARGS, sizeof(struct raw_args), args, args_size);
	set_u32(offsetof(struct raw_args, args_size), (uint32_t)args_size);
}

static void test_open_is_read_with_its_name(void **state)
{
	struct raw raw;

	(void)state;
	make_open("/etc/key.pem");
	assert_int_equal(parse(&raw), 0);
	assert_int_equal(raw.head.tgid, 10);
	assert_int_equal(raw.open.head.tid, 11);
	assert_int_equal(raw.text_size, strlen("/etc/key.pem"));
	assert_memory_equal(raw.text, "/etc/key.pem", raw.text_size);
}

static void test_padding_behind_a_record_is_no_part_of_it(void **state)
{
	struct raw raw;

	(void)state;
	make_open("a");
	size += 4;
	assert_int_equal(parse(&raw), 0);
	assert_int_equal(raw.text_size, 1);
}

static void test_arguments_may_be_none_or_empty(void **state)
{
	struct raw raw;

	(void)state;
	make_args(NULL, 0);
	assert_int_equal(parse(&raw), 0);
	assert_int_equal(raw.text_size, 0);
	make_args("a\0\0b", 5);
	assert_int_equal(parse(&raw), 0);
	assert_int_equal(raw.text_size, 5);
}

static void test_a_record_of_each_fixed_size_is_read(void **state)
{
	static const struct {
		enum raw_type type;
		size_t fixed;
	} kinds[] = {
		{ RAW_FORK, sizeof(struct raw_fork) },
		{ RAW_RENAME, sizeof(struct raw_rename) },
		{ RAW_EXIT, sizeof(struct raw_exit) },
		{ RAW_MOVE, sizeof(struct raw_move) },
	};
	struct raw raw;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make(kinds[i].type, kinds[i].fixed, NULL, 0);
		assert_int_equal(parse(&raw), 0);
		assert_int_equal(raw.head.type, kinds[i].type);
		/* Bytes that it has no name for. */
		make(kinds[i].type, kinds[i].fixed, "x", 1);
		assert_int_equal(parse(&raw), -EBADMSG);
	}
}

static void test_what_is_cut_anywhere_is_malformed_and_touches_nothing(void **state)
{
	struct raw raw;
	struct raw untouched;
	size_t whole;

	(void)state;
	make_open("/etc/key.pem");
	whole = size;
	memset(&untouched, 0x5a, sizeof(untouched));
	raw = untouched;
	for (size = 0; size < whole; size++)
		assert_int_equal(parse(&raw), -EBADMSG);
	/* And when it says so itself. */
	for (uint32_t said = 0; said < whole; said++) {
		size = whole;
		set_u32(offsetof(struct raw_head, size), said);
		assert_int_equal(parse(&raw), -EBADMSG);
	}
	assert_memory_equal(&raw, &untouched, sizeof(raw));
}

static void test_sizes_that_do_not_agree_are_malformed(void **state)
{
	struct raw raw;

	(void)state;
	make_open("/etc/key.pem");
	set_u32(offsetof(struct raw_open, name_size), 3);
	assert_int_equal(parse(&raw), -EBADMSG);
	set_u32(offsetof(struct raw_open, name_size), UINT32_MAX);
	assert_int_equal(parse(&raw), -EBADMSG);
	make_args("abc", 4);
	set_u32(offsetof(struct raw_args, args_size), UINT32_MAX);
	assert_int_equal(parse(&raw), -EBADMSG);
	make_open("x");
	set_u32(offsetof(struct raw_head, type), NR_RAW_TYPES);
	assert_int_equal(parse(&raw), -EBADMSG);
}

static void test_text_ends_with_its_only_nul(void **state)
{
	struct raw raw;

	(void)state;
	make(RAW_OPEN, sizeof(struct raw_open), "abc", 3);
	set_u32(offsetof(struct raw_open, name_size), 3);
	assert_int_equal(parse(&raw), -EBADMSG);
	make(RAW_OPEN, sizeof(struct raw_open), "a\0c", 4);
	set_u32(offsetof(struct raw_open, name_size), 4);
	assert_int_equal(parse(&raw), -EBADMSG);
	/* An open without a name is not reported. */
	make(RAW_OPEN, sizeof(struct raw_open), NULL, 0);
	assert_int_equal(parse(&raw), -EBADMSG);
	make_args("abc", 3);
	assert_int_equal(parse(&raw), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_is_read_with_its_name),
		cmocka_unit_test(test_padding_behind_a_record_is_no_part_of_it),
		cmocka_unit_test(test_arguments_may_be_none_or_empty),
		cmocka_unit_test(test_a_record_of_each_fixed_size_is_read),
		cmocka_unit_test(test_what_is_cut_anywhere_is_malformed_and_touches_nothing),
		cmocka_unit_test(test_sizes_that_do_not_agree_are_malformed),
		cmocka_unit_test(test_text_ends_with_its_only_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
