/* SPDX-License-Identifier: MIT */
/*
 * src/proto/tls*.c and ja.c: whatever both sides send in whatever pieces, nothing is read but what
 * is there, what is found lies in it, parsing when it is due tells as much as parsing always, the
 * end of the flow decides, and there is a verdict on all of it.
 *
 * The first byte of the input: bit 0 for messages without records, then bit 1 for DTLS, else QUIC,
 * and bits 2 and 3 for what went on under encryption; bit 4 for a connection that was closed. Then
 * pieces: two bytes, the direction in the highest bit and the size in the others, and the bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ja.h"
#include "proto/tls.h"
#include "proto/tls_verdict.h"
#include "support/tls_text.h"

#define INPUT_MAX (64 << 10)

static struct tls_scratch scratch;
static struct tls_options options;
static bool is_bare;

static void check(int condition)
{
	if (!condition)
		abort();
}

/* Both or none, and as long as they must be. */
static void check_fingerprints(const struct tls_session *session)
{
	char ja3[JA3_SIZE], ja4[JA4_SIZE];
	int err = ja3_hash(&session->client, ja3);

	check(err == ja4_format(&session->client, session->transport, ja4));
	check(err || strlen(ja3) == JA3_SIZE - 1);
	check(err || strlen(ja4) == JA4_SIZE - 1);
}

/* All weaknesses have room, a name and what was seen. */
static void check_verdict(const struct tls_session *session)
{
	struct tls_verdict verdict;

	tls_verdict_reach(session, &verdict);
	check(code_name(&tls_why_not_tls13_codes, verdict.why_not_tls13) != NULL);
	check(code_name(&tls_why_not_pq_codes, verdict.why_not_pq) != NULL);
	check(verdict.cnsa2 != TLS_ANSWER_yes);
	check(verdict.nr_findings <= NR_TLS_RULES);
	for (size_t i = 0; i < verdict.nr_findings; i++) {
		const struct tls_finding *finding = &verdict.findings[i];

		check(finding->rule && finding->why && finding->policy);
		check(*finding->evidence && memchr(finding->evidence, 0, TLS_EVIDENCE_SIZE));
		check(i == 0 || finding->severity <= finding[-1].severity);
	}
}

static enum flow_state parse(const struct flow *flow, struct flow_needs *needs, char *text)
{
	static struct tls_session session;
	enum flow_state state;

	if (is_bare)
		state = tls_parse_messages(flow, &options, &scratch, &session, needs);
	else
		state = tls_parse(flow, &options, &scratch, &session, needs);
	tls_check(&session, flow, &scratch, state, needs);
	if (state != FLOW_MORE) {
		check_fingerprints(&session);
		check_verdict(&session);
	}
	tls_text(&session, text);
	return state;
}

/* A piece more of one direction, in a block of its size, so that a sanitizer sees its end. */
static void grow(struct flow_bytes *from, const uint8_t *bytes, size_t size)
{
	uint8_t *grown = malloc(from->size + size);

	if (from->size)
		memcpy(grown, from->bytes, from->size);
	memcpy(grown + from->size, bytes, size);
	free((void *)from->bytes);
	from->bytes = grown;
	from->size += size;
}

/* What a caller has who parses only when that may tell something. */
struct lazy {
	enum flow_state state;
	struct flow_needs needs;
	char text[TLS_TEXT_MAX];
};

static void step(const struct flow *flow, struct lazy *lazy)
{
	static char text[TLS_TEXT_MAX];
	struct flow_needs needs;
	enum flow_state state;

	if (lazy->state != FLOW_MORE)
		return;
	state = parse(flow, &needs, text);
	if (flow->from[0].size >= lazy->needs.size[0] ||
	    flow->from[1].size >= lazy->needs.size[1]) {
		memcpy(lazy->text, text, strlen(text) + 1);
		lazy->state = state;
		lazy->needs = needs;
	}
	check(lazy->state == state && strcmp(lazy->text, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lazy lazy;
	struct flow flow = { .from = { { .size = 0 } } };
	static char text[TLS_TEXT_MAX];

	if (size < 1 || size > INPUT_MAX)
		return 0;
	is_bare = data[0] & 1;
	options = (struct tls_options){
		.transport = data[0] & 2 ? TLS_TRANSPORT_dtls : TLS_TRANSPORT_quic,
		.is_encrypted = { data[0] & 4, data[0] & 8 },
		.is_closed = data[0] & 16,
	};
	lazy.state = FLOW_MORE;
	lazy.needs = (struct flow_needs){ .size = { 0, 0 } };
	step(&flow, &lazy);
	for (size_t at = 1; size - at > 2;) {
		size_t piece_size = (size_t)(data[at] & 0x7f) << 8 | data[at + 1];
		struct flow_bytes *from = &flow.from[data[at] >> 7];

		at += 2;
		if (piece_size > size - at)
			piece_size = size - at;
		if (piece_size)
			grow(from, data + at, piece_size);
		at += piece_size;
		step(&flow, &lazy);
	}
	flow.from[FLOW_CLIENT].has_ended = true;
	parse(&flow, &lazy.needs, text);
	flow.from[FLOW_SERVER].has_ended = true;
	check(parse(&flow, &lazy.needs, text) != FLOW_MORE);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		free((void *)flow.from[i].bytes);
	return 0;
}
