/* SPDX-License-Identifier: MIT */
#include "proto/quic.h"

#include <string.h>

#include "proto/quic_frame.h"
#include "proto/reader.h"

static const uint32_t stream_max[NR_FLOW_DIRECTIONS] = { QUIC_CLIENT_MAX, QUIC_SERVER_MAX };

static uint8_t *stream_bytes(struct quic_flow *flow, enum flow_direction direction)
{
	return direction == FLOW_CLIENT ? flow->client_bytes : flow->server_bytes;
}

static enum flow_direction direction_of(const struct quic_flow *flow, unsigned end)
{
	return end == flow->client ? FLOW_CLIENT : FLOW_SERVER;
}

static enum flow_direction other(enum flow_direction direction)
{
	return direction == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
}

/* TEXT is no longer than a connection ID of the versions that are read. */
static struct quic_cid cid_of(struct flow_text text)
{
	struct quic_cid cid = { .size = (uint8_t)text.size };

	memcpy(cid.bytes, text.bytes, text.size);
	return cid;
}

static bool cid_is(const struct quic_cid *cid, struct flow_text text)
{
	return text.size == cid->size && memcmp(cid->bytes, text.bytes, cid->size) == 0;
}

static struct flow_text cid_text(const struct quic_cid *cid)
{
	return (struct flow_text){ cid->bytes, cid->size };
}

/* Sets *FACT; returns whether it is new. */
static bool notice(bool *fact)
{
	bool is_new = !*fact;

	*fact = true;
	return is_new;
}

bool quic_is_initial(const uint8_t *bytes, size_t size, uint32_t *ret_version)
{
	const uint8_t both = QUIC_BIT_LONG | QUIC_BIT_FIXED;
	struct reader reader = reader_of(bytes, size);
	uint8_t first = reader_u8(&reader), type = first >> 4 & 3;
	uint32_t version = reader_u32(&reader);
	uint8_t cid_size = reader_u8(&reader);

	/* Behind the connection ID come at least the size of the other and that of a token. */
	if (reader.is_short || !reader.left || (first & both) != both || cid_size > QUIC_CID_MAX)
		return false;
	if (!(version == QUIC_VERSION_1 && type == 0) && !(version == QUIC_VERSION_2 && type == 1))
		return false;
	*ret_version = version;
	return true;
}

/* A connection ID and a version lead to keys; those of a flow are made when first needed. */
static const struct quic_keys *keys_of(struct quic_flow *flow, int version)
{
	if (!flow->has_keys[version])
		flow->has_keys[version] =
			quic_keys_make(version, cid_text(&flow->origin), flow->keys[version]);
	return flow->has_keys[version] ? flow->keys[version] : NULL;
}

static void keys_forget(struct quic_flow *flow, struct flow_text origin)
{
	flow->former = flow->origin;
	flow->origin = cid_of(origin);
	memset(flow->has_keys, 0, sizeof(flow->has_keys));
}

/* Returns whether the stream has become longer. */
static bool take_crypto(struct quic_flow *flow, enum flow_direction direction,
			const struct quic_frame *frame)
{
	struct quic_sender *sender = &flow->from[direction];
	const uint32_t max = stream_max[direction], prefix = pieces_prefix(&sender->pieces);
	uint64_t room = frame->offset < max ? max - frame->offset : 0;
	size_t size = frame->data.size;

	if (size > room) {
		sender->is_truncated = true;
		size = (size_t)room;
	}
	if (!pieces_put(&sender->pieces, stream_bytes(flow, direction), (uint32_t)frame->offset,
			frame->data.bytes, (uint32_t)size))
		flow->nr_dropped++;
	return pieces_prefix(&sender->pieces) > prefix;
}

static bool take_payload(struct quic_flow *flow, enum flow_direction direction,
			 struct flow_text payload)
{
	struct quic_sender *sender = &flow->from[direction];
	struct reader reader = reader_of(payload.bytes, payload.size);
	struct quic_frame frame;
	bool is_new = false;

	while (quic_frame_read(&reader, &frame)) {
		if (frame.type == QUIC_FRAME_CRYPTO) {
			is_new |= take_crypto(flow, direction, &frame);
		} else if (frame.type == QUIC_FRAME_ODD) {
			flow->nr_odd++;
		} else if (notice(&sender->has_close)) {
			sender->close_code = frame.close_code;
			is_new = true;
		}
	}
	return is_new;
}

