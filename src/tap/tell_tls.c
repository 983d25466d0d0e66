/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "catalogue/tls.h"
#include "proto/ja.h"
#include "proto/tls_verdict.h"
#include "sources/tls_handshake/tls_handshake.h"
#include "tap/tap_private.h"

/* Of a name of the peer's: RFC 6066 has names of DNS, RFC 7301 up to 255 bytes. */
#define TEXT_MAX 255

static struct tail add_text(struct draft *draft, const struct flow_text *text)
{
	draft->is_cut |= text->size > TEXT_MAX;
	return draft_add(draft, text->bytes, text->size < TEXT_MAX ? text->size : TEXT_MAX, 1);
}

static struct tail add_string(struct draft *draft, const char *text)
{
	return draft_add(draft, text, strlen(text), 1);
}

static struct tail add_codes(struct draft *draft, const struct tls_codes *codes)
{
	uint32_t wide[TLS_CODES_MAX];

	for (size_t i = 0; i < codes->nr; i++)
		wide[i] = codes->codes[i];
	return draft_add(draft, wide, codes->nr * sizeof(wide[0]), sizeof(wide[0]));
}

/* What the client offers where it has no list: its version, and those before it. */
static struct tail add_versions(struct draft *draft, const struct tls_client_hello *client)
{
	uint32_t version = client->legacy_version;

	if (client->versions.nr)
		return add_codes(draft, &client->versions);
	return draft_add(draft, &version, sizeof(version), sizeof(version));
}

static struct tail add_alpn(struct draft *draft, const struct tls_client_hello *client)
{
	struct tail tail = { 0 };

	for (size_t i = 0; i < client->nr_alpn; i++) {
		/* The list is NUL-separated; such a name is nobody's. */
		if (!client->alpn[i].size || memchr(client->alpn[i].bytes, 0, client->alpn[i].size))
			continue;
		draft_extend(draft, &tail, client->alpn[i].bytes, client->alpn[i].size);
		draft_extend(draft, &tail, "", 1);
	}
	return tail;
}

static struct tail add_certificates(struct draft *draft,
				    const struct tls_certificates *certificates)
{
	struct tail tail = { 0 };

	for (size_t i = 0; i < certificates->nr; i++) {
		uint32_t size = (uint32_t)certificates->der[i].size;

		if (draft->size + sizeof(size) + size > DRAFT_SIZE - 1) {
			draft->is_cut = true;
			break;
		}
		draft_extend(draft, &tail, &size, sizeof(size));
		draft_extend(draft, &tail, certificates->der[i].bytes, size);
	}
	return tail;
}

static void add_fingerprints(struct tap *tap, struct tls_handshake_event *event,
			     const struct tls_session *session)
{
	char ja3[JA3_SIZE];
	char ja4[JA4_SIZE];
	int err3 = ja3_hash(&session->client, ja3);
	int err4 = ja4_format(&session->client, session->transport, ja4);

	if (err3 == 0)
		event->ja3 = add_string(tap->draft, ja3);
	if (err4 == 0)
		event->ja4 = add_string(tap->draft, ja4);
	/* Of a hello that cannot have one nothing is missing. */
	tap->nr_unhashed += (err3 && err3 != -ENODATA) || (err4 && err4 != -ENODATA);
}

/* The number of the rule called NAME, which is one of those. */
static uint8_t rule_number(const char *name)
{
	uint8_t i = 0;

	while (i < NR_TLS_RULES - 1 && tls_rules[i].name != name)
		i++;
	return i;
}

static void add_verdicts(struct draft *draft, struct tls_handshake_event *event,
			 const struct tls_session *session)
{
	struct tls_verdict verdict;

	tls_verdict_reach(session, &verdict);
	event->why_not_tls13 = verdict.why_not_tls13;
	event->why_not_pq = verdict.why_not_pq;
	event->forward_secrecy = verdict.forward_secrecy;
	event->post_quantum = verdict.post_quantum;
	event->cnsa2 = verdict.cnsa2;
	for (size_t i = 0; i < verdict.nr_findings; i++)
		draft_verdict(draft, &event->verdicts, rule_number(verdict.findings[i].rule),
			      verdict.findings[i].evidence);
}

/*
 * GnuTLS says in every hello how large a record may be (RFC 8449, since 3.6.4), and OpenSSL, up to
 * 3.6, in none: what tells them apart in a client that has mapped both, as curl has where libldap
 * brings the other one in.
 */
static bool may_have_sent(const char *path, const struct tls_client_hello *client)
{
	const struct library_class *class = library_classify(path, strlen(path));
	bool says_limit = false;

	for (size_t i = 0; i < client->extensions.nr; i++)
		says_limit |= client->extensions.codes[i] == TLS_EXTENSION_record_size_limit;
	if (class && class->family == LIBRARY_FAMILY_gnutls)
		return says_limit;
	return !class || class->family != LIBRARY_FAMILY_openssl || !says_limit;
}

