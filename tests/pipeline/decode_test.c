/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/decode.h"
#include "sources/file_open/file_open.h"
#include "sources/lib_load/lib_load.h"
#include "sources/process_exec/process_exec.h"
#include "support/guard.h"
#include "support/raw.h"

static struct raw raw;
static struct arena arena;

/* Decodes RAW where the byte behind it is unmapped. */
static int decode(struct record *record)
{
	static const void *before;
	static size_t before_size;
	const void *bytes = guard_copy(raw.bytes, raw.size);

	/* the record borrows the bytes until the next call */
	if (before)
		guard_free(before, before_size);
	before = bytes;
	before_size = raw.size;
	return record_decode(record, &arena, bytes, raw.size);
}

/* A valid record of SOURCE with something in every tail, its size a multiple of 8. */
static void make_full(enum source_id source)
{
	const struct source *it = sources[source];

	raw_begin(&raw, source);
	for (size_t i = 0; i < it->nr_tails; i++)
		raw_tail_text(&raw, it->tails[i], "/lib/x86_64/libssl.so.3");
	/* The last one reaches the end, so that nothing can be missing. */
	if (it->nr_tails > 0) {
		static const char spaces[] = "       ";
		size_t at = it->tails[it->nr_tails - 1];
		size_t missing = -raw.size & 7;
		struct tail tail;

		memcpy(&tail, raw.bytes + at, sizeof(tail));
		memcpy(raw.bytes + raw.size, spaces, missing);
		tail.size = (uint16_t)(tail.size + missing);
		memcpy(raw.bytes + at, &tail, sizeof(tail));
		raw.size += missing;
		raw_hdr(&raw)->size = (uint32_t)raw.size;
	}
}

static void test_record_of_every_source_is_taken(void **state)
{
	(void)state;
	for (enum source_id source = 0; source < NR_SOURCES; source++) {
		struct record record;

		make_full(source);
		assert_int_equal(decode(&record), STAGE_NEXT);
		assert_ptr_equal(record.source, sources[source]);
		assert_ptr_equal(record.hdr, record.bytes);
		assert_int_equal(record.size, raw.size);
		assert_memory_equal(record.bytes, raw.bytes, raw.size);
		assert_ptr_equal(record.arena, &arena);
	}
}

/* Cut anywhere, whether or not the head admits it, a record is refused and not read beyond. */
static void test_record_cut_at_any_byte_is_malformed(void **state)
{
	(void)state;
	for (enum source_id source = 0; source < NR_SOURCES; source++) {
		size_t whole;

		make_full(source);
		whole = raw.size;
		for (size_t size = 0; size < whole; size++) {
			struct record record;

			raw.size = size;
			raw_hdr(&raw)->size = (uint32_t)whole;
			assert_int_equal(decode(&record), STAGE_MALFORMED);
			raw_hdr(&raw)->size = (uint32_t)size;
			assert_int_equal(decode(&record), STAGE_MALFORMED);
			assert_null(record.hdr);
		}
	}
}

static void test_malformed_record_tells_its_source_when_it_can(void **state)
{
	struct record record;

	(void)state;
	make_full(SOURCE_process_exec);
	raw.size = sizeof(struct event_hdr) - 1;
	assert_int_equal(decode(&record), STAGE_MALFORMED);
	assert_null(record.source);
	raw.size = sizeof(struct event_hdr);
	assert_int_equal(decode(&record), STAGE_MALFORMED);
	assert_ptr_equal(record.source, &process_exec_source);
}

static void test_other_version_is_malformed(void **state)
{
	static const uint16_t versions[] = { 0, WIRE_VERSION - 1, WIRE_VERSION + 1, UINT16_MAX };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct record record;

		make_full(SOURCE_file_open);
		raw_hdr(&raw)->version = versions[i];
		assert_int_equal(decode(&record), STAGE_MALFORMED);
		assert_null(record.source);
	}
}

