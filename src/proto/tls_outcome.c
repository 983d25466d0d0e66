/* SPDX-License-Identifier: MIT */
#include "proto/tls_outcome.h"

#include "catalogue/tls.h"

static void fail(struct tls_session *session, enum flow_direction from, bool is_encrypted,
		 uint8_t alert)
{
	session->outcome = TLS_OUTCOME_failed;
	session->has_alert = true;
	session->alert_from = (uint8_t)from;
	session->alert_is_encrypted = is_encrypted;
	session->alert = is_encrypted ? 0 : alert;
}

/* A side that refuses says why; the other may answer with close_notify, or with nothing. */
static bool is_reason(const struct tls_side *side)
{
	return side->has_alert &&
	       (side->alert_is_encrypted || side->alert != TLS_ALERT_close_notify);
}

static void judge_13(const struct tls_walk *walk, bool has_ended)
{
	struct tls_session *session = walk->session;
	bool may_be_early = session->client.has_early_data && !session->has_hello_retry;

	switch (tls_evidence_judge(&walk->sides[FLOW_CLIENT].evidence,
				   &walk->sides[FLOW_SERVER].evidence, may_be_early, has_ended)) {
	case TLS_PROOF_established:
		session->outcome = TLS_OUTCOME_established;
		break;
	case TLS_PROOF_client_alert:
		fail(session, FLOW_CLIENT, true, 0);
		break;
	case TLS_PROOF_server_alert:
		fail(session, FLOW_SERVER, true, 0);
		break;
	default:
		break;
	}
}

/* Whether one side has given up in clear, or in the open of up to TLS 1.2. */
static bool judge_alerts(const struct tls_walk *walk)
{
	/* Who answers second has mostly less to say: after the server's hello that is the server.
	 */
	enum flow_direction first = walk->session->server.is_there ? FLOW_CLIENT : FLOW_SERVER;
	enum flow_direction second = first == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
	enum flow_direction from = first;

	if (!walk->sides[first].has_alert ||
	    (!is_reason(&walk->sides[first]) && is_reason(&walk->sides[second])))
		from = second;
	if (!walk->sides[from].has_alert)
		return false;
	fail(walk->session, from, walk->sides[from].alert_is_encrypted, walk->sides[from].alert);
	return true;
}

void tls_outcome_judge(const struct tls_walk *walk, bool has_ended, bool is_closed)
{
	const struct tls_side *client = &walk->sides[FLOW_CLIENT];
	const struct tls_side *server = &walk->sides[FLOW_SERVER];
	struct tls_session *session = walk->session;

	if (tls_walk_is_13(walk))
		judge_13(walk, has_ended);
	else if (client->has_finished && server->has_finished)
		session->outcome = TLS_OUTCOME_established;
	if (session->outcome != TLS_OUTCOME_incomplete || judge_alerts(walk))
		return;
	if (session->is_broken[FLOW_SERVER] && !session->server.is_there)
		session->outcome = TLS_OUTCOME_failed;
	else if (is_closed)
		session->outcome = TLS_OUTCOME_reset;
}

/* Whether a group is agreed on in a handshake of up to TLS 1.2 with CIPHER. */
static bool has_group(const struct tls_cipher *cipher)
{
	switch (cipher->key_exchange) {
	case TLS_KEY_EXCHANGE_dhe:
	case TLS_KEY_EXCHANGE_dhe_export:
	case TLS_KEY_EXCHANGE_dhe_psk:
	case TLS_KEY_EXCHANGE_ecdhe:
	case TLS_KEY_EXCHANGE_ecdhe_psk:
		return true;
	default:
		return false;
	}
}

/* Sets what was not seen by now to what that means. */
static void settle(uint8_t *known, enum tls_known meaning)
{
	if (*known == TLS_KNOWN_not_seen)
		*known = (uint8_t)meaning;
}

void tls_outcome_conclude(const struct tls_walk *walk)
{
	const struct tls_side *server = &walk->sides[FLOW_SERVER];
	struct tls_session *session = walk->session;
	const struct tls_cipher *cipher = tls_cipher_find(session->cipher);
	bool is_over = server->has_hello_done || server->has_changed_cipher;

	if (!session->server.is_there || tls_walk_is_13(walk))
		return;
	if (cipher && !has_group(cipher))
		settle(&session->group_known, TLS_KNOWN_no_such);
	if (tls_version_base(session->version) < TLS_VERSION_1_2)
		settle(&session->signature_known, TLS_KNOWN_no_such);
	if (is_over) {
		session->resumed = server->has_hello_done ? TLS_ANSWER_no : TLS_ANSWER_yes;
		if (session->asks_certificate == TLS_ANSWER_unknown)
			session->asks_certificate = TLS_ANSWER_no;
		settle(&session->group_known, TLS_KNOWN_no_such);
		settle(&session->signature_known, TLS_KNOWN_no_such);
		settle(&session->server_certificates.known, TLS_KNOWN_no_such);
	}
	if (session->asks_certificate == TLS_ANSWER_no ||
	    walk->sides[FLOW_CLIENT].has_changed_cipher)
		settle(&session->client_certificates.known, TLS_KNOWN_no_such);
	if (session->client_certificates.known == TLS_KNOWN_yes)
		session->sends_certificate = TLS_ANSWER_yes;
	else if (session->client_certificates.known == TLS_KNOWN_no_such)
		session->sends_certificate = TLS_ANSWER_no;
}
