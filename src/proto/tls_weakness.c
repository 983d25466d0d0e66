/* SPDX-License-Identifier: MIT */
#include "proto/tls_weakness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/tls.h"

/* Bits of a prime field (RFC 9325 section 4.5; breaking 1024 bits is in reach of states). */
#define DH_BROKEN_BITS 1024
#define DH_MIN_BITS    2048
#define CURVE_MIN_BITS 224

/* Bits of a key that are too few whatever the cipher (RFC 9325 section 4.1). */
#define KEY_MIN_BITS 112

static void add(struct tls_verdict *verdict, enum tls_rule rule, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct tls_verdict *verdict, enum tls_rule rule, const char *format, ...)
{
	struct tls_finding *finding = &verdict->findings[verdict->nr_findings++];
	va_list args;

	*finding = (struct tls_finding){
		.rule = tls_rules[rule].name,
		.severity = tls_rules[rule].severity,
		.why = tls_rules[rule].why,
		.policy = tls_rules[rule].policy,
	};
	va_start(args, format);
	vsnprintf(finding->evidence, sizeof(finding->evidence), format, args);
	va_end(args);
}

/* The same with the name of CODE, or its number, as evidence. */
static void add_code(struct tls_verdict *verdict, enum tls_rule rule,
		     const struct code_table *table, uint16_t code)
{
	const char *name = code_name(table, code);

	if (name)
		add(verdict, rule, "%s", name);
	else
		add(verdict, rule, "0x%04x", code);
}

static void judge_version(const struct tls_session *session, struct tls_verdict *verdict)
{
	uint16_t base = tls_version_base(session->version);

	if (base == TLS_VERSION_SSL2)
		add_code(verdict, TLS_RULE_sslv2, &tls_version_codes, session->version);
	else if (base == TLS_VERSION_SSL3)
		add_code(verdict, TLS_RULE_sslv3, &tls_version_codes, session->version);
	else if (base < TLS_VERSION_1_2)
		add_code(verdict, TLS_RULE_old_version, &tls_version_codes, session->version);
	if (verdict->why_not_tls13 == TLS_WHY_NOT_TLS13_downgrade_sentinel)
		add_code(verdict, TLS_RULE_downgraded, &tls_version_codes, session->version);
}

/* What is wrong with the encryption of CIPHER, or NR_TLS_RULES. */
static enum tls_rule rule_of_encryption(const struct tls_cipher *cipher)
{
	const struct tls_encryption_info *encryption = &tls_encryptions[cipher->encryption];

	if (cipher->encryption == TLS_ENCRYPTION_NONE)
		return TLS_RULE_null_encryption;
	if (tls_key_exchanges[cipher->key_exchange].is_export)
		return TLS_RULE_export_cipher;
	switch (cipher->encryption) {
	case TLS_ENCRYPTION_RC4_40:
	case TLS_ENCRYPTION_RC4_56:
	case TLS_ENCRYPTION_RC4_128:
		return TLS_RULE_rc4;
	case TLS_ENCRYPTION_TRIPLE_DES_CBC:
		return TLS_RULE_triple_des;
	case TLS_ENCRYPTION_IDEA_CBC:
	case TLS_ENCRYPTION_SEED_CBC:
		return TLS_RULE_legacy_cipher;
	default:
		return encryption->bits < KEY_MIN_BITS ? TLS_RULE_des : NR_TLS_RULES;
	}
}

static void judge_cipher(const struct tls_session *session, const struct tls_cipher *cipher,
			 struct tls_verdict *verdict)
{
	enum tls_rule rule = rule_of_encryption(cipher);

	if (rule != NR_TLS_RULES)
		add_code(verdict, rule, &tls_cipher_codes, cipher->code);
	if (cipher->authentication == TLS_AUTHENTICATION_anon)
		add_code(verdict, TLS_RULE_anonymous, &tls_cipher_codes, cipher->code);
	if (tls_encryptions[cipher->encryption].mode == TLS_MODE_cbc &&
	    !session->server.has_encrypt_then_mac)
		add_code(verdict, TLS_RULE_mac_then_encrypt, &tls_cipher_codes, cipher->code);
	if (verdict->forward_secrecy == TLS_ANSWER_no)
		add_code(verdict, TLS_RULE_no_forward_secrecy, &tls_cipher_codes, cipher->code);
}

