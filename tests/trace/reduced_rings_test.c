/* SPDX-License-Identifier: MIT */
/* Who is about to change its directory, as the rings tell that nobody has read yet. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <linux/perf_event.h>

#include "support/files.h"
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

static int count_record(void *ctx, const void *bytes, size_t size, uint64_t behind_ns,
			bool *ret_is_read)
{
	(void)bytes;
	(void)size;
	(void)behind_ns;
	++*(unsigned int *)ctx;
	*ret_is_read = true;
	return 0;
}

/* Records of what happened up to UNTIL_NS; how many there were. */
static unsigned int pass(struct reduced_rings *of, uint64_t until_ns)
{
	unsigned int nr = 0;

	int n = reduced_rings_pass(of, until_ns, 1000, count_record, &nr);

	assert_int_equal(n, nr);
	return nr;
}

static void test_ring_of_a_cpu_that_went_is_read_and_then_closed(void **state)
{
	struct broker_ring opened = { .bytes = RING_BYTES };

	(void)state;
	of_cpu[0].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	of_cpu[1].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	of_cpu[1].cpu = 1;
	write_move(1, 10, 500, false);
	write_move(1, 11, UINT64_MAX / 2, false);
	assert_true(reduced_rings_has(&rings, 1));
	reduced_rings_retire(&rings, 1);
	assert_false(reduced_rings_has(&rings, 1));
	assert_true(reduced_rings_has(&rings, 0));
	/* The second is too late for that. */
	assert_int_equal(pass(&rings, UINT64_MAX / 4), 1);
	assert_int_equal(
		reduced_rings_add(&rings, 1, open("/dev/null", O_RDONLY | O_CLOEXEC), &opened),
		-EAGAIN);
	assert_int_equal(pass(&rings, UINT64_MAX - 1), 1);
	assert_int_equal(of_cpu[1].fd, -1);
	assert_null(of_cpu[1].ring.page);
	/* Without it all goes on. */
	assert_int_equal(pass(&rings, UINT64_MAX - 1), 0);
	write_move(0, 12, 5000, false);
	assert_true(has_moved(12, 1));
	assert_int_equal(pass(&rings, UINT64_MAX - 1), 1);
	assert_int_equal(rings.received[RAW_MOVE], 3);
	/* No ring is one either. */
	assert_true(reduced_rings_add(&rings, 1, open("/dev/null", O_RDONLY | O_CLOEXEC), &opened) <
		    0);
	assert_false(reduced_rings_has(&rings, 1));
	assert_int_equal(
		reduced_rings_add(&rings, 2, open("/dev/null", O_RDONLY | O_CLOEXEC), &opened),
		-ENOMEM);
	close(of_cpu[0].fd);
}

/* As the broker does it: rings of this kernel, of which one is switched off as if its CPU went. */
static void test_rings_are_opened_again(void **state)
{
	struct reduced_rings here = { .nr_rings = 0 };
	struct reduced_rings there = { .nr_rings = 0 };
	struct cpu_set_bits silent = { .words = { 0 } };
	struct broker_ring opened;
	int map = bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, NULL, 4, 4, 1, NULL);
	int fd;

	(void)state;
	if (map < 0 || reduced_rings_open(&here, map, 1, 1 << 16)) {
		print_message("bpf(2) or perf_event_open(2) is not allowed\n");
		skip();
	}
	assert_int_equal(reduced_rings_open(&there, map, 1, 1 << 16), 0);
	assert_int_equal(reduced_rings_reopen(&there, 0, &opened), -EEXIST);
	assert_int_equal(reduced_rings_reopen(&there, 1, &opened), -ENOMEM);
	assert_int_equal(ioctl(there.rings[0].fd, PERF_EVENT_IOC_DISABLE, 0), 0);
	assert_int_equal(ioctl(here.rings[0].fd, PERF_EVENT_IOC_DISABLE, 0), 0);
	reduced_rings_find_silent(&here, &silent);
	assert_true(silent.words[0] == 1);
	reduced_rings_retire(&here, 0);
	assert_int_equal(pass(&here, UINT64_MAX - 1), 0);
	assert_int_equal(here.rings[0].fd, -1);
	fd = reduced_rings_reopen(&there, 0, &opened);
	assert_true(fd >= 0);
	assert_int_equal(opened.bytes, there.bytes);
	assert_int_equal(reduced_rings_add(&here, 0, fd, &opened), 0);
	assert_true(reduced_rings_has(&here, 0));
	assert_int_equal(here.nr_rings, 1);
	silent.words[0] = 0;
	reduced_rings_find_silent(&here, &silent);
	assert_true(silent.words[0] == 0);
	assert_int_equal(pass(&here, UINT64_MAX - 1), 0);
	reduced_rings_close(&here);
	reduced_rings_close(&there);
	close(map);
}

/* The limit on descriptors grows until a ring can be handed over; then what was handed over gets
 * lost on its way, and the ring is there to be handed over again. */
static void test_ring_that_cannot_be_handed_over_is_so_later(void **state)
{
	struct reduced_rings there = { .nr_rings = 0 };
	struct broker_ring opened;
	struct rlimit before;
	unsigned int nr_before;
	int map = bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, NULL, 4, 4, 1, NULL);
	int nr_failed = 0;
	int fd;

	(void)state;
	if (map < 0 || reduced_rings_open(&there, map, 1, 1 << 16)) {
		print_message("bpf(2) or perf_event_open(2) is not allowed\n");
		skip();
	}
	/* As of a CPU that went. */
	reduced_rings_retire(&there, 0);
	assert_int_equal(pass(&there, UINT64_MAX - 1), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	nr_before = files_count_open();
	fd = dup(0);
	assert_true(fd >= 0);
	close(fd);
	for (struct rlimit limit = { (rlim_t)fd, before.rlim_max };; limit.rlim_cur++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		fd = reduced_rings_reopen(&there, 0, &opened);
		if (fd >= 0)
			break;
		assert_int_equal(fd, -EMFILE);
		nr_failed++;
	}
	setrlimit(RLIMIT_NOFILE, &before);
	/* Without one for the ring, and with one for the ring alone. */
	assert_int_equal(nr_failed, 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(opened.bytes, there.bytes);
		assert_int_equal(files_count_open(), nr_before + 2);
		close(fd);
		fd = reduced_rings_reopen(&there, 0, &opened);
		assert_true(fd >= 0);
	}
	close(fd);
	assert_int_equal(there.nr_rings, 1);
	reduced_rings_close(&there);
	close(map);
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
		TEST(test_ring_of_a_cpu_that_went_is_read_and_then_closed),
		TEST(test_rings_are_opened_again),
		TEST(test_ring_that_cannot_be_handed_over_is_so_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
