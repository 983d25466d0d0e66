/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/field.h"
#include "pipeline/record.h"
#include "support/guard.h"

static struct arena arena;

typedef void getter(const struct record *, const struct field *, struct value *);

/* What GET finds AT bytes into the SIZE BYTES, behind which memory is unmapped. */
static struct value get(getter *get_it, const void *bytes, size_t size, size_t at)
{
	const struct record record = { .bytes = guard_copy(bytes, size), .arena = &arena };
	const struct field field = { .get = get_it, .at = at };
	struct value value;

	memset(&value, 0xff, sizeof(value));
	arena.used = 0;
	field_get(&record, &field, &value);
	return value;
}

static const uint8_t numbers[] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
				   0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void test_unsigned_members_have_their_width(void **state)
{
	(void)state;
	assert_int_equal(get(get_u8, numbers, 1, 0).u, 0x11);
	assert_int_equal(get(get_u16, numbers, 2, 0).u, 0x2211);
	assert_int_equal(get(get_u32, numbers, 4, 0).u, 0x44332211);
	assert_int_equal(get(get_u64, numbers, 8, 0).u, 0x8877665544332211);
	assert_true(get(get_u64, numbers, 8, 0).present);
}

static void test_members_may_lie_at_any_address(void **state)
{
	(void)state;
	for (size_t at = 0; at <= 7; at++) {
		uint64_t expected;

		memcpy(&expected, numbers + at, 8);
		assert_int_equal(get(get_u64, numbers, at + 8, at).u, expected);
		assert_int_equal(get(get_u8, numbers, at + 1, at).u, numbers[at]);
	}
}

static void test_largest_values_are_not_changed(void **state)
{
	const uint64_t all = UINT64_MAX;

	(void)state;
	assert_int_equal(get(get_u8, &all, 1, 0).u, UINT8_MAX);
	assert_int_equal(get(get_u16, &all, 2, 0).u, UINT16_MAX);
	assert_int_equal(get(get_u32, &all, 4, 0).u, UINT32_MAX);
	assert_true(get(get_u64, &all, 8, 0).u == UINT64_MAX);
}

