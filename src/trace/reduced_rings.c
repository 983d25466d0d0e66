/* SPDX-License-Identifier: MIT */
#include "trace/reduced_rings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pipeline/clock.h"

#define RING_BYTES_MIN (64U << 10)

static void ring_close(struct cpu_ring *ring)
{
	if (ring->fd < 0)
		return;
	perf_ring_unmap(&ring->ring);
	close(ring->fd);
	ring->fd = -1;
}

/* Opens RING for CPU, from the first moment on, and has the programs write to it. Returns 0 or a
 * negative errno. */
static int ring_open(const struct reduced_rings *rings, struct cpu_ring *ring, uint32_t cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.read_format = PERF_RING_FORMAT,
		/* At once: what /proc tells of a process is to be read before it goes on. */
		.wakeup_events = 1,
	};
	int err;

	*ring = (struct cpu_ring){ .cpu = cpu, .due_ns = UINT64_MAX };
	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	err = perf_ring_map(&ring->ring, ring->fd, rings->bytes);
	if (!err && bpf_map_update_elem(rings->map, &cpu, &ring->fd, BPF_ANY))
		err = -errno;
	if (err)
		ring_close(ring);
	return err;
}

int reduced_rings_open(struct reduced_rings *rings, int map, size_t nr_cpus, size_t all_bytes)
{
	int err = 0;

	rings->map = map;
	rings->bytes = RING_BYTES_MIN;
	while (rings->bytes * 2 * nr_cpus <= all_bytes)
		rings->bytes *= 2;
	rings->rings = calloc(nr_cpus, sizeof(*rings->rings));
	if (!rings->rings)
		return -ENOMEM;
	rings->max_rings = nr_cpus;
	for (uint32_t cpu = 0; !err && cpu < nr_cpus; cpu++) {
		err = ring_open(rings, &rings->rings[rings->nr_rings], cpu);
		if (!err)
			rings->nr_rings++;
		else if (err == -ENODEV) /* offline */
			err = 0;
	}
	return err;
}

void reduced_rings_close(struct reduced_rings *rings)
{
	for (size_t i = 0; i < rings->nr_rings; i++)
		ring_close(&rings->rings[i]);
	free(rings->rings);
	rings->rings = NULL;
	rings->nr_rings = 0;
}

static int ring_watch(const struct cpu_ring *ring, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, ring->fd, &event) < 0 ? -errno : 0;
}

int reduced_rings_watch(struct reduced_rings *rings, int epoll)
{
	int err = 0;

	rings->epoll = epoll;
	for (size_t i = 0; !err && i < rings->nr_rings; i++)
		err = ring_watch(&rings->rings[i], epoll);
	return err;
}

/* The place of CPU, whether it has a ring or not; where it has none yet, a new one of no CPU; NULL:
 * there is no room. */
static struct cpu_ring *find_place(const struct reduced_rings *rings, uint32_t cpu)
{
	for (size_t i = 0; i < rings->nr_rings; i++)
		if (rings->rings[i].cpu == cpu)
			return &rings->rings[i];
	return rings->nr_rings < rings->max_rings ? &rings->rings[rings->nr_rings] : NULL;
}

static bool is_new(const struct reduced_rings *rings, const struct cpu_ring *place)
{
	return place == &rings->rings[rings->nr_rings];
}

void reduced_rings_leave(struct reduced_rings *rings)
{
	/* As in mappings_leave(). */
	for (size_t i = 0; i < rings->nr_rings; i++)
		rings->rings[i].ring.page = NULL;
}

/* Has RING, of CPU, opened in the place of what it was. Returns 0 or a negative errno. */
static int ring_replace(struct reduced_rings *rings, struct cpu_ring *ring, uint32_t cpu)
{
	struct cpu_ring opened;
	int err = ring_open(rings, &opened, cpu);

	if (err)
		return err;
	if (is_new(rings, ring))
		rings->nr_rings++;
	else
		ring_close(ring);
	*ring = opened;
	ring->is_asked = true;
	return 0;
}

