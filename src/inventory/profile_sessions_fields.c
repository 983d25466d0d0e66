/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "catalogue/libraries.h"
#include "catalogue/tls.h"
#include "inventory/document_fields.h"
#include "inventory/profile_sessions.h"
#include "inventory/snapshot.h"
#include "pipeline/record.h"
#include "proto/starttls.h"
#include "proto/tls_verdict.h"
#include "sources/ssh_handshake/handshake.h"
#include "sources/tls_handshake/handshake.h"

#define SESSION(member) offsetof(struct profile_session, member)
#define NUMBER(name)	(SESSION(numbers) + (size_t)(name) * sizeof(int32_t))
#define STRING(name)	(SESSION(texts) + (size_t)(name) * sizeof(struct profile_text))

static const struct profile_session *session_of(const struct record *record)
{
	return (const void *)record->bytes;
}

/* A number, code or truth. */
static void get_number(const struct record *record, const struct field *field, struct value *ret)
{
	int32_t number;

	memcpy(&number, record->bytes + field->at, sizeof(number));
	ret->present = number >= 0;
	if (field->type == FIELD_BOOL)
		ret->b = number > 0;
	else
		ret->u = (uint64_t)number;
}

/* A text, or list of texts. */
static void get_string(const struct record *record, const struct field *field, struct value *ret)
{
	struct profile_text text;

	memcpy(&text, record->bytes + field->at, sizeof(text));
	ret->present = text.bytes != NULL;
	ret->str.bytes = text.bytes;
	ret->str.size = text.size;
}

/* What only handshakes have that were seen. */
static void get_seen(const struct record *record, const struct field *field, struct value *ret)
{
	get_u64(record, field, ret);
	ret->present = !session_of(record)->was_before;
}

static void get_verdicts(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = !session_of(record)->was_before;
	ret->obj = record->bytes;
}

static void get_certificate(const struct record *record, const struct field *field,
			    struct value *ret)
{
	(void)field;
	ret->present = session_of(record)->texts[TLS_TEXT_fingerprint_sha256].bytes != NULL;
	ret->obj = record->bytes;
}

static void get_origin(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	value_set_constant(ret, session_of(record)->was_before ? "snapshot" : "event");
}

static void get_negotiated(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)field;
	if (session_of(record)->was_before)
		value_set_constant(ret, CONNECTION_UNKNOWN);
}

static void get_ktls(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = session_of(record)->is_ktls;
	ret->b = true;
}

/* clang-format off */
#define CODE(key, name, table, what)                                                               \
	{ NAMED(key), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_number,                \
	  .at = NUMBER(name), .codes = (table), .help = (what) }
#define CODE_NUMBER(key, name)                                                                     \
	{ NAMED(key), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_number,                 \
	  .at = NUMBER(name), .help = "its number" }
#define TRUTH(key, name, what)                                                                     \
	{ NAMED(key), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_number,                \
	  .at = NUMBER(name), .help = (what) }
#define SAID(key, name, kind, what)                                                                \
	{ NAMED(key), .type = FIELD_STR, .class = (kind), .get = get_string, .at = STRING(name),   \
	  .help = (what) }

