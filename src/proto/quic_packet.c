/* SPDX-License-Identifier: MIT */
#include "proto/quic_packet.h"

#include <string.h>

uint64_t quic_number(struct reader *reader)
{
	uint8_t first = reader_u8(reader);
	uint64_t number = first & 0x3f;

	for (unsigned left = (1U << (first >> 6)) - 1; left; left--)
		number = number << 8 | reader_u8(reader);
	return reader->is_short ? 0 : number;
}

static struct flow_text text_read(struct reader *reader, uint64_t size)
{
	const uint8_t *bytes = reader_skip(reader, size <= SIZE_MAX ? (size_t)size : SIZE_MAX);

	return (struct flow_text){ bytes, bytes ? (size_t)size : 0 };
}

/* The two bits in their order of version 1; version 2 counts from another one on. */
static enum quic_packet_type long_type(uint8_t first, uint32_t version)
{
	static const enum quic_packet_type types[] = { QUIC_PACKET_INITIAL, QUIC_PACKET_EARLY,
						       QUIC_PACKET_HANDSHAKE, QUIC_PACKET_RETRY };
	unsigned bits = first >> 4 & 3;

	if (version == 0)
		return QUIC_PACKET_NEGOTIATION;
	if (version != QUIC_VERSION_1 && version != QUIC_VERSION_2)
		return QUIC_PACKET_OTHER;
	return types[version == QUIC_VERSION_2 ? (bits + 3) & 3 : bits];
}

/* What follows the connection IDs where packets have a length; they end with it. */
static void numbered_read(struct reader *reader, struct quic_packet *packet)
{
	uint64_t length;

	if (packet->type == QUIC_PACKET_INITIAL)
		packet->token = text_read(reader, quic_number(reader));
	length = quic_number(reader);
	if (reader->is_short)
		return;
	packet->number_at = (size_t)(reader->at - packet->bytes);
	packet->is_cut = length > reader->left;
	reader_skip(reader, packet->is_cut ? reader->left : (size_t)length);
}

static bool long_read(struct reader *reader, struct quic_packet *packet)
{
	uint8_t first = reader_u8(reader);

	packet->version = reader_u32(reader);
	packet->type = long_type(first, packet->version);
	packet->destination = text_read(reader, reader_u8(reader));
	packet->source = text_read(reader, reader_u8(reader));
	if (packet->type == QUIC_PACKET_OTHER || packet->type == QUIC_PACKET_NEGOTIATION) {
		reader_skip(reader, reader->left);
		return !reader->is_short;
	}
	if (packet->destination.size > QUIC_CID_MAX || packet->source.size > QUIC_CID_MAX)
		return false;
	if (packet->type != QUIC_PACKET_RETRY)
		numbered_read(reader, packet);
	else if (reader->left >= QUIC_TAG_SIZE) {
		packet->token = text_read(reader, reader->left - QUIC_TAG_SIZE);
		reader_skip(reader, QUIC_TAG_SIZE);
	} else
		return false;
	return !reader->is_short;
}

/*
 * Steps over zeros up to the end or a long header. A short header may begin with a zero, too: of
 * its bits some are encrypted, and the fixed one may be off (RFC 9287).
 */
static void skip_padding(struct reader *reader)
{
	struct reader behind = *reader;
	struct reader header;
	uint32_t version;

	while (behind.left && *behind.at == 0)
		reader_skip(&behind, 1);
	header = behind;
	if (header.left && reader_u8(&header) & QUIC_BIT_LONG) {
		version = reader_u32(&header);
		if (version == QUIC_VERSION_1 || version == QUIC_VERSION_2)
			*reader = behind;
	} else if (!behind.left) {
		*reader = behind;
	}
}

bool quic_packet_read(struct reader *datagram, struct quic_packet *ret_packet)
{
	struct reader reader = *datagram;
	struct quic_packet packet = { .type = QUIC_PACKET_SHORT };

	skip_padding(&reader);
	if (!reader.left)
		return false;
	packet.bytes = reader.at;
	if (!(*reader.at & QUIC_BIT_LONG))
		reader_skip(&reader, reader.left);
	else if (!long_read(&reader, &packet))
		return false;
	packet.size = (size_t)(reader.at - packet.bytes);
	*datagram = reader;
	*ret_packet = packet;
	return true;
}
