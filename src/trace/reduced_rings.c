/* SPDX-License-Identifier: MIT */
#include "trace/reduced_rings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipeline/clock.h"

#define RING_BYTES_MIN (64U << 10)

static int ring_open(struct reduced_rings *rings, int map, int cpu, size_t bytes)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		/* At once: what /proc tells of a process is to be read before it goes on. */
		.wakeup_events = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	struct cpu_ring *ring = &rings->rings[rings->nr_rings];
	int err;

	if (fd < 0)
		return errno == ENODEV ? 0 : -errno; /* offline */
	err = perf_ring_map(&ring->ring, fd, bytes);
	if (!err && (bpf_map_update_elem(map, &cpu, &fd, BPF_ANY) ||
		     ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)) {
		err = -errno;
		perf_ring_unmap(&ring->ring);
	}
	if (err) {
		close(fd);
		return err;
	}
	ring->fd = fd;
	rings->nr_rings++;
	return 0;
}

int reduced_rings_open(struct reduced_rings *rings, int map, size_t nr_cpus, size_t all_bytes)
{
	size_t bytes = RING_BYTES_MIN;
	int err = 0;

	while (bytes * 2 * nr_cpus <= all_bytes)
		bytes *= 2;
	rings->rings = calloc(nr_cpus, sizeof(*rings->rings));
	if (!rings->rings)
		return -ENOMEM;
	for (size_t cpu = 0; !err && cpu < nr_cpus; cpu++)
		err = ring_open(rings, map, (int)cpu, bytes);
	return err;
}

void reduced_rings_close(struct reduced_rings *rings)
{
	for (size_t i = 0; i < rings->nr_rings; i++) {
		perf_ring_unmap(&rings->rings[i].ring);
		close(rings->rings[i].fd);
	}
	free(rings->rings);
	rings->rings = NULL;
	rings->nr_rings = 0;
}

int reduced_rings_watch(const struct reduced_rings *rings, int epoll)
{
	for (size_t i = 0; i < rings->nr_rings; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, rings->rings[i].fd, &event) < 0)
			return -errno;
	}
	return 0;
}

/*
 * The raw record in the next sample of RING, PERF_SAMPLE_RAW: a head, the size, the bytes. Skips
 * what is none. Returns NULL at the end.
 */
static const uint8_t *ring_next(struct reduced_rings *rings, struct cpu_ring *ring,
				size_t *ret_size)
{
	const uint8_t *bytes;
	size_t size;

	while ((bytes = perf_ring_next(&ring->ring, rings->buffer, &size))) {
		struct perf_event_header header;
		uint32_t raw_size;

		memcpy(&header, bytes, sizeof(header));
		if (header.type == PERF_RECORD_SAMPLE && size > sizeof(header) + sizeof(raw_size)) {
			memcpy(&raw_size, bytes + sizeof(header), sizeof(raw_size));
			bytes += sizeof(header) + sizeof(raw_size);
			size -= sizeof(header) + sizeof(raw_size);
			*ret_size = raw_size < size ? raw_size : size;
			return bytes;
		}
		/* PERF_RECORD_LOST, mostly: the counters in the records tell it by source. */
		perf_ring_take(&ring->ring);
	}
	return NULL;
}

/* Finds out when the next record of RING is due. */
static void ring_peek(struct reduced_rings *rings, struct cpu_ring *ring, uint64_t behind_ns)
{
	struct raw_head head = { 0 };
	size_t size;
	const uint8_t *bytes = ring_next(rings, ring, &size);

	ring->due_ns = UINT64_MAX;
	if (!bytes)
		return;
	/* One that cannot be read is taken at once, and counted. */
	if (size >= sizeof(head))
		memcpy(&head, bytes, sizeof(head));
	ring->due_ns = head.ts_ns + behind_ns;
}

static struct cpu_ring *first_due(struct reduced_rings *rings, uint64_t until_ns)
{
	struct cpu_ring *first = NULL;

	for (size_t i = 0; i < rings->nr_rings; i++) {
		struct cpu_ring *ring = &rings->rings[i];

		if (ring->due_ns <= until_ns && (!first || ring->due_ns < first->due_ns))
			first = ring;
	}
	return first;
}

