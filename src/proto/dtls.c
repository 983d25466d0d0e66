/* SPDX-License-Identifier: MIT */
#include "proto/dtls.h"

#include <string.h>

#include "proto/reader.h"

/* Content types: RFC 8446 section 5.1, RFC 9146 section 3, RFC 9147 section 4. */
enum {
	WIRE_CHANGE = 20,
	WIRE_ALERT = 21,
	WIRE_HANDSHAKE = 22,
	WIRE_DATA = 23,
	WIRE_HEARTBEAT = 24,
	WIRE_WITH_CID = 25, /* how long its connection ID is only the peers know */
	WIRE_ACK = 26,
};

#define VERSION_HIGH	     0xfe /* of all versions */
#define RECORD_HEADER_SIZE   13	  /* RFC 6347 section 4.1 */
#define FRAGMENT_HEADER_SIZE 12	  /* section 4.2.2 */
#define RANDOM_AT	     2	  /* in a hello, behind the version */
#define RANDOM_SIZE	     32
#define ALERT_WARNING	     1
#define ALERT_FATAL	     2

/* The unified header of encrypted records: RFC 9147 section 4. */
#define UNIFIED_MASK	    0xe0
#define UNIFIED_BITS	    0x20
#define UNIFIED_HAS_CID	    0x10
#define UNIFIED_LONG_NUMBER 0x08
#define UNIFIED_HAS_LENGTH  0x04
#define UNIFIED_EPOCH	    0x03
#define EPOCH_DATA	    3 /* section 6.1; the epoch before it is of the handshake */

struct record {
	uint8_t type;
	uint16_t epoch;
	struct reader body;
};

static enum flow_direction other(enum flow_direction direction)
{
	return direction == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
}

/* Sets *FACT; returns whether it is new. */
static bool notice(bool *fact)
{
	bool is_new = !*fact;

	*fact = true;
	return is_new;
}

bool dtls_is_hello(const uint8_t *bytes, size_t size)
{
	struct reader reader = reader_of(bytes, size);
	uint8_t type = reader_u8(&reader), high = reader_u8(&reader), low = reader_u8(&reader);
	uint16_t epoch = reader_u16(&reader), record_length, number;
	uint32_t length, offset, fragment_length;
	uint8_t message;

	reader_skip(&reader, 6); /* the number of the record */
	record_length = reader_u16(&reader);
	message = reader_u8(&reader);
	length = reader_u24(&reader);
	number = reader_u16(&reader);
	offset = reader_u24(&reader);
	fragment_length = reader_u24(&reader);
	/* A hello is the first message, or the second of a server that had a cookie sent back. */
	return !reader.is_short && type == WIRE_HANDSHAKE && high == VERSION_HIGH &&
	       (low == 0xff || low == 0xfd) && epoch == 0 && message >= DTLS_CLIENT_HELLO &&
	       message <= DTLS_HELLO_VERIFY && number < DTLS_AHEAD_MAX && fragment_length > 0 &&
	       record_length >= FRAGMENT_HEADER_SIZE + fragment_length && offset <= length &&
	       fragment_length <= length - offset;
}

/* Begins the flow anew with END as the client. */
static void flow_begin(struct dtls_flow *flow, unsigned client)
{
	uint32_t nr_starts = flow->nr_starts + 1;

	/* The bytes of the streams need not be cleared: what of them is there is told elsewhere. */
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++)
		memset(&flow->from[i], 0, offsetof(struct dtls_sender, stream.bytes));
	flow->is_dtls = true;
	flow->client = (uint8_t)client;
	flow->hello_verify = false;
	flow->nr_starts = nr_starts;
}

/* Whether a hello with another random value begins the client's stream than FRAGMENT is of. */
static bool is_another(const struct dtls_stream *stream, const struct dtls_fragment *fragment)
{
	uint32_t size = stream->size > DTLS_HEADER_SIZE ? stream->size - DTLS_HEADER_SIZE : 0;
	const uint8_t *hello = stream->bytes + DTLS_HEADER_SIZE;

	if (!size)
		hello = dtls_stream_waiting(stream, fragment->number, &size);
	return hello && fragment->offset == 0 && size >= RANDOM_AT + RANDOM_SIZE &&
	       fragment->size >= RANDOM_AT + RANDOM_SIZE &&
	       memcmp(hello + RANDOM_AT, fragment->bytes + RANDOM_AT, RANDOM_SIZE) != 0;
}

