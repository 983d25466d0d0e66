/* SPDX-License-Identifier: MIT */
#include "trace/mapping.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "trace/perf_ring.h"

/*
 * A process that starts maps five to thirty files of some 130 bytes; 256 KiB hold two thousand.
 * With many CPUs each ring is smaller, so that all of them stay within the memory promised.
 */
#define RING_BYTES_MAX	(256U << 10)
#define ALL_RINGS_BYTES (8U << 20)
#define STAGED_MAX	1024
#define STAGED_BYTES	(256U << 10)

struct ring {
	int fd;
	int cpu;
	int build_id_fd;	 /* -1: this kernel gives no build ids */
	uint64_t build_id_event; /* the identifier of that event */
	struct perf_ring ring;
	struct mapping build_id; /* came before the file it belongs to; pid 0: none */
};

struct mappings {
	struct ring *rings;
	size_t nr_rings;
	size_t ring_bytes;
	struct mapping_counts counts;
	size_t first; /* staged mappings are first..last-1, by time */
	size_t last;
	size_t bytes_used;
	struct mapping staged[STAGED_MAX];
	char bytes[STAGED_BYTES];
	uint8_t record[PERF_RING_RECORD_MAX]; /* one that wraps around the end of its ring */
};

/* The layouts of include/uapi/linux/perf_event.h for the sample types chosen in ring_open(). */
struct sample_id {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t identifier; /* of the event */
};

struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	union {
		struct {
			uint32_t maj, min;
			uint64_t ino, ino_generation;
		};
		struct {
			uint8_t build_id_size, reserved1;
			uint16_t reserved2;
			uint8_t build_id[MAPPING_BUILD_ID_MAX];
		};
	};
	uint32_t prot, flags;
	/* char filename[], padded to 8; struct sample_id */
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id;
	uint64_t lost;
};

