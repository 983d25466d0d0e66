/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_MADE_TLS_H
#define TESTS_PROTO_MADE_TLS_H

/*
 * Messages of TLS made byte by byte, right or wrong: numbers in network order, and vectors whose
 * size is filled in once their content is there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/tls_stream.h"
#include "support/guard.h"

struct made {
	size_t size;
	uint8_t bytes[160 << 10];
};

static inline void made_number(struct made *made, size_t size, uint64_t number)
{
	assert_true(made->size + size <= sizeof(made->bytes));
	for (size_t i = 0; i < size; i++)
		made->bytes[made->size++] = (uint8_t)(number >> 8 * (size - 1 - i));
}

static inline void made_bytes(struct made *made, const void *bytes, size_t size)
{
	assert_true(made->size + size <= sizeof(made->bytes));
	if (size)
		memcpy(made->bytes + made->size, bytes, size);
	made->size += size;
}

static inline void made_fill(struct made *made, uint8_t byte, size_t size)
{
	assert_true(made->size + size <= sizeof(made->bytes));
	memset(made->bytes + made->size, byte, size);
	made->size += size;
}

/* A vector with a size of SIZE_SIZE bytes: what is made until made_end(). Returns where it is. */
static inline size_t made_begin(struct made *made, size_t size_size)
{
	made_number(made, size_size, 0);
	return made->size;
}

static inline void made_end(struct made *made, size_t begin, size_t size_size)
{
	size_t end = made->size, size = end - begin;

	made->size = begin - size_size;
	made_number(made, size_size, size);
	made->size = end;
}

/* A vector of numbers of two bytes. */
static inline void made_codes(struct made *made, size_t size_size, const uint16_t *codes, size_t nr)
{
	size_t begin = made_begin(made, size_size);

	for (size_t i = 0; i < nr; i++)
		made_number(made, 2, codes[i]);
	made_end(made, begin, size_size);
}

#define MADE_CODES(made, size_size, ...)                                                           \
	made_codes(made, size_size, (const uint16_t[]){ __VA_ARGS__ },                             \
		   sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static inline void made_vector(struct made *made, size_t size_size, const void *bytes, size_t size)
{
	made_number(made, size_size, size);
	made_bytes(made, bytes, size);
}

/* An extension: what is made until made_end(, , 2). */
static inline size_t made_extension(struct made *made, uint16_t code)
{
	made_number(made, 2, code);
	return made_begin(made, 2);
}

/* A client's hello without extensions, up to its compression. */
static inline void made_client_hello(struct made *made, uint16_t version)
{
	made_number(made, 2, version);
	made_fill(made, 0xc1, 32);
	made_vector(made, 1, "session", 7);
	MADE_CODES(made, 2, 0x1301, 0xc02f, 0x002f);
	made_vector(made, 1, "", 1);
}

/* A server's hello without extensions. */
static inline void made_server_hello(struct made *made, uint16_t version, uint16_t cipher)
{
	made_number(made, 2, version);
	made_fill(made, 0x51, 32);
	made_vector(made, 1, "session", 7);
	made_number(made, 2, cipher);
	made_number(made, 1, 0);
}

/* The extensions that make it one of TLS 1.3. */
static inline void made_server_hello_13(struct made *made, uint16_t cipher, uint16_t group)
{
	size_t block, extension;

	made_server_hello(made, 0x0303, cipher);
	block = made_begin(made, 2);
	extension = made_extension(made, TLS_EXTENSION_supported_versions);
	made_number(made, 2, 0x0304);
	made_end(made, extension, 2);
	extension = made_extension(made, TLS_EXTENSION_key_share);
	made_number(made, 2, group);
	made_vector(made, 2, "key", 3);
	made_end(made, extension, 2);
	made_end(made, block, 2);
}

/* BODY as a handshake message. */
static inline void made_message(struct made *made, uint8_t type, const struct made *body)
{
	made_number(made, 1, type);
	made_vector(made, 3, body->bytes, body->size);
}

/* BYTES as records of at most PIECE_SIZE. */
static inline void made_records(struct made *made, uint8_t type, const void *bytes, size_t size,
				size_t piece_size)
{
	for (size_t at = 0; at < size || (size == 0 && at == 0); at += piece_size) {
		size_t piece = size - at < piece_size ? size - at : piece_size;

		made_number(made, 1, type);
		made_number(made, 2, 0x0303);
		made_vector(made, 2, (const uint8_t *)bytes + at, piece);
	}
}

/* BODY as a message in one record. */
static inline void made_record_of(struct made *made, uint8_t type, const struct made *body)
{
	struct made *message = calloc(1, sizeof(*message));

	assert_non_null(message);
	made_message(message, type, body);
	made_records(made, TLS_CONTENT_handshake, message->bytes, message->size, 1 << 14);
	free(message);
}

/* A record of SIZE encrypted bytes. */
static inline void made_encrypted(struct made *made, uint8_t type, size_t size)
{
	uint8_t *bytes = calloc(1, size + 1);

	assert_non_null(bytes);
	memset(bytes, 0xee, size);
	made_number(made, 1, type);
	made_number(made, 2, 0x0303);
	made_vector(made, 2, bytes, size);
	free(bytes);
}

static inline void made_alert(struct made *made, uint8_t level, uint8_t alert)
{
	const uint8_t bytes[] = { level, alert };

	made_records(made, TLS_CONTENT_alert, bytes, sizeof(bytes), sizeof(bytes));
}

/* A message that ends at an unmapped page; lives until exit. */
static inline struct tls_message made_guarded(const struct made *body, uint8_t type)
{
	return (struct tls_message){
		.type = type,
		.bytes = guard_copy(body->bytes, body->size),
		.size = body->size,
	};
}

static inline void made_expect_codes(const struct tls_codes *codes, const uint16_t *expected,
				     size_t nr)
{
	assert_int_equal(codes->nr, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(codes->codes[i], expected[i]);
}

#define EXPECT_CODES(codes, ...)                                                                   \
	made_expect_codes(codes, (const uint16_t[]){ __VA_ARGS__ },                                \
			  sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static inline void made_expect_text(struct flow_text text, const char *expected)
{
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.size ? text.bytes : (const uint8_t *)"", expected, text.size);
}

#endif /* TESTS_PROTO_MADE_TLS_H */
