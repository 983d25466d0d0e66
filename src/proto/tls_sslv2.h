/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_SSLV2_H
#define PROTO_TLS_SSLV2_H

/*
 * What is left of SSL 2.0: its form of a ClientHello, in which old clients ask for SSL 3.0 or TLS
 * too (RFC 5246 appendix E.2, RFC 6101 appendix E), and that a server answered in it.
 */

#include "proto/tls.h"

/* The first two bytes of a record: its length, with the highest bit set. */
#define TLS_SSLV2_HEADER_SIZE 2

/* Whether TLS_BEGIN_SIZE bytes are those of such a ClientHello. */
bool tls_sslv2_begins(const uint8_t bytes[static TLS_BEGIN_SIZE]);

/* How many bytes the record has that BYTES begins, with its header. */
size_t tls_sslv2_size(const uint8_t bytes[static TLS_SSLV2_HEADER_SIZE]);

/* Reads the SIZE bytes of the record, of which there may be fewer than it says. */
void tls_sslv2_client_hello_read(const uint8_t *bytes, size_t size, struct tls_client_hello *ret);

/* Bytes of the server that tell whether it answers in SSL 2.0. */
#define TLS_SSLV2_ANSWER_SIZE 7

/*
 * Whether SERVER begins with the ServerHello of SSL 2.0; sets what is known of the session then.
 * That SSL 2.0 was spoken is all that is reported, and not how it ended.
 */
bool tls_sslv2_answer_read(const struct flow_bytes *server, struct tls_session *session);

#endif /* PROTO_TLS_SSLV2_H */
