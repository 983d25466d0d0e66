/* SPDX-License-Identifier: MIT */
#include "inventory/host.h"

#include <string.h>

#include "pipeline/record.h"

#define HOST(member)	  offsetof(struct host_crypto, member)
#define DEVICE(member)	  offsetof(struct dm_crypt_device, member)
#define ALGORITHM(member) offsetof(struct kernel_algorithm, member)

#define COUNT(key, offset, what)                                                                   \
	{                                                                                          \
		NAMED(key), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,              \
			    .at = (offset), .help = (what)                                         \
	}

static const struct host_crypto *host_of(const struct record *record)
{
	return (const void *)record->bytes;
}

/* The host itself, for a sub-table of its members, where the flag at field.at says it is known. */
static void get_part(const struct record *record, const struct field *field, struct value *ret)
{
	get_bool(record, field, ret);
	ret->present = ret->b;
	ret->obj = record->bytes;
}

static void get_fips(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = host_of(record)->has_fips;
	ret->b = host_of(record)->fips_enabled;
}

static void get_dm_crypt(const struct record *record, const struct field *field, struct value *ret)
{
	get_list(record, field, ret);
	ret->present = host_of(record)->has_dm_crypt;
}

static void get_wireguard(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = host_of(record)->has_wireguard;
	ret->str.bytes = host_of(record)->wireguard;
	ret->str.size = host_of(record)->wireguard_size;
}

static void get_not_seen(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = true;
	ret->str.bytes = host_of(record)->not_seen;
	ret->str.size = host_of(record)->not_seen_size;
}

/* The kernel's words. */
static void get_selftest(const struct record *record, const struct field *field, struct value *ret)
{
	get_bool(record, field, ret);
	ret->str.bytes = ret->b ? "passed" : "unknown";
	ret->str.size = strlen(ret->str.bytes);
}

/* clang-format off */
static const struct field device_item[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = DEVICE(name), .text = TEXT_BARE, .help = "of the decrypted device" },
	{ NAMED("type"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = DEVICE(type), .help = "how it was made: LUKS2, PLAIN, ...; VERITY and INTEGRITY only check" },
	{ NAMED("device"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = DEVICE(device), .help = "the kernel's name of it" },
};

static const struct fields device_fields = FIELDS(device_item);

static const struct field ipsec_item[] = {
	COUNT("states", HOST(ipsec_states), "security associations"),
	COUNT("policies", HOST(ipsec_policies), "security policies, without those of sockets"),
};

static const struct fields ipsec_fields = FIELDS(ipsec_item);

static const struct field ktls_item[] = {
	COUNT("tx", HOST(ktls_tx), "sockets for which the kernel encrypts"),
	COUNT("rx", HOST(ktls_rx), "sockets for which the kernel decrypts"),
};

static const struct fields ktls_fields = FIELDS(ktls_item);

static const struct field af_alg_item[] = {
	COUNT("sockets", HOST(af_alg_sockets), "sockets open"),
};

static const struct fields af_alg_fields = FIELDS(af_alg_item);

static const struct field algorithm_item[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ALGORITHM(name), .text = TEXT_BARE, .help = "the algorithm: gcm(aes)" },
	{ NAMED("driver"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ALGORITHM(driver), .help = "the implementation" },
	{ NAMED("module"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ALGORITHM(module), .help = "the kernel module, or kernel" },
	{ NAMED("type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ALGORITHM(type), .help = "its kind: shash, skcipher, aead and others" },
	COUNT("refcnt", ALGORITHM(refcnt), "references, one of them the kernel's own"),
	{ NAMED("selftest"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_selftest,
	  .at = ALGORITHM(passed_selftest), .help = "passed or unknown" },
};

static const struct fields algorithm_fields = FIELDS(algorithm_item);

static const struct field algorithms_item[] = {
	COUNT("registered", HOST(nr_algorithms), "algorithms that the kernel has"),
	{ NAMED("in_use"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = HOST(in_use), .sub = &algorithm_fields, .help = "those with users" },
};

static const struct fields algorithms_fields = FIELDS(algorithms_item);

static const struct field host_table[] = {
	{ NAMED("fips_enabled"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_fips,
	  .help = "whether the kernel is in FIPS mode; null: it has none" },
	{ NAMED("dm_crypt"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_dm_crypt,
	  .at = HOST(dm_crypt), .sub = &device_fields,
	  .help = "block devices that cryptsetup set up" },
	{ NAMED("wireguard"), .type = FIELD_STRV, .class = CLASS_TEXT, .get = get_wireguard,
	  .help = "interfaces of WireGuard, of this network namespace" },
	{ NAMED("ipsec"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_part,
	  .at = HOST(has_ipsec), .sub = &ipsec_fields,
	  .help = "associations and policies of IPsec, of this network namespace" },
	{ NAMED("ktls"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_part,
	  .at = HOST(has_ktls), .sub = &ktls_fields,
	  .help = "sockets with TLS in the kernel, of this network namespace" },
	{ NAMED("af_alg"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_part,
	  .at = HOST(has_af_alg), .sub = &af_alg_fields,
	  .help = "programs that use the kernel's algorithms" },
	{ NAMED("algorithms"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_part,
	  .at = HOST(has_algorithms), .sub = &algorithms_fields,
	  .help = "the kernel's own cryptography" },
	{ NAMED("not_seen"), .type = FIELD_STRV, .class = CLASS_PUBLIC, .get = get_not_seen,
	  .help = "what could not be read, and why" },
};
/* clang-format on */

const struct fields host_crypto_fields = FIELDS(host_table);
