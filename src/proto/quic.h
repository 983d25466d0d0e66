/* SPDX-License-Identifier: MIT */
#ifndef PROTO_QUIC_H
#define PROTO_QUIC_H

/*
 * From the UDP datagrams between two ends to what they say in their QUIC Initial packets: two
 * streams of TLS handshake messages without records (RFC 9001 section 4.1.3), of which the client's
 * begins with its hello and the server's ends with its own, and what else shows how the handshake
 * went. Versions 1 and 2 are read, of others it is told that they are there.
 *
 * A struct quic_flow has a fixed size, is the caller's, starts as zeros, borrows nothing and needs
 * no end: it can be copied and forgotten. Bytes are a peer's and arbitrary. Initial and Retry
 * packets count where their tag is right. Other tags cannot be checked: those packets count once
 * both ends are known, as far as they look like what would come then. Who sees the first packet of
 * a connection can forge all of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/pieces.h"
#include "proto/quic_keys.h"
#include "proto/quic_packet.h"

/*
 * Bytes that are kept of a direction. A client sends at most two hellos; with a post-quantum share
 * each is some 1.7 KB. A server sends one, and a request for another.
 */
#define QUIC_CLIENT_MAX 16384
#define QUIC_SERVER_MAX 4096
/* Bad packets in a row after which one is no longer tried as the first of a connection. */
#define QUIC_VAIN_MAX 64

struct quic_cid {
	uint8_t size;
	uint8_t bytes[QUIC_CID_MAX];
};

/* What one direction has shown. */
struct quic_sender {
	struct quic_cid cid; /* what it is called, since has_initial */
	uint64_t next;	     /* the number above the largest of its Initial packets */
	uint64_t close_code; /* of the first CONNECTION_CLOSE: RFC 9000 section 20.1 */
	bool has_initial;
	bool has_early;	    /* 0-RTT packets: only of a client */
	bool has_handshake; /* the handshake went on behind the Initial packets */
	bool has_short;	    /* 1-RTT packets, as far as others can tell them */
	bool has_close;	    /* the connection was given up while Initial packets were sent */
	bool is_truncated;  /* sent more than is kept */
	struct pieces pieces;
};

struct quic_flow {
	bool is_quic;	/* an Initial packet of a client was authentic: the rest means something */
	uint8_t client; /* the end that is the client */
	uint32_t version; /* of the latest Initial packet of the server; before one, the client's */
	uint32_t version_asked; /* of the client's first packet, which may be any */
	uint32_t nr_starts;	/* connections so far; with each the flow begins anew */
	bool has_retry;		/* the server had the client's address confirmed */
	bool has_negotiation;	/* the server did not know the version; also without is_quic */
	struct quic_sender from[NR_FLOW_DIRECTIONS];
	/* Packets that were of no use. */
	uint32_t nr_bad;     /* Initial and Retry packets with a wrong tag, or of an end unknown */
	uint32_t nr_cut;     /* Initial packets that were longer than what was given of them */
	uint32_t nr_odd;     /* payloads with a frame that has no place there */
	uint32_t nr_dropped; /* pieces of a stream that had to be left out: too many holes */
	uint32_t nr_others;  /* packets of other versions */
	/* Private. */
	uint32_t nr_vain;	/* bad packets in a row */
	struct quic_cid origin; /* the connection ID that keys are made of */
	struct quic_cid former; /* the one before that; its packets are late */
	bool has_keys[QUIC_NR_VERSIONS];
	struct quic_keys keys[QUIC_NR_VERSIONS][NR_FLOW_DIRECTIONS];
	uint8_t client_bytes[QUIC_CLIENT_MAX];
	uint8_t server_bytes[QUIC_SERVER_MAX];
};

/*
 * Makes libcrypto load what quic_take() needs; nothing is loaded or opened after that. Call it
 * before the process gives up its rights. Returns 0 or -EIO.
 */
static inline int quic_prepare(void)
{
	return quic_keys_prepare();
}

static inline void quic_release(void)
{
	quic_keys_release();
}

/*
 * Whether the SIZE bytes, which may be only the first of a datagram, begin like an Initial packet
 * of a version that can be read, which *RET_VERSION then is. Cheap, of a fixed number of steps and
 * in need of no more than the first 7 bytes, so that a program in the kernel can do the same.
 */
bool quic_is_initial(const uint8_t *bytes, size_t size, uint32_t *ret_version);

/*
 * Takes a datagram that was sent by END, which is 0 or 1 as the caller likes. What the kernel
 * gathers of several datagrams in one buffer (UDP_SEGMENT, UDP_GRO) is cut into SEGMENT bytes each;
 * with SEGMENT 0 it is one datagram, and packets behind one that does not say its length are lost.
 * Of an Initial packet all must be given: its tag is at its end. Returns whether it told anything
 * new.
 */
bool quic_take(struct quic_flow *flow, unsigned end, const uint8_t *bytes, size_t size,
	       size_t segment);

/* The streams so far, for a parser of TLS handshake messages. They borrow from FLOW. */
struct flow quic_streams(const struct quic_flow *flow);

/*
 * Both ends have sent 1-RTT packets. A client does that when it is done with the server; whether
 * the server took the client's certificate, where it wanted one, is encrypted.
 */
static inline bool quic_is_established(const struct quic_flow *flow)
{
	return flow->from[FLOW_CLIENT].has_short && flow->from[FLOW_SERVER].has_short;
}

/* The TLS alert that a close_code stands for (RFC 9001 section 4.8), or -1. */
static inline int quic_alert(uint64_t close_code)
{
	return close_code >> 8 == 1 ? (int)(close_code & 0xff) : -1;
}

#endif /* PROTO_QUIC_H */
