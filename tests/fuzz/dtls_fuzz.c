/* SPDX-License-Identifier: MIT */
/*
 * src/proto/dtls.c: whatever two ends send, the streams are whole messages within their limits, and
 * bytes of a stream change only where the flow says that it began anew.
 *
 * An input is a row of datagrams: a byte of flags, the size of what follows in two bytes, and that.
 * It is the datagram, or fragments of messages in a short form whose numbers are small and right,
 * each in a record of its own: type, number, length, offset, size, bytes.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dtls.h"

#define DATAGRAM_MAX 4096
#define FROM_END     0x01 /* bits of the flags */
#define IS_SHORT     0x02
#define IS_LARGE     0x04 /* lengths and offsets count in 64 bytes */

struct seen {
	uint32_t nr_starts;
	size_t size[NR_FLOW_DIRECTIONS];
	uint8_t bytes[NR_FLOW_DIRECTIONS][DTLS_STREAM_MAX];
};

static struct dtls_flow flow;
static struct seen seen;

static void check(bool condition)
{
	if (!condition)
		abort();
}

static size_t length_at(const uint8_t *bytes)
{
	return (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

/* What is waited for stands behind the stream, in order and with its headers. */
static void check_stream(const struct dtls_stream *stream)
{
	size_t at = 0;

	while (at < stream->size) {
		check(stream->size - at >= DTLS_HEADER_SIZE);
		at += DTLS_HEADER_SIZE + length_at(stream->bytes + at);
	}
	check(at == stream->size);
	check(stream->nr_ahead <= DTLS_AHEAD_MAX);
	for (uint32_t i = 0; i < stream->nr_ahead; i++) {
		const struct dtls_message *message = &stream->ahead[i];

		check(message->number >= stream->next);
		check(i == 0 || message->number > stream->ahead[i - 1].number);
		check(at + DTLS_HEADER_SIZE + message->length <= DTLS_STREAM_MAX);
		check(stream->bytes[at] == message->type);
		check(length_at(stream->bytes + at) == message->length);
		for (uint32_t j = 0; j < message->pieces.count; j++)
			check(message->pieces.list[j].end <= message->length);
		at += DTLS_HEADER_SIZE + message->length;
	}
	check(at <= DTLS_STREAM_MAX);
}

/* Looks at the flow after a datagram, of which it said whether it told anything new. */
static void check_flow(bool is_new)
{
	struct flow streams = dtls_streams(&flow);

	check(flow.is_dtls == (flow.nr_starts > 0));
	check(flow.nr_starts >= seen.nr_starts);
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		const struct flow_bytes *stream = &streams.from[i];

		check_stream(&flow.from[i].stream);
		check(stream->size == flow.from[i].stream.size);
		check(flow.is_dtls || stream->size == 0);
		if (flow.nr_starts == seen.nr_starts) {
			check(stream->size >= seen.size[i]);
			check(is_new || stream->size == seen.size[i]);
			check(memcmp(stream->bytes, seen.bytes[i], seen.size[i]) == 0);
		}
		memcpy(seen.bytes[i], stream->bytes, stream->size);
		seen.size[i] = stream->size;
	}
	seen.nr_starts = flow.nr_starts;
}

static void take(unsigned end, const uint8_t *bytes, size_t size)
{
	/* A block of its own, so that a sanitizer sees its end. */
	uint8_t *copy = malloc(size);

	if (size)
		memcpy(copy, bytes, size);
	dtls_is_hello(copy, size);
	check_flow(dtls_take(&flow, end, copy, size));
	free(copy);
}

static void put(uint8_t **at, size_t number, unsigned size)
{
	for (unsigned i = size; i; i--)
		*(*at)++ = (uint8_t)(number >> (8 * (i - 1)));
}

/* One fragment of the short form at *DATA, which is stepped over. */
static void take_fragment(uint8_t flags, const uint8_t **data, size_t *left)
{
	uint8_t bytes[DATAGRAM_MAX], *at = bytes;
	size_t unit = flags & IS_LARGE ? 64 : 1;
	size_t length = (*data)[2] * unit, offset = (*data)[3] * unit, size = (*data)[4] * unit;
	size_t there = *left - 5;

	if (offset > length)
		offset = length;
	if (size > length - offset)
		size = length - offset;
	if (size > there)
		size = there;
	if (size > DATAGRAM_MAX - 25)
		size = DATAGRAM_MAX - 25;
	put(&at, 0x16fefd, 3);
	put(&at, 0, 8);
	put(&at, 12 + size, 2);
	put(&at, (*data)[0], 1);
	put(&at, length, 3);
	put(&at, (*data)[1], 2);
	put(&at, offset, 3);
	put(&at, size, 3);
	memcpy(at, *data + 5, size);
	take(flags & FROM_END, bytes, 25 + size);
	*data += 5 + size;
	*left -= 5 + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&flow, 0, sizeof(flow));
	seen.nr_starts = 0;
	memset(seen.size, 0, sizeof(seen.size));
	while (size >= 3) {
		size_t part = (size_t)data[1] << 8 | data[2];
		const uint8_t *bytes = data + 3;
		size_t left;

		if (part > size - 3)
			part = size - 3;
		left = part;
		if (!(data[0] & IS_SHORT))
			take(data[0] & FROM_END, bytes, part);
		while (data[0] & IS_SHORT && left >= 5)
			take_fragment(data[0], &bytes, &left);
		data += 3 + part;
		size -= 3 + part;
	}
	return 0;
}
