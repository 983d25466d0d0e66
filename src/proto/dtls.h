/* SPDX-License-Identifier: MIT */
#ifndef PROTO_DTLS_H
#define PROTO_DTLS_H

/*
 * From the UDP datagrams between two ends to the handshake messages that they exchange in clear, in
 * order and in the shape of TLS: DTLS 1.0 and 1.2 (RFC 6347), and of 1.3 (RFC 9147) the hellos.
 *
 * A request to verify (HelloVerifyRequest) is left out with the hello that it answers: the streams
 * begin with the hellos that count. Messages have the header of TLS and are otherwise as they were
 * sent: a client hello has its cookie (RFC 6347 section 4.2.1), versions are 0xfeff, 0xfefd,
 * 0xfefc.
 *
 * A struct dtls_flow has a fixed size, is the caller's, starts as zeros, borrows nothing and needs
 * no end: it can be copied and forgotten. Bytes are a peer's and arbitrary, and nothing here is
 * authentic: whoever can send to a port can end up in its flow.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dtls_stream.h"
#include "proto/flow.h"

/* What one direction has shown. */
struct dtls_sender {
	bool has_hello;	     /* its hello is in the stream */
	bool has_encrypted;  /* records of a later epoch than the first */
	bool has_final;	     /* records under the keys that the handshake was about */
	bool has_change;     /* ChangeCipherSpec: not in 1.3 */
	bool has_alert;	     /* in clear; a fatal one takes the place of a warning */
	uint8_t alert_level; /* RFC 8446 section 6 */
	uint8_t alert;
	struct dtls_stream stream;
};

struct dtls_flow {
	bool is_dtls;	    /* a hello was seen: the rest means something */
	uint8_t client;	    /* the end that is the client */
	bool hello_verify;  /* the server had the client's address confirmed by a cookie */
	uint32_t nr_starts; /* how often a stream began: when it grows, forget what was there */
	struct dtls_sender from[NR_FLOW_DIRECTIONS];
	uint32_t nr_bad; /* records and fragments that made no sense */
	uint32_t nr_cut; /* records that were longer than what was given of them */
};

/*
 * Whether the SIZE bytes, which may be only the first 25 or more of a datagram, begin like a hello:
 * of a client, of a server, or a request to verify. Cheap and of a fixed number of steps, so that a
 * program in the kernel can do the same.
 */
bool dtls_is_hello(const uint8_t *bytes, size_t size);

/*
 * Takes a datagram that was sent by END, which is 0 or 1 as the caller likes. Several that the
 * kernel gathered in one buffer may be given as one, as long as no record has left out its length
 * (RFC 9147 section 4). Returns whether it told anything new.
 */
bool dtls_take(struct dtls_flow *flow, unsigned end, const uint8_t *bytes, size_t size);

/*
 * The streams so far, whole messages, for a parser of TLS. They borrow from FLOW. One has ended
 * when its sender has gone on to encrypted records, after a fatal alert, or with what is kept at
 * most.
 */
struct flow dtls_streams(const struct dtls_flow *flow);

/* Both ends use the keys that only a finished handshake gives them. */
static inline bool dtls_is_established(const struct dtls_flow *flow)
{
	return flow->from[FLOW_CLIENT].has_final && flow->from[FLOW_SERVER].has_final;
}

#endif /* PROTO_DTLS_H */
