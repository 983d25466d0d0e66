/* SPDX-License-Identifier: MIT */
#include "trace/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "lib/scarce.h"
#include "trace/cpus.h"
#include "trace/perf_ring.h"

/*
 * A process that starts maps five to thirty files of some 130 bytes; 256 KiB hold two thousand.
 * With many CPUs each ring is smaller, so that all of them stay within the memory promised.
 */
#define RING_BYTES	(256U << 10)
#define RING_BYTES_MIN	(16U << 10)
#define ALL_RINGS_BYTES (8U << 20)
/* Of a larger buffer, what each CPU has besides. */
#define BUFFER_PART  16
#define STAGED_MAX   1024
#define STAGED_BYTES (256U << 10)

struct ring {
	int fd;
	int cpu;
	bool is_retired;	 /* nothing comes any more */
	bool is_asked;		 /* opened by the broker, for the worker to read */
	int build_id_fd;	 /* -1: this kernel gives no build ids, or the broker has it */
	uint64_t build_id_event; /* the identifier of that event */
	struct perf_ring ring;
	struct mapping build_id; /* came before the file it belongs to; pid 0: none */
};

struct mappings {
	struct ring *rings;
	size_t nr_rings;
	size_t max_rings;  /* as many as RINGS has room for */
	size_t ring_bytes; /* of each, where there is memory for it */
	size_t all_bytes;  /* of all together */
	int epoll;	   /* 0: none */
	struct mapping_counts counts;
	size_t first; /* staged mappings are first..last-1, by time */
	size_t last;
	size_t bytes_used;
	struct mapping staged[STAGED_MAX];
	char bytes[STAGED_BYTES];
	uint8_t record[PERF_RING_RECORD_MAX]; /* one that wraps around the end of its ring */
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Opens an event for CPU that reports to a ring of BYTES; with OUTPUT, the descriptor of another
 * event, to that one's, and build ids. Returns a descriptor or a negative errno.
 */
static int event_open(int cpu, size_t bytes, int output, bool is_on)
{
	bool has_output = output >= 0;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
			       PERF_SAMPLE_IDENTIFIER,
		.disabled = !is_on,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.build_id = has_output,
		.use_clockid = 1,
		.clockid = CLOCK_BOOTTIME,
		.read_format = PERF_RING_FORMAT,
		.watermark = 1,
		.wakeup_watermark = (uint32_t)bytes / 4,
	};
	unsigned long flags = has_output ? PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT : 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, output,
			      flags | PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void ring_close(struct ring *ring)
{
	perf_ring_unmap(&ring->ring);
	if (ring->build_id_fd >= 0)
		close(ring->build_id_fd);
	close(ring->fd);
}

/*
 * Opens the event of RING for build ids, where this kernel has them (from 5.12). Returns 0, or a
 * negative errno where something was short: whether it has any is not known then.
 */
static int open_build_ids(struct ring *ring, size_t bytes, bool is_on)
{
	struct perf_ring_values values;
	int fd = event_open(ring->cpu, bytes, ring->fd, is_on);

	if (is_scarce(fd))
		return fd;
	if (fd >= 0 && perf_ring_read(fd, &values)) {
		close(fd);
		return 0;
	}
	if (fd >= 0) {
		ring->build_id_fd = fd;
		ring->build_id_event = values.id;
	}
	return 0;
}

/* Opens RING for CPU, BYTES long. Returns 0 or a negative errno. */
static int ring_open(struct ring *ring, int cpu, size_t bytes, bool is_on)
{
	int err;

	*ring = (struct ring){ .cpu = cpu, .build_id_fd = -1 };
	ring->fd = event_open(cpu, bytes, -1, is_on);
	if (ring->fd < 0)
		return ring->fd;
	err = perf_ring_map(&ring->ring, ring->fd, bytes);
	if (!err)
		err = open_build_ids(ring, bytes, is_on);
	if (err)
		ring_close(ring);
	return err;
}

static void close_rings(struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->nr_rings; i++)
		ring_close(&mappings->rings[i]);
	mappings->nr_rings = 0;
}