static void add_libraries(struct tap *tap, const struct tap_connection *connection,
			  struct tls_handshake_event *event, const struct tls_session *session)
{
	struct processes *processes = tap->pipeline->processes;
	const struct process *process = tap_owner(tap, connection);
	const char *paths[OWNER_LIBRARIES_MAX];
	const struct library_class *class;
	size_t nr = 0;
	size_t nr_fit = 0;

	if (connection->owner)
		nr = owners_libraries(tap->owners, connection->owner, connection->owner_ns,
				      process ? processes_find(processes, process->ppid) : NULL,
				      paths);
	for (size_t i = 0; i < nr; i++)
		if (event->role == FLOW_SERVER || may_have_sent(paths[i], &session->client))
			paths[nr_fit++] = paths[i];
	if (nr_fit == 1) {
		class = library_classify(paths[0], strlen(paths[0]));
		event->library = add_string(tap->draft, paths[0]);
		event->family = class ? class->family : LIBRARY_FAMILY_none;
	}
	for (size_t i = 0; nr_fit > 1 && i < nr_fit; i++)
		draft_extend(tap->draft, &event->candidates, paths[i], strlen(paths[i]) + 1);
}

/* Whether there was more of something than SESSION has. */
static bool is_cut(const struct tls_session *session)
{
	const struct tls_client_hello *client = &session->client;

	return client->is_cut || client->alpn_is_cut || client->ciphers.is_cut ||
	       client->groups.is_cut || client->versions.is_cut || client->signatures.is_cut ||
	       session->server_certificates.is_cut;
}

static uint16_t marks_of(const struct tls_session *session, const struct draft *draft)
{
	const struct tls_client_hello *client = &session->client;
	uint16_t marks = 0;

	if (session->server.is_there)
		marks |= TLS_EVENT_HAS_CHOICE;
	if (session->has_hello_retry)
		marks |= TLS_EVENT_HELLO_RETRY;
	if (client->server_name_is_outer)
		marks |= TLS_EVENT_OUTER_NAME;
	if (session->has_alert)
		marks |= TLS_EVENT_HAS_ALERT;
	if (session->alert_is_encrypted)
		marks |= TLS_EVENT_ALERT_HIDDEN;
	if (session->alert_from == FLOW_SERVER)
		marks |= TLS_EVENT_SERVER_ALERT;
	if (client->has_early_data)
		marks |= TLS_EVENT_EARLY_DATA;
	if (client->is_sslv2)
		marks |= TLS_EVENT_SSLV2_HELLO;
	if (draft->is_cut || is_cut(session))
		marks |= TLS_EVENT_CUT;
	return marks;
}

static void fill(struct tls_handshake_event *event, const struct tap_connection *connection,
		 const struct tls_session *session)
{
	event->duration_ns = tap_duration_ns(connection);
	memcpy(event->local, connection->local, sizeof(event->local));
	memcpy(event->peer, connection->peer, sizeof(event->peer));
	event->local_port = connection->local_port;
	event->peer_port = connection->peer_port;
	event->version = session->version;
	event->cipher = session->cipher;
	event->group = session->group;
	event->signature = session->signature;
	event->dh_bits = session->dh_bits;
	event->role = connection->client == TAP_SENT ? FLOW_CLIENT : FLOW_SERVER;
	event->outcome = session->outcome;
	event->transport = session->transport;
	event->starttls = connection->starttls;
	event->alert = session->alert;
	event->resumed = session->resumed;
	event->sends_certificate = session->sends_certificate;
	event->group_known = session->group_known;
	event->signature_known = session->signature_known;
	event->alpn_known = session->alpn_known;
	event->certificates_known = session->server_certificates.known;
}

void tell_tls(struct tap *tap, const struct tap_connection *connection,
	      const struct tls_session *session)
{
	struct draft *draft = tap->draft;
	struct tls_handshake_event *event = draft_begin(draft, sizeof(*event));
	const struct tls_client_hello *client = &session->client;

	fill(event, connection, session);
	event->server_name = add_text(draft, &client->server_name);
	event->alpn = add_text(draft, &session->server.alpn);
	event->offered_versions = add_versions(draft, client);
	event->offered_ciphers = add_codes(draft, &client->ciphers);
	event->offered_groups = add_codes(draft, &client->groups);
	event->offered_signatures = add_codes(draft, &client->signatures);
	event->offered_alpn = add_alpn(draft, client);
	add_fingerprints(tap, event, session);
	add_libraries(tap, connection, event, session);
	add_verdicts(draft, event, session);
	event->certificates = add_certificates(draft, &session->server_certificates);
	event->marks = marks_of(session, draft);
	if (connection->has_hole)
		event->marks |= TLS_EVENT_HAS_HOLE;
	tap_send(tap, connection, SOURCE_tls_handshake);
}