/* An Initial packet whose tag was right. */
static bool take_authentic(struct quic_flow *flow, enum flow_direction direction,
			   const struct quic_packet *packet, struct flow_text payload,
			   uint64_t number)
{
	struct quic_sender *sender = &flow->from[direction];
	bool is_new = notice(&sender->has_initial);

	flow->nr_vain = 0;
	if (number >= sender->next)
		sender->next = number + 1;
	/* An end may not change it; a client whose version the server changed sends it again. */
	sender->cid = cid_of(packet->source);
	if (direction == FLOW_SERVER && flow->version != packet->version) {
		flow->version = packet->version;
		is_new = true;
	}
	return take_payload(flow, direction, payload) || is_new;
}

/*
 * Tries PACKET as the first of a connection, whose keys its own connection ID gives: of the first
 * in this flow, of a further one, of one whose Retry packet was not seen.
 */
static bool take_first(struct quic_flow *flow, unsigned end, const struct quic_packet *packet,
		       int version)
{
	struct quic_keys keys[NR_FLOW_DIRECTIONS];
	struct flow_text payload;
	uint64_t number;
	bool is_second;

	if (packet->destination.size < QUIC_FIRST_CID_MIN || flow->nr_vain >= QUIC_VAIN_MAX ||
	    (flow->is_quic && (end != flow->client || cid_is(&flow->former, packet->destination))))
		return false;
	if (!quic_keys_make(version, packet->destination, keys) ||
	    !quic_packet_open(packet, &keys[FLOW_CLIENT], 0, &payload, &number))
		return false;
	/* After a negotiation of versions the client tries again, as another connection. */
	is_second = flow->has_negotiation && !flow->from[FLOW_SERVER].has_initial;
	if (!is_second)
		flow->version_asked = packet->version;
	flow->has_negotiation = is_second;
	flow->has_retry = false;
	flow->is_quic = true;
	flow->client = (uint8_t)end;
	flow->version = packet->version;
	flow->nr_starts++;
	/* The bytes of the streams need not be cleared: what of them is there is told elsewhere. */
	memset(flow->from, 0, sizeof(flow->from));
	keys_forget(flow, packet->destination);
	memcpy(flow->keys[version], keys, sizeof(keys));
	flow->has_keys[version] = true;
	take_authentic(flow, FLOW_CLIENT, packet, payload, number);
	return true;
}

static bool take_initial(struct quic_flow *flow, unsigned end, const struct quic_packet *packet)
{
	int version = quic_version_index(packet->version);
	const struct quic_keys *keys;
	struct flow_text payload;
	uint64_t number;

	if (packet->is_cut) {
		flow->nr_cut++;
		return false;
	}
	keys = flow->is_quic ? keys_of(flow, version) : NULL;
	if (keys) {
		enum flow_direction direction = direction_of(flow, end);

		if (quic_packet_open(packet, &keys[direction], flow->from[direction].next, &payload,
				     &number))
			return take_authentic(flow, direction, packet, payload, number);
	}
	if (take_first(flow, end, packet, version))
		return true;
	flow->nr_bad++;
	flow->nr_vain++;
	return false;
}

/* RFC 9000 section 17.2.5: before anything else of the server, and once. */
static bool take_retry(struct quic_flow *flow, const struct quic_packet *packet)
{
	if (flow->has_retry || flow->from[FLOW_SERVER].has_initial || packet->token.size == 0)
		return false;
	if (!quic_retry_is_authentic(packet, cid_text(&flow->origin))) {
		flow->nr_bad++;
		return false;
	}
	/* The client says the same hello again, and goes on counting its packets. */
	keys_forget(flow, packet->source);
	flow->has_retry = true;
	return true;
}

/*
 * Whether a 1-RTT packet is one. Its connection ID is of the receiver, but may be another than that
 * of its Initial packets, which was told encrypted (RFC 9000 section 5.1.1). Then the fixed bit has
 * to do, unless it is what is left of a datagram behind other packets and might be anything.
 */