static int open_rings(struct mappings *mappings)
{
	for (size_t cpu = 0; cpu < mappings->max_rings; cpu++) {
		int err = ring_open(&mappings->rings[mappings->nr_rings], (int)cpu,
				    mappings->ring_bytes, false);

		if (!err)
			mappings->nr_rings++;
		else if (err != -ENODEV) /* offline */
			return err;
	}
	return 0;
}

int mappings_open(struct mappings **ret, size_t buffer_bytes)
{
	int nr_cpus = cpus_possible();
	struct mappings *mappings;
	int err = -ENOMEM;

	if (nr_cpus < 0)
		return nr_cpus;
	mappings = calloc(1, sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	mappings->ring_bytes = larger(RING_BYTES, buffer_bytes / BUFFER_PART);
	mappings->all_bytes = larger(ALL_RINGS_BYTES, buffer_bytes);
	while (mappings->ring_bytes > RING_BYTES_MIN &&
	       mappings->ring_bytes * (size_t)nr_cpus > mappings->all_bytes)
		mappings->ring_bytes /= 2;
	mappings->max_rings = (size_t)nr_cpus;
	mappings->rings = calloc(mappings->max_rings, sizeof(*mappings->rings));
	if (mappings->rings)
		err = open_rings(mappings);
	/* Where so much may not be locked (perf_mmap(), kernel/events/core.c) they are shorter. */
	while (err == -EPERM && mappings->ring_bytes > RING_BYTES) {
		close_rings(mappings);
		mappings->ring_bytes /= 2;
		err = open_rings(mappings);
	}
	if (err) {
		mappings_close(mappings);
		return err;
	}
	*ret = mappings;
	return 0;
}

int mappings_enable(const struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->nr_rings; i++) {
		const struct ring *ring = &mappings->rings[i];

		if (ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0) < 0 ||
		    (ring->build_id_fd >= 0 &&
		     ioctl(ring->build_id_fd, PERF_EVENT_IOC_ENABLE, 0) < 0))
			return -errno;
	}
	return 0;
}

void mappings_find_silent(const struct mappings *mappings, struct cpu_set_bits *ret)
{
	for (size_t i = 0; i < mappings->nr_rings; i++) {
		const struct ring *ring = &mappings->rings[i];

		if (!ring->is_retired && !perf_ring_is_on(ring->fd))
			ret->words[ring->cpu / 64] |= 1ULL << (ring->cpu % 64);
	}
}

void mappings_close(struct mappings *mappings)
{
	if (!mappings)
		return;
	close_rings(mappings);
	free(mappings->rings);
	free(mappings);
}

static int ring_watch(const struct ring *ring, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, ring->fd, &event) < 0 ? -errno : 0;
}

int mappings_watch(struct mappings *mappings, int epoll)
{
	int err = 0;

	mappings->epoll = epoll;
	for (size_t i = 0; !err && i < mappings->nr_rings; i++)
		err = ring_watch(&mappings->rings[i], epoll);
	return err;
}

/* Room for one more ring, which is not one yet; NULL: none, or no memory. */
static struct ring *make_room(struct mappings *mappings)
{
	struct ring *rings;
	size_t max_rings = mappings->max_rings * 2;

	if (mappings->nr_rings < mappings->max_rings)
		return &mappings->rings[mappings->nr_rings];
	if (mappings->nr_rings >= CPUS_MAX)
		return NULL;
	rings = reallocarray(mappings->rings, max_rings, sizeof(*rings));
	if (!rings)
		return NULL;
	mappings->rings = rings;
	mappings->max_rings = max_rings;
	return &rings[mappings->nr_rings];
}

/*
 * How long one more ring may be, so that all of them stay within what was promised. Who opens it
 * may lock little memory.
 */
static size_t next_ring_bytes(const struct mappings *mappings)
{
	size_t used = mappings_ring_bytes(mappings);
	size_t bytes = smaller(mappings->ring_bytes, RING_BYTES);

	while (bytes > RING_BYTES_MIN && used + bytes > mappings->all_bytes)
		bytes /= 2;
	return bytes;
}