static void test_signed_member_keeps_its_sign(void **state)
{
	const int32_t values[] = { 0, 1, -1, INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_true(get(get_s32, values, sizeof(values), i * 4).s == values[i]);
}

static void test_bool_member(void **state)
{
	const bool values[] = { false, true };

	(void)state;
	assert_false(get(get_bool, values, 1, 0).b);
	assert_true(get(get_bool, values, 2, 1).b);
	assert_true(get(get_bool, values, 1, 0).present);
}

static void test_tail_is_its_bytes(void **state)
{
	struct {
		struct tail tail;
		char text[8];
	} bytes = { .tail = { .off = 5, .size = 6 }, .text = "abcdefg" };
	struct value value = get(get_tail, &bytes, 11, 0);

	(void)state;
	assert_true(value.present);
	assert_int_equal(value.str.size, 6);
	assert_memory_equal(value.str.bytes, "bcdefg", 6);
}

static void test_empty_tail_has_no_value(void **state)
{
	const struct tail tail = { .off = UINT16_MAX, .size = 0 };

	(void)state;
	assert_false(get(get_tail, &tail, sizeof(tail), 0).present);
}

static void test_comm_ends_at_its_nul_or_size(void **state)
{
	char comm[COMM_SIZE];

	(void)state;
	for (size_t size = 0; size <= COMM_SIZE; size++) {
		struct value value;

		memset(comm, 'c', sizeof(comm));
		if (size < COMM_SIZE)
			comm[size] = '\0';
		value = get(get_comm, comm, sizeof(comm), 0);
		assert_true(value.present);
		assert_int_equal(value.str.size, size);
		assert_memory_equal(value.str.bytes, comm, size);
	}
}

static void test_text_is_a_string_or_nothing(void **state)
{
	const char *texts[] = { "hello", "", NULL };
	struct value value = get(get_text, texts, sizeof(texts), 0);

	(void)state;
	assert_true(value.present);
	assert_ptr_equal(value.str.bytes, texts[0]);
	assert_int_equal(value.str.size, 5);
	value = get(get_text, texts, sizeof(texts), sizeof(char *));
	assert_true(value.present);
	assert_int_equal(value.str.size, 0);
	assert_false(get(get_text, texts, sizeof(texts), 2 * sizeof(char *)).present);
}

static void check_dev(uint32_t major, uint32_t minor, const char *expected)
{
	const uint32_t dev[] = { major, minor };
	struct value value = get(get_dev, dev, sizeof(dev), 0);

	assert_int_equal(value.present, expected != NULL);
	if (expected) {
		assert_int_equal(value.str.size, strlen(expected));
		assert_memory_equal(value.str.bytes, expected, value.str.size);
	}
}

static void test_dev_is_major_and_minor(void **state)
{
	(void)state;
	check_dev(254, 0, "254:0");
	check_dev(0, 33, "0:33");
	check_dev(UINT32_MAX, UINT32_MAX, "4294967295:4294967295");
	check_dev(0, 0, NULL);
}

static void test_dev_without_room_has_no_value(void **state)
{
	const uint32_t dev[] = { 254, 1 };
	const struct record record = { .bytes = (const uint8_t *)dev, .arena = &arena };
	const struct field field = { .get = get_dev };
	struct value value;

	(void)state;
	arena.used = sizeof(arena.bytes) - 16;
	field_get(&record, &field, &value);
	assert_false(value.present);
}

static void test_slot_is_what_was_put_there(void **state)
{
	struct record record = { .arena = &arena };
	const struct field own = { .get = get_slot, .at = SLOT_OWN };
	const struct field last = { .get = get_slot, .at = NR_SLOTS - 1 };
	struct value value;

	(void)state;
	field_get(&record, &own, &value);
	assert_false(value.present);
	slot_set_u64(&record, SLOT_OWN, UINT64_MAX);
	slot_set_str(&record, NR_SLOTS - 1, "abc", 2);
	field_get(&record, &own, &value);
	assert_true(value.present);
	assert_true(value.u == UINT64_MAX);
	field_get(&record, &last, &value);
	assert_true(value.present);
	assert_int_equal(value.str.size, 2);
	assert_string_equal(value.str.bytes, "abc");
}

static void test_list_is_handed_on(void **state)
{
	static const uint32_t items[3];
	const struct item_list list = {
		.items = items, .count = 3, .stride = 4, .truncated = true
	};
	struct value value = get(get_list, &list, sizeof(list), 0);

	(void)state;
	assert_true(value.present);
	assert_ptr_equal(value.list.items, items);
	assert_int_equal(value.list.count, 3);
	assert_int_equal(value.list.stride, 4);
	assert_true(value.list.truncated);
}

static void test_texts_are_a_list_also_when_empty(void **state)
{
	const struct text_list lists[] = { { .bytes = "a\0b", .size = 4 }, { 0 } };
	struct value value = get(get_texts, lists, sizeof(lists), 0);

	(void)state;
	assert_true(value.present);
	assert_ptr_equal(value.str.bytes, lists[0].bytes);
	assert_int_equal(value.str.size, 4);
	value = get(get_texts, lists, sizeof(lists), sizeof(lists[0]));
	assert_true(value.present);
	assert_int_equal(value.str.size, 0);
}

static const struct field base_fields[] = { { .name = "base" } };
static const struct fields base_table = FIELDS(base_fields);
static const struct field more_fields[] = { { .name = "more" }, { .name = "last" } };
static const struct fields more_table = FIELDS_AFTER(&base_table, more_fields);

static void test_table_knows_what_it_follows(void **state)
{
	(void)state;
	assert_null(base_table.base);
	assert_int_equal(base_table.nr_fields, 1);
	assert_ptr_equal(more_table.base, &base_table);
	assert_ptr_equal(more_table.fields, more_fields);
	assert_int_equal(more_table.nr_fields, 2);
}

static void test_rest_of_a_map_begins_behind_its_key(void **state)
{
	static const struct field part_fields[] = { { .name = "key" },
						    { .name = "a" },
						    { .name = "b" } };
	static const struct fields part_table = FIELDS(part_fields);
	const struct field map = { .type = FIELD_MAP, .sub = &part_table };
	const struct fields rest = field_map_rest(&map);

	(void)state;
	assert_ptr_equal(rest.fields, &part_fields[1]);
	assert_int_equal(rest.nr_fields, 2);
	assert_null(rest.base);
}

static void test_embedded_struct_is_where_it_is(void **state)
{
	const uint8_t bytes[16] = { 0 };
	const struct record record = { .bytes = bytes };
	const struct field field = { .get = get_embedded, .at = 12 };
	struct value value;

	(void)state;
	field_get(&record, &field, &value);
	assert_true(value.present);
	assert_ptr_equal(value.obj, bytes + 12);
}

static void test_pointer_may_be_null(void **state)
{
	static const int target;
	const void *pointers[] = { &target, NULL };
	struct value value = get(get_pointer, pointers, sizeof(pointers), 0);

	(void)state;
	assert_true(value.present);
	assert_ptr_equal(value.obj, &target);
	assert_false(get(get_pointer, pointers, sizeof(pointers), sizeof(void *)).present);
}

static void get_nothing(const struct record *record, const struct field *field, struct value *ret)
{
	(void)record;
	(void)field;
	(void)ret;
}

static void test_getter_that_does_nothing_gives_no_value(void **state)
{
	(void)state;
	assert_false(get(get_nothing, "", 1, 0).present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned_members_have_their_width),
		cmocka_unit_test(test_members_may_lie_at_any_address),
		cmocka_unit_test(test_largest_values_are_not_changed),
		cmocka_unit_test(test_signed_member_keeps_its_sign),
		cmocka_unit_test(test_bool_member),
		cmocka_unit_test(test_tail_is_its_bytes),
		cmocka_unit_test(test_empty_tail_has_no_value),
		cmocka_unit_test(test_comm_ends_at_its_nul_or_size),
		cmocka_unit_test(test_text_is_a_string_or_nothing),
		cmocka_unit_test(test_dev_is_major_and_minor),
		cmocka_unit_test(test_dev_without_room_has_no_value),
		cmocka_unit_test(test_slot_is_what_was_put_there),
		cmocka_unit_test(test_list_is_handed_on),
		cmocka_unit_test(test_texts_are_a_list_also_when_empty),
		cmocka_unit_test(test_table_knows_what_it_follows),
		cmocka_unit_test(test_rest_of_a_map_begins_behind_its_key),
		cmocka_unit_test(test_embedded_struct_is_where_it_is),
		cmocka_unit_test(test_pointer_may_be_null),
		cmocka_unit_test(test_getter_that_does_nothing_gives_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