static int take_first(struct reduced_rings *rings, struct cpu_ring *ring, uint64_t behind_ns,
		      raw_take take, void *ctx)
{
	struct raw_head head;
	bool is_read = false;
	size_t size;
	const uint8_t *bytes = ring_next(rings, ring, &size);
	int err;

	if (!bytes)
		return 0;
	err = take(ctx, bytes, size, behind_ns, &is_read);
	/* One that cannot be read is as good as lost. */
	if (is_read) {
		memcpy(&head, bytes, sizeof(head));
		ring->seen[head.type] = head.counters;
		rings->received[head.type]++;
	}
	perf_ring_take(&ring->ring);
	perf_ring_release(&ring->ring);
	return err;
}

int reduced_rings_pass(struct reduced_rings *rings, uint64_t until_ns, unsigned int max,
		       raw_take take, void *ctx)
{
	uint64_t behind_ns = boot_clock_suspended();
	struct cpu_ring *ring;
	unsigned int count = 0;
	int err = 0;

	rings->behind_ns = behind_ns;
	for (size_t i = 0; i < rings->nr_rings; i++) {
		perf_ring_look(&rings->rings[i].ring);
		ring_peek(rings, &rings->rings[i], behind_ns);
	}
	while (!err && count < max && (ring = first_due(rings, until_ns))) {
		err = take_first(rings, ring, behind_ns, take, ctx);
		ring_peek(rings, ring, behind_ns);
		count++;
	}
	for (size_t i = 0; i < rings->nr_rings; i++)
		perf_ring_release(&rings->rings[i].ring);
	return err ? err : (int)count;
}

/* What is behind the head and size of a sample: see ring_next(). */
#define SAMPLE_HEAD (sizeof(struct perf_event_header) + sizeof(uint32_t))

/* Remembers the record in SAMPLE, of which SIZE bytes are there, if it is a move. */
static void note_move(struct reduced_rings *rings, const uint8_t *sample, size_t size)
{
	struct ring_move *place = &rings->moves[rings->nr_moves % RINGS_MOVES_MAX];
	struct perf_event_header header;
	struct raw_move move;

	if (size < SAMPLE_HEAD + sizeof(move))
		return;
	memcpy(&header, sample, sizeof(header));
	memcpy(&move, sample + SAMPLE_HEAD, sizeof(move));
	if (header.type != PERF_RECORD_SAMPLE || move.head.type != RAW_MOVE)
		return;
	if (rings->nr_moves >= RINGS_MOVES_MAX && place->ts_ns > rings->forgotten_ns)
		rings->forgotten_ns = place->ts_ns;
	*place = (struct ring_move){ move.head.ts_ns, move.head.tgid, move.is_root != 0 };
	rings->nr_moves++;
}

bool reduced_rings_moved(struct reduced_rings *rings, uint32_t tgid, uint64_t ts_ns, bool only_root)
{
	uint8_t sample[SAMPLE_HEAD + sizeof(struct raw_move)];
	size_t nr_moves;
	size_t size;

	for (size_t i = 0; i < rings->nr_rings; i++) {
		struct cpu_ring *ring = &rings->rings[i];

		if (ring->ahead < ring->ring.tail)
			ring->ahead = ring->ring.tail;
		while ((size = perf_ring_ahead(&ring->ring, &ring->ahead, sample, sizeof(sample))))
			note_move(rings, sample, size);
	}
	ts_ns -= rings->behind_ns;
	if (ts_ns < rings->forgotten_ns)
		return true;
	nr_moves = rings->nr_moves < RINGS_MOVES_MAX ? rings->nr_moves : RINGS_MOVES_MAX;
	for (size_t i = 0; i < nr_moves; i++)
		if (rings->moves[i].tgid == tgid && rings->moves[i].ts_ns > ts_ns &&
		    (rings->moves[i].is_root || !only_root))
			return true;
	return false;
}

struct raw_counters reduced_rings_counters(const struct reduced_rings *rings, enum raw_type type)
{
	struct raw_counters sum = { 0 };

	for (size_t i = 0; i < rings->nr_rings; i++) {
		const struct raw_counters *seen = &rings->rings[i].seen[type];

		sum.hit += seen->hit;
		sum.tried += seen->tried;
		sum.faults += seen->faults;
	}
	return sum;
}