static void test_unknown_source_is_malformed(void **state)
{
	static const uint16_t ids[] = { NR_SOURCES, NR_SOURCES + 1, 255, UINT16_MAX };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct record record;

		make_full(SOURCE_file_open);
		raw_hdr(&raw)->source = ids[i];
		assert_int_equal(decode(&record), STAGE_MALFORMED);
		assert_null(record.source);
	}
}

/* More than there is, or less than the tails take. */
static void test_other_size_than_the_head_says_is_malformed(void **state)
{
	static const int off_by[] = { -8, -1, 1, 8, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct record record;

		make_full(SOURCE_process_exec);
		raw_hdr(&raw)->size += (uint32_t)off_by[i];
		assert_int_equal(decode(&record), STAGE_MALFORMED);
		assert_ptr_equal(record.source, &process_exec_source);
	}
}

/* A place in the ring is reserved before it is known how much of it a record takes. */
static void test_record_may_have_more_room_than_it_takes(void **state)
{
	static const size_t room[] = { 1, 8, 4000 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct record record;
		size_t size;

		make_full(SOURCE_process_exec);
		size = raw.size;
		raw.size += room[i];
		assert_int_equal(decode(&record), STAGE_NEXT);
		assert_int_equal(record.size, size);
	}
}

/* What is behind the record in its place may be anything, and is not read. */
static void test_tail_in_the_room_behind_is_malformed(void **state)
{
	struct tail tail = { .size = 1 };
	struct record record;

	(void)state;
	make_full(SOURCE_process_exec);
	tail.off = (uint16_t)raw.size;
	memcpy(raw.bytes + process_exec_source.tails[0], &tail, sizeof(tail));
	raw.size += 8;
	assert_int_equal(decode(&record), STAGE_MALFORMED);
	/* Nor is the fixed part of it there, when the head says so. */
	raw_begin(&raw, SOURCE_process_fork);
	raw_hdr(&raw)->size--;
	assert_int_equal(decode(&record), STAGE_MALFORMED);
}

/* A record of SOURCE whose tail I is {off, size}. */
static int decode_with_tail(enum source_id source, size_t i, uint16_t off, uint16_t size)
{
	const struct tail tail = { .off = off, .size = size };
	struct record record;

	make_full(source);
	memcpy(raw.bytes + sources[source]->tails[i], &tail, sizeof(tail));
	return decode(&record);
}

static void test_tail_outside_the_record_is_malformed(void **state)
{
	unsigned int nr_tails = 0;

	(void)state;
	for (enum source_id source = 0; source < NR_SOURCES; source++) {
		uint16_t fixed = (uint16_t)sources[source]->min_size;

		for (size_t i = 0; i < sources[source]->nr_tails; i++) {
			uint16_t end;

			make_full(source);
			end = (uint16_t)raw.size;
			assert_int_equal(decode_with_tail(source, i, end, 1), STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, (uint16_t)(end - 1), 2),
					 STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, (uint16_t)(end + 1), 1),
					 STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, UINT16_MAX, 1),
					 STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, UINT16_MAX, UINT16_MAX),
					 STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, fixed, UINT16_MAX),
					 STAGE_MALFORMED);
			nr_tails++;
		}
	}
	assert_true(nr_tails >= 9);
}

/* Else a field would show numbers of the fixed part as text. */
static void test_tail_in_the_fixed_part_is_malformed(void **state)
{
	(void)state;
	for (enum source_id source = 0; source < NR_SOURCES; source++) {
		uint16_t fixed = (uint16_t)sources[source]->min_size;

		for (size_t i = 0; i < sources[source]->nr_tails; i++) {
			assert_int_equal(decode_with_tail(source, i, 0, 1), STAGE_MALFORMED);
			assert_int_equal(decode_with_tail(source, i, (uint16_t)(fixed - 1), 1),
					 STAGE_MALFORMED);
		}
	}
}

