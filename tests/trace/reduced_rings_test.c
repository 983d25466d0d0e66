/* SPDX-License-Identifier: MIT */
/* Who is about to change its directory, as the rings tell that nobody has read yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/perf_event.h>

#include "trace/reduced_rings.h"

#define RING_BYTES 4096
#define NR_RINGS   2
#define BEHIND_NS  1000

static struct reduced_rings rings;
static struct cpu_ring of_cpu[NR_RINGS];
static struct perf_event_mmap_page pages[NR_RINGS];
static uint8_t data[NR_RINGS][RING_BYTES];

static int begin(void **state)
{
	(void)state;
	memset(&rings, 0, sizeof(rings));
	memset(of_cpu, 0, sizeof(of_cpu));
	memset(pages, 0, sizeof(pages));
	for (size_t i = 0; i < NR_RINGS; i++)
		of_cpu[i].ring = (struct perf_ring){ .page = &pages[i],
						     .data = data[i],
						     .bytes = RING_BYTES };
	rings.rings = of_cpu;
	rings.nr_rings = NR_RINGS;
	rings.behind_ns = BEHIND_NS;
	return 0;
}

static void write_bytes(size_t cpu, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[cpu][pages[cpu].data_head++ % RING_BYTES] = ((const uint8_t *)bytes)[i];
}

/* As the kernel writes SIZE bytes at RECORD that bpf_perf_event_output() was given. */
static void write_sample(size_t cpu, uint32_t type, const void *record, uint32_t size)
{
	static const uint8_t padding[8];
	uint32_t raw_size = size + 4 + (8 - size % 8) % 8;
	const struct perf_event_header header = {
		.type = type,
		.size = (uint16_t)(sizeof(header) + sizeof(raw_size) + raw_size),
	};

	write_bytes(cpu, &header, sizeof(header));
	write_bytes(cpu, &raw_size, sizeof(raw_size));
	write_bytes(cpu, record, size);
	write_bytes(cpu, padding, raw_size - size);
}

static void write_move(size_t cpu, uint32_t tgid, uint64_t ts_ns, bool is_root)
{
	const struct raw_move move = {
		.head = { .type = RAW_MOVE, .size = sizeof(move), .ts_ns = ts_ns, .tgid = tgid },
		.is_root = is_root,
	};

	write_sample(cpu, PERF_RECORD_SAMPLE, &move, sizeof(move));
}

/* TS_NS as the records have it. */
static bool has_moved(uint32_t tgid, uint64_t ts_ns)
{
	return reduced_rings_moved(&rings, tgid, ts_ns + BEHIND_NS, false);
}

static void test_nobody_moves_in_empty_rings(void **state)
{
	(void)state;
	assert_false(has_moved(10, 1));
}

static void test_who_moves_later_is_told_on_whatever_cpu(void **state)
{
	(void)state;
	write_move(0, 10, 500, false);
	write_move(1, 11, 400, false);
	assert_true(has_moved(10, 499));
	assert_false(has_moved(10, 500));
	assert_true(has_moved(11, 399));
	assert_false(has_moved(12, 1));
	/* What comes behind is seen, too, and nothing is taken off. */
	write_move(1, 12, 600, false);
	assert_true(has_moved(12, 1));
	assert_true(has_moved(10, 499));
	assert_int_equal(of_cpu[0].ring.tail, 0);
	assert_int_equal(pages[0].data_tail, 0);
}

static void test_roots_are_told_apart(void **state)
{
	(void)state;
	write_move(0, 10, 500, false);
	write_move(0, 11, 500, true);
	assert_false(reduced_rings_moved(&rings, 10, 1 + BEHIND_NS, true));
	assert_true(reduced_rings_moved(&rings, 11, 1 + BEHIND_NS, true));
	assert_true(has_moved(11, 1));
}

static void test_other_records_are_none(void **state)
{
	struct raw_move move = {
		.head = { .type = RAW_RENAME, .size = sizeof(move), .ts_ns = 500, .tgid = 10 },
	};

	(void)state;
	write_sample(0, PERF_RECORD_SAMPLE, &move, sizeof(move));
	move.head.type = RAW_MOVE;
	write_sample(0, PERF_RECORD_LOST, &move, sizeof(move));
	write_sample(0, PERF_RECORD_SAMPLE, &move, sizeof(move) - 16);
	assert_false(has_moved(10, 1));
	write_sample(0, PERF_RECORD_SAMPLE, &move, sizeof(move));
	assert_true(has_moved(10, 1));
}

/* Records lie across its end, and a reader that has gone on is caught up with. */
static void test_a_ring_goes_round(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 1000; i++) {
		write_move(0, i, 500, false);
		if (i % 7 == 0)
			assert_true(has_moved(i, 499));
		of_cpu[0].ring.tail = pages[0].data_head;
	}
	assert_true(has_moved(994, 499));
	assert_false(has_moved(1000, 499));
}

static void test_beyond_the_bound_anybody_may_have_moved(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < RINGS_MOVES_MAX; i++) {
		write_move(0, 10, 1000 + i, false);
		assert_true(has_moved(10, 1));
		of_cpu[0].ring.tail = pages[0].data_head;
	}
	assert_false(has_moved(11, 1));
	write_move(0, 10, 9000, false);
	assert_true(has_moved(11, 1));
	/* Later than what was forgotten. */
	assert_false(has_moved(11, 1000));
}

static void test_what_cannot_be_read_ends_it(void **state)
{
	const struct perf_event_header header = { .type = PERF_RECORD_SAMPLE, .size = 4 };

	(void)state;
	write_bytes(0, &header, sizeof(header));
	write_move(1, 10, 500, false);
	assert_true(has_moved(10, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_moves_in_empty_rings),
		TEST(test_who_moves_later_is_told_on_whatever_cpu),
		TEST(test_roots_are_told_apart),
		TEST(test_other_records_are_none),
		TEST(test_a_ring_goes_round),
		TEST(test_beyond_the_bound_anybody_may_have_moved),
		TEST(test_what_cannot_be_read_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