/* What every session has: how often, when, how long. */
#define COUNTED                                                                                    \
	{ NAMED("count"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,                \
	  .at = SESSION(count), .help = "how many handshakes, or connections" }
#define TIMED                                                                                      \
	{ NAMED("first_time"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_seen,         \
	  .at = SESSION(first_ns), .help = "when the first of them ended, UTC" },                  \
	{ NAMED("last_time"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_seen,          \
	  .at = SESSION(last_ns), .help = "when the last of them did" },                           \
	{ NAMED("duration_min_us"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_seen,     \
	  .at = SESSION(shortest_us), .help = "how long the shortest took, from the first byte" }, \
	{ NAMED("duration_max_us"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_seen,     \
	  .at = SESSION(longest_us), .help = "how long the longest took" }
#define FOUND                                                                                      \
	{ NAMED("origin"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_origin,            \
	  .help = "snapshot: a connection that was there before the run; event: it was seen" },    \
	{ NAMED("negotiated"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,    \
	  .get = get_negotiated,                                                                   \
	  .help = "that nothing is known of what it agreed on: " CONNECTION_UNKNOWN }

static const struct field verdict_table[] = {
	CODE("why_not_tls13", TLS_NUMBER_why_not_tls13, &tls_why_not_tls13_codes,
	     "why TLS 1.3 was not negotiated"),
	CODE("why_not_pq", TLS_NUMBER_why_not_pq, &tls_why_not_pq_codes,
	     "why the key exchange does not resist a quantum computer"),
	TRUTH("forward_secrecy", TLS_NUMBER_forward_secrecy,
	      "a stolen key later opens no recorded session"),
	TRUTH("post_quantum", TLS_NUMBER_post_quantum,
	      "the key exchange resists a quantum computer"),
	TRUTH("cnsa2", TLS_NUMBER_cnsa2,
	      "false: not all is in CNSA 2.0; null: what is seen is, but not all is seen"),
};
static const struct fields verdict_fields = FIELDS(verdict_table);

static const struct field certificate_table[] = {
	SAID("subject", TLS_TEXT_subject, CLASS_TEXT, "whom it is for"),
	SAID("fingerprint_sha256", TLS_TEXT_fingerprint_sha256, CLASS_PUBLIC,
	     "its SHA-256, hexadecimal, lower case, of the DER"),
};
static const struct fields certificate_item = FIELDS(certificate_table);

static const struct field tls_table[] = {
	CODE("role", TLS_NUMBER_role, &tls_role_codes, "client or server of the handshake"),
	CODE("outcome", TLS_NUMBER_outcome, &tls_outcome_codes,
	     "established, failed, reset or incomplete"),
	{ NAMED("alert"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(TLS_NUMBER_alert), .codes = &tls_alert_codes,
	  .help = "the alert that ended it" },
	{ NAMED("alert_id"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(TLS_NUMBER_alert), .help = "its number" },
	{ NAMED("alert_from"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(TLS_NUMBER_alert_from), .codes = &tls_role_codes,
	  .help = "who sent it; without alert it is encrypted" },
	CODE("version", TLS_NUMBER_version, &tls_version_codes, "the version that was negotiated"),
	CODE_NUMBER("version_id", TLS_NUMBER_version),
	CODE("cipher", TLS_NUMBER_cipher, &tls_cipher_codes, "the cipher suite"),
	CODE_NUMBER("cipher_id", TLS_NUMBER_cipher),
	CODE("group", TLS_NUMBER_group, &tls_group_codes, "the group of the key exchange"),
	CODE_NUMBER("group_id", TLS_NUMBER_group),
	{ NAMED("dh_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(TLS_NUMBER_dh_bits),
	  .help = "bits of the prime of a Diffie-Hellman exchange" },
	CODE("signature_scheme", TLS_NUMBER_signature_scheme, &tls_signature_codes,
	     "how the server signed its key exchange; null: not at all, or encrypted (TLS 1.3)"),
	CODE_NUMBER("signature_scheme_id", TLS_NUMBER_signature_scheme),
	SAID("server_name", TLS_TEXT_server_name, CLASS_PEER,
	     "the name that the client asked for (SNI); null: it asked for none"),
	{ NAMED("server_name_is_outer"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_number, .at = NUMBER(TLS_NUMBER_server_name_is_outer),
	  .help = "the true name may be hidden (Encrypted Client Hello)" },
	SAID("alpn", TLS_TEXT_alpn, CLASS_TEXT,
	     "the application protocol that the server chose; null: none, or encrypted (TLS 1.3)"),
	CODE("transport", TLS_NUMBER_transport, &tls_transport_codes, "what carries it"),
	{ NAMED("starttls"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(TLS_NUMBER_starttls),
	  .codes = &starttls_protocol_codes, .help = "the protocol in which it was asked for" },
	SAID("peer", TLS_TEXT_peer, CLASS_ADDR,
	     "the other end: address and port of a server, the address of clients"),
	COUNTED,
	{ NAMED("resumed_count"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_seen,
	  .at = SESSION(nr_resumed), .help = "how many of them resumed an earlier session" },
	TIMED,
	SAID("library", TLS_TEXT_library, CLASS_PATH,
	     "the TLS library mapped; null: it is in the program, there are several, or nothing is "
	     "known"),
	{ NAMED("library_candidates"), .type = FIELD_STRV, .class = CLASS_PATH,
	  .presence = SOMETIMES, .get = get_string, .at = STRING(TLS_TEXT_library_candidates),
	  .help = "where it has several, of which one made the handshake" },
	CODE("family", TLS_NUMBER_family, &library_family_codes, "the project it belongs to"),
	{ NAMED("certificate"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_certificate, .sub = &certificate_item,
	  .help = "the certificate that the server showed, up to TLS 1.2" },
	{ NAMED("verdicts"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_verdicts, .sub = &verdict_fields, .help = "what to think of it" },
	FOUND,
	{ NAMED("ktls"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_ktls, .help = "the kernel encrypts a connection that was there before" },
};

#define NAME(field, what) SAID(#field, SSH_TEXT_##field, CLASS_TEXT, what)

static const struct field ssh_table[] = {
	CODE("role", SSH_NUMBER_role, &ssh_role_codes, "client or server"),
	CODE("outcome", SSH_NUMBER_outcome, &ssh_outcome_codes,
	     "established, failed, reset or incomplete"),
	{ NAMED("failure"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_string, .at = STRING(SSH_TEXT_failure), .help = "why it failed" },
	NAME(client_ident, "what the client calls itself"),
	NAME(server_ident, "what the server calls itself"),
	NAME(kex, "the key exchange"),
	NAME(host_key, "the algorithm of the server's key"),
	NAME(cipher_c2s, "the cipher from client to server"),
	NAME(cipher_s2c, "from server to client"),
	NAME(mac_c2s, "the MAC from client to server; implicit: the cipher's own"),
	NAME(mac_s2c, "from server to client"),
	NAME(compression_c2s, "the compression from client to server"),
	NAME(compression_s2c, "from server to client"),
	TRUTH("post_quantum", SSH_NUMBER_post_quantum,
	      "the key exchange resists a quantum computer"),
	TRUTH("strict_kex", SSH_NUMBER_strict_kex,
	      "both ends are safe from the Terrapin attack (CVE-2023-48795)"),
	{ NAMED("group_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(SSH_NUMBER_group_bits),
	  .help = "bits of the prime of a Diffie-Hellman exchange" },
	{ NAMED("host_key_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_number, .at = NUMBER(SSH_NUMBER_host_key_bits),
	  .help = "bits of the server's key" },
	{ NAMED("host_key_fingerprint"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_string, .at = STRING(SSH_TEXT_host_key_fingerprint),
	  .help = "of the server's key, as ssh-keygen -l prints it" },
	{ NAMED("signature"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_string, .at = STRING(SSH_TEXT_signature), .help = "how the server signed" },
	SAID("peer", SSH_TEXT_peer, CLASS_ADDR,
	     "the other end: address and port of a server, the address of clients"),
	COUNTED,
	TIMED,
	FOUND,
};
/* clang-format on */

const struct fields tls_session_fields = FIELDS(tls_table);
const struct fields ssh_session_fields = FIELDS(ssh_table);
