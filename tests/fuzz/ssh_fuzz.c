/* SPDX-License-Identifier: MIT */
/*
 * src/proto/ssh.h: whatever two peers send, what is said of it lies in what they sent, stays the
 * same while more comes that is not called for, and can be judged.
 *
 * The input is a recording, see tests/support/recorded.h.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/ssh.h"
#include "proto/ssh_verdict.h"
#include "support/recorded.h"
#include "support/ssh_sessions.h"

#define INPUT_MAX (96U << 10)
#define CUTS	  4

static void check(bool condition)
{
	if (!condition)
		abort();
}

/* TEXT is nothing, or lies in what FROM sent. */
static void check_in(const struct flow_text *text, const struct flow_bytes *from)
{
	if (!text->bytes) {
		check(text->size == 0);
		return;
	}
	check(text->bytes >= from->bytes && text->size <= from->size &&
	      (size_t)(text->bytes - from->bytes) <= from->size - text->size);
}

static void check_session(const struct flow *flow, const struct ssh_session *session)
{
	const struct flow_bytes *server = &flow->from[FLOW_SERVER];
	char fingerprint[SSH_FINGERPRINT_SIZE];
	struct ssh_verdicts verdicts;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		check_in(&session->peer[i].ident, &flow->from[i]);
		check(session->peer[i].ident.size < 255);
		for (size_t list = 0; list < NR_SSH_LISTS; list++)
			check_in(&session->peer[i].lists[list], &flow->from[i]);
	}
	for (size_t list = 0; list < NR_SSH_LISTS; list++)
		check_in(&session->chosen[list], &flow->from[FLOW_CLIENT]);
	check_in(&session->host_key_blob, server);
	check_in(&session->host_key.type, server);
	check_in(&session->signature, server);
	check_in(&session->disconnect.description, &flow->from[session->disconnect.from]);
	check(session->outcome != SSH_ESTABLISHED ||
	      (session->chosen[SSH_LIST_kex].size && session->chosen[SSH_LIST_cipher_s2c].size));
	check((session->outcome == SSH_FAILED) == (session->failure != SSH_FAILURE_none));
	if (session->host_key_blob.bytes)
		check(ssh_key_fingerprint(&session->host_key_blob, fingerprint) &&
		      strlen(fingerprint) == sizeof(fingerprint) - 1);
	ssh_verdict(session, &verdicts);
	check(verdicts.nr <= SSH_VERDICTS_MAX);
	for (uint32_t i = 0; i < verdicts.nr; i++)
		check(verdicts.list[i].rule->name && verdicts.list[i].evidence[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording recording = { data, data + size };
	struct flow flow = recorded_flow(&recording), whole;
	struct ssh_session session;
	struct flow_needs needs;
	uint32_t random = 2166136261U;

	if (size > INPUT_MAX)
		return 0;
	whole = flow_guarded(&flow);
	if (ssh_parse(&whole, &session, &needs) != FLOW_FOREIGN)
		check_session(&whole, &session);
	flow_free(&whole);
	for (size_t i = 0; i < size; i++)
		random = (random ^ data[i]) * 16777619U;
	for (int i = 0; i < CUTS; i++) {
		size_t cut[NR_FLOW_DIRECTIONS];

		for (size_t j = 0; j < NR_FLOW_DIRECTIONS; j++) {
			random = random * 1664525U + 1013904223U;
			cut[j] = (random >> 8) % (flow.from[j].size + 1);
		}
		flow_check_cut(&flow, cut, &session_parser);
	}
	return 0;
}
