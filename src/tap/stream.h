/* SPDX-License-Identifier: MIT */
#ifndef TAP_STREAM_H
#define TAP_STREAM_H

/*
 * One direction of a connection, put together from segments that come in any order, more than once,
 * and need not all come. Holds the first TAP_STREAM_MAX bytes in a buffer as large as what came;
 * the first copy of a byte counts. What a sender makes overlap can not make it larger.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_STREAM_MAX	32768
#define TAP_STREAM_GAPS 63 /* holes that are remembered; what is behind more is left out */

struct tap_range {
	uint16_t begin;
	uint16_t end;
};

struct tap_stream {
	uint8_t *bytes;
	/* What is there: ranges in order, not touching one another. */
	struct tap_range *ranges;
	uint16_t cap; /* of BYTES */
	uint8_t nr_ranges;
	uint8_t cap_ranges;
	bool is_cut; /* something was left out */
};

/*
 * Adds SIZE bytes that begin OFFSET bytes into the stream. Returns 0, or -ENOMEM with none of them
 * added.
 */
int tap_stream_add(struct tap_stream *stream, uint32_t offset, const void *bytes, size_t size);

/* Bytes from the first on without a hole. */
static inline size_t tap_stream_size(const struct tap_stream *stream)
{
	return stream->nr_ranges && stream->ranges[0].begin == 0 ? stream->ranges[0].end : 0;
}

/* Bytes of memory it takes, with what malloc(3) takes besides. */
size_t tap_stream_cost(const struct tap_stream *stream);

/*
 * Moves all of it BY bytes on: as many have turned out to be before it. Returns 0, or -ENOMEM with
 * nothing left.
 */
int tap_stream_shift(struct tap_stream *stream, uint32_t by);

/* Wipes and frees what it holds: it may be a secret that somebody sent in clear. */
void tap_stream_done(struct tap_stream *stream);

#endif /* TAP_STREAM_H */
