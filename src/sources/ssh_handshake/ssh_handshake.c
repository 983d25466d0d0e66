/* SPDX-License-Identifier: MIT */
#include "sources/ssh_handshake/ssh_handshake.h"

#include <string.h>

#include "inspect/finding.h"
#include "pipeline/address.h"
#include "proto/flow.h"
#include "proto/ssh_verdict.h"
#include "sources/source.h"
#include "sources/ssh_handshake/handshake.h"
#include "sources/verdicts.h"

enum {
	SLOT_LOCAL = SLOT_OWN,
	SLOT_PEER,
	SLOT_FINDINGS,
};

#define AT(member) offsetof(struct ssh_handshake_event, member)

static const struct code_entry role_entries[] = {
	{ FLOW_CLIENT, "client", NULL },
	{ FLOW_SERVER, "server", NULL },
};

static const struct code_entry outcome_entries[] = {
	{ SSH_EVENT_INCOMPLETE, "incomplete", "its end was not seen" },
	{ SSH_EVENT_ESTABLISHED, "established", "both ends have the keys" },
	{ SSH_EVENT_FAILED, "failed", "one end refused" },
	{ SSH_EVENT_RESET, "reset", "the connection ended without a word" },
};

const struct code_table ssh_role_codes = { "role", role_entries, ARRAY_SIZE(role_entries) };
const struct code_table ssh_outcome_codes = { "outcome", outcome_entries,
					      ARRAY_SIZE(outcome_entries) };

static const struct ssh_handshake_event *event_of(const struct record *record)
{
	return (const void *)record->bytes;
}

/* A yes or no that is known once both have made their offers. */
static void get_marked(const struct record *record, const struct field *field, struct value *ret)
{
	ret->present = event_of(record)->marks & SSH_EVENT_HAS_CHOICE;
	ret->b = event_of(record)->marks & field->at;
}

/* Where nothing was agreed on there is nothing to be broken. */
static void get_post_quantum(const struct record *record, const struct field *field,
			     struct value *ret)
{
	ret->present = event_of(record)->kex.size > 0;
	ret->b = event_of(record)->marks & field->at;
}

/* A MAC, which a cipher that authenticates takes the place of. */
static void get_mac(const struct record *record, const struct field *field, struct value *ret)
{
	static const char implicit[] = "implicit";
	bool is_c2s = field->at == AT(mac_c2s);

	if (event_of(record)->marks &
	    (is_c2s ? SSH_EVENT_IMPLICIT_MAC_C2S : SSH_EVENT_IMPLICIT_MAC_S2C)) {
		ret->present = true;
		ret->str.bytes = implicit;
		ret->str.size = sizeof(implicit) - 1;
		return;
	}
	get_tail(record, field, ret);
}

static void get_bits(const struct record *record, const struct field *field, struct value *ret)
{
	get_u32(record, field, ret);
	ret->present = ret->u != 0;
}

static void get_duration(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->u = event_of(record)->duration_ns / 1000;
	ret->present = true;
}

