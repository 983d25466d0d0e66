/* SPDX-License-Identifier: MIT */
#include "proto/tls_walk.h"

#include "catalogue/tls.h"
#include "proto/tls_flight.h"
#include "proto/tls_hello.h"

#define ALERT_SIZE  2
#define ALERT_FATAL 2 /* AlertLevel (RFC 8446 section 6) */

bool tls_walk_is_13(const struct tls_walk *walk)
{
	const struct tls_session *session = walk->session;

	return session->server.is_there && tls_version_base(session->version) >= TLS_VERSION_1_3;
}

/* Whether the server has chosen TLS 1.2 or less. */
static bool is_older(const struct tls_walk *walk)
{
	return walk->session->server.is_there && !tls_walk_is_13(walk);
}

/* Hellos that the client is to send, as far as is known. */
static unsigned int hellos_due(const struct tls_session *session)
{
	return 1U + session->has_hello_retry + session->has_hello_verify;
}

static enum tls_step take_client_hello(struct tls_walk *walk, const struct tls_message *message)
{
	struct tls_session *session = walk->session;

	if (session->nr_client_hellos >= hellos_due(session))
		return TLS_STEP_broken;
	if (session->nr_client_hellos == 0)
		tls_client_hello_read(message, walk->is_dtls, &session->client);
	session->nr_client_hellos++;
	return TLS_STEP_found;
}

static enum tls_step take_client_message(struct tls_walk *walk, const struct tls_message *message)
{
	struct tls_session *session = walk->session;

	if (message->type == TLS_MESSAGE_client_hello)
		return take_client_hello(walk, message);
	if (!is_older(walk))
		return TLS_STEP_broken;
	if (message->type == TLS_MESSAGE_certificate)
		tls_certificates_read(message, TLS_CLIENT_CERTIFICATES_MAX,
				      &session->client_certificates);
	return TLS_STEP_found;
}

/* What is certain once the server has chosen. */
static void choose(struct tls_walk *walk)
{
	struct tls_session *session = walk->session;
	const struct tls_server_hello *server = &session->server;

	session->version = server->version;
	session->cipher = server->cipher;
	walk->sizes = tls_sizes_of(server->cipher);
	if (tls_walk_is_13(walk)) {
		session->group = server->key_share_group;
		session->group_known = server->has_key_share ? TLS_KNOWN_yes : TLS_KNOWN_no_such;
		session->signature_known =
			server->has_psk ? TLS_KNOWN_no_such : TLS_KNOWN_encrypted;
		session->alpn_known =
			session->client.nr_alpn ? TLS_KNOWN_encrypted : TLS_KNOWN_no_such;
		session->resumed = server->has_psk ? TLS_ANSWER_yes : TLS_ANSWER_no;
		/* With a key of before the server must not ask for one (RFC 8446 section 4.3.2). */
		session->sends_certificate = server->has_psk ? TLS_ANSWER_no : TLS_ANSWER_unknown;
		session->server_certificates.known = session->signature_known;
		session->client_certificates.known = session->signature_known;
	} else {
		session->alpn_known = server->alpn.size ? TLS_KNOWN_yes : TLS_KNOWN_no_such;
	}
}

static enum tls_step take_server_hello(struct tls_walk *walk, const struct tls_message *message)
{
	struct tls_session *session = walk->session;

	if (session->server.is_there)
		return TLS_STEP_broken;
	tls_server_hello_read(message, &session->server);
	if (!session->server.is_there)
		return message->is_cut ? TLS_STEP_found : TLS_STEP_broken;
	if (!tls_server_hello_is_retry(&session->server)) {
		choose(walk);
		return TLS_STEP_found;
	}
	session->server.is_there = false;
	if (session->has_hello_retry)
		return TLS_STEP_broken;
	session->has_hello_retry = true;
	session->hello_retry_group = session->server.key_share_group;
	session->hello_retry_cipher = session->server.cipher;
	return TLS_STEP_found;
}

/* A message of up to TLS 1.2 that follows the server's hello. */
static void take_server_flight(struct tls_walk *walk, const struct tls_message *message)
{
	struct tls_session *session = walk->session;

	switch (message->type) {
	case TLS_MESSAGE_certificate:
		tls_certificates_read(message, TLS_SERVER_CERTIFICATES_MAX,
				      &session->server_certificates);
		break;
	case TLS_MESSAGE_server_key_exchange:
		tls_key_exchange_read(message, session);
		break;
	case TLS_MESSAGE_certificate_request:
		session->asks_certificate = TLS_ANSWER_yes;
		break;
	case TLS_MESSAGE_server_hello_done:
		walk->sides[FLOW_SERVER].has_hello_done = true;
		break;
	default:
		break;
	}
}

static enum tls_step take_server_message(struct tls_walk *walk, const struct tls_message *message)
{
	struct tls_session *session = walk->session;

	switch (message->type) {
	case TLS_MESSAGE_hello_request:
		return TLS_STEP_found;
	case TLS_MESSAGE_server_hello:
		return take_server_hello(walk, message);
	case TLS_MESSAGE_hello_verify_request:
		if (!walk->is_dtls || session->server.is_there || session->has_hello_verify)
			return TLS_STEP_broken;
		session->has_hello_verify = true;
		return TLS_STEP_found;
	default:
		if (!is_older(walk))
			return TLS_STEP_broken;
		take_server_flight(walk, message);
		return TLS_STEP_found;
	}
}

