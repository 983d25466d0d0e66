/* SPDX-License-Identifier: MIT */
#include "tap/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

#define NR_BUCKETS 16384 /* a power of two */
/* What malloc(3) takes besides. */
#define MALLOC_SIZE 16

/* Below, what free(3) keeps is not worth to be looked for. */
#define TRIM_MIN (4U << 20)

struct tap_connections {
	struct tap_decided *decided;
	bool (*look)(void *ctx, struct tap_connection *connection, enum tap_look why,
		     enum tap_direction direction, const uint8_t *bytes, size_t size);
	void *ctx;
	size_t count;
	size_t held;
	size_t most_held; /* since free memory was given back */
	struct tap_counts counts;
	struct tap_connection *oldest;
	struct tap_connection *newest;
	struct tap_connection *buckets[NR_BUCKETS];
};

/* Mixes the bits of WORD into KEY: the multiplier is 2^64 over the golden ratio. */
static uint64_t mix(uint64_t key, uint64_t word)
{
	key = (key ^ word) * 0x9e3779b97f4a7c15ULL;
	return key ^ key >> 29;
}

static uint64_t ends_key(const struct tap_event *event)
{
	uint64_t words[4];
	uint64_t key = (uint64_t)event->local_port << 16 | event->peer_port;

	memcpy(words, event->local, 16);
	memcpy(words + 2, event->peer, 16);
	for (size_t i = 0; i < 4; i++)
		key = mix(key, words[i]);
	return key;
}

/*
 * TCP has a socket for each connection; before there is one, and for datagrams, whose sockets may
 * have many peers, the addresses tell.
 */
static uint64_t event_key(const struct tap_event *event)
{
	if (event->hdr.type != TAP_DATAGRAM && event->cookie)
		return mix(0, event->cookie);
	return ends_key(event);
}

static bool same_ends(const struct tap_connection *connection, const struct tap_event *event)
{
	return connection->local_port == event->local_port &&
	       connection->peer_port == event->peer_port &&
	       memcmp(connection->local, event->local, 16) == 0 &&
	       memcmp(connection->peer, event->peer, 16) == 0;
}

static bool is_of(const struct tap_connection *connection, const struct tap_event *event)
{
	bool is_datagram = event->hdr.type == TAP_DATAGRAM;

	if (connection->is_datagram != is_datagram || connection->cookie != event->cookie)
		return false;
	return (event->cookie && !is_datagram) || same_ends(connection, event);
}

static struct tap_connection **bucket_of(struct tap_connections *connections, uint64_t key)
{
	return &connections->buckets[key & (NR_BUCKETS - 1)];
}

static struct tap_connection *find(struct tap_connections *connections,
				   const struct tap_event *event)
{
	struct tap_connection *at = *bucket_of(connections, event_key(event));

	while (at && !is_of(at, event))
		at = at->next;
	return at;
}

static void unhash(struct tap_connections *connections, struct tap_connection *connection)
{
	struct tap_connection **at = bucket_of(connections, connection->key);

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
}

static void hash(struct tap_connections *connections, struct tap_connection *connection,
		 uint64_t key)
{
	struct tap_connection **bucket = bucket_of(connections, key);

	connection->key = key;
	connection->next = *bucket;
	*bucket = connection;
}

static void forget(struct tap_connections *connections, struct tap_connection *connection)
{
	struct tap_connection *older = connection->older;
	struct tap_connection *newer = connection->newer;

	unhash(connections, connection);
	*(older ? &older->newer : &connections->oldest) = newer;
	*(newer ? &newer->older : &connections->newest) = older;
	connections->held -= connection->held;
	connections->count--;
	for (size_t i = 0; i < NR_TAP_DIRECTIONS; i++)
		tap_stream_done(&connection->streams[i]);
	free(connection->state);
	free(connection);
}

/* Has the kernel copy no more of it: a datagram's socket may have other peers. */
static void tell_kernel(struct tap_connections *connections,
			const struct tap_connection *connection)
{
	uint64_t cookie = connection->cookie;

	if (connections->decided && cookie && !connection->is_datagram)
		__atomic_store_n(&connections->decided->cookies[cookie & (TAP_DECIDED_MAX - 1)],
				 cookie, __ATOMIC_RELAXED);
}

static bool is_decided(const struct tap_connections *connections, const struct tap_event *event)
{
	uint64_t cookie = event->cookie;

	return connections->decided && cookie && event->hdr.type != TAP_DATAGRAM &&
	       connections->decided->cookies[cookie & (TAP_DECIDED_MAX - 1)] == cookie;
}

/*
 * The last look. None at what never got a socket: that was no connection but a packet too late, or
 * one of a flood.
 */
