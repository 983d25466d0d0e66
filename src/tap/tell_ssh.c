/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "proto/ssh_verdict.h"
#include "sources/ssh_handshake/ssh_handshake.h"
#include "tap/tap_private.h"

/* Of a text of the peer's that may be as long as a packet. */
#define TEXT_MAX 255

static struct tail add_text(struct draft *draft, const struct flow_text *text)
{
	return draft_add(draft, text->bytes, text->size < TEXT_MAX ? text->size : TEXT_MAX, 1);
}

/* Why it failed, of which there is more than one kind. */
static struct tail add_failure(struct draft *draft, const struct ssh_session *session)
{
	static const char *const lists[NR_SSH_LISTS] = {
		[SSH_LIST_kex] = "kex",
		[SSH_LIST_host_key] = "host key",
		[SSH_LIST_cipher_c2s] = "cipher",
		[SSH_LIST_cipher_s2c] = "cipher",
		[SSH_LIST_mac_c2s] = "MAC",
		[SSH_LIST_mac_s2c] = "MAC",
		[SSH_LIST_compression_c2s] = "compression",
		[SSH_LIST_compression_s2c] = "compression",
	};
	const struct flow_text *description = &session->disconnect.description;
	char text[TEXT_MAX + 1] = "";
	const char *list = NULL;

	switch (session->failure) {
	case SSH_FAILURE_none:
		return (struct tail){ 0 };
	case SSH_FAILURE_version:
		snprintf(text, sizeof(text), "no common version");
		break;
	case SSH_FAILURE_no_common:
		list = lists[session->failed_list];
		snprintf(text, sizeof(text), "no common %s", list ? list : "language");
		break;
	case SSH_FAILURE_disconnect:
		snprintf(text, sizeof(text), "disconnect %u: %.*s", session->disconnect.reason,
			 (int)(description->size < TEXT_MAX ? description->size : TEXT_MAX),
			 description->size ? (const char *)description->bytes : "");
		break;
	case SSH_FAILURE_malformed:
		snprintf(text, sizeof(text), "malformed");
		break;
	}
	return draft_add(draft, text, strlen(text), 1);
}

static struct tail add_verdicts(struct draft *draft, const struct ssh_session *session)
{
	struct ssh_verdicts verdicts;
	struct tail tail = { 0 };

	ssh_verdict(session, &verdicts);
	for (uint32_t i = 0; i < verdicts.nr; i++)
		draft_verdict(draft, &tail, (uint8_t)(verdicts.list[i].rule - ssh_rules),
			      verdicts.list[i].evidence);
	return tail;
}

static struct tail add_fingerprint(struct tap *tap, const struct flow_text *blob)
{
	char fingerprint[SSH_FINGERPRINT_SIZE];

	if (!ssh_key_fingerprint(blob, fingerprint)) {
		tap->nr_unhashed++;
		return (struct tail){ 0 };
	}
	return draft_add(tap->draft, fingerprint, strlen(fingerprint), 1);
}

static uint8_t outcome_of(const struct ssh_session *session, bool is_closed)
{
	switch (session->outcome) {
	case SSH_ESTABLISHED:
		return SSH_EVENT_ESTABLISHED;
	case SSH_FAILED:
		return SSH_EVENT_FAILED;
	case SSH_INCOMPLETE:
		break;
	}
	return is_closed ? SSH_EVENT_RESET : SSH_EVENT_INCOMPLETE;
}

static uint8_t marks_of(const struct ssh_session *session)
{
	uint8_t marks = 0;

	if (session->peer[FLOW_CLIENT].cookie && session->peer[FLOW_SERVER].cookie)
		marks |= SSH_EVENT_HAS_CHOICE;
	if (session->is_post_quantum)
		marks |= SSH_EVENT_POST_QUANTUM;
	if (session->is_strict)
		marks |= SSH_EVENT_STRICT;
	if (session->is_mac_implicit[FLOW_CLIENT])
		marks |= SSH_EVENT_IMPLICIT_MAC_C2S;
	if (session->is_mac_implicit[FLOW_SERVER])
		marks |= SSH_EVENT_IMPLICIT_MAC_S2C;
	return marks;
}

void tell_ssh(struct tap *tap, const struct tap_connection *connection,
	      const struct ssh_session *session, bool is_closed)
{
	struct draft *draft = tap->draft;
	struct ssh_handshake_event *event = draft_begin(draft, sizeof(*event));
	const struct flow_text *chosen = session->chosen;

	event->duration_ns = tap_duration_ns(connection);
	memcpy(event->local, connection->local, sizeof(event->local));
	memcpy(event->peer, connection->peer, sizeof(event->peer));
	event->local_port = connection->local_port;
	event->peer_port = connection->peer_port;
	event->role = connection->client == TAP_SENT ? FLOW_CLIENT : FLOW_SERVER;
	event->outcome = outcome_of(session, is_closed);
	event->marks = marks_of(session);
	event->host_key_bits = session->host_key.bits;
	event->group_bits = session->group.bits;
	event->client_ident = add_text(draft, &session->peer[FLOW_CLIENT].ident);
	event->server_ident = add_text(draft, &session->peer[FLOW_SERVER].ident);
	event->kex = add_text(draft, &chosen[SSH_LIST_kex]);
	event->host_key = add_text(draft, &chosen[SSH_LIST_host_key]);
	event->cipher_c2s = add_text(draft, &chosen[SSH_LIST_cipher_c2s]);
	event->cipher_s2c = add_text(draft, &chosen[SSH_LIST_cipher_s2c]);
	event->mac_c2s = add_text(draft, &chosen[SSH_LIST_mac_c2s]);
	event->mac_s2c = add_text(draft, &chosen[SSH_LIST_mac_s2c]);
	event->compression_c2s = add_text(draft, &chosen[SSH_LIST_compression_c2s]);
	event->compression_s2c = add_text(draft, &chosen[SSH_LIST_compression_s2c]);
	event->signature = add_text(draft, &session->signature);
	if (session->host_key_blob.size)
		event->fingerprint = add_fingerprint(tap, &session->host_key_blob);
	event->failure = add_failure(draft, session);
	event->verdicts = add_verdicts(draft, session);
	tap_send(tap, connection, SOURCE_ssh_handshake);
}
