/* SPDX-License-Identifier: MIT */
#include "tap/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAP_MIN	       64
#define CAP_RANGES_MIN 4
#define MALLOC_SIZE    16

size_t tap_stream_cost(const struct tap_stream *stream)
{
	return (stream->bytes ? stream->cap + MALLOC_SIZE : 0) +
	       (stream->ranges ? stream->cap_ranges * sizeof(stream->ranges[0]) + MALLOC_SIZE : 0);
}

static void wipe(uint8_t *bytes, size_t size)
{
	if (bytes)
		explicit_bzero(bytes, size);
	free(bytes);
}

/* Makes room for SIZE bytes. Returns 0 or -ENOMEM. */
static int make_room(struct tap_stream *stream, uint32_t size)
{
	uint32_t cap = stream->cap ? stream->cap : CAP_MIN;
	uint8_t *bytes;

	if (size <= stream->cap)
		return 0;
	while (cap < size)
		cap *= 4;
	if (cap > TAP_STREAM_MAX)
		cap = TAP_STREAM_MAX;
	bytes = malloc(cap);
	if (!bytes)
		return -ENOMEM;
	if (stream->bytes)
		memcpy(bytes, stream->bytes, stream->cap);
	memset(bytes + stream->cap, 0, cap - stream->cap);
	wipe(stream->bytes, stream->cap);
	stream->bytes = bytes;
	stream->cap = (uint16_t)cap;
	return 0;
}

/* Makes room for a range more. Returns 0 or -ENOMEM. */
static int make_range(struct tap_stream *stream)
{
	uint32_t cap = stream->cap_ranges ? 2U * stream->cap_ranges : CAP_RANGES_MIN;
	struct tap_range *ranges;

	if (stream->nr_ranges < stream->cap_ranges)
		return 0;
	ranges = realloc(stream->ranges, cap * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	stream->ranges = ranges;
	stream->cap_ranges = (uint8_t)cap;
	return 0;
}

/* Copies to [BEGIN, END) what is not there yet. */
static void fill(struct tap_stream *stream, uint32_t begin, uint32_t end, const uint8_t *bytes)
{
	uint32_t at = begin;

	for (uint32_t i = 0; i < stream->nr_ranges && at < end; i++) {
		uint32_t until = stream->ranges[i].begin < end ? stream->ranges[i].begin : end;

		if (at < until)
			memcpy(stream->bytes + at, bytes + (at - begin), until - at);
		if (at < stream->ranges[i].end)
			at = stream->ranges[i].end;
	}
	if (at < end)
		memcpy(stream->bytes + at, bytes + (at - begin), end - at);
}

/* Takes the ranges that touch [*BEGIN, *END) out, widening it. Returns where it belongs. */
static uint32_t merge(struct tap_stream *stream, uint32_t *begin, uint32_t *end)
{
	uint32_t first = 0;
	uint32_t last;

	while (first < stream->nr_ranges && stream->ranges[first].end < *begin)
		first++;
	last = first;
	while (last < stream->nr_ranges && stream->ranges[last].begin <= *end) {
		if (stream->ranges[last].begin < *begin)
			*begin = stream->ranges[last].begin;
		if (stream->ranges[last].end > *end)
			*end = stream->ranges[last].end;
		last++;
	}
	memmove(&stream->ranges[first], &stream->ranges[last],
		(stream->nr_ranges - last) * sizeof(stream->ranges[0]));
	stream->nr_ranges = (uint8_t)(stream->nr_ranges - (last - first));
	return first;
}

/* Whether [BEGIN, END) would be one range more, for which there is no place. */
static bool is_crowded(const struct tap_stream *stream, uint32_t begin, uint32_t end)
{
	if (stream->nr_ranges <= TAP_STREAM_GAPS)
		return false;
	for (uint32_t i = 0; i < stream->nr_ranges; i++)
		if (stream->ranges[i].begin <= end && stream->ranges[i].end >= begin)
			return false;
	return true;
}

int tap_stream_add(struct tap_stream *stream, uint32_t offset, const void *bytes, size_t size)
{
	uint32_t begin = offset;
	uint32_t end;
	uint32_t at;
	int err;

	if (offset >= TAP_STREAM_MAX || !size)
		return 0;
	end = size < TAP_STREAM_MAX - offset ? offset + (uint32_t)size : TAP_STREAM_MAX;
	if (is_crowded(stream, begin, end)) {
		stream->is_cut = true;
		return 0;
	}
	err = make_room(stream, end);
	if (!err)
		err = make_range(stream);
	if (err)
		return err;
	fill(stream, begin, end, bytes);
	at = merge(stream, &begin, &end);
	memmove(&stream->ranges[at + 1], &stream->ranges[at],
		(stream->nr_ranges - at) * sizeof(stream->ranges[0]));
	stream->ranges[at] = (struct tap_range){ (uint16_t)begin, (uint16_t)end };
	stream->nr_ranges++;
	return 0;
}

int tap_stream_shift(struct tap_stream *stream, uint32_t by)
{
	struct tap_stream old = *stream;
	int err = 0;

	*stream = (struct tap_stream){ .is_cut = old.is_cut };
	for (uint32_t i = 0; i < old.nr_ranges && by < TAP_STREAM_MAX && !err; i++)
		err = tap_stream_add(stream, old.ranges[i].begin + by,
				     old.bytes + old.ranges[i].begin,
				     (size_t)(old.ranges[i].end - old.ranges[i].begin));
	tap_stream_done(&old);
	if (err)
		tap_stream_done(stream);
	return err;
}

void tap_stream_done(struct tap_stream *stream)
{
	wipe(stream->bytes, stream->cap);
	free(stream->ranges);
	*stream = (struct tap_stream){ 0 };
}
