/* SPDX-License-Identifier: MIT */
/*
 * What documents say of certificates and keys, see content.h.
 */
#include "inspect/content.h"

#include <string.h>

#include "pipeline/record.h"

#define CERTIFICATE(member) offsetof(struct certificate, member)
#define KEY(member)	    offsetof(struct key, member)

/* A size in bits; 0: not known. */
static void get_bits(const struct record *record, const struct field *field, struct value *ret)
{
	get_u32(record, field, ret);
	ret->present = ret->u != 0;
}

/* A time; 0: not known. */
static void get_date(const struct record *record, const struct field *field, struct value *ret)
{
	get_u64(record, field, ret);
	ret->present = ret->u != 0;
}

static void get_days(const struct record *record, const struct field *field, struct value *ret)
{
	const struct certificate *certificate = (const void *)record->bytes;

	(void)field;
	ret->s = certificate->days_left;
	ret->present = certificate->not_after_ns != 0;
}

static void get_sans(const struct record *record, const struct field *field, struct value *ret)
{
	const struct certificate *certificate = (const void *)record->bytes;

	(void)field;
	ret->str.bytes = certificate->sans;
	ret->str.size = certificate->sans_size;
	ret->present = certificate->sans != NULL;
}

/* clang-format off */
static const struct field certificate_table[] = {
	{ NAMED("subject"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = CERTIFICATE(subject), .text = TEXT_BARE, .help = "whose it is, RFC 4514 text" },
	{ NAMED("issuer"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = CERTIFICATE(issuer), .help = "who signed it, RFC 4514 text" },
	{ NAMED("sans"), .type = FIELD_STRV, .class = CLASS_HOST, .get = get_sans,
	  .presence = SOMETIMES, .help = "alternative names: DNS:, IP:, email:, URI: and the name" },
	{ NAMED("serial"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(serial), .text = TEXT_HIDDEN, .help = "serial number, hexadecimal" },
	{ NAMED("not_before"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_date,
	  .at = CERTIFICATE(not_before_ns), .text = TEXT_HIDDEN, .help = "when it begins to be valid" },
	{ NAMED("not_after"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_date,
	  .at = CERTIFICATE(not_after_ns), .help = "when it ends to be valid" },
	{ NAMED("days_left"), .type = FIELD_S64, .class = CLASS_PUBLIC, .get = get_days,
	  .text = TEXT_HIDDEN, .help = "whole days until then; negative: past" },
	{ NAMED("key_type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(key_type), .help = "algorithm of its key" },
	{ NAMED("key_bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_bits,
	  .at = CERTIFICATE(key_bits), .help = "size of its key" },
	{ NAMED("curve"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(curve), .presence = SOMETIMES, .help = "elliptic curve of its key" },
	{ NAMED("signature_algorithm"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(signature_algorithm), .help = "how it is signed" },
	{ NAMED("fingerprint_sha256"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(fingerprint_sha256), .text = TEXT_HIDDEN, .help = "hash of the certificate by SHA-256, hexadecimal" },
	{ NAMED("position"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = CERTIFICATE(position), .text = TEXT_HIDDEN, .help = "place in the file, from 0" },
	{ NAMED("chain"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = CERTIFICATE(chain), .help = "leaf, intermediate, root or alone in its file" },
	{ NAMED("self_signed"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = CERTIFICATE(is_self_signed), .text = TEXT_HIDDEN,
	  .help = "whether it is signed with its own key" },
	{ NAMED("ca"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = CERTIFICATE(is_ca), .text = TEXT_HIDDEN, .help = "whether it may issue others" },
};
/* clang-format on */

const struct fields certificate_fields = FIELDS(certificate_table);

/* clang-format off */
static const struct field key_table[] = {
	{ NAMED("type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = KEY(type), .text = TEXT_BARE, .help = "algorithm; null where encryption hides it" },
	{ NAMED("format"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = KEY(format), .help = "how it is written" },
	{ NAMED("curve"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = KEY(curve), .presence = SOMETIMES, .help = "elliptic curve" },
	{ NAMED("bits"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_bits,
	  .at = KEY(bits), .help = "size, from the public part" },
	{ NAMED("private"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = KEY(is_private), .help = "whether it is a private or secret key" },
	{ NAMED("encrypted"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = KEY(is_encrypted), .help = "whether a password or a device protects it" },
};
/* clang-format on */

const struct fields key_fields = FIELDS(key_table);