static enum tls_step take_message(struct tls_walk *walk, enum flow_direction from)
{
	struct tls_message message;
	enum tls_step step = tls_stream_message(&walk->sides[from].stream, &message);

	if (step != TLS_STEP_found)
		return step;
	if (from == FLOW_CLIENT)
		return take_client_message(walk, &message);
	return take_server_message(walk, &message);
}

/* Of TLS 1.3 all alerts but two are fatal whatever their level says (RFC 8446 section 6). */
static bool is_fatal(const struct tls_walk *walk, uint8_t level, uint8_t alert)
{
	if (level == ALERT_FATAL || alert == TLS_ALERT_close_notify)
		return true;
	return tls_walk_is_13(walk) && alert != TLS_ALERT_user_canceled;
}

static enum tls_step take_alert(struct tls_walk *walk, enum flow_direction from,
				const struct tls_record *record)
{
	struct tls_side *side = &walk->sides[from];
	struct tls_session *session = walk->session;

	if (record->size != ALERT_SIZE && !side->has_changed_cipher)
		return TLS_STEP_broken;
	if (side->has_changed_cipher) {
		side->has_alert = side->alert_is_encrypted = true;
		return TLS_STEP_found;
	}
	if (!tls_stream_is_whole(&side->stream, record))
		return TLS_STEP_more;
	tls_stream_pass(&side->stream, record);
	if (record->there < ALERT_SIZE)
		return TLS_STEP_found;
	if (is_fatal(walk, record->bytes[0], record->bytes[1])) {
		side->has_alert = true;
		side->alert = record->bytes[1];
	} else {
		session->has_warning = true;
		session->warning = record->bytes[1];
	}
	return TLS_STEP_found;
}

/*
 * ChangeCipherSpec means nothing in TLS 1.3 (RFC 8446 appendix D.4) nor, by that, before it is
 * known whether it is; before any hello it has no place.
 */
static enum tls_step take_change(struct tls_walk *walk, enum flow_direction from,
				 const struct tls_record *record)
{
	struct tls_side *side = &walk->sides[from];

	if (record->size != 1)
		return TLS_STEP_broken;
	if (from == FLOW_SERVER && !walk->session->server.is_there &&
	    !walk->session->has_hello_retry)
		return TLS_STEP_broken;
	if (!tls_stream_is_whole(&side->stream, record))
		return TLS_STEP_more;
	side->has_changed_cipher = is_older(walk);
	tls_stream_pass(&side->stream, record);
	return TLS_STEP_found;
}

/* What is encrypted in TLS 1.3; early data that a HelloRetryRequest refuses is no evidence. */
static enum tls_step take_data(struct tls_walk *walk, enum flow_direction from,
			       const struct tls_record *record)
{
	const struct tls_session *session = walk->session;
	struct tls_side *side = &walk->sides[from];
	bool is_early = from == FLOW_CLIENT && session->nr_client_hellos < hellos_due(session);

	if (tls_walk_is_13(walk) && !is_early)
		tls_evidence_add(&side->evidence, &walk->sizes, record->size);
	else if (!is_early && !side->has_changed_cipher)
		return TLS_STEP_broken;
	tls_stream_pass(&side->stream, record);
	return TLS_STEP_found;
}

static enum tls_step take_handshake(struct tls_walk *walk, enum flow_direction from,
				    const struct tls_record *record)
{
	struct tls_side *side = &walk->sides[from];

	if (!side->has_changed_cipher)
		return take_message(walk, from);
	side->has_finished = true;
	tls_stream_pass(&side->stream, record);
	return TLS_STEP_found;
}

/* Whether what comes cannot be understood before the server has said what it chose. */
static bool must_wait(const struct tls_walk *walk, enum flow_direction from)
{
	const struct tls_session *session = walk->session;

	return from == FLOW_CLIENT && session->nr_client_hellos >= hellos_due(session) &&
	       !session->server.is_there;
}

static enum tls_step take_next(struct tls_walk *walk, enum flow_direction from)
{
	struct tls_stream *stream = &walk->sides[from].stream;
	bool has_to_wait = must_wait(walk, from);
	struct tls_record record;
	enum tls_step step;

	if (stream->is_bare && !has_to_wait)
		return take_message(walk, from);
	if (stream->is_bare)
		return TLS_STEP_more;
	step = tls_stream_record(stream, &record);
	if (step != TLS_STEP_found)
		return step;
	/* Unless it gives up: the server's part is known as far as it goes. */
	if (has_to_wait && !(walk->has_seen_server && record.type == TLS_CONTENT_alert))
		return TLS_STEP_more;
	switch (record.type) {
	case TLS_CONTENT_handshake:
		return take_handshake(walk, from, &record);
	case TLS_CONTENT_alert:
		return take_alert(walk, from, &record);
	case TLS_CONTENT_change_cipher_spec:
		return take_change(walk, from, &record);
	case TLS_CONTENT_application_data:
		return take_data(walk, from, &record);
	default:
		tls_stream_pass(stream, &record);
		return TLS_STEP_found;
	}
}

void tls_walk_side(struct tls_walk *walk, enum flow_direction from)
{
	struct tls_side *side = &walk->sides[from];
	enum tls_step step = TLS_STEP_found;

	side->stream.need = SIZE_MAX;
	while (step == TLS_STEP_found && !side->has_alert && !side->has_finished)
		step = take_next(walk, from);
	if (step == TLS_STEP_broken) {
		walk->session->is_broken[from] = true;
		side->stream.need = SIZE_MAX;
	}
	walk->has_seen_server |= from == FLOW_SERVER;
}