/* Finds out who is who, and whether a handshake begins. Returns false where no hello was yet. */
static bool flow_settle(struct dtls_flow *flow, unsigned end, const struct dtls_fragment *fragment)
{
	bool is_client = fragment->type == DTLS_CLIENT_HELLO;

	if (!is_client && fragment->type != DTLS_SERVER_HELLO &&
	    fragment->type != DTLS_HELLO_VERIFY)
		return flow->is_dtls;
	if (!flow->is_dtls)
		flow_begin(flow, is_client ? end : !end);
	/* RFC 6347 section 4.2.8: a client may begin anew from the same port. */
	else if (is_client && fragment->number == 0 && end == flow->client &&
		 is_another(&flow->from[FLOW_CLIENT].stream, fragment))
		flow_begin(flow, end);
	return true;
}

/*
 * The whole client hello whose header is AT: with a cookie it is the answer to a request to verify,
 * and what was before it counts no more (RFC 6347 section 4.2.1).
 */
static void take_client_hello(struct dtls_flow *flow, struct dtls_stream *stream, uint32_t at)
{
	struct reader reader = reader_of(stream->bytes + at + DTLS_HEADER_SIZE,
					 stream->size - at - DTLS_HEADER_SIZE);

	reader_skip(&reader, RANDOM_AT + RANDOM_SIZE);
	reader_vector(&reader, 1); /* the session ID */
	if (!reader_vector(&reader, 1).left)
		return;
	flow->hello_verify = true;
	flow->nr_starts += at > 0;
	dtls_stream_cut(stream, 0, at);
}

static void take_hello_verify(struct dtls_flow *flow, struct dtls_stream *stream, uint32_t at)
{
	struct dtls_sender *client = &flow->from[FLOW_CLIENT];
	uint16_t answer = stream->next; /* has the same number in both directions */

	flow->hello_verify = true;
	dtls_stream_cut(stream, at, stream->size - at);
	if (client->stream.next <= answer) {
		flow->nr_starts += client->stream.size > 0;
		dtls_stream_begin(&client->stream, answer);
		client->has_hello = false;
	}
}

/* Puts what is whole into the stream. Returns whether it has become longer. */
static bool stream_advance(struct dtls_flow *flow, enum flow_direction direction)
{
	struct dtls_sender *sender = &flow->from[direction];
	struct dtls_stream *stream = &sender->stream;
	bool is_new = false;
	uint32_t at;

	while (dtls_stream_advance(stream, &at)) {
		uint8_t type = stream->bytes[at];

		is_new = true;
		if (type == DTLS_HELLO_VERIFY && direction == FLOW_SERVER) {
			take_hello_verify(flow, stream, at);
		} else if (type == DTLS_CLIENT_HELLO && direction == FLOW_CLIENT) {
			sender->has_hello = true;
			take_client_hello(flow, stream, at);
		} else if (type == DTLS_SERVER_HELLO && direction == FLOW_SERVER) {
			sender->has_hello = true;
		}
	}
	return is_new;
}

/* The fragments of a handshake record in clear; IS_CUT: the last may be longer than what is there.
 */
static bool take_handshake(struct dtls_flow *flow, unsigned end, struct reader body, bool is_cut)
{
	bool is_new = false;

	while (body.left) {
		struct dtls_fragment fragment = { .type = reader_u8(&body) };
		enum flow_direction direction;
		uint32_t size;

		fragment.length = reader_u24(&body);
		fragment.number = reader_u16(&body);
		fragment.offset = reader_u24(&body);
		size = reader_u24(&body);
		fragment.size = is_cut && size > body.left ? (uint32_t)body.left : size;
		fragment.bytes = reader_skip(&body, fragment.size);
		if (body.is_short || fragment.offset > fragment.length ||
		    size > fragment.length - fragment.offset) {
			flow->nr_bad++;
			break;
		}
		if (!flow_settle(flow, end, &fragment))
			break;
		direction = end == flow->client ? FLOW_CLIENT : FLOW_SERVER;
		dtls_stream_put(&flow->from[direction].stream, &fragment);
		is_new |= stream_advance(flow, direction);
	}
	return is_new;
}

