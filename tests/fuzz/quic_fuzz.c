/* SPDX-License-Identifier: MIT */
/*
 * src/proto/quic.c: whatever two ends send, what is kept stays within its limits, and bytes of a
 * stream change only where the flow says that it began anew. Tags are right where the fuzzer wants
 * them to be, or the frames behind them would never be reached.
 *
 * An input is a row of datagrams: a byte of flags, the packet number, the size of what follows in
 * two bytes, and that.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quic.h"
#include "support/quic_made.h"

#define DATAGRAM_MAX 2048

/* Bits of the flags. */
enum {
	FROM_END = 0x01,
	KIND = 0x06,
	KIND_RAW = 0x00,     /* the bytes are the datagram */
	KIND_MADE = 0x02,    /* they are the payload of an Initial packet */
	KIND_CHANGED = 0x04, /* the same, and one bit is changed after that */
	KIND_BEFORE =
		0x06, /* the first half is a payload, the other half stands behind the packet */
	VERSION_2 = 0x08,
	SECOND_CID = 0x10,
	OTHER_KEYS = 0x20,
	IN_SEGMENTS = 0x40,
	LONG_NUMBER = 0x80,
};

struct seen {
	uint32_t nr_starts;
	size_t size[NR_FLOW_DIRECTIONS];
	uint8_t bytes[NR_FLOW_DIRECTIONS][QUIC_CLIENT_MAX];
};

static struct quic_flow flow;
static struct seen seen;

static void check(bool condition)
{
	if (!condition)
		abort();
}

static void check_pieces(const struct pieces *pieces, uint32_t max)
{
	check(pieces->count <= PIECES_MAX);
	for (uint32_t i = 0; i < pieces->count; i++) {
		check(pieces->list[i].start < pieces->list[i].end);
		check(pieces->list[i].end <= max);
		check(i == 0 || pieces->list[i - 1].end < pieces->list[i].start);
	}
}

/* Looks at the flow after a datagram, of which it said whether it told anything new. */
static void check_flow(bool is_new)
{
	struct flow streams = quic_streams(&flow);

	check_pieces(&flow.from[FLOW_CLIENT].pieces, QUIC_CLIENT_MAX);
	check_pieces(&flow.from[FLOW_SERVER].pieces, QUIC_SERVER_MAX);
	check(flow.is_quic == (flow.nr_starts > 0));
	check(flow.nr_starts >= seen.nr_starts);
	check(is_new || flow.nr_starts == seen.nr_starts);
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		const struct flow_bytes *stream = &streams.from[i];

		check(flow.from[i].cid.size <= QUIC_CID_MAX);
		check(flow.from[i].next <= 1ULL << 62);
		check(flow.is_quic || stream->size == 0);
		if (flow.nr_starts == seen.nr_starts) {
			check(stream->size >= seen.size[i]);
			check(is_new || stream->size == seen.size[i]);
			check(memcmp(stream->bytes, seen.bytes[i], seen.size[i]) == 0);
		}
		memcpy(seen.bytes[i], stream->bytes, stream->size);
		seen.size[i] = stream->size;
	}
	check(flow.is_quic || !quic_is_established(&flow));
	seen.nr_starts = flow.nr_starts;
}

static void take(unsigned end, const uint8_t *bytes, size_t size, size_t segment)
{
	/* A block of its own, so that a sanitizer sees its end. */
	uint8_t *copy = malloc(size);
	uint32_t version = 0;

	if (size)
		memcpy(copy, bytes, size);
	if (quic_is_initial(copy, size, &version))
		check(version == QUIC_VERSION_1 || version == QUIC_VERSION_2);
	check_flow(quic_take(&flow, end, copy, size, segment));
	free(copy);
}

/* Writes an Initial packet with such a payload and returns its size. */
static size_t make(uint8_t *ret_packet, uint8_t flags, uint8_t number, const uint8_t *payload,
		   size_t size)
{
	/* Those of RFC 9001 appendix A, so that its Retry packet is meant for this client. */
	static const uint8_t cids[2][8] = { "\x83\x94\xc8\xf0\x3e\x51\x57\x08",
					    "\xf0\x67\xa5\x50\x2a\x42\x62\xb5" };
	const struct flow_text origin = { cids[flags & SECOND_CID ? 1 : 0], 8 };
	const struct flow_text client = { NULL, 0 };
	bool is_server = (flags & FROM_END) != 0;
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct quic_made made = {
		.version = flags & VERSION_2 ? QUIC_VERSION_2 : QUIC_VERSION_1,
		.destination = is_server ? client : origin,
		.source = is_server ? origin : client,
		.number = flags & LONG_NUMBER ? number * 0x01010101ULL : number,
		.number_size = flags & LONG_NUMBER ? 3 : 1,
		.payload = { payload, size },
	};

	check(quic_keys_make(quic_version_index(made.version), origin, keys));
	return quic_make(&made, &keys[is_server != ((flags & OTHER_KEYS) != 0)], ret_packet);
}

static void take_datagram(uint8_t flags, uint8_t number, const uint8_t *bytes, size_t size)
{
	uint8_t packet[QUIC_MADE_MAX + DATAGRAM_MAX];
	size_t payload_size = size, packet_size;

	if ((flags & KIND) == KIND_RAW) {
		take(flags & FROM_END, bytes, size, flags & IN_SEGMENTS ? number : 0);
		return;
	}
	if ((flags & KIND) == KIND_BEFORE)
		payload_size = size / 2;
	packet_size = make(packet, flags, number, bytes, payload_size);
	if ((flags & KIND) == KIND_CHANGED && size)
		packet[bytes[0] * packet_size / 256] ^= (uint8_t)(1U << (number & 7));
	memcpy(packet + packet_size, bytes + payload_size, size - payload_size);
	take(flags & FROM_END, packet, packet_size + size - payload_size,
	     flags & IN_SEGMENTS ? packet_size : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(quic_prepare() == 0);
	memset(&flow, 0, sizeof(flow));
	seen.nr_starts = 0;
	memset(seen.size, 0, sizeof(seen.size));
	while (size >= 4) {
		size_t part = (size_t)data[2] << 8 | data[3];

		if (part > size - 4)
			part = size - 4;
		if (part > DATAGRAM_MAX)
			part = DATAGRAM_MAX;
		take_datagram(data[0], data[1], data + 4, part);
		data += 4 + part;
		size -= 4 + part;
	}
	return 0;
}
