/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_DATAGRAMS_H
#define TESTS_PROTO_DATAGRAMS_H

/*
 * Datagrams for tests: from hexadecimal text, and from recordings of real peers in
 * tests/proto/data. Each datagram of a recording is a line: '>' or '<' for sent by the client or by
 * the server, then its bytes in hexadecimal; a line that begins with '#' says what it is of.
 * Recordings are put into the program when it is made. Failure ends the test program.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "proto/flow.h"
#include "support/guard.h"

#define DATAGRAM_MAX  2048
#define RECORDING_MAX 64

struct datagram {
	unsigned end; /* 0: sent by the client */
	const uint8_t *bytes;
	size_t size;
};

struct recording {
	size_t count;
	struct datagram list[RECORDING_MAX];
};

/* Makes NAME the text of tests/proto/data/NAME.txt. */
#define RECORDING(name)                                                                            \
	extern const char name[];                                                                  \
	__asm__(".pushsection .rodata\n" #name ":\n.incbin \"tests/proto/data/" #name              \
		".txt\"\n.byte 0\n.popsection")

/* The bytes of SIZE hexadecimal digits, which end at an unmapped page. */
static inline struct datagram datagram_hex(const char *hex, size_t size)
{
	struct datagram datagram = { .size = size / 2 };
	uint8_t *bytes = guard_alloc(datagram.size);

	for (size_t i = 0; i < datagram.size; i++) {
		char digits[] = { hex[2 * i], hex[2 * i + 1], 0 };

		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	datagram.bytes = bytes;
	return datagram;
}

static inline struct datagram datagram_text(const char *hex)
{
	return datagram_hex(hex, strlen(hex));
}

/* The datagrams of a recording. */
static inline void recording_read(struct recording *recording, const char *text)
{
	recording->count = 0;
	while (*text) {
		size_t size = strcspn(text, "\n");

		if (*text == '<' || *text == '>') {
			assert_true(recording->count < RECORDING_MAX);
			recording->list[recording->count] = datagram_hex(text + 2, size - 2);
			recording->list[recording->count++].end = *text == '<';
		}
		text += size + (text[size] == '\n');
	}
	assert_true(recording->count > 0);
}

/* Types and lengths of the handshake messages that STREAM is: "1(179) 16(33)". */
static inline const char *messages_text(struct flow_bytes stream)
{
	static char text[256];
	size_t size = 0;

	text[0] = 0;
	for (size_t at = 0; at < stream.size;) {
		const uint8_t *header = stream.bytes + at;
		unsigned length;

		assert_true(stream.size - at >= 4 && size < sizeof(text) - 20);
		length = (unsigned)header[1] << 16 | (unsigned)header[2] << 8 | header[3];
		assert_true(stream.size - at - 4 >= length);
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%u(%u)",
					 at ? " " : "", header[0], length);
		at += 4 + length;
	}
	return text;
}

/* That the SHA-256 of STREAM is WANTED, in hexadecimal. */
static inline void expect_digest(struct flow_bytes stream, const char *wanted)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned size;

	assert_int_equal(EVP_Digest(stream.bytes, stream.size, digest, &size, EVP_sha256(), NULL),
			 1);
	for (unsigned i = 0; i < size; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
	assert_string_equal(hex, wanted);
}

static inline void recording_free(struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++)
		guard_free(recording->list[i].bytes, recording->list[i].size);
}

#endif /* TESTS_PROTO_DATAGRAMS_H */
