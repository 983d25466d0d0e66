/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_FLIGHT_H
#define PROTO_TLS_FLIGHT_H

/* What follows the hellos in clear up to TLS 1.2 (RFC 5246 section 7.4). */

#include "proto/tls_stream.h"

/*
 * Reads ServerKeyExchange into the group, signature, dh_bits and rsa_bits of SESSION, whose version
 * and cipher are known.
 */
void tls_key_exchange_read(const struct tls_message *message, struct tls_session *session);

/* Reads Certificate. At most MAX certificates are kept, those that are whole. */
void tls_certificates_read(const struct tls_message *message, size_t max,
			   struct tls_certificates *ret);

#endif /* PROTO_TLS_FLIGHT_H */
