/* SPDX-License-Identifier: MIT */
#ifndef PROTO_DTLS_STREAM_H
#define PROTO_DTLS_STREAM_H

/*
 * Puts the handshake messages of one direction in order, whose fragments come in any order, more
 * than once and overlapping: RFC 6347 section 4.2, RFC 9147 section 5.2. Zero initialised.
 *
 * The bytes are first the stream: whole messages in order, each behind a header of 4 bytes as in
 * TLS. Behind it, each with room for all of it, are the messages that are not whole or whose turn
 * has not come, also in order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/pieces.h"

#define DTLS_STREAM_MAX 16384
/* Messages that are waited for at a time; those further ahead are not taken. */
#define DTLS_AHEAD_MAX 8
/* Type and length of a message, which is how TLS has it (RFC 8446 section 4). */
#define DTLS_HEADER_SIZE 4

/* RFC 8446 section 4 and RFC 6347 section 4.3.2. */
enum {
	DTLS_CLIENT_HELLO = 1,
	DTLS_SERVER_HELLO = 2,
	DTLS_HELLO_VERIFY = 3,
};

/* One fragment: RFC 6347 section 4.2.2. */
struct dtls_fragment {
	uint8_t type;
	uint16_t number; /* of the message: message_seq */
	uint32_t length; /* of the message */
	uint32_t offset; /* in it */
	uint32_t size;
	const uint8_t *bytes;
};

struct dtls_message {
	uint8_t type;
	uint16_t number;
	uint32_t length;
	struct pieces pieces;
};

struct dtls_stream {
	uint32_t size;	     /* of the stream */
	uint16_t next;	     /* number of the message that comes next in it */
	uint32_t nr_dropped; /* fragments that there was no room for, or that contradict others */
	bool is_full;	     /* the next message is larger than the room that is left */
	uint32_t nr_ahead;
	struct dtls_message ahead[DTLS_AHEAD_MAX];
	uint8_t bytes[DTLS_STREAM_MAX];
};

/*
 * Takes a fragment, of which all of SIZE is there and within LENGTH. What has its place in the
 * stream already is left out. With a hello the stream begins, whatever would be in front of it.
 */
void dtls_stream_put(struct dtls_stream *stream, const struct dtls_fragment *fragment);

/*
 * Puts the next message into the stream when it is whole. Returns whether it was; *RET_AT is where
 * its header is.
 */
bool dtls_stream_advance(struct dtls_stream *stream, uint32_t *ret_at);

/* Takes SIZE bytes at AT out of the stream. */
void dtls_stream_cut(struct dtls_stream *stream, uint32_t at, uint32_t size);

/*
 * Forgets the messages below NUMBER, those in the stream too, and waits for that one. Nothing
 * happens where the stream is beyond it.
 */
void dtls_stream_begin(struct dtls_stream *stream, uint16_t number);

/* The bytes from 0 on that are there of message NUMBER, which is waited for, or NULL. */
const uint8_t *dtls_stream_waiting(const struct dtls_stream *stream, uint16_t number,
				   uint32_t *ret_size);

#endif /* PROTO_DTLS_STREAM_H */
