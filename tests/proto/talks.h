/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROTO_TALKS_H
#define TESTS_PROTO_TALKS_H

/* Made-up talks for the tests of src/proto/starttls*.c. Include cmocka.h before it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/starttls.h"
#include "support/guard.h"
#include "support/recorded.h"

#define CLIENT(text)                                                                               \
	{                                                                                          \
		FLOW_CLIENT, text, sizeof(text) - 1                                                \
	}
#define SERVER(text)                                                                               \
	{                                                                                          \
		FLOW_SERVER, text, sizeof(text) - 1                                                \
	}
#define HELLO	  "\x16\x03\x01\0\5\1\0\0\1x"
#define TLS	  CLIENT(HELLO)
#define STEPS_MAX 16
#define XMPP_TLS  "'urn:ietf:params:xml:ns:xmpp-tls'"
#define LDAP_REQUEST                                                                               \
	"\x30\x1d\x02\x01\1\x77\x18\x80\x16"                                                       \
	"1.3.6.1.4.1.1466.20037"
#define LDAP_RESPONSE(code) "\x30\x0c\x02\x01\1\x78\7\x0a\1" code "\4\0\4\0"
#define MY_GREETING(caps)                                                                          \
	"\x1d\0\0\0\x0a"                                                                           \
	"8.0.36\0"                                                                                 \
	"\1\0\0\0"                                                                                 \
	"12345678\0"                                                                               \
	"\xff" caps "\x21\2\0ABC"
#define MY_REQUEST(caps, number)                                                                   \
	"\x20\0\0" number "\0" caps "\0\0\0\0\0\1\x21"                                             \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TDS_PRELOGIN(encryption)                                                                   \
	"\x12\1\0\x10\0\0\0\0"                                                                     \
	"\1\0\6\0\1\xff" encryption "x"
#define TDS_RESPONSE(encryption)                                                                   \
	"\4\1\0\x0f\0\0\0\0"                                                                       \
	"\1\0\6\0\1\xff" encryption
#define TDS_HELLO "\x12\1\0\x12\0\0\0\0" HELLO
#define RDP_REQUEST                                                                                \
	"\3\0\0\x2c\x27\xe0\0\0\0\0\0"                                                             \
	"Cookie: mstshash=eltons\r\n"                                                              \
	"\1\0\x08\0\3\0\0\0"
#define RDP_CONFIRM(type, chosen) "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0" type "\0\x08\0" chosen "\0\0\0"
#define PROXY_V2                                                                                   \
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"                                                       \
	"\x7f\0\0\1\x7f\0\0\1\xd4\x31\0\x19"

/* One side's words. */
struct words {
	enum flow_direction from;
	const char *bytes;
	size_t size;
};

struct talk {
	const char *name;
	struct words words[STEPS_MAX];
	enum flow_state state;
	enum starttls_protocol protocol;
	/* TLS begins behind so many of the words; of the others nothing is read. */
	int nr_before;
};

static inline bool talks_equal(const void *left, const void *right)
{
	const struct starttls *a = left, *b = right;

	return a->protocol == b->protocol && a->is_ssh == b->is_ssh &&
	       a->is_reversed == b->is_reversed && a->is_wrapped == b->is_wrapped &&
	       a->at[FLOW_CLIENT] == b->at[FLOW_CLIENT] && a->at[FLOW_SERVER] == b->at[FLOW_SERVER];
}

static inline enum flow_state talk_parse(const struct flow *flow, void *ret,
					 struct flow_needs *ret_needs)
{
	return starttls_parse(flow, ret, ret_needs);
}

static const struct flow_parser talk_parser = { talk_parse, talks_equal, sizeof(struct starttls),
						true };

/* The talk as a flow; its bytes live until the next call. */
static inline struct flow talk_flow(const struct words *words, size_t max, struct flow_step *steps,
				    size_t *ret_nr)
{
	static uint8_t bytes[NR_FLOW_DIRECTIONS][256 << 10];
	struct flow flow = { .from = { { .bytes = bytes[0] }, { .bytes = bytes[1] } } };
	size_t i;

	for (i = 0; i < max && words[i].bytes; i++) {
		struct flow_bytes *from = &flow.from[words[i].from];

		memcpy(bytes[words[i].from] + from->size, words[i].bytes, words[i].size);
		from->size += words[i].size;
		steps[i] = (struct flow_step){ words[i].from, words[i].size };
	}
	*ret_nr = i;
	return flow;
}

static inline void talk_expect(const struct talk *talk)
{
	struct flow_step steps[STEPS_MAX];
	struct starttls found;
	struct flow_needs needs;
	size_t nr, calls, at[NR_FLOW_DIRECTIONS] = { 0, 0 };
	struct flow flow = talk_flow(talk->words, STEPS_MAX, steps, &nr), guarded;
	enum flow_state state;

	guarded = flow_guarded(&flow);
	state = starttls_parse(&guarded, &found, &needs);
	if (state != talk->state)
		print_error("%s\n", talk->name);
	assert_int_equal(state, talk->state);
	flow_free(&guarded);
	assert_int_equal(flow_check_steps(&flow, steps, nr, &talk_parser, &calls), talk->state);
	if (talk->state != FLOW_DECIDED)
		return;
	for (int i = 0; i < talk->nr_before; i++)
		at[talk->words[i].from] += talk->words[i].size;
	if (found.protocol != talk->protocol || found.at[0] != at[0] || found.at[1] != at[1])
		print_error("%s\n", talk->name);
	assert_int_equal(found.protocol, talk->protocol);
	assert_int_equal(found.at[FLOW_CLIENT], at[FLOW_CLIENT]);
	assert_int_equal(found.at[FLOW_SERVER], at[FLOW_SERVER]);
	assert_int_equal(found.is_wrapped, talk->protocol == STARTTLS_mssql);
	assert_false(found.is_ssh);
	assert_false(found.is_reversed);
}

#define IS(id, nr) FLOW_DECIDED, STARTTLS_##id, nr
#define IS_NOT	   FLOW_FOREIGN, STARTTLS_none, 0
#define WAITS	   FLOW_MORE, STARTTLS_none, 0

#endif /* TESTS_PROTO_TALKS_H */
