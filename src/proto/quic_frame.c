/* SPDX-License-Identifier: MIT */
#include "proto/quic_frame.h"

#include "proto/quic_packet.h"

/* RFC 9000 section 19. */
enum {
	WIRE_PADDING = 0x00,
	WIRE_PING = 0x01,
	WIRE_ACK = 0x02,
	WIRE_ACK_ECN = 0x03,
	WIRE_CRYPTO = 0x06,
	WIRE_CLOSE = 0x1c,
};

static void bytes_skip(struct reader *payload, uint64_t size)
{
	reader_skip(payload, size <= SIZE_MAX ? (size_t)size : SIZE_MAX);
}

/* RFC 9000 section 19.3. */
static void ack_skip(struct reader *payload, bool has_ecn)
{
	uint64_t nr_ranges;

	quic_number(payload); /* the largest number */
	quic_number(payload); /* the delay */
	nr_ranges = quic_number(payload);
	quic_number(payload); /* the first range */
	while (nr_ranges-- && !payload->is_short) {
		quic_number(payload); /* the gap */
		quic_number(payload);
	}
	for (int i = 0; has_ecn && i < 3; i++)
		quic_number(payload);
}

/* RFC 9000 section 19.6. */
static void crypto_read(struct reader *payload, struct quic_frame *frame)
{
	uint64_t size;

	frame->type = QUIC_FRAME_CRYPTO;
	frame->offset = quic_number(payload);
	size = quic_number(payload);
	frame->data.bytes = payload->at;
	bytes_skip(payload, size);
	frame->data.size = payload->is_short ? 0 : (size_t)size;
}

/* RFC 9000 section 19.19. */
static void close_read(struct reader *payload, struct quic_frame *frame)
{
	frame->type = QUIC_FRAME_CLOSE;
	frame->close_code = quic_number(payload);
	quic_number(payload); /* the type of the frame that was to blame */
	bytes_skip(payload, quic_number(payload));
}

bool quic_frame_read(struct reader *payload, struct quic_frame *ret_frame)
{
	struct quic_frame frame = { .type = QUIC_FRAME_ODD };
	bool is_told = false;

	while (payload->left && !is_told) {
		/* A larger type in more bytes than it needs is not let through: section 12.4. */
		switch (reader_u8(payload)) {
		case WIRE_PADDING:
		case WIRE_PING:
			break;
		case WIRE_ACK:
			ack_skip(payload, false);
			break;
		case WIRE_ACK_ECN:
			ack_skip(payload, true);
			break;
		case WIRE_CRYPTO:
			crypto_read(payload, &frame);
			is_told = true;
			break;
		case WIRE_CLOSE:
			close_read(payload, &frame);
			is_told = true;
			break;
		default:
			payload->is_short = true;
		}
		if (payload->is_short) {
			frame.type = QUIC_FRAME_ODD;
			payload->left = 0;
			is_told = true;
		}
	}
	if (is_told)
		*ret_frame = frame;
	return is_told;
}
