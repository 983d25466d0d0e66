/* SPDX-License-Identifier: MIT */
#include "catalogue/tls.h"

#include "lib/array.h"

#define TABLE(name, entries)                                                                       \
	{                                                                                          \
		name, entries, ARRAY_SIZE(entries)                                                 \
	}

static const struct code_entry version_entries[] = {
#define TLS_VERSION(code, name) { code, name, NULL },
#include "catalogue/tls_versions.def"
};

static const struct code_entry cipher_entries[] = {
#define TLS_CIPHER(code, name, key_exchange, authentication, encryption, hash)                     \
	{ code, #name, NULL },
#include "catalogue/tls_ciphers.def"
};

static const struct tls_cipher ciphers[] = {
#define TLS_CIPHER(code, name, key_exchange, authentication, encryption, hash)                     \
	{ code, TLS_KEY_EXCHANGE_##key_exchange, TLS_AUTHENTICATION_##authentication,              \
	  TLS_ENCRYPTION_##encryption, TLS_HASH_##hash },
#include "catalogue/tls_ciphers.def"
};

static const struct code_entry key_exchange_entries[] = {
#define TLS_KEY_EXCHANGE(id, is_forward_secret, is_export, help)                                   \
	{ TLS_KEY_EXCHANGE_##id, #id, help },
#include "catalogue/tls_ciphers.def"
};

static const struct code_entry authentication_entries[] = {
#define TLS_AUTHENTICATION(id, help) { TLS_AUTHENTICATION_##id, #id, help },
#include "catalogue/tls_ciphers.def"
};

const struct tls_key_exchange_info tls_key_exchanges[NR_TLS_KEY_EXCHANGES] = {
#define TLS_KEY_EXCHANGE(id, is_forward_secret, is_export, help) { is_forward_secret, is_export },
#include "catalogue/tls_ciphers.def"
};

const struct tls_encryption_info tls_encryptions[NR_TLS_ENCRYPTIONS] = {
#define TLS_ENCRYPTION(id, algorithm, bits, mode, tag_size)                                        \
	{ algorithm, bits, TLS_MODE_##mode, tag_size },
#include "catalogue/tls_ciphers.def"
};

const struct tls_hash_info tls_hashes[NR_TLS_HASHES] = {
#define TLS_HASH(id, algorithm, size) { algorithm, size },
#include "catalogue/tls_ciphers.def"
};

static const struct code_entry group_entries[] = {
#define TLS_GROUP(code, name, kind, bits, kem_bits) { code, name, NULL },
#include "catalogue/tls_groups.def"
};

static const bool kind_is_post_quantum[NR_TLS_GROUP_KINDS] = {
#define TLS_GROUP_KIND(id, is_post_quantum, help) is_post_quantum,
#include "catalogue/tls_groups.def"
};

static const struct code_entry group_kind_entries[] = {
#define TLS_GROUP_KIND(id, is_post_quantum, help) { TLS_GROUP_KIND_##id, #id, help },
#include "catalogue/tls_groups.def"
};

static const struct tls_group groups[] = {
#define TLS_GROUP(code, name, kind, bits, kem_bits) { code, TLS_GROUP_KIND_##kind, bits, kem_bits },
#include "catalogue/tls_groups.def"
};

static const struct code_entry signature_entries[] = {
#define TLS_SIGNATURE(code, name, hash) { code, name, NULL },
#include "catalogue/tls_signatures.def"
};

static const char *const signature_hashes[] = {
#define TLS_SIGNATURE(code, name, hash) hash,
#include "catalogue/tls_signatures.def"
};

static const struct code_entry alert_entries[] = {
#define TLS_ALERT(code, id) { code, #id, NULL },
#include "catalogue/tls_alerts.def"
};

static const struct code_entry extension_entries[] = {
#define TLS_EXTENSION(code, id) { code, #id, NULL },
#include "catalogue/tls_extensions.def"
};

const struct code_table tls_version_codes = TABLE("tls_version", version_entries);
const struct code_table tls_cipher_codes = TABLE("tls_cipher", cipher_entries);
const struct code_table tls_key_exchange_codes = TABLE("tls_key_exchange", key_exchange_entries);
const struct code_table tls_authentication_codes =
	TABLE("tls_authentication", authentication_entries);
const struct code_table tls_group_codes = TABLE("tls_group", group_entries);
const struct code_table tls_group_kind_codes = TABLE("tls_group_kind", group_kind_entries);
const struct code_table tls_signature_codes = TABLE("tls_signature", signature_entries);
const struct code_table tls_alert_codes = TABLE("tls_alert", alert_entries);
const struct code_table tls_extension_codes = TABLE("tls_extension", extension_entries);

/* Where TABLE has CODE, or NULL. */
static const struct code_entry *entry_find(const struct code_table *table, uint16_t code)
{
	size_t low = 0, high = table->nr_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct code_entry *entry = &table->entries[middle];

		if (entry->code == code)
			return entry;
		if (entry->code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

uint16_t tls_version_base(uint16_t version)
{
	if (version == DTLS_VERSION_1_0)
		return TLS_VERSION_1_1;
	if (version == DTLS_VERSION_1_2)
		return TLS_VERSION_1_2;
	if (version == DTLS_VERSION_1_3 || version >> 8 == 0x7f)
		return TLS_VERSION_1_3;
	return version;
}

/* What is known of a suite, group or scheme stands where its name does. */
const struct tls_cipher *tls_cipher_find(uint16_t code)
{
	const struct code_entry *entry = entry_find(&tls_cipher_codes, code);

	return entry ? &ciphers[entry - cipher_entries] : NULL;
}

const struct tls_group *tls_group_find(uint16_t code)
{
	const struct code_entry *entry = entry_find(&tls_group_codes, code);

	return entry ? &groups[entry - group_entries] : NULL;
}

bool tls_group_is_post_quantum(uint16_t code)
{
	const struct tls_group *group = tls_group_find(code);

	return group && kind_is_post_quantum[group->kind];
}

const char *tls_signature_hash(uint16_t code)
{
	const struct code_entry *entry = entry_find(&tls_signature_codes, code);

	return entry ? signature_hashes[entry - signature_entries] : NULL;
}