static void finish(struct tap_connections *connections, struct tap_connection *connection,
		   enum tap_look why)
{
	bool has_socket = connection->cookie || connection->is_datagram;
	bool is_decided = has_socket &&
			  connections->look(connections->ctx, connection, why, TAP_SENT, NULL, 0);

	if (!has_socket && why != TAP_LOOK_GIVEN_UP) {
		forget(connections, connection);
		return;
	}
	if (!is_decided && connection->has_hole)
		connections->counts.holes++;
	else if (!is_decided && why == TAP_LOOK_GIVEN_UP)
		connections->counts.given_up++;
	else if (!is_decided && why == TAP_LOOK_OVERDUE)
		connections->counts.overdue++;
	else if (!is_decided && why == TAP_LOOK_ENDED)
		connections->counts.left++;
	tell_kernel(connections, connection);
	forget(connections, connection);
}

/* Holds the budget, whatever that costs, except for CONNECTION itself. */
static void make_room(struct tap_connections *connections, const struct tap_connection *connection)
{
	while (connections->held > TAP_BUDGET && connections->oldest != connection)
		finish(connections, connections->oldest, TAP_LOOK_GIVEN_UP);
}

void tap_connection_hold(struct tap_connections *connections, struct tap_connection *connection,
			 long size)
{
	connection->held = (uint32_t)((long)connection->held + size);
	connections->held = (size_t)((long)connections->held + size);
	if (connections->held > connections->most_held)
		connections->most_held = connections->held;
}

static struct tap_connection *add(struct tap_connections *connections,
				  const struct tap_event *event)
{
	struct tap_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->cookie = event->cookie;
	connection->first_ns = event->hdr.ts_ns;
	connection->is_datagram = event->hdr.type == TAP_DATAGRAM;
	connection->role = event->role;
	memcpy(connection->local, event->local, 16);
	memcpy(connection->peer, event->peer, 16);
	connection->local_port = event->local_port;
	connection->peer_port = event->peer_port;
	hash(connections, connection, event_key(event));
	connection->older = connections->newest;
	*(connections->newest ? &connections->newest->newer : &connections->oldest) = connection;
	connections->newest = connection;
	connections->count++;
	tap_connection_hold(connections, connection, sizeof(*connection) + MALLOC_SIZE);
	return connection;
}

/* The connection whose first segment came before its socket was made, now that it has one. */
static struct tap_connection *adopt(struct tap_connections *connections,
				    const struct tap_event *event)
{
	struct tap_event early = *event;
	struct tap_connection *connection;

	early.cookie = 0;
	connection = find(connections, &early);
	if (!connection)
		return NULL;
	/* A packet of an earlier connection of the same ends, or of nobody. */
	if (event->hdr.type == TAP_SEGMENT && event->is_received &&
	    connection->base[TAP_RECEIVED] - event->base >= TAP_BYTES_MAX) {
		forget(connections, connection);
		return NULL;
	}
	unhash(connections, connection);
	connection->cookie = event->cookie;
	hash(connections, connection, event_key(event));
	return connection;
}

/*
 * Who sends a datagram is known, who gets it is not: then nothing is news. Nor is the listener once
 * somebody has read: another CPU had looked before that, and came later.
 */
static void take_owner(struct tap_connection *connection, const struct tap_event *event)
{
	bool is_listeners = event->hdr.flags & TAP_IS_LISTENERS;
	bool has_reader = connection->owner && !connection->is_listeners;

	if (!event->hdr.tgid || (is_listeners && has_reader))
		return;
	connection->owner = event->hdr.tgid;
	connection->owner_ns = event->owner_ns;
	connection->owner_uid = event->hdr.uid;
	connection->is_listeners = is_listeners;
}

/*
 * Sees to the base of CONNECTION's DIRECTION. What came before the socket need not have come in
 * order: the first byte of it is taken for the begin until the socket knows better. Returns 0 or
 * -ENOMEM.
 */
static int take_base(struct tap_connection *connection, enum tap_direction direction,
		     const struct tap_event *event)
{
	bool is_early = event->hdr.flags & TAP_AT_LISTENER;
	uint32_t base = is_early ? event->sequence : event->base;
	uint32_t before = connection->base[direction] - base;
	int err = 0;

	if (!connection->has_base[direction]) {
		connection->has_base[direction] = true;
		connection->is_early[direction] = is_early;
		connection->base[direction] = base;
		return 0;
	}
	if (!connection->is_early[direction])
		return 0;
	if ((int32_t)before < 0 && is_early)
		return 0;
	/* What is not of this connection at all is moved out of it, too. */
	if (before)
		err = tap_stream_shift(&connection->streams[direction], before);
	connection->is_early[direction] = is_early;
	connection->base[direction] = base;
	return err;
}

