/* SPDX-License-Identifier: MIT */
#ifndef PROTO_QUIC_PACKET_H
#define PROTO_QUIC_PACKET_H

/*
 * The packets in a UDP datagram, by what of them is in clear: RFC 9000 section 17 (version 1), RFC
 * 9369 section 3.2 (version 2), RFC 8999 (any version). Everything borrows from the datagram.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/reader.h"

#define QUIC_VERSION_1 0x00000001U /* RFC 9000 */
#define QUIC_VERSION_2 0x6b3343cfU /* RFC 9369 */

/*
 * Bits of the first byte: RFC 9000 section 17.2. The fixed one is set in the first packet of a
 * client, and in further ones as their sender likes (RFC 9287).
 */
#define QUIC_BIT_LONG  0x80
#define QUIC_BIT_FIXED 0x40

/* RFC 9000 section 17.2, sizes of connection IDs. */
#define QUIC_CID_MAX	   20
#define QUIC_FIRST_CID_MIN 8 /* section 7.2: the one the client makes up for the server */
/* RFC 9001 section 5.3: what AES-128-GCM adds; also the end of a Retry packet. */
#define QUIC_TAG_SIZE 16

enum quic_packet_type {
	QUIC_PACKET_INITIAL,
	QUIC_PACKET_EARLY, /* 0-RTT */
	QUIC_PACKET_HANDSHAKE,
	QUIC_PACKET_RETRY,
	QUIC_PACKET_NEGOTIATION, /* of versions; the version is 0 */
	QUIC_PACKET_SHORT,	 /* 1-RTT; how long its connection ID is only the peers know */
	QUIC_PACKET_OTHER,	 /* long header of another version */
};

struct quic_packet {
	enum quic_packet_type type;
	uint32_t version; /* not that of a short header */
	struct flow_text destination, source;
	struct flow_text token; /* Initial and Retry */
	const uint8_t *bytes;	/* from the first byte of the header on */
	size_t size;
	size_t number_at; /* where the packet number begins: Initial, 0-RTT, Handshake */
	bool is_cut;	  /* it says that it is longer than what is left of the datagram */
};

/*
 * The next packet of DATAGRAM, which then stands behind it; zeros in front of a long header, and at
 * the end, are stepped over. Returns whether there is one: not at the end, and not where the header
 * makes no sense.
 */
bool quic_packet_read(struct reader *datagram, struct quic_packet *ret_packet);

/* RFC 9000 section 16: a number of 1, 2, 4 or 8 bytes, which say how many they are. */
uint64_t quic_number(struct reader *reader);

#endif /* PROTO_QUIC_PACKET_H */
