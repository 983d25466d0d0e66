/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_STREAM_H
#define PROTO_TLS_STREAM_H

/*
 * One direction of TLS as records and, in those that are not encrypted, as handshake messages,
 * whatever the borders of the two. Records are looked at when they are whole, encrypted ones when
 * their header is there; a flow that has ended gives what there is of its last record. Where it
 * stops, `need` says how many bytes of the direction there must be to go on.
 */

#include "proto/tls.h"

/* ContentType (RFC 8446 appendix B.1). */
enum tls_content {
	TLS_CONTENT_change_cipher_spec = 20,
	TLS_CONTENT_alert = 21,
	TLS_CONTENT_handshake = 22,
	TLS_CONTENT_application_data = 23,
	TLS_CONTENT_heartbeat = 24,
};

/* HandshakeType (IANA, tls-parameters-7). */
enum tls_message_type {
	TLS_MESSAGE_hello_request = 0,
	TLS_MESSAGE_client_hello = 1,
	TLS_MESSAGE_server_hello = 2,
	TLS_MESSAGE_hello_verify_request = 3,
	TLS_MESSAGE_certificate = 11,
	TLS_MESSAGE_server_key_exchange = 12,
	TLS_MESSAGE_certificate_request = 13,
	TLS_MESSAGE_server_hello_done = 14,
};

#define TLS_HEADER_SIZE 5 /* of a record */

struct tls_stream {
	const struct flow_bytes *from;
	struct tls_scratch *scratch;
	size_t at;     /* where the record begins that is next or being read */
	size_t inside; /* how much of it was read as messages */
	size_t need;   /* SIZE_MAX: more bytes do not help */
	bool is_bare;  /* messages without records */
};

enum tls_step {
	TLS_STEP_found,
	TLS_STEP_more,	 /* there is no more for now: see need */
	TLS_STEP_broken, /* this is not TLS */
};

struct tls_record {
	uint8_t type; /* enum tls_content */
	uint16_t size;
	const uint8_t *bytes;
	size_t there; /* of size */
};

struct tls_message {
	uint8_t type; /* any: enum tls_message_type has those that are read */
	bool is_cut;  /* there is less than was announced */
	const uint8_t *bytes;
	size_t size; /* 0 for messages of other types, which are passed over */
};

struct tls_stream tls_stream_of(const struct flow_bytes *from, struct tls_scratch *scratch,
				bool is_bare);

/* The next record, which is not passed: its header alone need be there. Not for bare streams. */
enum tls_step tls_stream_record(struct tls_stream *stream, struct tls_record *ret);

/* Whether all of RECORD is there, or all that will be; else `need` says what it takes. */
bool tls_stream_is_whole(struct tls_stream *stream, const struct tls_record *record);

/* Goes on behind RECORD. */
void tls_stream_pass(struct tls_stream *stream, const struct tls_record *record);

/*
 * The next handshake message, which is passed. The next record is one of handshake messages. A
 * message that the flow ends in is told as far as it goes, and is the last.
 */
enum tls_step tls_stream_message(struct tls_stream *stream, struct tls_message *ret);

#endif /* PROTO_TLS_STREAM_H */