static int take_segment(struct tap_connections *connections, struct tap_connection *connection,
			const struct tap_event *event)
{
	enum tap_direction direction = event->is_received ? TAP_RECEIVED : TAP_SENT;
	struct tap_stream *stream = &connection->streams[direction];
	const uint8_t *bytes = (const uint8_t *)event + event->payload.off;
	size_t cost = tap_stream_cost(stream);
	int err = take_base(connection, direction, event);

	if (!err)
		err = tap_stream_add(stream, event->sequence - connection->base[direction], bytes,
				     event->payload.size);
	tap_connection_hold(connections, connection, (long)tap_stream_cost(stream) - (long)cost);
	connection->has_hole |= stream->is_cut;
	if (err) {
		connection->has_hole = true;
		return err;
	}
	/* Where it begins is not certain before there is a socket. */
	if (connection->is_early[direction] ||
	    tap_stream_size(stream) < connection->needs[direction] || !tap_stream_size(stream))
		return 0;
	if (connections->look(connections->ctx, connection, TAP_LOOK_NEWS, direction, NULL, 0)) {
		tell_kernel(connections, connection);
		forget(connections, connection);
	}
	return 0;
}

static void take_datagram(struct tap_connections *connections, struct tap_connection *connection,
			  const struct tap_event *event)
{
	enum tap_direction direction = event->is_received ? TAP_RECEIVED : TAP_SENT;
	const uint8_t *bytes = (const uint8_t *)event + event->payload.off;

	if (connections->look(connections->ctx, connection, TAP_LOOK_NEWS, direction, bytes,
			      event->payload.size))
		forget(connections, connection);
}

int tap_connections_take(struct tap_connections *connections, const struct tap_event *event)
{
	bool has_bytes = event->hdr.type == TAP_SEGMENT || event->hdr.type == TAP_DATAGRAM;
	/* With no record of it so far, all that had bytes were lost. */
	bool is_all_lost = event->hdr.type == TAP_CLOSE && event->hdr.flags & TAP_HAS_HOLE;
	struct tap_connection *connection;
	int err = 0;

	if (is_decided(connections, event))
		return 0;
	connection = find(connections, event);
	if (!connection && event->cookie && event->hdr.type != TAP_DATAGRAM)
		connection = adopt(connections, event);
	if (!connection && !has_bytes && !is_all_lost)
		return 0;
	if (!connection)
		connection = add(connections, event);
	if (!connection) {
		connections->counts.given_up++;
		return -ENOMEM;
	}
	take_owner(connection, event);
	connection->last_ns = event->hdr.ts_ns;
	connection->has_hole |= (event->hdr.flags & TAP_HAS_HOLE) != 0;
	if (event->hdr.type == TAP_CLOSE) {
		connection->is_reset = event->hdr.flags & TAP_IS_RESET;
		finish(connections, connection, TAP_LOOK_CLOSED);
		return 0;
	}
	make_room(connections, connection);
	if (event->hdr.type == TAP_SEGMENT)
		err = take_segment(connections, connection, event);
	else if (event->hdr.type == TAP_DATAGRAM)
		take_datagram(connections, connection, event);
	return err;
}

/*
 * Behind a flood: glibc keeps what was freed below anything that is still in use, and small pieces
 * in any case, for as long as the process lives.
 */
static void give_back(struct tap_connections *connections)
{
	if (connections->most_held < TRIM_MIN || connections->held > connections->most_held / 4)
		return;
	memory_trim();
	connections->most_held = connections->held;
}

void tap_connections_expire(struct tap_connections *connections, uint64_t now_ns)
{
	while (connections->oldest && connections->oldest->first_ns + TAP_DEADLINE_NS < now_ns)
		finish(connections, connections->oldest, TAP_LOOK_OVERDUE);
	give_back(connections);
}

void tap_connections_end(struct tap_connections *connections)
{
	while (connections->oldest)
		finish(connections, connections->oldest, TAP_LOOK_ENDED);
}

size_t tap_connections_count(const struct tap_connections *connections)
{
	return connections->count;
}

size_t tap_connections_held(const struct tap_connections *connections)
{
	return connections->held;
}

const struct tap_counts *tap_connections_counts(const struct tap_connections *connections)
{
	return &connections->counts;
}

int tap_connections_new(struct tap_connections **ret, struct tap_decided *decided,
			bool (*look)(void *ctx, struct tap_connection *connection,
				     enum tap_look why, enum tap_direction direction,
				     const uint8_t *bytes, size_t size),
			void *ctx)
{
	struct tap_connections *connections = calloc(1, sizeof(*connections));

	if (!connections)
		return -ENOMEM;
	connections->decided = decided;
	connections->look = look;
	connections->ctx = ctx;
	*ret = connections;
	return 0;
}

void tap_connections_free(struct tap_connections *connections)
{
	if (!connections)
		return;
	while (connections->oldest)
		forget(connections, connections->oldest);
	free(connections);
}
