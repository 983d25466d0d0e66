/* SPDX-License-Identifier: MIT */
#ifndef TRACE_PERF_RING_H
#define TRACE_PERF_RING_H

/*
 * The ring into which the kernel's perf subsystem writes the records of one event on one CPU, read
 * in place (include/uapi/linux/perf_event.h, struct perf_event_mmap_page). The event's descriptor
 * is the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_event_mmap_page;

struct perf_ring {
	struct perf_event_mmap_page *page; /* NULL: not mapped */
	const uint8_t *data;
	size_t bytes;	/* a power of two */
	uint64_t tail;	/* what was read; the kernel learns of it with perf_ring_release() */
	uint64_t head;	/* what had been written at perf_ring_look() */
	size_t current; /* bytes of the record that was looked at last */
};

/* The largest record; one that wraps around the end of its ring is put together in such a buffer.
 */
#define PERF_RING_RECORD_MAX (UINT16_MAX + 1)

/*
 * Maps the ring of event FD, BYTES long, to read what nobody has taken. Returns 0 or a negative
 * errno.
 */
int perf_ring_map(struct perf_ring *ring, int fd, size_t bytes);
/* Safe on one that is not mapped. */
void perf_ring_unmap(struct perf_ring *ring);

/* What read(2) gives of an event with this read_format. */
#define PERF_RING_FORMAT (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_ID)

struct perf_ring_values {
	uint64_t count;
	uint64_t enabled_ns; /* of a clock of its own */
	uint64_t id;
};

/* Reads those of event FD. Returns 0 or a negative errno. */
int perf_ring_read(int fd, struct perf_ring_values *ret);

/*
 * Whether event FD is told of what happens on its CPU: when that goes offline, the event is off,
 * and the time for which it is on stands still (list_del_event(), kernel/events/core.c). Takes
 * 10 ms when it is off.
 */
bool perf_ring_is_on(int fd);

/* Takes all off that has been written by now. */
void perf_ring_skip(struct perf_ring *ring);

/* Begins to read what has been written by now. */
void perf_ring_look(struct perf_ring *ring);

/*
 * The next record, a struct perf_event_header and what follows it, or NULL at the end. *RET_SIZE is
 * its size, or, with NULL, not 0 when the rest of the ring cannot be read and is skipped. BUFFER
 * has PERF_RING_RECORD_MAX bytes. Borrowed until perf_ring_release().
 */
const void *perf_ring_next(struct perf_ring *ring, uint8_t *buffer, size_t *ret_size);

/*
 * Looks ahead, taking nothing off: copies the first bytes of the record at *AT, SIZE at most, to
 * OUT, and moves *AT, at first ring->tail, behind it. Returns how many these are; 0: nothing more
 * has been written by now.
 */
size_t perf_ring_ahead(const struct perf_ring *ring, uint64_t *at, void *out, size_t size);

/* Takes off the record that perf_ring_next() gave; until then it gives the same again. */
void perf_ring_take(struct perf_ring *ring);

/* Whether all that had been written at perf_ring_look() was taken. */
static inline bool perf_ring_is_read(const struct perf_ring *ring)
{
	return ring->head == ring->tail;
}

/* Gives the kernel the room of all records that were taken. */
void perf_ring_release(struct perf_ring *ring);

#endif /* TRACE_PERF_RING_H */