static struct ring *find_ring(const struct mappings *mappings, uint32_t cpu)
{
	for (size_t i = 0; i < mappings->nr_rings; i++)
		if (mappings->rings[i].cpu == (int)cpu && !mappings->rings[i].is_retired)
			return &mappings->rings[i];
	return NULL;
}

static void drop_ring(struct mappings *mappings, struct ring *ring)
{
	ring_close(ring);
	*ring = mappings->rings[--mappings->nr_rings];
}

bool mappings_has(const struct mappings *mappings, uint32_t cpu)
{
	return find_ring(mappings, cpu) != NULL;
}

void mappings_leave(struct mappings *mappings)
{
	/* Of fork(2), perf rings are left out (VM_DONTCOPY, kernel/events/core.c). */
	for (size_t i = 0; i < mappings->nr_rings; i++)
		mappings->rings[i].ring.page = NULL;
}

/* Opens a ring of CPU that is on. Returns 0 or a negative errno. */
static int add_ring(struct mappings *mappings, uint32_t cpu, struct ring **ret)
{
	struct ring *ring = make_room(mappings);
	int err = ring ? ring_open(ring, (int)cpu, next_ring_bytes(mappings), true) : -ENOMEM;

	if (err)
		return err;
	ring->is_asked = true;
	mappings->nr_rings++;
	*ret = ring;
	return 0;
}

