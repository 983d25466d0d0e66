/* SPDX-License-Identifier: MIT */
/* Flows over UDP: QUIC and DTLS. */
#include <stdlib.h>
#include <string.h>

#include "proto/dtls.h"
#include "proto/quic.h"
#include "tap/tap_private.h"

/*
 * What is put together of the datagrams between two ends. It stays when a handshake was told: what
 * is sent again is not another one, and another one may follow.
 */
struct assembly {
	uint64_t first_ns;   /* of the handshake under way, its first datagram */
	bool is_under_way;   /* it was not told yet */
	uint32_t told_start; /* the start that was told last; 0: none */
	union {
		struct quic_flow quic;
		struct dtls_flow dtls;
	};
};

/* What malloc(3) takes besides is nothing to sizes like these. */
static bool begin_state(struct tap *tap, struct tap_connection *connection, const uint8_t *bytes,
			size_t size)
{
	uint32_t version;
	size_t state_size = offsetof(struct assembly, quic);

	if (quic_is_initial(bytes, size, &version)) {
		connection->kind = TAP_KIND_quic;
		state_size += sizeof(struct quic_flow);
	} else if (dtls_is_hello(bytes, size)) {
		connection->kind = TAP_KIND_dtls;
		state_size += sizeof(struct dtls_flow);
	} else {
		return false;
	}
	connection->state = calloc(1, state_size);
	if (!connection->state)
		return false;
	tap_connection_hold(tap->connections, connection, (long)state_size);
	return true;
}

/* Parses the streams of handshake messages. Returns whether nothing will be added to it. */
static bool parse(struct tap *tap, struct tls_options *options, const struct flow *flow)
{
	struct flow_needs needs;
	enum flow_state state = tls_parse_messages(flow, options, tap->scratch, tap->tls, &needs);

	return state == FLOW_DECIDED && tap->tls->outcome != TLS_OUTCOME_incomplete;
}

static bool parse_quic(struct tap *tap, struct tap_connection *connection)
{
	const struct quic_flow *quic = &((const struct assembly *)connection->state)->quic;
	struct flow flow = quic_streams(quic);
	struct tls_options options = { .transport = TLS_TRANSPORT_quic };
	bool is_over;

	connection->client = quic->client ? TAP_RECEIVED : TAP_SENT;
	/* A client that refuses says so in a Handshake packet, too, and nothing behind it. */
	options.is_encrypted[FLOW_CLIENT] = quic->from[FLOW_CLIENT].has_short;
	options.is_encrypted[FLOW_SERVER] =
		quic->from[FLOW_SERVER].has_handshake || quic->from[FLOW_SERVER].has_short;
	is_over = parse(tap, &options, &flow);
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		if (!quic->from[i].has_close || quic_is_established(quic))
			continue;
		tap->tls->outcome = TLS_OUTCOME_failed;
		tap->tls->has_alert = quic_alert(quic->from[i].close_code) >= 0;
		tap->tls->alert = (uint8_t)quic_alert(quic->from[i].close_code);
		tap->tls->alert_from = (uint8_t)i;
		is_over = true;
	}
	return is_over;
}

static bool parse_dtls(struct tap *tap, struct tap_connection *connection)
{
	const struct dtls_flow *dtls = &((const struct assembly *)connection->state)->dtls;
	struct flow flow = dtls_streams(dtls);
	struct tls_options options = { .transport = TLS_TRANSPORT_dtls };
	bool is_over;

	connection->client = dtls->client ? TAP_RECEIVED : TAP_SENT;
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++)
		options.is_encrypted[i] = dtls->from[i].has_encrypted;
	is_over = parse(tap, &options, &flow);
	tap->tls->has_hello_verify |= dtls->hello_verify;
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		if (!dtls->from[i].has_alert || dtls->from[i].alert_level != 2)
			continue;
		tap->tls->outcome = TLS_OUTCOME_failed;
		tap->tls->has_alert = true;
		tap->tls->alert = dtls->from[i].alert;
		tap->tls->alert_from = (uint8_t)i;
		is_over = true;
	}
	return is_over;
}

/* Returns whether BYTES tell anything new. */
static bool take(struct tap_connection *connection, enum tap_direction direction,
		 const uint8_t *bytes, size_t size)
{
	struct assembly *assembly = connection->state;

	if (connection->kind == TAP_KIND_quic)
		return quic_take(&assembly->quic, direction, bytes, size, 0);
	return dtls_take(&assembly->dtls, direction, bytes, size);
}

/* The number of the handshake that was begun last, 0: none. */
static uint32_t start_of(const struct tap_connection *connection)
{
	const struct assembly *assembly = connection->state;

	if (connection->kind == TAP_KIND_quic)
		return assembly->quic.is_quic ? assembly->quic.nr_starts : 0;
	return assembly->dtls.is_dtls ? assembly->dtls.nr_starts : 0;
}

/* Tells the handshake under way, which is one of several of CONNECTION. */
static void tell(struct tap *tap, const struct tap_connection *connection)
{
	struct assembly *assembly = connection->state;
	struct tap_connection part = *connection;

	part.first_ns = assembly->first_ns;
	tell_tls(tap, &part, tap->tls);
	assembly->is_under_way = false;
	assembly->told_start = start_of(connection);
}

bool look_datagram(struct tap *tap, struct tap_connection *connection, enum tap_look why,
		   enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	bool is_last = why != TAP_LOOK_NEWS;
	struct assembly *assembly;
	bool is_over;

	/* What does not begin like a handshake, and is not part of one, is none. */
	if (!connection->state && (is_last || !begin_state(tap, connection, bytes, size)))
		return true;
	assembly = connection->state;
	/* A flow is kept from the first one on that could be read: anybody may send others. */
	if (!is_last && !take(connection, direction, bytes, size))
		return start_of(connection) == 0;
	if (start_of(connection) == assembly->told_start)
		return is_last;
	if (!assembly->is_under_way)
		assembly->first_ns = connection->last_ns;
	assembly->is_under_way = true;
	is_over = connection->kind == TAP_KIND_quic ? parse_quic(tap, connection)
						    : parse_dtls(tap, connection);
	if ((is_over || is_last) && tap->tls->client.is_there)
		tell(tap, connection);
	return is_last;
}
