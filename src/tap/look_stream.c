/* SPDX-License-Identifier: MIT */
/* Connections over TCP: which protocol it is, and what its parser says. */
#include <string.h>

#include "proto/starttls.h"
#include "tap/tap_private.h"

static enum tap_direction direction_of(const struct tap_connection *connection,
				       enum flow_direction from)
{
	return from == FLOW_CLIENT ? connection->client : !connection->client;
}

/* Whether CONNECTION is over, and all that was sent is here: what was not said then never was. */
static bool is_all(const struct tap_connection *connection, enum tap_look why)
{
	bool is_whole = why == TAP_LOOK_CLOSED && !connection->has_hole;

	for (int i = 0; i < NR_TAP_DIRECTIONS; i++) {
		const struct tap_stream *stream = &connection->streams[i];
		size_t size = tap_stream_size(stream);

		is_whole &= size < TAP_STREAM_MAX && stream->nr_ranges == (size > 0);
	}
	return is_whole;
}

/* The bytes of both directions, from where TLS begins on. */
static struct flow flow_of(const struct tap_connection *connection, bool has_ended)
{
	struct flow flow;

	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		enum tap_direction direction = direction_of(connection, (enum flow_direction)i);
		const struct tap_stream *stream = &connection->streams[direction];
		size_t size = tap_stream_size(stream);
		size_t begin = connection->begin[direction];

		flow.from[i] = (struct flow_bytes){
			.bytes = stream->bytes ? stream->bytes + (begin < size ? begin : size)
					       : (const uint8_t *)"",
			.size = size > begin ? size - begin : 0,
			.has_ended = has_ended || size == TAP_STREAM_MAX,
		};
	}
	return flow;
}

static void set_needs(struct tap_connection *connection, const struct flow_needs *needs)
{
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		enum tap_direction direction = direction_of(connection, (enum flow_direction)i);

		connection->needs[direction] = connection->begin[direction] + needs->size[i];
	}
}

/* Finds out what it is. FLOW_DECIDED: connection->kind says. */
static enum flow_state tell_kind(struct tap_connection *connection, bool has_ended)
{
	struct starttls starttls;
	struct flow_needs needs;
	struct flow flow;
	enum flow_state state;

	connection->client = connection->role == TAP_SERVER ? TAP_RECEIVED : TAP_SENT;
	flow = flow_of(connection, has_ended);
	state = starttls_parse(&flow, &starttls, &needs);
	if (state == FLOW_MORE)
		set_needs(connection, &needs);
	if (state != FLOW_DECIDED)
		return state;
	connection->kind = starttls.is_ssh ? TAP_KIND_ssh : TAP_KIND_tls;
	connection->is_wrapped = starttls.is_wrapped;
	connection->starttls = (uint8_t)starttls.protocol;
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++)
		connection->begin[direction_of(connection, (enum flow_direction)i)] =
			(uint16_t)starttls.at[i];
	if (starttls.is_reversed)
		connection->client = !connection->client;
	return FLOW_DECIDED;
}

/* Takes the packets of another protocol away that handshake records are in. */
static void unwrap(struct tap *tap, struct flow *flow)
{
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		struct flow_bytes *from = &flow->from[i];

		from->size = starttls_unwrap(from->bytes, from->size, tap->unwrapped[i]);
		from->bytes = tap->unwrapped[i];
	}
}

static bool look_tls(struct tap *tap, struct tap_connection *connection, enum tap_look why)
{
	const struct tls_options options = { .is_closed = is_all(connection, why) };
	bool is_last = why != TAP_LOOK_NEWS;
	struct flow flow = flow_of(connection, is_last);
	struct flow_needs needs;
	enum flow_state state;

	if (connection->is_wrapped)
		unwrap(tap, &flow);
	state = tls_parse(&flow, &options, tap->scratch, tap->tls, &needs);
	if (state == FLOW_MORE && !is_last) {
		/* Of what is in packets a byte more may make none. */
		if (!connection->is_wrapped)
			set_needs(connection, &needs);
		return false;
	}
	if (state == FLOW_FOREIGN)
		return !is_last || options.is_closed;
	if (!tap->tls->client.is_there)
		return false;
	tell_tls(tap, connection, tap->tls);
	return true;
}

static bool look_ssh(struct tap *tap, struct tap_connection *connection, enum tap_look why)
{
	bool is_last = why != TAP_LOOK_NEWS;
	struct flow flow = flow_of(connection, is_last);
	struct ssh_session session = { 0 };
	struct flow_needs needs;
	enum flow_state state = ssh_parse(&flow, &session, &needs);

	if (state == FLOW_MORE && !is_last) {
		set_needs(connection, &needs);
		return false;
	}
	if (state == FLOW_FOREIGN)
		return !is_last || is_all(connection, why);
	if (!session.peer[FLOW_CLIENT].ident.size || !session.peer[FLOW_SERVER].ident.size)
		return false;
	tell_ssh(tap, connection, &session, is_all(connection, why));
	return true;
}

bool look_stream(struct tap *tap, struct tap_connection *connection, enum tap_look why)
{
	enum flow_state state = FLOW_DECIDED;
	bool has_ended = is_all(connection, why);

	/* What is given up before its end may still become one. */
	if (connection->kind == TAP_KIND_unknown)
		state = tell_kind(connection, has_ended);
	/* What has not become a handshake by its end was none. */
	if (state != FLOW_DECIDED)
		return state == FLOW_FOREIGN || has_ended;
	return connection->kind == TAP_KIND_ssh ? look_ssh(tap, connection, why)
						: look_tls(tap, connection, why);
}
