/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_DTLS_PEERS_H
#define TESTS_PROTO_DTLS_PEERS_H

/*
 * A flow, and what two peers say in it: datagrams from hexadecimal text, and records and messages
 * that are made here. Every datagram ends at an unmapped page.
 */

#include "datagrams.h"

#include "proto/dtls.h"

static struct dtls_flow flow;

static inline int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	return 0;
}

static inline bool take_bytes(unsigned end, const void *bytes, size_t size)
{
	const uint8_t *copy = guard_copy(bytes, size);
	bool is_new = dtls_take(&flow, end, copy, size);

	guard_free(copy, size);
	return is_new;
}

static inline bool take(unsigned end, const char *hex)
{
	struct datagram datagram = datagram_text(hex);
	bool is_new = dtls_take(&flow, end, datagram.bytes, datagram.size);

	guard_free(datagram.bytes, datagram.size);
	return is_new;
}

/* Writes a record to RET_RECORD and returns its size. */
static inline size_t record(uint8_t *ret_record, uint8_t type, uint16_t epoch, const void *body,
			    size_t size)
{
	const uint8_t header[] = { type, 0xfe, 0xfd, (uint8_t)(epoch >> 8), (uint8_t)epoch, 0, 0, 0,
				   0,	 0,    0,    (uint8_t)(size >> 8),  (uint8_t)size };

	memcpy(ret_record, header, sizeof(header));
	memcpy(ret_record + sizeof(header), body, size);
	return sizeof(header) + size;
}

/* Writes the fragment of a message from OFFSET on, and returns its size. */
static inline size_t fragment(uint8_t *ret_bytes, uint8_t type, uint16_t number,
			      const void *message, size_t length, size_t offset, size_t size)
{
	const uint8_t header[] = { type,
				   0,
				   (uint8_t)(length >> 8),
				   (uint8_t)length,
				   (uint8_t)(number >> 8),
				   (uint8_t)number,
				   0,
				   (uint8_t)(offset >> 8),
				   (uint8_t)offset,
				   0,
				   (uint8_t)(size >> 8),
				   (uint8_t)size };

	memcpy(ret_bytes, header, sizeof(header));
	memcpy(ret_bytes + sizeof(header), (const uint8_t *)message + offset, size);
	return sizeof(header) + size;
}

static inline bool take_fragment(unsigned end, uint8_t type, uint16_t number, const void *message,
				 size_t length, size_t offset, size_t size)
{
	uint8_t body[1024], bytes[1100];
	size_t body_size = fragment(body, type, number, message, length, offset, size);

	return take_bytes(end, bytes, record(bytes, 22, 0, body, body_size));
}

static inline bool take_message(unsigned end, uint8_t type, uint16_t number, const char *message)
{
	return take_fragment(end, type, number, message, strlen(message), 0, strlen(message));
}

/*
 * A client hello: version, 32 random bytes, a session ID of 2, the cookie, and what TLS has behind
 * the session ID too.
 */
struct hello {
	uint8_t bytes[128];
	size_t size;
};

static inline struct hello hello_of(char random, const char *cookie)
{
	struct hello hello = { .size = 34 };

	memcpy(hello.bytes, "\xfe\xfd", 2);
	memset(hello.bytes + 2, random, 32);
	memcpy(hello.bytes + hello.size, "\x02id", 3);
	hello.size += 3;
	hello.bytes[hello.size++] = (uint8_t)strlen(cookie);
	memcpy(hello.bytes + hello.size, cookie, strlen(cookie));
	hello.size += strlen(cookie);
	memcpy(hello.bytes + hello.size, "rest", 4);
	hello.size += 4;
	return hello;
}

static inline bool take_hello(unsigned end, uint16_t number, char random, const char *cookie)
{
	struct hello hello = hello_of(random, cookie);

	return take_fragment(end, 1, number, hello.bytes, hello.size, 0, hello.size);
}

static inline void expect_messages(enum flow_direction direction, const char *wanted)
{
	assert_string_equal(messages_text(dtls_streams(&flow).from[direction]), wanted);
}

/* That the client's stream is one hello with RANDOM and COOKIE. */
static inline void expect_hello(char random, const char *cookie)
{
	struct flow_bytes stream = dtls_streams(&flow).from[FLOW_CLIENT];
	struct hello wanted = hello_of(random, cookie);

	assert_int_equal(stream.size, DTLS_HEADER_SIZE + wanted.size);
	assert_int_equal(stream.bytes[3], wanted.size);
	assert_memory_equal(stream.bytes + DTLS_HEADER_SIZE, wanted.bytes, wanted.size);
	assert_true(flow.from[FLOW_CLIENT].has_hello);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

#endif /* TESTS_PROTO_DTLS_PEERS_H */
