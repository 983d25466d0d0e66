/* SPDX-License-Identifier: MIT */
#include "trace/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int perf_ring_map(struct perf_ring *ring, int fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*ring = (struct perf_ring){ .page = map, .data = (uint8_t *)map + page, .bytes = bytes };
	/* Who had it before may have skipped something. */
	ring->tail = __atomic_load_n(&ring->page->data_tail, __ATOMIC_ACQUIRE);
	return 0;
}

void perf_ring_unmap(struct perf_ring *ring)
{
	if (ring->page)
		munmap(ring->page, (size_t)sysconf(_SC_PAGESIZE) + ring->bytes);
	ring->page = NULL;
}

int perf_ring_read(int fd, struct perf_ring_values *ret)
{
	ssize_t n = read(fd, ret, sizeof(*ret));

	return n == sizeof(*ret) ? 0 : n < 0 ? -errno : -EIO;
}

static uint64_t enabled_ns(int fd)
{
	struct perf_ring_values values;

	return perf_ring_read(fd, &values) ? 0 : values.enabled_ns;
}

bool perf_ring_is_on(int fd)
{
	/* A tick at 100 Hz, of which a clock may be made that has nothing finer. */
	static const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t before = enabled_ns(fd);

	if (enabled_ns(fd) != before)
		return true;
	nanosleep(&pause, NULL);
	return enabled_ns(fd) != before;
}

void perf_ring_skip(struct perf_ring *ring)
{
	perf_ring_look(ring);
	ring->tail = ring->head;
	perf_ring_release(ring);
}

void perf_ring_look(struct perf_ring *ring)
{
	ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	ring->current = 0;
}

const void *perf_ring_next(struct perf_ring *ring, uint8_t *buffer, size_t *ret_size)
{
	struct perf_event_header header;
	size_t at = ring->tail & (ring->bytes - 1);
	const uint8_t *bytes = ring->data + at;

	*ret_size = 0;
	if (ring->head - ring->tail < sizeof(header))
		return NULL;
	/* Records are multiples of 8 and so is the ring: a header never wraps. */
	memcpy(&header, bytes, sizeof(header));
	if (header.size < sizeof(header) || header.size > ring->head - ring->tail) {
		*ret_size = ring->head - ring->tail;
		ring->tail = ring->head;
		return NULL;
	}
	if (at + header.size > ring->bytes) {
		size_t first = ring->bytes - at;

		memcpy(buffer, bytes, first);
		memcpy(buffer + first, ring->data, header.size - first);
		bytes = buffer;
	}
	ring->current = header.size;
	*ret_size = header.size;
	return bytes;
}

size_t perf_ring_ahead(const struct perf_ring *ring, uint64_t *at, void *out, size_t size)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	size_t begin = *at & (ring->bytes - 1);
	struct perf_event_header header;
	size_t first;

	if (head - *at < sizeof(header))
		return 0;
	memcpy(&header, ring->data + begin, sizeof(header));
	if (header.size < sizeof(header) || header.size > head - *at) {
		*at = head;
		return 0;
	}
	*at += header.size;
	if (size > header.size)
		size = header.size;
	first = size < ring->bytes - begin ? size : ring->bytes - begin;
	memcpy(out, ring->data + begin, first);
	memcpy((uint8_t *)out + first, ring->data, size - first);
	return size;
}

void perf_ring_take(struct perf_ring *ring)
{
	ring->tail += ring->current;
	ring->current = 0;
}

void perf_ring_release(struct perf_ring *ring)
{
	__atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
}
