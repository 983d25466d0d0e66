/* SPDX-License-Identifier: MIT */
#include "support/tls_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalogue/tls.h"

struct text {
	char *out;
	size_t size;
};

static void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->out + text->size, TLS_TEXT_MAX - text->size, format, args);
	va_end(args);
	if (length < 0 || text->size + (size_t)length >= TLS_TEXT_MAX)
		abort();
	text->size += (size_t)length;
}

static void add_code(struct text *text, const struct code_table *table, uint64_t code)
{
	const char *name = table ? code_name(table, code) : NULL;

	if (name)
		text_add(text, " %s", name);
	else
		text_add(text, " 0x%" PRIx64, code);
}

static void add_codes(struct text *text, const char *name, const struct code_table *table,
		      const struct tls_codes *codes)
{
	text_add(text, "%s:", name);
	for (size_t i = 0; i < codes->nr; i++)
		add_code(text, table, codes->codes[i]);
	text_add(text, "%s\n", codes->is_cut ? " cut" : "");
}

static void add_bytes(struct text *text, const char *name, const struct tls_bytes *bytes)
{
	text_add(text, "%s:", name);
	for (size_t i = 0; i < bytes->nr; i++)
		text_add(text, " %d", bytes->bytes[i]);
	text_add(text, "%s\n", bytes->is_cut ? " cut" : "");
}

/* Size and a sum that every byte and its place is in: reading them all is half of the purpose. */
static void add_text(struct text *text, const char *name, struct flow_text bytes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes.size; i++)
		sum = 31 * sum + bytes.bytes[i];
	text_add(text, "%s: %zu %" PRIx64 "\n", name, bytes.size, sum);
}

static void add_certificates(struct text *text, const char *name,
			     const struct tls_certificates *certificates)
{
	text_add(text, "%s: %d %d %d\n", name, certificates->known, certificates->nr,
		 certificates->is_cut);
	for (size_t i = 0; i < certificates->nr; i++)
		add_text(text, name, certificates->der[i]);
}

#define FLAG(text, of, member) text_add(text, #member ": %d\n", (int)(of)->member)

static void add_client(struct text *text, const struct tls_client_hello *hello)
{
	text_add(text, "client\n");
	FLAG(text, hello, is_there);
	FLAG(text, hello, is_sslv2);
	FLAG(text, hello, is_cut);
	FLAG(text, hello, is_malformed);
	FLAG(text, hello, has_extensions);
	FLAG(text, hello, has_grease);
	FLAG(text, hello, has_extended_master_secret);
	FLAG(text, hello, has_encrypt_then_mac);
	FLAG(text, hello, has_renegotiation_info);
	FLAG(text, hello, has_fallback);
	FLAG(text, hello, has_session_ticket);
	FLAG(text, hello, offers_ticket);
	FLAG(text, hello, offers_psk);
	FLAG(text, hello, has_early_data);
	FLAG(text, hello, server_name_is_outer);
	FLAG(text, hello, offers_compression);
	FLAG(text, hello, alpn_is_cut);
	FLAG(text, hello, key_shares_are_cut);
	add_code(text, &tls_version_codes, hello->legacy_version);
	add_text(text, "random", hello->random);
	add_text(text, "session_id", hello->session_id);
	add_text(text, "cookie", hello->cookie);
	add_text(text, "server_name", hello->server_name);
	for (size_t i = 0; i < hello->nr_alpn; i++)
		add_text(text, "alpn", hello->alpn[i]);
	for (size_t i = 0; i < hello->nr_key_shares; i++) {
		add_code(text, &tls_group_codes, hello->key_shares[i].group);
		text_add(text, " %d\n", hello->key_shares[i].size);
	}
	add_bytes(text, "psk_modes", &hello->psk_modes);
	add_bytes(text, "point_formats", &hello->point_formats);
	add_codes(text, "ciphers", &tls_cipher_codes, &hello->ciphers);
	add_codes(text, "extensions", &tls_extension_codes, &hello->extensions);
	add_codes(text, "versions", &tls_version_codes, &hello->versions);
	add_codes(text, "groups", &tls_group_codes, &hello->groups);
	add_codes(text, "signatures", &tls_signature_codes, &hello->signatures);
	add_codes(text, "certificate_signatures", &tls_signature_codes,
		  &hello->certificate_signatures);
	add_codes(text, "compressions", NULL, &hello->compressions);
}