static bool take_alert(struct dtls_sender *sender, struct reader body)
{
	uint8_t level = reader_u8(&body), alert = reader_u8(&body);

	if (body.is_short || level < ALERT_WARNING || level > ALERT_FATAL ||
	    sender->alert_level >= level)
		return false;
	sender->has_alert = true;
	sender->alert_level = level;
	sender->alert = alert;
	return true;
}

static bool take_record(struct dtls_flow *flow, unsigned end, const struct record *record,
			bool is_cut)
{
	struct dtls_sender *sender;
	bool is_new;

	if (record->epoch == 0 && record->type == WIRE_HANDSHAKE)
		return take_handshake(flow, end, record->body, is_cut);
	if (!flow->is_dtls)
		return false;
	sender = &flow->from[end == flow->client ? FLOW_CLIENT : FLOW_SERVER];
	if (record->epoch > 0) {
		/* The first under new keys is Finished, or says why there is none. */
		is_new = notice(&sender->has_encrypted);
		return (record->type != WIRE_ALERT && notice(&sender->has_final)) || is_new;
	}
	if (record->type == WIRE_CHANGE)
		return notice(&sender->has_change);
	return record->type == WIRE_ALERT && take_alert(sender, record->body);
}

/* An encrypted record of 1.3. Returns false where none can be read behind it. */
static bool unified_read(struct dtls_flow *flow, unsigned end, struct reader *reader, bool *is_new)
{
	uint8_t first = reader_u8(reader);
	struct dtls_sender *sender;

	if (flow->is_dtls) {
		sender = &flow->from[end == flow->client ? FLOW_CLIENT : FLOW_SERVER];
		*is_new |= notice(&sender->has_encrypted);
		if ((first & UNIFIED_EPOCH) == EPOCH_DATA)
			*is_new |= notice(&sender->has_final);
	}
	if ((first & UNIFIED_HAS_CID) || !(first & UNIFIED_HAS_LENGTH))
		return false;
	reader_skip(reader, first & UNIFIED_LONG_NUMBER ? 2 : 1);
	reader_skip(reader, reader_u16(reader));
	return !reader->is_short;
}

/* A record with a header of 13 bytes. Returns false where none can be read behind it. */
static bool plain_read(struct dtls_flow *flow, unsigned end, struct reader *reader, bool *is_new)
{
	struct record record = { .type = reader_u8(reader) };
	uint8_t high = reader_u8(reader);
	bool is_cut;
	size_t length;

	reader_u8(reader);
	record.epoch = reader_u16(reader);
	reader_skip(reader, 6);
	/* There the connection ID is in front of the length, and there is no reading on. */
	length = record.type == WIRE_WITH_CID ? reader->left : reader_u16(reader);
	if (reader->is_short || high != VERSION_HIGH || record.type < WIRE_CHANGE ||
	    record.type > WIRE_ACK) {
		flow->nr_bad++;
		return false;
	}
	is_cut = length > reader->left;
	if (is_cut) {
		flow->nr_cut++;
		length = reader->left;
	}
	record.body = reader_part(reader, length);
	*is_new |= take_record(flow, end, &record, is_cut);
	return true;
}

bool dtls_take(struct dtls_flow *flow, unsigned end, const uint8_t *bytes, size_t size)
{
	struct reader reader = reader_of(bytes, size);
	bool is_new = false, is_readable = true;

	while (reader.left && is_readable)
		is_readable = (*reader.at & UNIFIED_MASK) == UNIFIED_BITS
				      ? unified_read(flow, end, &reader, &is_new)
				      : plain_read(flow, end, &reader, &is_new);
	return is_new;
}

static struct flow_bytes stream_of(const struct dtls_flow *flow, enum flow_direction direction)
{
	const struct dtls_sender *sender = &flow->from[direction];
	const struct dtls_stream *stream = &sender->stream;
	bool is_whole = sender->has_encrypted && stream->size && !stream->nr_ahead;
	bool is_closed = sender->alert_level == ALERT_FATAL ||
			 flow->from[other(direction)].alert_level == ALERT_FATAL;

	return (struct flow_bytes){ stream->bytes, stream->size,
				    is_whole || is_closed || stream->is_full };
}

struct flow dtls_streams(const struct dtls_flow *flow)
{
	return (struct flow){ {
		[FLOW_CLIENT] = stream_of(flow, FLOW_CLIENT),
		[FLOW_SERVER] = stream_of(flow, FLOW_SERVER),
	} };
}
