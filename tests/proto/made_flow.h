/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_MADE_FLOW_H
#define TESTS_PROTO_MADE_FLOW_H

/* Both directions of a connection, made record by record, and what is found in them. */

#include "made_tls.h"
#include "support/tls_text.h"

static struct made made_client, made_server, made_body;
static struct tls_scratch made_scratch;
static struct tls_session made_session;
static struct flow_needs made_needs;

static inline void flow_begin(void)
{
	made_client.size = made_server.size = 0;
}

static inline enum flow_state flow_parse(bool has_ended, bool is_closed)
{
	const struct tls_options options = { .is_closed = is_closed };
	struct flow flow = { .from = {
				     { .bytes = guard_copy(made_client.bytes, made_client.size),
				       .size = made_client.size,
				       .has_ended = has_ended },
				     { .bytes = guard_copy(made_server.bytes, made_server.size),
				       .size = made_server.size,
				       .has_ended = has_ended },
			     } };
	enum flow_state state =
		tls_parse(&flow, &options, &made_scratch, &made_session, &made_needs);

	tls_check(&made_session, &flow, &made_scratch, state, &made_needs);
	return state;
}

/* A message of BODY, which is empty after it. */
static inline void flow_message(struct made *to, uint8_t type)
{
	made_record_of(to, type, &made_body);
	made_body.size = 0;
}

static inline void flow_client_hello(void)
{
	made_body.size = 0;
	made_client_hello(&made_body, 0x0303);
	flow_message(&made_client, TLS_MESSAGE_client_hello);
}

static inline void flow_server_hello(uint16_t version, uint16_t cipher)
{
	made_body.size = 0;
	made_server_hello(&made_body, version, cipher);
	flow_message(&made_server, TLS_MESSAGE_server_hello);
}

static inline void flow_server_hello_13(void)
{
	made_body.size = 0;
	made_server_hello_13(&made_body, 0x1301, 0x001d);
	flow_message(&made_server, TLS_MESSAGE_server_hello);
}

static inline void flow_change_cipher(struct made *to)
{
	made_records(to, TLS_CONTENT_change_cipher_spec, "\1", 1, 1);
}

/* HelloRetryRequest for GROUP. */
static inline void flow_hello_retry(uint16_t group)
{
	static const char random[] =
		"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
		"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
	size_t block, extension;

	made_body.size = 0;
	made_server_hello(&made_body, 0x0303, 0x1301);
	memcpy(made_body.bytes + 2, random, 32);
	block = made_begin(&made_body, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_supported_versions);
	made_number(&made_body, 2, 0x0304);
	made_end(&made_body, extension, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_key_share);
	made_number(&made_body, 2, group);
	made_end(&made_body, extension, 2);
	made_end(&made_body, block, 2);
	flow_message(&made_server, TLS_MESSAGE_server_hello);
}

#endif /* TESTS_PROTO_MADE_FLOW_H */