int mappings_reopen(struct mappings *mappings, uint32_t cpu, struct broker_ring *ret)
{
	struct ring *ring = cpu < CPUS_MAX ? find_ring(mappings, cpu) : NULL;
	int err = 0;
	int fd;

	if (cpu >= CPUS_MAX)
		return -EINVAL;
	if (ring && !perf_ring_is_on(ring->fd)) {
		drop_ring(mappings, ring);
		ring = NULL;
	}
	if (ring && !ring->is_asked)
		return -EEXIST;
	if (ring)
		perf_ring_skip(&ring->ring);
	else
		err = add_ring(mappings, cpu, &ring);
	if (err)
		return err;
	fd = fcntl(ring->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*ret = (struct broker_ring){ .bytes = ring->ring.bytes,
				     .build_id_event = ring->build_id_event };
	return fd;
}

int mappings_add(struct mappings *mappings, uint32_t cpu, int fd, const struct broker_ring *opened)
{
	struct ring *ring = make_room(mappings);
	int err = ring ? 0 : -ENOMEM;

	if (!err) {
		*ring = (struct ring){
			.fd = fd,
			.cpu = (int)cpu,
			.build_id_fd = -1,
			.build_id_event = opened->build_id_event,
		};
		err = perf_ring_map(&ring->ring, fd, opened->bytes);
	}
	if (!err && mappings->epoll)
		err = ring_watch(ring, mappings->epoll);
	if (!err) {
		mappings->nr_rings++;
		return 0;
	}
	if (ring)
		perf_ring_unmap(&ring->ring);
	close(fd);
	return err;
}

void mappings_retire(struct mappings *mappings, uint32_t cpu)
{
	struct ring *ring = find_ring(mappings, cpu);

	if (!ring)
		return;
	ring->is_retired = true;
	/* The broker may have the event open still, which then would say that it has ended. */
	if (mappings->epoll)
		epoll_ctl(mappings->epoll, EPOLL_CTL_DEL, ring->fd, NULL);
}

/* Copies MAPPING to the staging array, keeping that sorted. Returns false when there is no room. */
static bool stage(struct mappings *mappings, const struct mapping *mapping)
{
	size_t at = mappings->last;

	if (at == STAGED_MAX || mapping->path_size >= STAGED_BYTES - mappings->bytes_used)
		return false;

	char *path = mappings->bytes + mappings->bytes_used;

	memcpy(path, mapping->path, mapping->path_size + 1);
	mappings->bytes_used += mapping->path_size + 1;
	for (; at > mappings->first && mappings->staged[at - 1].ts_ns > mapping->ts_ns; at--)
		mappings->staged[at] = mappings->staged[at - 1];
	mappings->staged[at] = *mapping;
	mappings->staged[at].path = path;
	mappings->last++;
	return true;
}

static bool is_same(const struct mapping *a, const struct mapping *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->addr == b->addr;
}

static void copy_build_id(struct mapping *to, const struct mapping *from)
{
	memcpy(to->build_id, from->build_id, sizeof(to->build_id));
	to->build_id_size = from->build_id_size;
}

/*
 * The kernel tells the event that was opened last first, so a build id waits for its file; should
 * an other kernel do it the other way round, the file is the last one staged.
 */
static void take_build_id(struct mappings *mappings, struct ring *ring,
			  const struct mapping *mapping)
{
	for (size_t i = mappings->last; i > mappings->first; i--) {
		struct mapping *staged = &mappings->staged[i - 1];

		if (!staged->build_id_size && is_same(staged, mapping)) {
			copy_build_id(staged, mapping);
			return;
		}
	}
	ring->build_id = *mapping;
}

/* Takes one record. Returns false when it has to wait for room. */
static bool take(struct mappings *mappings, struct ring *ring, const void *bytes, size_t size)
{
	struct mapping mapping;
	uint64_t lost = 0;
	int kind = mapping_parse(bytes, size, ring->build_id_event, &mapping, &lost);
	bool is_hit;

	switch (kind) {
	case MAPPING_OTHER:
		return true;
	case MAPPING_LOST:
		mappings->counts.lost += lost;
		return true;
	case MAPPING_FILE:
	case MAPPING_BUILD_ID:
		break;
	default:
		mappings->counts.malformed++;
		return true;
	}
	is_hit = library_classify(mapping.path, mapping.path_size) != NULL;
	if (kind == MAPPING_BUILD_ID) {
		if (is_hit)
			take_build_id(mappings, ring, &mapping);
		return true;
	}
	if (is_hit) {
		if (is_same(&ring->build_id, &mapping))
			copy_build_id(&mapping, &ring->build_id);
		if (!stage(mappings, &mapping))
			return false;
		ring->build_id.pid = 0;
	} else {
		mappings->counts.rejected++;
	}
	mappings->counts.seen++;
	return true;
}

static void ring_collect(struct mappings *mappings, struct ring *ring)
{
	const void *bytes;
	size_t size;

	perf_ring_look(&ring->ring);
	while ((bytes = perf_ring_next(&ring->ring, mappings->record, &size))) {
		if (!take(mappings, ring, bytes, size))
			break;
		perf_ring_take(&ring->ring);
	}
	if (!bytes && size)
		mappings->counts.malformed++;
	perf_ring_release(&ring->ring);
}

size_t mappings_collect(struct mappings *mappings)
{
	if (mappings->first == mappings->last) {
		mappings->first = mappings->last = 0;
		mappings->bytes_used = 0;
	}
	for (size_t i = 0; i < mappings->nr_rings;) {
		struct ring *ring = &mappings->rings[i];

		ring_collect(mappings, ring);
		if (ring->is_retired && perf_ring_is_read(&ring->ring))
			drop_ring(mappings, ring); /* the last is in its place */
		else
			i++;
	}
	return mappings->last - mappings->first;
}

const struct mapping *mappings_first(const struct mappings *mappings)
{
	return mappings->first < mappings->last ? &mappings->staged[mappings->first] : NULL;
}

void mappings_pop(struct mappings *mappings)
{
	if (mappings->first < mappings->last)
		mappings->first++;
}

const struct mapping_counts *mappings_counts(const struct mappings *mappings)
{
	return &mappings->counts;
}

size_t mappings_ring_bytes(const struct mappings *mappings)
{
	size_t bytes = 0;

	for (size_t i = 0; i < mappings->nr_rings; i++)
		bytes += mappings->rings[i].ring.bytes;
	return bytes;
}
