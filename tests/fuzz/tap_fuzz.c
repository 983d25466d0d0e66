/* SPDX-License-Identifier: MIT */
/*
 * Records of the tap in any sequence: what is held for a connection is what it takes, the budget is
 * kept, and each byte of a stream is the one that was sent there, whatever order and part it came
 * in.
 *
 * The input is a byte that says what is decided, then records of 8 bytes: what it is, its socket,
 * its flags, how much time has gone by, two of the sequence number, two of the size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tap/connections.h"

#define INPUT_MAX 4096
#define BASE	  4294960000U /* so that sequence numbers wrap */
#define SECOND	  1000000000ULL
#define HOLD	  (TAP_BUDGET / 8) /* for each connection, where somebody holds something */

static struct tap_connections *connections;
static struct tap_decided decided;
static uint8_t verdict;
static size_t nr_looks;
static uint64_t now_ns;

static struct {
	struct tap_event event;
	uint8_t bytes[TAP_BYTES_MAX];
} record;

static void check(int condition)
{
	if (!condition)
		abort();
}

/* The byte at SEQUENCE of a stream: of all connections the same, so that none is said to differ. */
static uint8_t byte_at(uint32_t sequence)
{
	return (uint8_t)((sequence * 2654435761U) >> 24);
}

static void check_stream(const struct tap_stream *stream, uint32_t base, bool is_last)
{
	for (size_t i = 0; i < stream->nr_ranges; i++) {
		check(stream->ranges[i].begin < stream->ranges[i].end);
		check(stream->ranges[i].end <= stream->cap);
		check(i == 0 || stream->ranges[i - 1].end < stream->ranges[i].begin);
		for (uint32_t at = stream->ranges[i].begin; is_last && at < stream->ranges[i].end;
		     at++)
			check(stream->bytes[at] == byte_at(base + at));
	}
	check(stream->cap <= TAP_STREAM_MAX && stream->nr_ranges <= TAP_STREAM_GAPS + 1);
}

static bool look(void *ctx, struct tap_connection *connection, enum tap_look why,
		 enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	size_t held = sizeof(*connection) + 16 + (connection->state ? HOLD : 0);

	check(ctx == &verdict);
	for (int i = 0; i < NR_TAP_DIRECTIONS; i++) {
		check_stream(&connection->streams[i], connection->base[i], why != TAP_LOOK_NEWS);
		held += tap_stream_cost(&connection->streams[i]);
	}
	check(connection->held == held);
	check(connection->is_datagram || !bytes);
	for (size_t i = 0; i < size; i++)
		check(bytes[i] == byte_at(record.event.sequence + (uint32_t)i));
	if (why == TAP_LOOK_NEWS && !connection->state && verdict & 1) {
		connection->state = malloc(1);
		tap_connection_hold(connections, connection, HOLD);
	}
	connection->needs[direction] = verdict >> 4;
	return ++nr_looks % 16 < (verdict >> 1 & 7);
}

static void take(const uint8_t *data)
{
	struct tap_event *event = &record.event;
	bool is_early = data[2] & TAP_AT_LISTENER;

	*event = (struct tap_event){
		.hdr = { .type = data[0] % 4, .flags = data[2] & 0x1f },
		.cookie = is_early ? 0 : data[1],
		.is_received = data[0] >> 2 & 1,
		.role = data[0] >> 3 & 3,
		.local_port = data[1],
		.peer_port = data[0] >> 5 & 1,
	};
	event->hdr.ts_ns = now_ns;
	event->hdr.tgid = data[2] >> 5;
	event->sequence = BASE + (uint32_t)(data[4] | data[5] << 8) - 1000;
	event->base = data[0] >> 6 ? BASE : BASE - 7;
	event->payload.off = sizeof(*event);
	event->payload.size = (uint16_t)((data[6] | data[7] << 8) % (TAP_BYTES_MAX + 1));
	if (event->hdr.type == TAP_OWNER || event->hdr.type == TAP_CLOSE)
		event->payload.size = 0;
	event->hdr.size = (uint32_t)sizeof(*event) + event->payload.size;
	for (uint32_t i = 0; i < event->payload.size; i++)
		record.bytes[i] = byte_at(event->sequence + i);
	check(tap_connections_take(connections, event) == 0);
	check(tap_connections_held(connections) <= TAP_BUDGET + HOLD + 2 * TAP_BYTES_MAX);
	check(tap_connections_held(connections) >=
	      tap_connections_count(connections) * sizeof(struct tap_connection));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > INPUT_MAX)
		return 0;
	verdict = data[0];
	nr_looks = 0;
	now_ns = SECOND;
	memset(&decided, 0, sizeof(decided));
	check(tap_connections_new(&connections, verdict & 0x80 ? &decided : NULL, look, &verdict) ==
	      0);
	for (data++, size--; size >= 8; data += 8, size -= 8) {
		take(data);
		now_ns += data[3] * SECOND / 4;
		if (data[3] & 1)
			tap_connections_expire(connections, now_ns);
	}
	tap_connections_end(connections);
	check(tap_connections_held(connections) == 0);
	check(tap_connections_count(connections) == 0);
	tap_connections_free(connections);
	return 0;
}
