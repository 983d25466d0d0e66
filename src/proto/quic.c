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
	uint32_t nr_starts = flow->nr_starts + 1;

	if (packet->destination.size < QUIC_FIRST_CID_MIN || flow->nr_bad >= QUIC_BAD_MAX ||
	    (flow->is_quic && (end != flow->client || cid_is(&flow->former, packet->destination))))
		return false;
	if (!quic_keys_make(version, packet->destination, keys) ||
	    !quic_packet_open(packet, &keys[FLOW_CLIENT], 0, &payload, &number))
		return false;
	/* The bytes of the streams need not be cleared: what of them is there is told elsewhere. */
	flow->is_quic = true;
	flow->client = (uint8_t)end;
	flow->version = flow->version_asked = packet->version;
	flow->nr_starts = nr_starts;
	flow->has_retry = flow->has_negotiation = false;
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
	return false;
}

/* RFC 9000 section 17.2.5: before anything else of the server, and once. */
static bool take_retry(struct quic_flow *flow, const struct quic_packet *packet)
{
	if (flow->has_retry || flow->from[FLOW_SERVER].has_initial)
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

/* The connection ID at the start of a 1-RTT packet is that of its receiver, of the same size. */
static bool short_is_for(const struct quic_packet *packet, const struct quic_sender *receiver)
{
	return packet->size > 1U + receiver->cid.size + QUIC_TAG_SIZE &&
	       memcmp(packet->bytes + 1, receiver->cid.bytes, receiver->cid.size) == 0;
}

/* Packets that cannot be read but show that the handshake went on. */
static bool take_sealed(struct quic_flow *flow, enum flow_direction direction,
			const struct quic_packet *packet)
{
	struct quic_sender *sender = &flow->from[direction];
	const struct quic_sender *receiver = &flow->from[other(direction)];

	if (packet->type == QUIC_PACKET_EARLY)
		return direction == FLOW_CLIENT && notice(&sender->has_early);
	if (!receiver->has_initial)
		return false;
	if (packet->type == QUIC_PACKET_SHORT)
		return short_is_for(packet, receiver) && notice(&sender->has_short);
	return cid_is(&receiver->cid, packet->destination) && notice(&sender->has_handshake);
}

static bool take_packet(struct quic_flow *flow, unsigned end, const struct quic_packet *packet)
{
	enum flow_direction direction;

	if (packet->type == QUIC_PACKET_OTHER)
		flow->nr_others++;
	if (packet->type == QUIC_PACKET_INITIAL)
		return take_initial(flow, end, packet);
	if (!flow->is_quic || packet->type == QUIC_PACKET_OTHER)
		return false;
	direction = direction_of(flow, end);
	if (packet->type == QUIC_PACKET_RETRY)
		return direction == FLOW_SERVER && take_retry(flow, packet);
	if (packet->type == QUIC_PACKET_NEGOTIATION)
		return direction == FLOW_SERVER && !flow->from[FLOW_SERVER].has_initial &&
		       cid_is(&flow->origin, packet->source) &&
		       cid_is(&flow->from[FLOW_CLIENT].cid, packet->destination) &&
		       notice(&flow->has_negotiation);
	return take_sealed(flow, direction, packet);
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

		while (quic_packet_read(&datagram, &packet))
			is_new |= take_packet(flow, end, &packet);
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
