/* SPDX-License-Identifier: MIT */
#include "sources/tls_handshake/tls_handshake.h"

#include <string.h>

#include "catalogue/libraries.h"
#include "catalogue/tls.h"
#include "inspect/content.h"
#include "pipeline/address.h"
#include "proto/starttls.h"
#include "proto/tls.h"
#include "proto/tls_verdict.h"
#include "sources/source.h"
#include "sources/tls_handshake/handshake.h"
#include "sources/verdicts.h"

enum {
	SLOT_LOCAL = SLOT_OWN,
	SLOT_PEER,
	SLOT_CONTENT,
	SLOT_FINDINGS,
	SLOT_CERTIFICATE_FILE,
	SLOT_MISSING,
};

#define AT(member)   offsetof(struct tls_handshake_event, member)
#define PART(member) offsetof(struct missing, member)

/* Certificates told in one event. */
#define CERTIFICATES_MAX 4
#define MISSING_MAX	 8

/* A field that has no value, and why. */
struct missing {
	const char *field;
	const char *why;
};

static const struct code_entry role_entries[] = {
	{ FLOW_CLIENT, "client", "it began the handshake" },
	{ FLOW_SERVER, "server", "it answered" },
};

static const struct code_entry outcome_entries[] = {
	{ TLS_OUTCOME_incomplete, "incomplete", "its end was not seen" },
	{ TLS_OUTCOME_established, "established", "both ends have the keys" },
	{ TLS_OUTCOME_failed, "failed", "one end refused" },
	{ TLS_OUTCOME_reset, "reset", "the connection ended without a word" },
};

static const struct code_entry transport_entries[] = {
	{ TLS_TRANSPORT_tcp, "tcp", NULL },
	{ TLS_TRANSPORT_quic, "quic", NULL },
	{ TLS_TRANSPORT_dtls, "dtls", "over UDP" },
};

const struct code_table tls_role_codes = { "role", role_entries, ARRAY_SIZE(role_entries) };
const struct code_table tls_outcome_codes = { "outcome", outcome_entries,
					      ARRAY_SIZE(outcome_entries) };
const struct code_table tls_transport_codes = { "transport", transport_entries,
						ARRAY_SIZE(transport_entries) };

static const struct tls_handshake_event *event_of(const struct record *record)
{
	return (const void *)record->bytes;
}

/* A member that is there when the mark field.at is set. */
static void get_marked(const struct record *record, const struct field *field, struct value *ret)
{
	ret->present = true;
	ret->b = event_of(record)->marks & field->at;
}

/* The same, left out when it is not. */
static void get_mark(const struct record *record, const struct field *field, struct value *ret)
{
	ret->present = event_of(record)->marks & field->at;
	ret->b = true;
}

/* A choice of the server, u16. */
static void get_choice(const struct record *record, const struct field *field, struct value *ret)
{
	if (event_of(record)->marks & TLS_EVENT_HAS_CHOICE)
		get_u16(record, field, ret);
}

static void get_group(const struct record *record, const struct field *field, struct value *ret)
{
	if (event_of(record)->group_known == TLS_KNOWN_yes)
		get_u16(record, field, ret);
}

static void get_signature(const struct record *record, const struct field *field, struct value *ret)
{
	if (event_of(record)->signature_known == TLS_KNOWN_yes)
		get_u16(record, field, ret);
}

static void get_alert(const struct record *record, const struct field *field, struct value *ret)
{
	uint16_t marks = event_of(record)->marks;

	(void)field;
	ret->present =
		(marks & (TLS_EVENT_HAS_ALERT | TLS_EVENT_ALERT_HIDDEN)) == TLS_EVENT_HAS_ALERT;
	ret->u = event_of(record)->alert;
}

static void get_alert_from(const struct record *record, const struct field *field,
			   struct value *ret)
{
	uint16_t marks = event_of(record)->marks;

	(void)field;
	ret->present = marks & TLS_EVENT_HAS_ALERT;
	ret->u = marks & TLS_EVENT_SERVER_ALERT ? FLOW_SERVER : FLOW_CLIENT;
}

/* An enum tls_answer member. */
static void get_answer(const struct record *record, const struct field *field, struct value *ret)
{
	uint8_t answer = record->bytes[field->at];

	ret->present = answer != TLS_ANSWER_unknown;
	ret->b = answer == TLS_ANSWER_yes;
}

