/* SPDX-License-Identifier: MIT */
#include "proto/tls.h"

#include "catalogue/tls.h"
#include "proto/reader.h"
#include "proto/tls_outcome.h"
#include "proto/tls_sslv2.h"
#include "proto/tls_walk.h"

/* Bytes of the body of a ClientHello without suites, and with as much of all as there may be. */
#define HELLO_SIZE_MIN 39
#define HELLO_SIZE_MAX 131396

/* What tells a ClientHello without a record: type, size, version. */
#define MESSAGE_BEGIN_SIZE 6

/* TLS_BEGIN_SIZE bytes that begin like a record. */
static bool record_begins(const uint8_t *bytes)
{
	struct reader reader = reader_of(bytes, TLS_BEGIN_SIZE);
	uint8_t type = reader_u8(&reader);
	uint16_t record_version = reader_u16(&reader);
	uint16_t record_size = reader_u16(&reader);
	uint8_t message_type = reader_u8(&reader);
	uint32_t message_size = reader_u24(&reader);
	uint16_t version = reader_u16(&reader);

	if (type != TLS_CONTENT_handshake || record_version >> 8 != 3 ||
	    (record_version & 0xff) > 4 || record_size == 0 || record_size > 1U << 14 ||
	    message_type != TLS_MESSAGE_client_hello)
		return false;
	/* Whoever cuts it into very small records gets by with that. */
	if (record_size < TLS_BEGIN_SIZE - TLS_HEADER_SIZE)
		return true;
	return message_size >= HELLO_SIZE_MIN && message_size <= HELLO_SIZE_MAX &&
	       version >> 8 == 3;
}

enum flow_state tls_begins(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return FLOW_MORE;
	if (bytes[0] != TLS_CONTENT_handshake && !(bytes[0] & 0x80))
		return FLOW_FOREIGN;
	if (size < TLS_BEGIN_SIZE)
		return FLOW_MORE;
	return record_begins(bytes) || tls_sslv2_begins(bytes) ? FLOW_DECIDED : FLOW_FOREIGN;
}

/* Whether the bytes of a server cannot be of TLS, nor of SSL 2.0. */
static bool is_foreign_server(const struct flow_bytes *server)
{
	return server->size > 0 && !(server->bytes[0] & 0x80) &&
	       (server->bytes[0] < TLS_CONTENT_change_cipher_spec ||
		server->bytes[0] > TLS_CONTENT_heartbeat);
}

/* No ClientHello yet: it may come, unless the server has spoken first. */
static enum flow_state wait_for_client(const struct flow *flow, struct flow_needs *needs)
{
	const struct flow_bytes *client = &flow->from[FLOW_CLIENT];
	const struct flow_bytes *server = &flow->from[FLOW_SERVER];

	if (client->has_ended || is_foreign_server(server))
		return FLOW_FOREIGN;
	needs->size[FLOW_CLIENT] = client->size ? TLS_BEGIN_SIZE : 1;
	if (server->size == 0 && !server->has_ended)
		needs->size[FLOW_SERVER] = 1;
	return FLOW_MORE;
}

static struct tls_walk walk_of(const struct flow *flow, struct tls_scratch *scratch,
			       struct tls_session *session, bool is_bare)
{
	struct tls_walk walk = { .session = session };

	scratch->used = 0;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		walk.sides[i].stream = tls_stream_of(&flow->from[i], scratch, is_bare);
	return walk;
}

/* The client's hello, the server's answer, and what the client made of it. */
static void walk_both(struct tls_walk *walk)
{
	tls_walk_side(walk, FLOW_CLIENT);
	tls_walk_side(walk, FLOW_SERVER);
	if (!walk->session->is_broken[FLOW_CLIENT])
		tls_walk_side(walk, FLOW_CLIENT);
}

static bool has_ended(const struct flow *flow)
{
	return flow->from[FLOW_CLIENT].has_ended && flow->from[FLOW_SERVER].has_ended;
}

/* FLOW_DECIDED, or FLOW_MORE with what it takes. */
static enum flow_state state_of(const struct tls_walk *walk, bool is_decided,
				struct flow_needs *needs)
{
	if (is_decided)
		return FLOW_DECIDED;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		needs->size[i] = walk->sides[i].stream.need;
	return FLOW_MORE;
}

static enum flow_state parse_records(struct tls_walk *walk, const struct flow *flow, bool is_closed,
				     struct flow_needs *needs)
{
	bool is_over = has_ended(flow);

	walk_both(walk);
	tls_outcome_conclude(walk);
	tls_outcome_judge(walk, is_over, is_over && is_closed);
	return state_of(walk, is_over || walk->session->outcome != TLS_OUTCOME_incomplete, needs);
}