static void add_server(struct text *text, const struct tls_server_hello *hello)
{
	text_add(text, "server\n");
	FLAG(text, hello, is_there);
	FLAG(text, hello, is_cut);
	FLAG(text, hello, is_malformed);
	FLAG(text, hello, has_extended_master_secret);
	FLAG(text, hello, has_encrypt_then_mac);
	FLAG(text, hello, has_renegotiation_info);
	FLAG(text, hello, has_session_ticket);
	FLAG(text, hello, has_psk);
	FLAG(text, hello, has_key_share);
	FLAG(text, hello, has_downgrade_sentinel);
	FLAG(text, hello, compression);
	FLAG(text, hello, key_share_size);
	add_code(text, &tls_version_codes, hello->legacy_version);
	add_code(text, &tls_version_codes, hello->version);
	add_code(text, &tls_cipher_codes, hello->cipher);
	add_code(text, &tls_group_codes, hello->key_share_group);
	add_text(text, "random", hello->random);
	add_text(text, "session_id", hello->session_id);
	add_text(text, "alpn", hello->alpn);
	add_codes(text, "extensions", &tls_extension_codes, &hello->extensions);
}

size_t tls_text(const struct tls_session *session, char out[static TLS_TEXT_MAX])
{
	struct text text = { .out = out };

	FLAG(&text, session, transport);
	FLAG(&text, session, outcome);
	FLAG(&text, session, is_broken[FLOW_CLIENT]);
	FLAG(&text, session, is_broken[FLOW_SERVER]);
	FLAG(&text, session, has_alert);
	FLAG(&text, session, alert_is_encrypted);
	FLAG(&text, session, alert_from);
	FLAG(&text, session, has_warning);
	FLAG(&text, session, nr_client_hellos);
	FLAG(&text, session, has_hello_retry);
	FLAG(&text, session, has_hello_verify);
	FLAG(&text, session, group_known);
	FLAG(&text, session, signature_known);
	FLAG(&text, session, alpn_known);
	FLAG(&text, session, resumed);
	FLAG(&text, session, asks_certificate);
	FLAG(&text, session, sends_certificate);
	FLAG(&text, session, dh_bits);
	FLAG(&text, session, rsa_bits);
	add_code(&text, &tls_alert_codes, session->alert);
	add_code(&text, &tls_alert_codes, session->warning);
	add_code(&text, &tls_version_codes, session->version);
	add_code(&text, &tls_cipher_codes, session->cipher);
	add_code(&text, &tls_group_codes, session->group);
	add_code(&text, &tls_signature_codes, session->signature);
	add_code(&text, &tls_group_codes, session->hello_retry_group);
	add_code(&text, &tls_cipher_codes, session->hello_retry_cipher);
	add_certificates(&text, "server_certificates", &session->server_certificates);
	add_certificates(&text, "client_certificates", &session->client_certificates);
	add_client(&text, &session->client);
	add_server(&text, &session->server);
	return text.size;
}

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

#define MUST(condition) must(condition, #condition)

static bool lies_in(struct flow_text text, const uint8_t *bytes, size_t size)
{
	uintptr_t at = (uintptr_t)text.bytes, begin = (uintptr_t)bytes;

	return bytes && at >= begin && at - begin <= size && text.size <= size - (at - begin);
}

struct place {
	const struct flow *flow;
	const struct tls_scratch *scratch;
};