static bool short_is_for(const struct quic_packet *packet, const struct quic_sender *receiver,
			 bool is_first)
{
	const struct quic_cid *cid = &receiver->cid;

	if (packet->size <= 1U + cid->size + QUIC_TAG_SIZE)
		return false;
	if (cid->size && memcmp(packet->bytes + 1, cid->bytes, cid->size) == 0)
		return true;
	return (packet->bytes[0] & QUIC_BIT_FIXED) && (is_first || cid->size == 0);
}

/* Packets that cannot be read but show that the handshake went on. */
static bool take_sealed(struct quic_flow *flow, enum flow_direction direction,
			const struct quic_packet *packet, bool is_first)
{
	struct quic_sender *sender = &flow->from[direction];
	const struct quic_sender *receiver = &flow->from[other(direction)];

	if (packet->type == QUIC_PACKET_EARLY)
		return direction == FLOW_CLIENT && notice(&sender->has_early);
	if (!receiver->has_initial)
		return false;
	if (packet->type == QUIC_PACKET_SHORT)
		return short_is_for(packet, receiver, is_first) && notice(&sender->has_short);
	return packet->destination.size == receiver->cid.size && notice(&sender->has_handshake);
}

/* RFC 9000 section 17.2.1: it says back what the client's packet said. */
static bool take_negotiation(struct quic_flow *flow, unsigned end, const struct quic_packet *packet)
{
	return end != flow->client && !flow->from[FLOW_SERVER].has_initial && flow->origin.size &&
	       cid_is(&flow->origin, packet->source) &&
	       cid_is(&flow->from[FLOW_CLIENT].cid, packet->destination) &&
	       notice(&flow->has_negotiation);
}

/* Keeps of a packet of another version what an answer to it would say back. */
static bool take_other(struct quic_flow *flow, unsigned end, const struct quic_packet *packet)
{
	flow->nr_others++;
	if (flow->is_quic || flow->has_negotiation || packet->destination.size > QUIC_CID_MAX ||
	    packet->source.size > QUIC_CID_MAX)
		return false;
	flow->client = (uint8_t)end;
	flow->version_asked = packet->version;
	flow->origin = cid_of(packet->destination);
	flow->from[FLOW_CLIENT].cid = cid_of(packet->source);
	return false;
}

static bool take_packet(struct quic_flow *flow, unsigned end, const struct quic_packet *packet,
			bool is_first)
{
	enum flow_direction direction = direction_of(flow, end);

	switch (packet->type) {
	case QUIC_PACKET_INITIAL:
		return take_initial(flow, end, packet);
	case QUIC_PACKET_RETRY:
		return flow->is_quic && direction == FLOW_SERVER && take_retry(flow, packet);
	case QUIC_PACKET_NEGOTIATION:
		return take_negotiation(flow, end, packet);
	case QUIC_PACKET_OTHER:
		return take_other(flow, end, packet);
	default:
		return flow->is_quic && take_sealed(flow, direction, packet, is_first);
	}
}

bool quic_take(struct quic_flow *flow, unsigned end, const uint8_t *bytes, size_t size,
	       size_t segment)
{
	struct reader reader = reader_of(bytes, size);
	bool is_new = false;

	while (reader.left) {
		size_t part = segment && segment < reader.left ? segment : reader.left;
		struct reader datagram = reader_part(&reader, part);
		struct quic_packet packet;

		for (bool is_first = true; quic_packet_read(&datagram, &packet); is_first = false)
			is_new |= take_packet(flow, end, &packet, is_first);
	}
	return is_new;
}

static struct flow_bytes stream_of(const struct quic_flow *flow, enum flow_direction direction,
				   const uint8_t *bytes)
{
	const struct quic_sender *sender = &flow->from[direction];
	uint32_t size = pieces_prefix(&sender->pieces);
	bool is_closed = sender->has_close || flow->from[other(direction)].has_close;

	return (struct flow_bytes){ bytes, size, is_closed || size == stream_max[direction] };
}

struct flow quic_streams(const struct quic_flow *flow)
{
	return (struct flow){ {
		[FLOW_CLIENT] = stream_of(flow, FLOW_CLIENT, flow->client_bytes),
		[FLOW_SERVER] = stream_of(flow, FLOW_SERVER, flow->server_bytes),
	} };
}