static void judge_key_exchange(const struct tls_session *session, struct tls_verdict *verdict)
{
	const struct tls_group *group = tls_group_find(session->group);
	const char *hash = session->signature ? tls_signature_hash(session->signature) : NULL;

	if (session->dh_bits && session->dh_bits <= DH_BROKEN_BITS)
		add(verdict, TLS_RULE_dh_broken, "%u bits", session->dh_bits);
	else if (session->dh_bits && session->dh_bits < DH_MIN_BITS)
		add(verdict, TLS_RULE_dh_short, "%u bits", session->dh_bits);
	if (group && group->kind == TLS_GROUP_KIND_ecdhe && group->bits &&
	    group->bits < CURVE_MIN_BITS)
		add_code(verdict, TLS_RULE_curve_short, &tls_group_codes, group->code);
	if (hash && strcmp(hash, "MD5") == 0)
		add_code(verdict, TLS_RULE_md5_handshake, &tls_signature_codes, session->signature);
	else if (hash && strcmp(hash, "SHA-1") == 0)
		add_code(verdict, TLS_RULE_sha1_handshake, &tls_signature_codes,
			 session->signature);
}

/* What TLS 1.3 has always. */
static void judge_older(const struct tls_session *session, struct tls_verdict *verdict)
{
	const struct tls_server_hello *server = &session->server;

	if (session->version == TLS_VERSION_SSL2 ||
	    tls_version_base(session->version) >= TLS_VERSION_1_3)
		return;
	if (server->compression)
		add(verdict, TLS_RULE_record_compression, "method %u", server->compression);
	if (!server->has_renegotiation_info)
		add_code(verdict, TLS_RULE_insecure_renegotiation, &tls_version_codes,
			 session->version);
	if (!server->has_extended_master_secret && session->version != TLS_VERSION_SSL3)
		add_code(verdict, TLS_RULE_no_extended_master_secret, &tls_version_codes,
			 session->version);
}

/* Resisting quantum computers and being allowed by a policy are two things. */
static void judge_quantum(const struct tls_session *session, struct tls_verdict *verdict)
{
	const struct tls_group *group = tls_group_find(session->group);

	if (verdict->post_quantum == TLS_ANSWER_no) {
		if (group)
			add_code(verdict, TLS_RULE_no_post_quantum, &tls_group_codes, group->code);
		else
			add_code(verdict, TLS_RULE_no_post_quantum, &tls_cipher_codes,
				 session->cipher);
		return;
	}
	if (group && group->kind == TLS_GROUP_KIND_pq_draft)
		add_code(verdict, TLS_RULE_draft_group, &tls_group_codes, group->code);
	if (verdict->cnsa2 == TLS_ANSWER_no)
		add_code(verdict, TLS_RULE_below_cnsa2, &tls_group_codes, session->group);
}

/* The least version that CLIENT would take, 0: none below TLS 1.2. */
static uint16_t oldest_offer(const struct tls_client_hello *client)
{
	uint16_t oldest = 0;

	if (client->versions.nr == 0 && tls_version_base(client->legacy_version) < TLS_VERSION_1_2)
		return client->legacy_version;
	for (size_t i = 0; i < client->versions.nr; i++) {
		uint16_t version = client->versions.codes[i];

		if (tls_version_base(version) < TLS_VERSION_1_2 &&
		    (!oldest || tls_version_base(version) < tls_version_base(oldest)))
			oldest = version;
	}
	return oldest;
}

/* Suites that are only signs have no encryption either. */
static bool gives_no_protection(const struct tls_cipher *cipher)
{
	enum tls_rule rule = rule_of_encryption(cipher);

	if (cipher->key_exchange == TLS_KEY_EXCHANGE_signal)
		return false;
	return cipher->authentication == TLS_AUTHENTICATION_anon ||
	       (rule != NR_TLS_RULES && tls_rules[rule].severity >= SEVERITY_high);
}

static void judge_offers(const struct tls_client_hello *client, struct tls_verdict *verdict)
{
	uint16_t oldest = oldest_offer(client);

	if (oldest)
		add_code(verdict, TLS_RULE_offers_old_version, &tls_version_codes, oldest);
	if (client->has_early_data)
		add(verdict, TLS_RULE_early_data, "early_data");
	for (size_t i = 0; i < client->ciphers.nr; i++) {
		const struct tls_cipher *cipher = tls_cipher_find(client->ciphers.codes[i]);

		if (cipher && gives_no_protection(cipher)) {
			add_code(verdict, TLS_RULE_offers_broken_cipher, &tls_cipher_codes,
				 cipher->code);
			return;
		}
	}
}

static int finding_order(const void *left, const void *right)
{
	const struct tls_finding *a = left, *b = right;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return strcmp(a->rule, b->rule);
}

void tls_weakness_find(const struct tls_session *session, struct tls_verdict *verdict)
{
	const struct tls_cipher *cipher = tls_cipher_find(session->cipher);

	if (session->server.is_there) {
		judge_version(session, verdict);
		if (cipher && session->version != TLS_VERSION_SSL2)
			judge_cipher(session, cipher, verdict);
		judge_key_exchange(session, verdict);
		judge_older(session, verdict);
		judge_quantum(session, verdict);
	}
	if (session->client.is_there)
		judge_offers(&session->client, verdict);
	qsort(verdict->findings, verdict->nr_findings, sizeof(verdict->findings[0]), finding_order);
}