static void test_place_of_an_empty_tail_does_not_matter(void **state)
{
	(void)state;
	/* cgroup: an exec without it is as good */
	assert_int_equal(decode_with_tail(SOURCE_process_exec, 3, UINT16_MAX, 0), STAGE_NEXT);
	assert_int_equal(decode_with_tail(SOURCE_process_exec, 3, 0, 0), STAGE_NEXT);
	assert_int_equal(decode_with_tail(SOURCE_process_exec, 3, 1, 0), STAGE_NEXT);
}

static void test_tails_may_share_bytes(void **state)
{
	uint16_t fixed = (uint16_t)process_exec_source.min_size;

	(void)state;
	assert_int_equal(decode_with_tail(SOURCE_process_exec, 1, fixed, 3), STAGE_NEXT);
}

static void test_fixed_part_alone_is_enough_where_no_tail_is_needed(void **state)
{
	static const enum source_id ids[] = { SOURCE_process_fork, SOURCE_process_exec,
					      SOURCE_process_exit };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct record record;

		raw_begin(&raw, ids[i]);
		assert_int_equal(decode(&record), STAGE_NEXT);
	}
}

static void test_bytes_between_tails_are_no_fault(void **state)
{
	struct record record;

	(void)state;
	raw_begin(&raw, SOURCE_lib_load);
	raw_pad(&raw);
	raw_tail_text(&raw, offsetof(struct lib_load_event, path), "/lib/libssl.so.3");
	raw.size += 8;
	raw_hdr(&raw)->size += 8;
	assert_int_equal(decode(&record), STAGE_NEXT);
}

static void test_arena_and_slots_begin_empty(void **state)
{
	struct record record;

	(void)state;
	memset(&record, 0xff, sizeof(record));
	arena.used = sizeof(arena.bytes);
	raw_begin(&raw, SOURCE_process_fork);
	assert_int_equal(decode(&record), STAGE_NEXT);
	assert_int_equal(arena.used, 0);
	assert_int_equal(record.unix_ns, 0);
	for (size_t i = 0; i < NR_SLOTS; i++)
		assert_false(record.slots[i].present);
}

static void test_arena_hands_out_aligned_room_until_it_is_full(void **state)
{
	size_t taken = 0;
	char *first;

	(void)state;
	arena.used = 0;
	first = arena_take(&arena, 1);
	assert_ptr_equal(first, arena.bytes);
	assert_ptr_equal(arena_take(&arena, 9), arena.bytes + 8);
	assert_ptr_equal(arena_take(&arena, 8), arena.bytes + 24);
	assert_null(arena_take(&arena, RECORD_ARENA_SIZE));
	arena.used = 0;
	while (arena_take(&arena, 8))
		taken += 8;
	assert_int_equal(taken, RECORD_ARENA_SIZE);
	assert_null(arena_take(&arena, 1));
	assert_non_null(arena_take(&arena, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_of_every_source_is_taken),
		cmocka_unit_test(test_record_cut_at_any_byte_is_malformed),
		cmocka_unit_test(test_malformed_record_tells_its_source_when_it_can),
		cmocka_unit_test(test_other_version_is_malformed),
		cmocka_unit_test(test_unknown_source_is_malformed),
		cmocka_unit_test(test_other_size_than_the_head_says_is_malformed),
		cmocka_unit_test(test_record_may_have_more_room_than_it_takes),
		cmocka_unit_test(test_tail_in_the_room_behind_is_malformed),
		cmocka_unit_test(test_tail_outside_the_record_is_malformed),
		cmocka_unit_test(test_tail_in_the_fixed_part_is_malformed),
		cmocka_unit_test(test_place_of_an_empty_tail_does_not_matter),
		cmocka_unit_test(test_tails_may_share_bytes),
		cmocka_unit_test(test_fixed_part_alone_is_enough_where_no_tail_is_needed),
		cmocka_unit_test(test_bytes_between_tails_are_no_fault),
		cmocka_unit_test(test_arena_and_slots_begin_empty),
		cmocka_unit_test(test_arena_hands_out_aligned_room_until_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
