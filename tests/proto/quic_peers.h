/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_QUIC_PEERS_H
#define TESTS_PROTO_QUIC_PEERS_H

/*
 * A flow, and what two peers say in it: packets from hexadecimal text, and packets of version 1
 * that are made with any payload. The client is end 0. Every datagram ends at an unmapped page.
 */

#include "datagrams.h"

#include "proto/quic.h"
#include "support/quic_made.h"

static struct quic_flow flow;

/* What the client and the server of made packets call themselves. */
static const struct flow_text client_cid = { (const uint8_t *)"client", 6 };
static const struct flow_text server_cid = { (const uint8_t *)"server", 6 };
static const struct flow_text first_cid = { (const uint8_t *)"asked-for", 9 };
static const struct flow_text other_cid = { (const uint8_t *)"asked-next", 10 };

static inline bool take_bytes(unsigned end, const uint8_t *bytes, size_t size)
{
	const uint8_t *copy = guard_copy(bytes, size);
	bool is_new = quic_take(&flow, end, copy, size, 0);

	guard_free(copy, size);
	return is_new;
}

static inline bool take(unsigned end, const char *hex)
{
	struct datagram datagram = datagram_text(hex);
	bool is_new = quic_take(&flow, end, datagram.bytes, datagram.size, 0);

	guard_free(datagram.bytes, datagram.size);
	return is_new;
}

static inline int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	return 0;
}

/* A packet of version 1 with the keys that ORIGIN gives. */
static inline size_t make(uint8_t *ret_packet, enum flow_direction from, struct flow_text origin,
			  uint64_t number, const void *payload, size_t size)
{
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct quic_made made = { .version = QUIC_VERSION_1,
				  .destination = from == FLOW_SERVER ? client_cid : origin,
				  .source = from == FLOW_SERVER ? server_cid : client_cid,
				  .number = number,
				  .number_size = 1,
				  .payload = { payload, size } };

	assert_true(quic_keys_make(0, origin, keys));
	return quic_make(&made, &keys[from], ret_packet);
}

/* Makes such a packet and takes it. */
static inline bool take_made(enum flow_direction from, uint64_t number, const void *payload,
			     size_t size)
{
	uint8_t packet[QUIC_MADE_MAX];

	return take_bytes(from, packet, make(packet, from, first_cid, number, payload, size));
}

/* The same with one CRYPTO frame of data at OFFSET, below 16384 both. */
static inline bool take_data(enum flow_direction from, uint32_t offset, const char *data,
			     size_t size)
{
	uint8_t frame[2048] = { 0x06, 0x40 | (uint8_t)(offset >> 8), (uint8_t)offset,
				0x40 | (uint8_t)(size >> 8), (uint8_t)size };

	assert_true(size <= sizeof(frame) - 5);
	memcpy(frame + 5, data, size);
	return take_made(from, flow.from[from].next, frame, 5 + size);
}

static inline void expect_text(enum flow_direction direction, const char *text)
{
	struct flow_bytes stream = quic_streams(&flow).from[direction];

	assert_int_equal(stream.size, strlen(text));
	assert_memory_equal(stream.bytes, text, stream.size);
}

/* That the stream of DIRECTION is the bytes of HEX from byte AT on. */
static inline void expect_stream(enum flow_direction direction, const char *hex, size_t at)
{
	struct datagram wanted = datagram_text(hex);
	struct flow_bytes stream = quic_streams(&flow).from[direction];

	assert_int_equal(stream.size, wanted.size - at);
	assert_memory_equal(stream.bytes, wanted.bytes + at, stream.size);
	assert_false(stream.has_ended);
	guard_free(wanted.bytes, wanted.size);
}

static inline void expect_nothing_odd(void)
{
	assert_int_equal(flow.nr_bad, 0);
	assert_int_equal(flow.nr_cut, 0);
	assert_int_equal(flow.nr_odd, 0);
	assert_int_equal(flow.nr_dropped, 0);
	assert_int_equal(flow.nr_others, 0);
}

static inline int prepare(void **state)
{
	(void)state;
	return quic_prepare();
}

static inline int release(void **state)
{
	(void)state;
	quic_release();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

#endif /* TESTS_PROTO_QUIC_PEERS_H */
