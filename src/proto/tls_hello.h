/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TLS_HELLO_H
#define PROTO_TLS_HELLO_H

/*
 * The two hellos (RFC 8446 section 4.1, RFC 5246 section 7.4.1, RFC 6347 section 4.2.1). A hello
 * with a mistake in it is read as far as it goes and marked: what the peer will make of it is not
 * for us to guess.
 */

#include "proto/reader.h"
#include "proto/tls_stream.h"

/* Reads the client's hello, in DTLS with its cookie. */
void tls_client_hello_read(const struct tls_message *message, bool is_dtls,
			   struct tls_client_hello *ret);

/* Sets what those suites of HELLO say that are only signs. */
void tls_client_hello_judge_ciphers(struct tls_client_hello *hello);

void tls_server_hello_read(const struct tls_message *message, struct tls_server_hello *ret);

/* Whether HELLO is in truth a HelloRetryRequest (RFC 8446 section 4.1.3). */
bool tls_server_hello_is_retry(const struct tls_server_hello *hello);

/* A list of which the end may be missing: what is there is taken. */
static inline struct reader tls_vector_cut(struct reader *reader, size_t size_size, bool is_cut)
{
	size_t size = reader_number(reader, size_size);

	if (is_cut && size > reader->left) {
		struct reader rest = reader_part(reader, reader->left);

		reader->is_short = true;
		return rest;
	}
	return reader_part(reader, size);
}

static inline void tls_codes_add(struct tls_codes *codes, uint16_t code)
{
	if (codes->nr < TLS_CODES_MAX)
		codes->codes[codes->nr++] = code;
	else
		codes->is_cut = true;
}

static inline bool tls_codes_have(const struct tls_codes *codes, uint16_t code)
{
	for (size_t i = 0; i < codes->nr; i++)
		if (codes->codes[i] == code)
			return true;
	return false;
}

#endif /* PROTO_TLS_HELLO_H */
