/* SPDX-License-Identifier: MIT */
#include "proto/tls_verdict.h"

#include "catalogue/tls.h"
#include "lib/array.h"
#include "proto/tls_weakness.h"

/* NSA, CNSA 2.0. */
#define CNSA2_KEM_BITS 1024

static const struct code_entry why_not_tls13_entries[] = {
#define TLS_WHY_NOT_TLS13(id, why) { TLS_WHY_NOT_TLS13_##id, #id, why },
#include "proto/tls_verdict.def"
};

static const struct code_entry why_not_pq_entries[] = {
#define TLS_WHY_NOT_PQ(id, why) { TLS_WHY_NOT_PQ_##id, #id, why },
#include "proto/tls_verdict.def"
};

const struct code_table tls_why_not_tls13_codes = { "why_not_tls13", why_not_tls13_entries,
						    ARRAY_SIZE(why_not_tls13_entries) };
const struct code_table tls_why_not_pq_codes = { "why_not_pq", why_not_pq_entries,
						 ARRAY_SIZE(why_not_pq_entries) };

const struct tls_rule_info tls_rules[NR_TLS_RULES] = {
#define TLS_RULE(rule, severity, why, policy)                                                      \
	[TLS_RULE_##rule] = { #rule, SEVERITY_##severity, why, policy },
#include "proto/tls_verdict.def"
};

static bool is_tls13(const struct tls_session *session)
{
	return tls_version_base(session->version) >= TLS_VERSION_1_3;
}

/* Whether the client offers TLS 1.3 or a draft of it: in its list of versions alone. */
static bool offers_tls13(const struct tls_client_hello *client)
{
	for (size_t i = 0; i < client->versions.nr; i++)
		if (tls_version_base(client->versions.codes[i]) == TLS_VERSION_1_3)
			return true;
	return false;
}

static enum tls_why_not_tls13 why_not_tls13(const struct tls_session *session)
{
	if (!session->server.is_there)
		return TLS_WHY_NOT_TLS13_no_server_hello;
	if (is_tls13(session))
		return TLS_WHY_NOT_TLS13_none;
	if (!offers_tls13(&session->client))
		return session->client.has_fallback ? TLS_WHY_NOT_TLS13_client_fell_back
						    : TLS_WHY_NOT_TLS13_client_never_offered;
	return session->server.has_downgrade_sentinel ? TLS_WHY_NOT_TLS13_downgrade_sentinel
						      : TLS_WHY_NOT_TLS13_server_chose_lower;
}

static bool offers_pq(const struct tls_client_hello *client)
{
	for (size_t i = 0; i < client->groups.nr; i++)
		if (tls_group_is_post_quantum(client->groups.codes[i]))
			return true;
	return false;
}

static bool has_pq_key_share(const struct tls_client_hello *client)
{
	for (size_t i = 0; i < client->nr_key_shares; i++)
		if (tls_group_is_post_quantum(client->key_shares[i].group))
			return true;
	return false;
}

/* A server that asks for another key has seen what was offered and made its choice. */
static enum tls_why_not_pq why_not_pq(const struct tls_session *session)
{
	if (!session->server.is_there)
		return TLS_WHY_NOT_PQ_no_server_hello;
	if (!is_tls13(session))
		return TLS_WHY_NOT_PQ_not_tls13;
	if (!session->server.has_key_share)
		return TLS_WHY_NOT_PQ_resumed_without_key_share;
	if (tls_group_is_post_quantum(session->group))
		return TLS_WHY_NOT_PQ_none;
	if (!offers_pq(&session->client))
		return TLS_WHY_NOT_PQ_client_never_offered;
	if (has_pq_key_share(&session->client) || session->has_hello_retry)
		return TLS_WHY_NOT_PQ_server_chose_classical;
	return TLS_WHY_NOT_PQ_client_offered_without_key_share;
}

static enum tls_answer answer_of(bool is_so)
{
	return is_so ? TLS_ANSWER_yes : TLS_ANSWER_no;
}

static enum tls_answer forward_secrecy(const struct tls_session *session)
{
	const struct tls_cipher *cipher = tls_cipher_find(session->cipher);

	if (!session->server.is_there)
		return TLS_ANSWER_unknown;
	if (is_tls13(session))
		return answer_of(session->server.has_key_share);
	if (session->version == TLS_VERSION_SSL2)
		return TLS_ANSWER_no;
	if (!cipher)
		return TLS_ANSWER_unknown;
	if (!tls_key_exchanges[cipher->key_exchange].is_forward_secret)
		return TLS_ANSWER_no;
	return session->resumed == TLS_ANSWER_yes ? TLS_ANSWER_unknown : TLS_ANSWER_yes;
}

static enum tls_answer meets_cnsa2(const struct tls_session *session)
{
	const struct tls_cipher *cipher = tls_cipher_find(session->cipher);
	const struct tls_group *group = tls_group_find(session->group);

	if (!session->server.is_there)
		return TLS_ANSWER_unknown;
	if (!is_tls13(session) || !cipher || cipher->encryption != TLS_ENCRYPTION_AES_256_GCM ||
	    !group || group->kem_bits != CNSA2_KEM_BITS)
		return TLS_ANSWER_no;
	return TLS_ANSWER_unknown;
}

void tls_verdict_reach(const struct tls_session *session, struct tls_verdict *ret)
{
	const struct tls_server_hello *server = &session->server;

	*ret = (struct tls_verdict){
		.why_not_tls13 = (uint8_t)why_not_tls13(session),
		.why_not_pq = (uint8_t)why_not_pq(session),
		.forward_secrecy = (uint8_t)forward_secrecy(session),
		.cnsa2 = (uint8_t)meets_cnsa2(session),
		.server_has_tls13 =
			server->is_there && (is_tls13(session) || server->has_downgrade_sentinel),
	};
	if (server->is_there)
		ret->post_quantum = (uint8_t)answer_of(ret->why_not_pq == TLS_WHY_NOT_PQ_none);
	tls_weakness_find(session, ret);
}