static void get_starttls(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->starttls;
	ret->present = ret->u != STARTTLS_none;
}

static void get_family(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->family;
	ret->present = ret->u != LIBRARY_FAMILY_none;
}

static void get_dh_bits(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->dh_bits;
	ret->present = ret->u != 0;
}

static void get_duration(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->duration_ns / 1000;
	ret->present = true;
}

/* A tail of __u32; one that is not aligned was not made here. */
static void get_codes(const struct record *record, const struct field *field, struct value *ret)
{
	struct tail tail;

	memcpy(&tail, record->bytes + field->at, sizeof(tail));
	ret->present = tail.off % sizeof(uint32_t) == 0;
	ret->codev.codes = (const void *)(record->bytes + tail.off);
	ret->codev.count = tail.size / sizeof(uint32_t);
}

/* A tail of strings: a list also when it is empty. */
static void get_names(const struct record *record, const struct field *field, struct value *ret)
{
	struct tail tail;

	memcpy(&tail, record->bytes + field->at, sizeof(tail));
	ret->present = true;
	ret->str.bytes = (const char *)record->bytes + tail.off;
	ret->str.size = tail.size;
}

static void get_candidates(const struct record *record, const struct field *field,
			   struct value *ret)
{
	struct tail tail = event_of(record)->candidates;

	(void)field;
	ret->present = tail.size > 0;
	ret->str.bytes = (const char *)record->bytes + tail.off;
	ret->str.size = tail.size;
}

static void get_certificates(const struct record *record, const struct field *field,
			     struct value *ret)
{
	const struct content *content = tls_handshake_content(record);

	(void)field;
	if (!content || !content->certificates.count)
		return;
	ret->present = true;
	ret->list.items = content->certificates.items;
	ret->list.stride = content->certificates.stride;
	ret->list.truncated = content->certificates.count > CERTIFICATES_MAX;
	ret->list.count = ret->list.truncated ? CERTIFICATES_MAX : content->certificates.count;
}

/* The verdicts are fields of the event itself. */
static void get_verdicts(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = true;
	ret->obj = record->bytes;
}

static void get_why_not_tls13(const struct record *record, const struct field *field,
			      struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->why_not_tls13;
	ret->present = ret->u != 0;
}

static void get_why_not_pq(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->why_not_pq;
	ret->present = ret->u != 0;
}