static void check_text(const struct place *place, struct flow_text text)
{
	bool lies = text.size == 0;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		lies |= lies_in(text, place->flow->from[i].bytes, place->flow->from[i].size);
	MUST(lies || lies_in(text, place->scratch->bytes, place->scratch->used));
}

static void check_texts(const struct place *place, const struct tls_session *session)
{
	const struct tls_client_hello *client = &session->client;
	const struct tls_server_hello *server = &session->server;

	check_text(place, client->random);
	check_text(place, client->session_id);
	check_text(place, client->cookie);
	check_text(place, client->server_name);
	for (size_t i = 0; i < client->nr_alpn; i++)
		check_text(place, client->alpn[i]);
	check_text(place, server->random);
	check_text(place, server->session_id);
	check_text(place, server->alpn);
	for (size_t i = 0; i < session->server_certificates.nr; i++)
		check_text(place, session->server_certificates.der[i]);
	for (size_t i = 0; i < session->client_certificates.nr; i++)
		check_text(place, session->client_certificates.der[i]);
}

static void check_codes(const struct tls_codes *codes)
{
	MUST(codes->nr <= TLS_CODES_MAX);
	for (size_t i = 0; i < codes->nr; i++)
		MUST(!tls_is_grease(codes->codes[i]));
}

static void check_client(const struct tls_client_hello *client)
{
	MUST(client->nr_alpn <= TLS_ALPN_MAX);
	MUST(client->nr_key_shares <= TLS_KEY_SHARES_MAX);
	MUST(client->psk_modes.nr <= TLS_BYTES_MAX);
	MUST(client->point_formats.nr <= TLS_BYTES_MAX);
	MUST(!client->is_sslv2 || client->extensions.nr == 0);
	MUST(client->has_extensions || client->extensions.nr == 0);
	check_codes(&client->ciphers);
	check_codes(&client->extensions);
	check_codes(&client->versions);
	check_codes(&client->groups);
	check_codes(&client->signatures);
	check_codes(&client->certificate_signatures);
	check_codes(&client->compressions);
}

static void check_facts(const struct tls_session *session)
{
	MUST(session->outcome <= TLS_OUTCOME_reset);
	MUST(session->group_known <= TLS_KNOWN_encrypted);
	MUST(session->signature_known <= TLS_KNOWN_encrypted);
	MUST(session->alpn_known <= TLS_KNOWN_encrypted);
	MUST(session->resumed <= TLS_ANSWER_yes);
	MUST(session->asks_certificate <= TLS_ANSWER_yes);
	MUST(session->sends_certificate <= TLS_ANSWER_yes);
	MUST(session->group == 0 || session->group_known == TLS_KNOWN_yes);
	MUST(session->signature == 0 || session->signature_known == TLS_KNOWN_yes);
	MUST(session->server.is_there || session->version == 0);
	MUST(session->outcome != TLS_OUTCOME_established || session->server.is_there);
	MUST(!session->has_alert || session->outcome == TLS_OUTCOME_failed);
	MUST(session->client_certificates.nr <= TLS_CLIENT_CERTIFICATES_MAX);
	MUST(session->server_certificates.nr <= TLS_SERVER_CERTIFICATES_MAX);
	MUST(session->nr_client_hellos <= 3);
}

void tls_check(const struct tls_session *session, const struct flow *flow,
	       const struct tls_scratch *scratch, enum flow_state state,
	       const struct flow_needs *needs)
{
	const struct place place = { flow, scratch };
	bool has_ended = flow->from[FLOW_CLIENT].has_ended && flow->from[FLOW_SERVER].has_ended;

	check_client(&session->client);
	check_facts(session);
	if (state != FLOW_FOREIGN)
		check_texts(&place, session);
	MUST(!has_ended || state != FLOW_MORE);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		MUST(state != FLOW_MORE || needs->size[i] > flow->from[i].size);
	MUST(state != FLOW_FOREIGN || !session->client.is_there);
}
