/* SPDX-License-Identifier: MIT */
#ifndef PROTO_QUIC_FRAME_H
#define PROTO_QUIC_FRAME_H

/*
 * The frames of an Initial packet after decryption: RFC 9000 section 19, of those that section 12.4
 * lets be in one. What says nothing about the handshake (PADDING, PING, ACK) is stepped over.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/reader.h"

enum quic_frame_type {
	QUIC_FRAME_CRYPTO,
	QUIC_FRAME_CLOSE, /* of the connection, by the transport: 0x1c */
	QUIC_FRAME_ODD,	  /* one that has no place here, or is broken: nothing follows it */
};

struct quic_frame {
	enum quic_frame_type type;
	uint64_t offset;       /* CRYPTO: of the data in the stream */
	struct flow_text data; /* CRYPTO */
	uint64_t close_code;   /* CLOSE: RFC 9000 section 20.1 */
};

/* The next frame of PAYLOAD, which then stands behind it. Returns whether there is one. */
bool quic_frame_read(struct reader *payload, struct quic_frame *ret_frame);

#endif /* PROTO_QUIC_FRAME_H */