/* After a ClientHello in the form of SSL 2.0 all goes on as usual, unless the answer is in it too.
 */
static enum flow_state parse_sslv2(struct tls_walk *walk, const struct flow *flow, bool is_closed,
				   struct flow_needs *needs)
{
	const struct flow_bytes *client = &flow->from[FLOW_CLIENT];
	const struct flow_bytes *server = &flow->from[FLOW_SERVER];
	size_t size = tls_sslv2_size(client->bytes);

	if (client->size < size && !client->has_ended) {
		needs->size[FLOW_CLIENT] = size;
		return FLOW_MORE;
	}
	tls_sslv2_client_hello_read(client->bytes, client->size < size ? client->size : size,
				    &walk->session->client);
	walk->session->nr_client_hellos = 1;
	walk->sides[FLOW_CLIENT].stream.at = size;
	if (server->size == 0 || !(server->bytes[0] & 0x80))
		return parse_records(walk, flow, is_closed, needs);
	if (server->size < TLS_SSLV2_ANSWER_SIZE && !server->has_ended) {
		needs->size[FLOW_SERVER] = TLS_SSLV2_ANSWER_SIZE;
		return FLOW_MORE;
	}
	if (!tls_sslv2_answer_read(server, walk->session)) {
		walk->session->is_broken[FLOW_SERVER] = true;
		walk->session->outcome = TLS_OUTCOME_failed;
	}
	return FLOW_DECIDED;
}

enum flow_state tls_parse(const struct flow *flow, const struct tls_options *options,
			  struct tls_scratch *scratch, struct tls_session *ret,
			  struct flow_needs *ret_needs)
{
	const struct flow_bytes *client = &flow->from[FLOW_CLIENT];
	bool is_closed = options && options->is_closed;
	struct tls_walk walk = walk_of(flow, scratch, ret, false);

	*ret = (struct tls_session){ .transport = TLS_TRANSPORT_tcp };
	*ret_needs = (struct flow_needs){ .size = { SIZE_MAX, SIZE_MAX } };
	switch (tls_begins(client->bytes, client->size)) {
	case FLOW_FOREIGN:
		return FLOW_FOREIGN;
	case FLOW_MORE:
		return wait_for_client(flow, ret_needs);
	default:
		break;
	}
	if (client->bytes[0] & 0x80)
		return parse_sslv2(&walk, flow, is_closed, ret_needs);
	return parse_records(&walk, flow, is_closed, ret_needs);
}

/* The same as tls_begins() for a ClientHello without a record. */
static enum flow_state message_begins(const struct flow_bytes *client)
{
	struct reader reader = reader_of(client->bytes, client->size);
	uint8_t type = reader_u8(&reader);
	uint32_t size = reader_u24(&reader);
	uint16_t version = reader_u16(&reader);

	if (reader.is_short)
		return client->has_ended ? FLOW_FOREIGN : FLOW_MORE;
	if (type != TLS_MESSAGE_client_hello || size < HELLO_SIZE_MIN || size > HELLO_SIZE_MAX ||
	    (version >> 8 != 3 && version >> 8 != 0xfe))
		return FLOW_FOREIGN;
	return FLOW_DECIDED;
}

enum flow_state tls_parse_messages(const struct flow *flow, const struct tls_options *options,
				   struct tls_scratch *scratch, struct tls_session *ret,
				   struct flow_needs *ret_needs)
{
	struct tls_walk walk = walk_of(flow, scratch, ret, true);
	bool is_encrypted = true;

	*ret = (struct tls_session){ .transport = options->transport };
	*ret_needs = (struct flow_needs){ .size = { SIZE_MAX, SIZE_MAX } };
	walk.is_dtls = options->transport == TLS_TRANSPORT_dtls;
	switch (message_begins(&flow->from[FLOW_CLIENT])) {
	case FLOW_FOREIGN:
		return FLOW_FOREIGN;
	case FLOW_MORE:
		ret_needs->size[FLOW_CLIENT] = MESSAGE_BEGIN_SIZE;
		return FLOW_MORE;
	default:
		break;
	}
	walk_both(&walk);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		walk.sides[i].has_changed_cipher = options->is_encrypted[i];
		is_encrypted &= options->is_encrypted[i];
	}
	tls_outcome_conclude(&walk);
	is_encrypted &= ret->server.is_there;
	if (is_encrypted)
		ret->outcome = TLS_OUTCOME_established;
	else if (options->is_closed && has_ended(flow))
		ret->outcome = TLS_OUTCOME_reset;
	return state_of(&walk, is_encrypted || has_ended(flow) || tls_walk_is_13(&walk), ret_needs);
}
