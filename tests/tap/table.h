/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_TABLE_H
#define TESTS_TAP_TABLE_H

/*
 * A table of connections, records to feed it, and what it has looked at. For tests of one program,
 * after cmocka.h: has state.
 */

#include <stdlib.h>
#include <string.h>

#include "tap/connections.h"

#define LOOKS_MAX 64
#define SECOND	  1000000000ULL

/* What was looked at, as it was then. */
struct look {
	struct tap_connection connection;
	enum tap_look why;
	enum tap_direction direction;
	size_t sizes[NR_TAP_DIRECTIONS];
	char bytes[NR_TAP_DIRECTIONS][64];
	char datagram[64];
	size_t datagram_size;
};

static struct {
	struct tap_connections *connections;
	struct tap_decided decided;
	struct look looks[LOOKS_MAX];
	size_t nr_looks;
	size_t nr_last[TAP_LOOK_GIVEN_UP + 1]; /* of all, by why */
	bool is_decided;		       /* what look says */
	bool is_quiet;			       /* looks are only counted */
	size_t needs;
	long holds; /* taken for each new connection */
} table;

static inline bool look(void *ctx, struct tap_connection *connection, enum tap_look why,
			enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	struct look *at = &table.looks[table.nr_looks];

	assert_ptr_equal(ctx, &table);
	table.nr_last[why]++;
	if (table.is_quiet)
		return table.is_decided;
	assert_true(table.nr_looks < LOOKS_MAX);
	*at = (struct look){ .connection = *connection, .why = why, .direction = direction };
	for (size_t i = 0; i < NR_TAP_DIRECTIONS; i++) {
		const struct tap_stream *stream = &connection->streams[i];

		at->sizes[i] = tap_stream_size(stream);
		if (at->sizes[i] && at->sizes[i] < sizeof(at->bytes[i]))
			memcpy(at->bytes[i], stream->bytes, at->sizes[i]);
	}
	if (bytes)
		memcpy(at->datagram, bytes, size);
	at->datagram_size = size;
	connection->needs[direction] = table.needs;
	if (table.holds && !connection->state) {
		connection->state = malloc(1);
		tap_connection_hold(table.connections, connection, table.holds);
	}
	table.nr_looks++;
	return table.is_decided;
}

static inline int begin(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return tap_connections_new(&table.connections, &table.decided, look, &table);
}

static inline int end(void **state)
{
	(void)state;
	tap_connections_free(table.connections);
	return 0;
}

/* A record as the tap sends it. */
static struct {
	struct tap_event event;
	uint8_t bytes[TAP_BYTES_MAX];
} record;

static inline void make(enum tap_record type, uint64_t cookie)
{
	memset(&record.event, 0, sizeof(record.event));
	record.event.hdr.type = type;
	record.event.hdr.ts_ns = SECOND;
	record.event.hdr.tgid = 100;
	record.event.owner_ns = 7;
	record.event.cookie = cookie;
	record.event.role = TAP_SERVER;
	memcpy(record.event.local, "local", 5);
	memcpy(record.event.peer, "peer", 4);
	record.event.local_port = 443;
	record.event.peer_port = 40000;
	record.event.payload.off = sizeof(record.event);
}

static inline int take(void)
{
	record.event.hdr.size = (uint32_t)sizeof(record.event) + record.event.payload.size;
	return tap_connections_take(table.connections, &record.event);
}

/* The bytes of TEXT, OFFSET bytes into a stream that begins at sequence number 1000. */
static inline int take_at(uint32_t offset, const char *text)
{
	record.event.payload.size = (uint16_t)strlen(text);
	memcpy(record.bytes, text, strlen(text));
	record.event.base = 1000;
	record.event.sequence = 1000 + offset;
	return take();
}

static inline void received(uint64_t cookie, uint32_t offset, const char *text)
{
	make(TAP_SEGMENT, cookie);
	record.event.is_received = true;
	assert_int_equal(take_at(offset, text), 0);
}

static inline void sent(uint64_t cookie, uint32_t offset, const char *text)
{
	make(TAP_SEGMENT, cookie);
	assert_int_equal(take_at(offset, text), 0);
}

/* What came before there was a socket: the base is not known. */
static inline void early(uint32_t offset, const char *text)
{
	make(TAP_SEGMENT, 0);
	record.event.is_received = true;
	record.event.hdr.flags = TAP_AT_LISTENER | TAP_IS_LISTENERS;
	record.event.hdr.tgid = 50;
	record.event.payload.size = (uint16_t)strlen(text);
	memcpy(record.bytes, text, strlen(text));
	record.event.sequence = 1000 + offset;
	assert_int_equal(take(), 0);
}

static inline void datagram(uint64_t cookie, uint16_t peer_port, bool is_received, const char *text)
{
	make(TAP_DATAGRAM, cookie);
	record.event.peer_port = peer_port;
	record.event.is_received = is_received;
	record.event.hdr.tgid = is_received ? 0 : 100;
	record.event.role = TAP_UNKNOWN;
	record.event.payload.size = (uint16_t)strlen(text);
	memcpy(record.bytes, text, strlen(text));
	assert_int_equal(take(), 0);
}

static inline void change(enum tap_record type, uint64_t cookie, uint32_t tgid, uint16_t flags)
{
	make(type, cookie);
	memset(record.event.local, 0, 16);
	memset(record.event.peer, 0, 16);
	record.event.local_port = 0;
	record.event.peer_port = 0;
	record.event.hdr.tgid = tgid;
	record.event.owner_ns = tgid + 1;
	record.event.hdr.flags = flags;
	assert_int_equal(take(), 0);
}

static inline size_t count(void)
{
	return tap_connections_count(table.connections);
}

static inline const struct tap_counts *counts(void)
{
	return tap_connections_counts(table.connections);
}

static inline const struct look *last(void)
{
	assert_true(table.nr_looks > 0);
	return &table.looks[table.nr_looks - 1];
}

static inline bool is_told_to_kernel(uint64_t cookie)
{
	return table.decided.cookies[cookie % TAP_DECIDED_MAX] == cookie;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

#endif /* TESTS_TAP_TABLE_H */