/* clang-format off */
#define NAME(member, show, text_of)                                                                \
	{ NAMED(#member), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_tail,                 \
	  .at = AT(member), .text = (show), .help = (text_of) }

static const struct field ssh_handshake_fields[] = {
	{ NAMED("role"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u8, .at = AT(role),
	  .codes = &ssh_role_codes, .text = TEXT_BARE, .help = "client or server" },
	{ NAMED("outcome"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u8,
	  .at = AT(outcome), .codes = &ssh_outcome_codes, .text = TEXT_BARE,
	  .help = "established, failed, reset or incomplete" },
	{ NAMED("failure"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_tail, .at = AT(failure), .help = "why it failed" },
	NAME(client_ident, TEXT_HIDDEN, "what the client calls itself"),
	NAME(server_ident, TEXT_BARE, "what the server calls itself"),
	NAME(kex, TEXT_BARE, "the key exchange"),
	NAME(host_key, TEXT_BARE, "the algorithm of the server's key"),
	NAME(cipher_c2s, TEXT_BARE, "the cipher from client to server"),
	NAME(cipher_s2c, TEXT_HIDDEN, "from server to client"),
	{ NAMED("mac_c2s"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_mac,
	  .at = AT(mac_c2s), .text = TEXT_HIDDEN,
	  .help = "the MAC from client to server; implicit: the cipher's own" },
	{ NAMED("mac_s2c"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_mac,
	  .at = AT(mac_s2c), .text = TEXT_HIDDEN, .help = "from server to client" },
	NAME(compression_c2s, TEXT_HIDDEN, "the compression from client to server"),
	NAME(compression_s2c, TEXT_HIDDEN, "from server to client"),
	{ NAMED("post_quantum"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .get = get_post_quantum, .at = SSH_EVENT_POST_QUANTUM,
	  .help = "the key exchange resists a quantum computer" },
	{ NAMED("strict_kex"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_marked,
	  .at = SSH_EVENT_STRICT, .text = TEXT_HIDDEN,
	  .help = "both ends are safe from the Terrapin attack (CVE-2023-48795)" },
	{ NAMED("group_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_bits, .at = AT(group_bits), .text = TEXT_HIDDEN,
	  .help = "bits of the prime of a Diffie-Hellman exchange" },
	{ NAMED("host_key_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_bits, .at = AT(host_key_bits), .text = TEXT_HIDDEN,
	  .help = "bits of the server's key" },
	{ NAMED("host_key_fingerprint"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_tail, .at = AT(fingerprint), .text = TEXT_HIDDEN,
	  .help = "of the server's key, as ssh-keygen -l prints it" },
	{ NAMED("signature"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_tail, .at = AT(signature), .text = TEXT_HIDDEN,
	  .help = "how the server signed" },
	{ NAMED("local"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_slot,
	  .at = SLOT_LOCAL, .text = TEXT_BARE, .help = "address and port of this end" },
	{ NAMED("peer"), .type = FIELD_STR, .class = CLASS_ADDR, .get = get_slot,
	  .at = SLOT_PEER, .help = "address and port of the other" },
	{ NAMED("duration_us"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_duration,
	  .text = TEXT_HIDDEN, .help = "from the first byte to the end of the key exchange" },
	{ NAMED("findings"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = verdicts_get, .at = SLOT_FINDINGS, .sub = &finding_fields,
	  .help = "what somebody should look at" },
};
#undef NAME
/* clang-format on */

static bool name_rule(uint8_t rule, struct finding *finding)
{
	if (rule == SSH_RULE_none || rule >= NR_SSH_RULES)
		return false;
	finding->rule = ssh_rules[rule].name;
	finding->severity = ssh_rules[rule].severity;
	finding->why = ssh_rules[rule].why;
	finding->policy = ssh_rules[rule].policy;
	return true;
}

static int ssh_handshake_decode(struct record *record)
{
	const struct ssh_handshake_event *event = event_of(record);

	if (!address_slot(record, SLOT_LOCAL, event->local, event->local_port) ||
	    !address_slot(record, SLOT_PEER, event->peer, event->peer_port))
		return STAGE_MALFORMED;
	record->slots[SLOT_FINDINGS].obj = verdicts_read(record, event->verdicts, name_rule, NULL);
	record->slots[SLOT_FINDINGS].present = record->slots[SLOT_FINDINGS].obj != NULL;
	return STAGE_NEXT;
}

static const size_t ssh_handshake_tails[] = {
	AT(client_ident),    AT(server_ident), AT(kex),	    AT(host_key),  AT(cipher_c2s),
	AT(cipher_s2c),	     AT(mac_c2s),      AT(mac_s2c), AT(signature), AT(compression_c2s),
	AT(compression_s2c), AT(fingerprint),  AT(failure), AT(verdicts),
};

static const struct source_hook ssh_handshake_hooks[] = { { .name = "cgroup_skb" } };

const struct source ssh_handshake_source = {
	.name = "ssh_handshake",
	.help = "an SSH connection agreed on its keys, or failed to; at one of its ends",
	.fields = FIELDS(ssh_handshake_fields),
	.min_size = sizeof(struct ssh_handshake_event),
	.tails = ssh_handshake_tails,
	.nr_tails = ARRAY_SIZE(ssh_handshake_tails),
	.hooks = ssh_handshake_hooks,
	.nr_hooks = ARRAY_SIZE(ssh_handshake_hooks),
	.decode = ssh_handshake_decode,
};
