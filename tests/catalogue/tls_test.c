/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/algorithms.h"
#include "catalogue/tls.h"
#include "lib/array.h"

static void test_tables_are_in_order_and_answer_for_each_entry(void **state)
{
	static const struct code_table *const tables[] = {
		&tls_version_codes,    &tls_cipher_codes,	&tls_group_codes,
		&tls_signature_codes,  &tls_alert_codes,	&tls_extension_codes,
		&tls_group_kind_codes, &tls_key_exchange_codes, &tls_authentication_codes,
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct code_table *table = tables[t];

		assert_true(table->nr_entries > 0);
		for (size_t i = 0; i < table->nr_entries; i++) {
			const struct code_entry *entry = &table->entries[i];

			if (i && entry[-1].code >= entry->code)
				fail_msg("%s: '%s' is out of order", table->name, entry->name);
			assert_string_equal(code_name(table, entry->code), entry->name);
		}
	}
}

/* One of each RFC that brought suites, and what is met without one. */
static void test_suites_have_the_names_of_the_registry(void **state)
{
	static const struct code_entry suites[] = {
		{ 0x0005, "TLS_RSA_WITH_RC4_128_SHA", NULL },
		{ 0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", NULL },
		{ 0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", NULL },
		{ 0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", NULL },
		{ 0x00C6, "TLS_SM4_GCM_SM3", NULL },
		{ 0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", NULL },
		{ 0x1301, "TLS_AES_128_GCM_SHA256", NULL },
		{ 0x1302, "TLS_AES_256_GCM_SHA384", NULL },
		{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256", NULL },
		{ 0x5600, "TLS_FALLBACK_SCSV", NULL },
		{ 0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", NULL },
		{ 0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", NULL },
		{ 0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", NULL },
		{ 0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", NULL },
		{ 0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", NULL },
		{ 0xD001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		assert_string_equal(code_name(&tls_cipher_codes, suites[i].code), suites[i].name);
	assert_null(code_name(&tls_cipher_codes, 0x0a0a));
}

static void expect_cipher(uint16_t code, uint32_t key_exchange, uint32_t authentication,
			  uint32_t encryption, uint32_t hash)
{
	const struct tls_cipher *cipher = tls_cipher_find(code);

	assert_non_null(cipher);
	assert_int_equal(cipher->code, code);
	assert_int_equal(cipher->key_exchange, key_exchange);
	assert_int_equal(cipher->authentication, authentication);
	assert_int_equal(cipher->encryption, encryption);
	assert_int_equal(cipher->hash, hash);
}

static void test_suites_are_taken_apart(void **state)
{
	(void)state;
	expect_cipher(0x0003, TLS_KEY_EXCHANGE_rsa_export, TLS_AUTHENTICATION_rsa,
		      TLS_ENCRYPTION_RC4_40, TLS_HASH_MD5);
	expect_cipher(0x0018, TLS_KEY_EXCHANGE_dhe, TLS_AUTHENTICATION_anon, TLS_ENCRYPTION_RC4_128,
		      TLS_HASH_MD5);
	expect_cipher(0x002F, TLS_KEY_EXCHANGE_rsa, TLS_AUTHENTICATION_rsa,
		      TLS_ENCRYPTION_AES_128_CBC, TLS_HASH_SHA);
	expect_cipher(0x0032, TLS_KEY_EXCHANGE_dhe, TLS_AUTHENTICATION_dss,
		      TLS_ENCRYPTION_AES_128_CBC, TLS_HASH_SHA);
	expect_cipher(0xC02C, TLS_KEY_EXCHANGE_ecdhe, TLS_AUTHENTICATION_ecdsa,
		      TLS_ENCRYPTION_AES_256_GCM, TLS_HASH_SHA384);
	expect_cipher(0xC0AA, TLS_KEY_EXCHANGE_dhe_psk, TLS_AUTHENTICATION_psk,
		      TLS_ENCRYPTION_AES_128_CCM_8, TLS_HASH_SHA256);
	expect_cipher(0x1301, TLS_KEY_EXCHANGE_tls13, TLS_AUTHENTICATION_tls13,
		      TLS_ENCRYPTION_AES_128_GCM, TLS_HASH_SHA256);
	assert_null(tls_cipher_find(0x1a1a));
}

/* What the name of a suite says, its parts say too. */
static void test_names_and_parts_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < tls_cipher_codes.nr_entries; i++) {
		const struct code_entry *entry = &tls_cipher_codes.entries[i];
		const struct tls_cipher *cipher = tls_cipher_find((uint16_t)entry->code);
		const struct tls_encryption_info *encryption = &tls_encryptions[cipher->encryption];
		bool is_export = tls_key_exchanges[cipher->key_exchange].is_export;
		bool is_cbc = encryption->mode == TLS_MODE_cbc;

		assert_int_equal(cipher->code, entry->code);
		assert_int_equal(is_export, strstr(entry->name, "EXPORT") != NULL);
		assert_int_equal(is_cbc, strstr(entry->name, "_CBC") != NULL);
		assert_int_equal(cipher->authentication == TLS_AUTHENTICATION_anon,
				 strstr(entry->name, "_anon_") || entry->code == 0);
		assert_int_equal(strncmp(encryption->algorithm, "RC4", 3) == 0,
				 strstr(entry->name, "_RC4_") != NULL);
		assert_int_equal(cipher->encryption == TLS_ENCRYPTION_TRIPLE_DES_CBC,
				 strstr(entry->name, "_3DES_") != NULL);
		assert_int_equal(encryption->bits == 128 && strstr(entry->name, "_256_") &&
					 !strstr(entry->name, "CHACHA"),
				 0);
		if (cipher->key_exchange == TLS_KEY_EXCHANGE_rsa)
			assert_non_null(strstr(entry->name, "_RSA_"));
		if (cipher->key_exchange == TLS_KEY_EXCHANGE_ecdhe)
			assert_non_null(strstr(entry->name, "_ECDH"));
	}
}

/* Those that the catalogue of algorithms has not are not met yet. */
static void test_parts_are_algorithms(void **state)
{
	static const char *const unknown[] = { "AEGIS-128L", "AEGIS-256", "Kuznyechik-MGM",
					       "Magma-MGM" };

	(void)state;
	for (size_t i = 0; i < NR_TLS_ENCRYPTIONS; i++) {
		const char *name = tls_encryptions[i].algorithm;
		bool is_known = algorithm_by_name(name, strlen(name)) != NULL;

		for (size_t k = 0; k < ARRAY_SIZE(unknown); k++)
			is_known |= strcmp(name, unknown[k]) == 0;
		if (!is_known)
			fail_msg("'%s' is no algorithm", name);
	}
	for (size_t i = 0; i < NR_TLS_HASHES; i++)
		assert_non_null(algorithm_by_name(tls_hashes[i].algorithm,
						  strlen(tls_hashes[i].algorithm)));
}

static void test_groups_tell_what_resists_quantum_computers(void **state)
{
	static const uint16_t post_quantum[] = { 0x0200, 0x0201, 0x0202, 0x11eb, 0x11ec,
						 0x11ed, 0x11ee, 0x6399, 0x639a };
	size_t nr = 0;

	(void)state;
	assert_string_equal(code_name(&tls_group_codes, 4588), "X25519MLKEM768");
	assert_string_equal(code_name(&tls_group_codes, 29), "x25519");
	assert_string_equal(code_name(&tls_group_codes, 256), "ffdhe2048");
	for (size_t i = 0; i < tls_group_codes.nr_entries; i++)
		nr += tls_group_is_post_quantum((uint16_t)tls_group_codes.entries[i].code);
	assert_int_equal(nr, ARRAY_SIZE(post_quantum));
	for (size_t i = 0; i < ARRAY_SIZE(post_quantum); i++) {
		assert_true(tls_group_is_post_quantum(post_quantum[i]));
		assert_true(tls_group_find(post_quantum[i])->kem_bits >= 512);
	}
	assert_int_equal(tls_group_find(0x11ec)->kem_bits, 768);
	assert_int_equal(tls_group_find(0x11ed)->kem_bits, 1024);
	assert_int_equal(tls_group_find(0x0018)->bits, 384);
	assert_false(tls_group_is_post_quantum(0x1234));
	assert_null(tls_group_find(0x1234));
}

static void test_signatures_have_a_hash(void **state)
{
	(void)state;
	assert_string_equal(code_name(&tls_signature_codes, 0x0904), "mldsa44");
	assert_string_equal(tls_signature_hash(0x0201), "SHA-1");
	assert_string_equal(tls_signature_hash(0x0101), "MD5");
	assert_string_equal(tls_signature_hash(0x0807), "");
	assert_null(tls_signature_hash(0x0207));
	for (size_t i = 0; i < tls_signature_codes.nr_entries; i++) {
		const char *hash =
			tls_signature_hash((uint16_t)tls_signature_codes.entries[i].code);

		assert_true(!*hash || algorithm_by_name(hash, strlen(hash)));
	}
}

static void test_versions_are_compared_by_what_they_are_made_of(void **state)
{
	(void)state;
	assert_int_equal(tls_version_base(0xfeff), TLS_VERSION_1_1);
	assert_int_equal(tls_version_base(0xfefd), TLS_VERSION_1_2);
	assert_int_equal(tls_version_base(0xfefc), TLS_VERSION_1_3);
	assert_int_equal(tls_version_base(0x7f1c), TLS_VERSION_1_3);
	assert_int_equal(tls_version_base(0x0303), TLS_VERSION_1_2);
	assert_string_equal(code_name(&tls_version_codes, 0xfefd), "DTLSv1.2");
	assert_null(code_name(&tls_version_codes, 0x7f1c));
}

/* RFC 8701 section 2 has sixteen values, and eight for the modes. */
static void test_grease_is_told(void **state)
{
	size_t nr = 0, nr_modes = 0;

	(void)state;
	for (uint32_t code = 0; code <= UINT16_MAX; code++)
		nr += tls_is_grease((uint16_t)code);
	for (uint32_t mode = 0; mode <= UINT8_MAX; mode++)
		nr_modes += tls_is_grease_mode((uint8_t)mode);
	assert_int_equal(nr, 16);
	assert_int_equal(nr_modes, 8);
	assert_true(tls_is_grease(0x0a0a) && tls_is_grease(0xfafa));
	assert_false(tls_is_grease(0x0a1a));
	assert_true(tls_is_grease_mode(0x0b) && tls_is_grease_mode(0xe4));
	assert_false(tls_is_grease_mode(1));
	for (uint32_t i = 0; i < 16; i++)
		assert_null(code_name(&tls_cipher_codes, 0x0a0a + 0x1010 * i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_are_in_order_and_answer_for_each_entry),
		cmocka_unit_test(test_suites_have_the_names_of_the_registry),
		cmocka_unit_test(test_suites_are_taken_apart),
		cmocka_unit_test(test_names_and_parts_agree),
		cmocka_unit_test(test_parts_are_algorithms),
		cmocka_unit_test(test_groups_tell_what_resists_quantum_computers),
		cmocka_unit_test(test_signatures_have_a_hash),
		cmocka_unit_test(test_versions_are_compared_by_what_they_are_made_of),
		cmocka_unit_test(test_grease_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