int reduced_rings_reopen(struct reduced_rings *rings, uint32_t cpu, struct broker_ring *ret)
{
	struct cpu_ring *ring = find_place(rings, cpu);
	bool is_there;
	int err = 0;
	int fd;

	if (!ring)
		return -ENOMEM;
	is_there = !is_new(rings, ring) && ring->fd >= 0 && perf_ring_is_on(ring->fd);
	if (is_there && !ring->is_asked)
		return -EEXIST;
	if (is_there)
		perf_ring_skip(&ring->ring);
	else
		err = ring_replace(rings, ring, cpu);
	if (err)
		return err;
	fd = fcntl(ring->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*ret = (struct broker_ring){ .bytes = rings->bytes };
	return fd;
}

/* Reads PLACE's CPU from FD on. Returns 0 or a negative errno. */
static int begin_ring(const struct reduced_rings *rings, struct cpu_ring *place, int fd,
		      size_t bytes)
{
	int err = perf_ring_map(&place->ring, fd, bytes);

	if (err)
		return err;
	place->fd = fd;
	err = rings->epoll ? ring_watch(place, rings->epoll) : 0;
	if (!err)
		return 0;
	perf_ring_unmap(&place->ring);
	place->fd = -1;
	return err;
}

int reduced_rings_add(struct reduced_rings *rings, uint32_t cpu, int fd,
		      const struct broker_ring *opened)
{
	struct cpu_ring *place = find_place(rings, cpu);
	int err = place ? 0 : -ENOMEM;

	if (place && is_new(rings, place))
		*place = (struct cpu_ring){ .fd = -1, .cpu = cpu };
	else if (place && place->ring.page)
		err = -EAGAIN;
	if (!err)
		err = begin_ring(rings, place, fd, opened->bytes);
	if (err) {
		close(fd);
		return err;
	}
	/* What the programs have counted there goes on. */
	place->is_retired = false;
	place->ahead = 0;
	place->due_ns = UINT64_MAX;
	if (is_new(rings, place))
		rings->nr_rings++;
	return 0;
}

bool reduced_rings_has(const struct reduced_rings *rings, uint32_t cpu)
{
	const struct cpu_ring *place = find_place(rings, cpu);

	return place && !is_new(rings, place) && place->fd >= 0 && !place->is_retired;
}

void reduced_rings_retire(struct reduced_rings *rings, uint32_t cpu)
{
	struct cpu_ring *place = find_place(rings, cpu);

	if (!reduced_rings_has(rings, cpu))
		return;
	place->is_retired = true;
	/* As in mappings_retire(). */
	if (rings->epoll)
		epoll_ctl(rings->epoll, EPOLL_CTL_DEL, place->fd, NULL);
}

void reduced_rings_find_silent(const struct reduced_rings *rings, struct cpu_set_bits *ret)
{
	for (size_t i = 0; i < rings->nr_rings; i++) {
		const struct cpu_ring *ring = &rings->rings[i];

		if (reduced_rings_has(rings, ring->cpu) && !perf_ring_is_on(ring->fd))
			ret->words[ring->cpu / 64] |= 1ULL << (ring->cpu % 64);
	}
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

/* Gives back what was read; of a CPU that went, all of it. */
static void ring_release(struct cpu_ring *ring)
{
	if (!ring->ring.page)
		return;
	perf_ring_release(&ring->ring);
	if (ring->is_retired && perf_ring_is_read(&ring->ring))
		ring_close(ring);
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
		if (!rings->rings[i].ring.page)
			continue;
		perf_ring_look(&rings->rings[i].ring);
		ring_peek(rings, &rings->rings[i], behind_ns);
	}
	while (!err && count < max && (ring = first_due(rings, until_ns))) {
		err = take_first(rings, ring, behind_ns, take, ctx);
		ring_peek(rings, ring, behind_ns);
		count++;
	}
	for (size_t i = 0; i < rings->nr_rings; i++)
		ring_release(&rings->rings[i]);
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

		if (!ring->ring.page)
			continue;
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