/* clang-format off */
static const struct field missing_table[] = {
	{ NAMED("field"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = PART(field), .help = "the field without a value" },
	{ NAMED("why"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = PART(why), .help = "why it has none" },
};

static const struct field verdict_table[] = {
	{ NAMED("why_not_tls13"), .type = FIELD_CODE, .class = CLASS_PUBLIC,
	  .get = get_why_not_tls13, .codes = &tls_why_not_tls13_codes,
	  .help = "why TLS 1.3 was not negotiated" },
	{ NAMED("why_not_pq"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_why_not_pq,
	  .codes = &tls_why_not_pq_codes,
	  .help = "why the key exchange does not resist a quantum computer" },
	{ NAMED("forward_secrecy"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_answer,
	  .at = AT(forward_secrecy), .help = "a stolen key later opens no recorded session" },
	{ NAMED("post_quantum"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_answer,
	  .at = AT(post_quantum), .help = "the key exchange resists a quantum computer (FIPS 203)" },
	{ NAMED("cnsa2"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_answer,
	  .at = AT(cnsa2), .help = "false: not all is in CNSA 2.0; null: what is seen is, but not all is "
	  "seen" },
};
/* clang-format on */

static const struct fields missing_fields = FIELDS(missing_table);
static const struct fields verdict_fields = FIELDS(verdict_table);

/* clang-format off */
static const struct field tls_handshake_fields[] = {
	{ NAMED("role"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u8, .at = AT(role),
	  .codes = &tls_role_codes, .text = TEXT_BARE, .help = "client or server of the handshake" },
	{ NAMED("outcome"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u8,
	  .at = AT(outcome), .codes = &tls_outcome_codes, .text = TEXT_BARE,
	  .help = "established, failed, reset or incomplete" },
	{ NAMED("alert"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_alert, .codes = &tls_alert_codes, .help = "the alert that ended it" },
	{ NAMED("alert_id"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_alert, .text = TEXT_HIDDEN, .help = "its number" },
	{ NAMED("alert_from"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_alert_from, .codes = &tls_role_codes, .text = TEXT_HIDDEN,
	  .help = "who sent it; without alert it is encrypted" },
	{ NAMED("version"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_choice,
	  .at = AT(version), .codes = &tls_version_codes, .text = TEXT_BARE,
	  .help = "the version that was negotiated" },
	{ NAMED("version_id"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_choice,
	  .at = AT(version), .text = TEXT_HIDDEN, .help = "its number" },
	{ NAMED("cipher"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_choice,
	  .at = AT(cipher), .codes = &tls_cipher_codes, .text = TEXT_BARE,
	  .help = "the cipher suite" },
	{ NAMED("cipher_id"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_choice,
	  .at = AT(cipher), .text = TEXT_HIDDEN, .help = "its number" },
	{ NAMED("group"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_group,
	  .at = AT(group), .codes = &tls_group_codes, .text = TEXT_BARE,
	  .help = "the group of the key exchange" },
	{ NAMED("group_id"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_group,
	  .at = AT(group), .text = TEXT_HIDDEN, .help = "its number" },
	{ NAMED("dh_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_dh_bits, .help = "bits of the prime of a Diffie-Hellman exchange" },
	{ NAMED("signature_scheme"), .type = FIELD_CODE, .class = CLASS_PUBLIC,
	  .get = get_signature, .at = AT(signature), .codes = &tls_signature_codes,
	  .text = TEXT_HIDDEN, .help = "how the server signed its key exchange" },
	{ NAMED("signature_scheme_id"), .type = FIELD_U64, .class = CLASS_PUBLIC,
	  .get = get_signature, .at = AT(signature), .text = TEXT_HIDDEN, .help = "its number" },
	{ NAMED("server_name"), .type = FIELD_STR, .class = CLASS_PEER, .get = get_tail,
	  .at = AT(server_name), .text = TEXT_BARE,
	  .help = "the name that the client asked for (SNI); null: it asked for none" },
	{ NAMED("server_name_is_outer"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_mark, .at = TLS_EVENT_OUTER_NAME,
	  .text = TEXT_HIDDEN, .help = "the true name may be hidden (Encrypted Client Hello)" },
	{ NAMED("alpn"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_tail, .at = AT(alpn),
	  .help = "the application protocol that the server chose" },
	{ NAMED("resumed"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_answer,
	  .at = AT(resumed), .text = TEXT_NONZERO, .help = "an earlier session goes on" },
	{ NAMED("hello_retry"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_marked,
	  .at = TLS_EVENT_HELLO_RETRY, .text = TEXT_HIDDEN,
	  .help = "the server asked for another hello" },
	{ NAMED("early_data"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_mark, .at = TLS_EVENT_EARLY_DATA,
	  .help = "the client sent data before the handshake (0-RTT), which can be replayed" },
	{ NAMED("client_certificate"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .get = get_answer, .at = AT(sends_certificate), .text = TEXT_HIDDEN,
	  .help = "the client showed a certificate" },
	{ NAMED("transport"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u8,
	  .at = AT(transport), .codes = &tls_transport_codes, .text = TEXT_HIDDEN,
	  .help = "what carries it" },
	{ NAMED("starttls"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_starttls,
	  .presence = SOMETIMES, .codes = &starttls_protocol_codes,
	  .help = "the protocol in which it was asked for" },
	{ NAMED("local"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_slot,
	  .at = SLOT_LOCAL, .text = TEXT_BARE, .help = "address and port of this end" },
	{ NAMED("peer"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_slot,
	  .at = SLOT_PEER, .help = "address and port of the other" },
	{ NAMED("duration_us"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_duration,
	  .text = TEXT_HIDDEN, .help = "from the first byte to the end of the handshake" },
	{ NAMED("library"), .type = FIELD_STR, .class = CLASS_PATH, .role = ROLE_LIBRARY,
	  .get = get_tail, .at = AT(library), .text = TEXT_HIDDEN,
	  .help = "the TLS library that the process has mapped; null: its code is in the program, "
		  "or it has several" },
	{ NAMED("library_candidates"), .type = FIELD_STRV, .class = CLASS_PATH,
	  .presence = SOMETIMES, .role = ROLE_LIBRARY, .get = get_candidates,
	  .text = TEXT_HIDDEN, .help = "where it has several, of which one made the handshake" },
	{ NAMED("family"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .role = ROLE_FAMILY,
	  .get = get_family, .codes = &library_family_codes, .text = TEXT_HIDDEN,
	  .help = "the project it belongs to" },
	{ NAMED("offered_versions"), .type = FIELD_CODEV, .class = CLASS_PUBLIC, .get = get_codes,
	  .at = AT(offered_versions), .codes = &tls_version_codes, .text = TEXT_HIDDEN,
	  .help = "what the client offered, best first" },
	{ NAMED("offered_ciphers"), .type = FIELD_CODEV, .class = CLASS_PUBLIC, .get = get_codes,
	  .at = AT(offered_ciphers), .codes = &tls_cipher_codes, .text = TEXT_HIDDEN,
	  .help = "the same of cipher suites" },
	{ NAMED("offered_groups"), .type = FIELD_CODEV, .class = CLASS_PUBLIC, .get = get_codes,
	  .at = AT(offered_groups), .codes = &tls_group_codes, .text = TEXT_HIDDEN,
	  .help = "of groups" },
	{ NAMED("offered_signature_schemes"), .type = FIELD_CODEV, .class = CLASS_PUBLIC,
	  .get = get_codes, .at = AT(offered_signatures), .codes = &tls_signature_codes,
	  .text = TEXT_HIDDEN, .help = "of signatures" },
	{ NAMED("offered_alpn"), .type = FIELD_STRV, .class = CLASS_TEXT, .get = get_names,
	  .at = AT(offered_alpn), .text = TEXT_HIDDEN, .help = "of application protocols" },
	{ NAMED("truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_mark, .at = TLS_EVENT_CUT, .text = TEXT_HIDDEN,
	  .help = "a list or a name was longer, or not all of a hello was seen" },
	{ NAMED("ja3"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_tail, .at = AT(ja3),
	  .text = TEXT_HIDDEN, .help = "fingerprint of the client's hello" },
	{ NAMED("ja4"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_tail, .at = AT(ja4),
	  .text = TEXT_HIDDEN, .help = "a newer one" },
	{ NAMED("certificates"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_certificates, .sub = &certificate_fields, .text = TEXT_HIDDEN,
	  .help = "the first 4 certificates that the server showed, up to TLS 1.2" },
	{ NAMED("certificate_file"), .type = FIELD_STR, .class = CLASS_PATH,
	  .presence = SOMETIMES, .get = get_slot, .at = SLOT_CERTIFICATE_FILE,
	  .role = ROLE_FILE, .text = TEXT_HIDDEN,
	  .help = "the file with the first of them that the server opened; only where file_open is reported" },
	{ NAMED("verdicts"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_verdicts,
	  .sub = &verdict_fields, .text = TEXT_HIDDEN, .help = "what to think of it" },
	{ NAMED("not_known"), .type = FIELD_MAP, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = verdicts_get, .at = SLOT_MISSING, .sub = &missing_fields, .text = TEXT_HIDDEN,
	  .help = "which of the fields have no value, and why" },
	{ NAMED("findings"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = verdicts_get, .at = SLOT_FINDINGS, .sub = &finding_fields,
	  .help = "what somebody should look at" },
};
/* clang-format on */

const struct content *tls_handshake_content(const struct record *record)
{
	return record->slots[SLOT_CONTENT].present ? record->slots[SLOT_CONTENT].obj : NULL;
}

static bool name_rule(uint8_t rule, struct finding *finding)
{
	if (rule >= NR_TLS_RULES || !tls_rules[rule].name)
		return false;
	finding->rule = tls_rules[rule].name;
	finding->severity = tls_rules[rule].severity;
	finding->why = tls_rules[rule].why;
	finding->policy = tls_rules[rule].policy;
	return true;
}

/* What is against the handshake, and against its certificates where CONTENT is known. */
static void gather_findings(struct record *record, const struct content *content)
{
	const struct item_list *list = verdicts_read(record, event_of(record)->verdicts, name_rule,
						     content ? &content->findings : NULL);

	record->slots[SLOT_FINDINGS].present = list != NULL;
	record->slots[SLOT_FINDINGS].obj = list;
}

bool tls_handshake_is_server(const struct record *record)
{
	return event_of(record)->role == FLOW_SERVER;
}

void tls_handshake_set_content(struct record *record, const struct content *content)
{
	record->slots[SLOT_CONTENT].present = true;
	record->slots[SLOT_CONTENT].obj = content;
	gather_findings(record, content);
}

void tls_handshake_set_certificate_file(struct record *record, const char *path, size_t size)
{
	slot_set_str(record, SLOT_CERTIFICATE_FILE, path, size);
}

bool tls_handshake_certificate(const struct record *record, size_t *at, const uint8_t **ret_der,
			       size_t *ret_size)
{
	struct tail tail = event_of(record)->certificates;
	uint32_t size;

	if (*at > tail.size || tail.size - *at < sizeof(size))
		return false;
	memcpy(&size, record->bytes + tail.off + *at, sizeof(size));
	if (size > tail.size - *at - sizeof(size))
		return false;
	*ret_der = record->bytes + tail.off + *at + sizeof(size);
	*ret_size = size;
	*at += sizeof(size) + size;
	return true;
}

static const char *why_missing(uint8_t known)
{
	switch ((enum tls_known)known) {
	case TLS_KNOWN_no_such:
		return "this handshake has none";
	case TLS_KNOWN_encrypted:
		return "encrypted";
	case TLS_KNOWN_not_seen:
		return "not seen";
	default:
		return NULL;
	}
}

/* Lists the fields that have no value, and why. */
static int explain(struct record *record)
{
	const struct tls_handshake_event *event = event_of(record);
	bool is_answered = event->marks & TLS_EVENT_HAS_CHOICE;
	/* Whether a client shows its certificate is hidden where the server's is. */
	uint8_t hidden = event->certificates_known == TLS_KNOWN_encrypted ? TLS_KNOWN_encrypted
									  : TLS_KNOWN_not_seen;
	const struct {
		const char *field;
		uint8_t known;
	} facts[MISSING_MAX] = {
		{ "version", TLS_KNOWN_yes },
		{ "cipher", TLS_KNOWN_yes },
		{ "group", event->group_known },
		{ "signature_scheme", event->signature_known },
		{ "alpn", event->alpn_known },
		{ "resumed", event->resumed ? TLS_KNOWN_yes : TLS_KNOWN_not_seen },
		{ "client_certificate", event->sends_certificate ? TLS_KNOWN_yes : hidden },
		{ "certificates", event->certificates_known },
	};
	struct {
		struct item_list list;
		struct missing items[MISSING_MAX];
	} *missing = (void *)arena_take(record->arena, sizeof(*missing));

	if (!missing)
		return STAGE_MALFORMED;
	missing->list =
		(struct item_list){ .items = missing->items, .stride = sizeof(missing->items[0]) };
	for (size_t i = 0; i < MISSING_MAX; i++) {
		const char *why =
			is_answered ? why_missing(facts[i].known) : "no ServerHello was seen";

		if (why)
			missing->items[missing->list.count++] =
				(struct missing){ facts[i].field, why };
	}
	record->slots[SLOT_MISSING].present = true;
	record->slots[SLOT_MISSING].obj = missing;
	return STAGE_NEXT;
}

static int tls_handshake_decode(struct record *record)
{
	const struct tls_handshake_event *event = event_of(record);

	if (!address_slot(record, SLOT_LOCAL, event->local, event->local_port) ||
	    !address_slot(record, SLOT_PEER, event->peer, event->peer_port))
		return STAGE_MALFORMED;
	gather_findings(record, NULL);
	return explain(record);
}

static const size_t tls_handshake_tails[] = {
	AT(server_name),
	AT(alpn),
	AT(ja3),
	AT(ja4),
	AT(library),
	AT(offered_alpn),
	AT(offered_versions),
	AT(offered_ciphers),
	AT(offered_groups),
	AT(offered_signatures),
	AT(certificates),
	AT(verdicts),
	AT(candidates),
};

static const struct source_hook tls_handshake_hooks[] = { { .name = "cgroup_skb" } };

const struct source tls_handshake_source = {
	.name = "tls_handshake",
	.help = "a TLS handshake ended, at one of its ends; of any library, from what was sent",
	.fields = FIELDS(tls_handshake_fields),
	.min_size = sizeof(struct tls_handshake_event),
	.tails = tls_handshake_tails,
	.nr_tails = ARRAY_SIZE(tls_handshake_tails),
	.hooks = tls_handshake_hooks,
	.nr_hooks = ARRAY_SIZE(tls_handshake_hooks),
	.decode = tls_handshake_decode,
};