static int mmap2_parse(const void *bytes, size_t size, uint64_t build_id_event, struct mapping *ret)
{
	struct mmap2_record record;
	struct sample_id id;

	if (size < sizeof(record) + sizeof(id) + 1)
		return -EBADMSG;
	memcpy(&record, bytes, sizeof(record));
	memcpy(&id, (const uint8_t *)bytes + size - sizeof(id), sizeof(id));

	const char *path = (const char *)bytes + sizeof(record);
	size_t room = size - sizeof(record) - sizeof(id);
	size_t path_size = strnlen(path, room);

	if (path_size == room || path_size > MAPPING_PATH_MAX)
		return -EBADMSG;

	/*
	 * The flag alone does not tell: perf_event_mmap_output() sets it in a header that all
	 * events share and leaves it set for those that follow (seen in 6.18).
	 */
	bool has_build_id = build_id_event && id.identifier == build_id_event;

	if (has_build_id && !(record.header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
		return MAPPING_OTHER;
	if (has_build_id && record.build_id_size > sizeof(ret->build_id))
		return -EBADMSG;
	*ret = (struct mapping){
		.ts_ns = id.time,
		.pid = record.pid,
		.tid = record.tid,
		.addr = record.addr,
		.path = path,
		.path_size = path_size,
	};
	if (has_build_id) {
		memcpy(ret->build_id, record.build_id, sizeof(ret->build_id));
		ret->build_id_size = record.build_id_size;
		return MAPPING_BUILD_ID;
	}
	ret->inode = record.ino;
	ret->dev_major = record.maj;
	ret->dev_minor = record.min;
	return MAPPING_FILE;
}

int mapping_parse(const void *bytes, size_t size, uint64_t build_id_event, struct mapping *ret,
		  uint64_t *ret_lost)
{
	struct perf_event_header header;
	struct lost_record lost;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.size != size)
		return -EBADMSG;
	switch (header.type) {
	case PERF_RECORD_MMAP2:
		return mmap2_parse(bytes, size, build_id_event, ret);
	case PERF_RECORD_LOST:
		if (size < sizeof(lost))
			return -EBADMSG;
		memcpy(&lost, bytes, sizeof(lost));
		*ret_lost = lost.lost;
		return MAPPING_LOST;
	default:
		return MAPPING_OTHER;
	}
}

static int event_open(const struct mappings *mappings, int cpu, bool has_build_id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
			       PERF_SAMPLE_IDENTIFIER,
		.disabled = 1,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.build_id = has_build_id,
		.use_clockid = 1,
		.clockid = CLOCK_BOOTTIME,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
		.watermark = 1,
		.wakeup_watermark = (uint32_t)mappings->ring_bytes / 4,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int ring_open(struct mappings *mappings, struct ring *ring, int cpu)
{
	int err;

	ring->cpu = cpu;
	ring->build_id_fd = -1;
	ring->fd = event_open(mappings, cpu, false);
	if (ring->fd < 0)
		return ring->fd;
	err = perf_ring_map(&ring->ring, ring->fd, mappings->ring_bytes);
	if (err) {
		close(ring->fd);
		return err;
	}
	ring->build_id_fd = event_open(mappings, cpu, true);
	if (ring->build_id_fd >= 0 &&
	    (ioctl(ring->build_id_fd, PERF_EVENT_IOC_ID, &ring->build_id_event) < 0 ||
	     ioctl(ring->build_id_fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) < 0)) {
		close(ring->build_id_fd);
		ring->build_id_fd = -1;
	}
	return 0;
}

int mappings_open(struct mappings **ret)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct mappings *mappings = calloc(1, sizeof(*mappings));
	int err = -ENOMEM;

	if (!mappings)
		return -ENOMEM;
	mappings->ring_bytes = RING_BYTES_MAX;
	while (mappings->ring_bytes > 16U << 10 &&
	       mappings->ring_bytes * (size_t)nr_cpus > ALL_RINGS_BYTES)
		mappings->ring_bytes /= 2;
	mappings->rings = calloc((size_t)nr_cpus, sizeof(*mappings->rings));
	if (!mappings->rings)
		goto fail;
	for (int cpu = 0; cpu < nr_cpus; cpu++) {
		err = ring_open(mappings, &mappings->rings[mappings->nr_rings], cpu);
		if (err == -ENODEV) /* offline */
			continue;
		if (err)
			goto fail;
		mappings->nr_rings++;
	}
	*ret = mappings;
	return 0;
fail:
	mappings_close(mappings);
	return err;
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

/* For how long the event of RING has been on, of its own clock; 0 where that cannot be read. */
static uint64_t ring_enabled_ns(const struct ring *ring)
{
	uint64_t values[2]; /* the count, which is of nothing, and the time */

	return read(ring->fd, values, sizeof(values)) == sizeof(values) ? values[1] : 0;
}

void mappings_find_silent(const struct mappings *mappings, struct cpu_set_bits *ret)
{
	/* Some ticks, of which a clock may be made that has nothing finer. */
	static const struct timespec pause = { .tv_nsec = 30000000 };
	uint64_t *before = calloc(mappings->nr_rings, sizeof(*before));

	*ret = (struct cpu_set_bits){ 0 };
	for (size_t i = 0; before && i < mappings->nr_rings; i++)
		before[i] = ring_enabled_ns(&mappings->rings[i]);
	nanosleep(&pause, NULL);
	for (size_t i = 0; i < mappings->nr_rings; i++) {
		const struct ring *ring = &mappings->rings[i];

		if (!before || ring_enabled_ns(ring) == before[i])
			ret->words[ring->cpu / 64] |= 1ULL << (ring->cpu % 64);
	}
	free(before);
}

void mappings_close(struct mappings *mappings)
{
	if (!mappings)
		return;
	for (size_t i = 0; i < mappings->nr_rings; i++) {
		perf_ring_unmap(&mappings->rings[i].ring);
		if (mappings->rings[i].build_id_fd >= 0)
			close(mappings->rings[i].build_id_fd);
		close(mappings->rings[i].fd);
	}
	free(mappings->rings);
	free(mappings);
}

int mappings_watch(struct mappings *mappings, int epoll)
{
	for (size_t i = 0; i < mappings->nr_rings; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, mappings->rings[i].fd, &event) < 0)
			return -errno;
	}
	return 0;
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
	for (size_t i = 0; i < mappings->nr_rings; i++)
		ring_collect(mappings, &mappings->rings[i]);
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
	return mappings->ring_bytes * mappings->nr_rings;
}
