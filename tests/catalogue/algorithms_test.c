/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/provider.h>

#include "catalogue/algorithms.h"
#include "lib/array.h"
#include "support/guard.h"

/* The rows of the catalogue once more, to be looked up one by one. */
enum place {
#define ALGORITHM(id, name, kind, verdict) PLACE_##id,
#include "catalogue/algorithms.def"
};

static const char *const names[] = {
#define ALGORITHM(id, name, kind, verdict) name,
#include "catalogue/algorithms.def"
};

static const struct {
	const char *text;
	enum place place;
} spellings[] = {
#define ALGORITHM_SPELLING(id, spelling) { spelling, PLACE_##id },
#include "catalogue/algorithms.def"
};

static const struct {
	enum algorithm_codes codes;
	uint64_t number;
	enum place place;
} numbers[] = {
#define ALGORITHM_CODE(codes, number, id) { ALGORITHM_CODES_##codes, number, PLACE_##id },
#include "catalogue/algorithm_nids.def"
#include "catalogue/algorithm_gnu.def"
#include "catalogue/algorithm_mechanisms.def"
#include "catalogue/algorithm_ktls.def"
#undef ALGORITHM_CODE
};

static const struct algorithm *by_name(const char *name)
{
	size_t size = strlen(name);
	const void *copy = guard_copy(name, size);
	const struct algorithm *found = algorithm_by_name(copy, size);

	guard_free(copy, size);
	return found;
}

static void named_check(const char *what, const struct algorithm *found, const char *wanted)
{
	const char *name = found ? found->name : NULL;

	if (!name != !wanted || (name && strcmp(name, wanted)))
		fail_msg("'%s' should be %s, is %s", what, wanted ? wanted : "unknown",
			 name ? name : "unknown");
}

static void test_every_name_is_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		named_check(names[i], by_name(names[i]), names[i]);
}

static void test_every_spelling_is_its_algorithm(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		named_check(spellings[i].text, by_name(spellings[i].text),
			    names[spellings[i].place]);
}

static void test_every_algorithm_has_kind_strength_and_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct algorithm *algorithm = by_name(names[i]);

		assert_non_null(algorithm);
		assert_non_null(code_name(&algorithm_kind_codes, algorithm->kind));
		assert_non_null(code_name(&algorithm_strength_codes, algorithm->verdict->strength));
		assert_true(strlen(algorithm->verdict->reason) > 0);
		assert_true(strlen(algorithm->verdict->reason) < 60);
		assert_null(strchr(algorithm->verdict->reason, '\n'));
		assert_true(strlen(algorithm->verdict->source) > 0);
	}
}

static void test_names_of_libraries_are_one_name(void **state)
{
	static const struct {
		const char *text, *wanted;
	} expected[] = {
		{ "id-aes256-GCM", "AES-256-GCM" },
		{ "AES-256-GCM", "AES-256-GCM" },
		{ "aes-256-gcm", "AES-256-GCM" },
		{ "aes256gcm", "AES-256-GCM" },
		{ "AES-256/GCM", "AES-256-GCM" },
		{ "AES-128/CBC/PKCS7", "AES-128-CBC" },
		{ "SHA2-256", "SHA-256" },
		{ "SHA256", "SHA-256" },
		{ "sha512-256", "SHA-512/256" },
		{ "SHA2-512/256", "SHA-512/256" },
		{ "SHA-1", "SHA-1" },
		{ "sha", "SHA-1" },
		{ "sha3_256", "SHA3-256" },
		{ "SSL3-MD5", "MD5" },
		{ "RSA-SHA256", "RSA-SHA-256" },
		{ "sha256WithRSAEncryption", "RSA-SHA-256" },
		{ "SHA256withECDSA", "ECDSA-SHA-256" },
		{ "rsa_pss_rsae_sha256", "RSA-PSS-SHA-256" },
		{ "ecdsa_secp256r1_sha256", "ECDSA-SHA-256" },
		{ "rsa_pkcs1_sha1", "RSA-SHA-1" },
		{ "hmac-sha2-512", "HMAC-SHA-512" },
		{ "HMAC(SHA-256)", "HMAC-SHA-256" },
		{ "hmacWithSHA1", "HMAC-SHA-1" },
		{ "DES-EDE3-CBC", "DES-EDE3-CBC" },
		{ "des-ede3-cbc", "DES-EDE3-CBC" },
		{ "des3", "DES-EDE3-CBC" },
		{ "3DES-CBC", "DES-EDE3-CBC" },
		{ "3DES", "3DES" },
		{ "arcfour", "RC4" },
		{ "ChaCha20-Poly1305", "ChaCha20-Poly1305" },
		{ "chacha20poly1305_ietf", "ChaCha20-Poly1305" },
		{ "xchacha20poly1305_ietf", "XChaCha20-Poly1305" },
		{ "CAMELLIA128", "Camellia-128" },
		{ "prime256v1", "P-256" },
		{ "secp384r1", "P-384" },
		{ "ecdsa-sha2-nistp256", "ECDSA-P-256" },
		{ "rsa-2048", "RSA-2048" },
		{ "curve25519", "X25519" },
		{ "ED25519", "Ed25519" },
		{ "mlkem768", "ML-KEM-768" },
		{ "ML-DSA-65", "ML-DSA-65" },
		{ "SLH-DSA-SHA2-256f", "SLH-DSA-SHA2-256f" },
		{ "SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-128s" },
		{ "X25519MLKEM768", "X25519MLKEM768" },
		{ "TLS1-PRF", "TLS1-PRF" },
		{ "argon2id", "Argon2id" },
		{ "id-scrypt", "scrypt" },
		{ "idea-cbc", "IDEA-CBC" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		named_check(expected[i].text, by_name(expected[i].text), expected[i].wanted);
}

static void test_other_text_is_no_algorithm(void **state)
{
	static const char *const others[] = {
		"",
		"-",
		"id-",
		"A",
		"AES-512",
		"AES-256-GC",
		"AES-256-GCMX",
		"SHA-257",
		"sha2",
		"not an algorithm",
		"DEFAULT@SECLEVEL=2",
		"fips=yes",
		"\xff\xfe",
		"AES-256-GCM\t",
		"2.16.840.1.101.3.4.1.46",
	};
	char longest[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		named_check(others[i], by_name(others[i]), NULL);
	memset(longest, '-', sizeof(longest));
	assert_null(algorithm_by_name(longest, sizeof(longest)));
	memset(longest, 'a', sizeof(longest));
	assert_null(algorithm_by_name(longest, sizeof(longest)));
	assert_null(algorithm_by_name("AES-256-GCM\0", sizeof("AES-256-GCM")));
}

static void test_weak_algorithms_are_told(void **state)
{
	static const struct {
		const char *name;
		enum algorithm_kind kind;
		enum algorithm_strength strength;
	} expected[] = {
		{ "AES-256-GCM", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_current },
		{ "AES-128-ECB", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_weak },
		{ "ChaCha20-Poly1305", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_current },
		{ "DES-EDE3-CBC", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_weak },
		{ "DES-CBC", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_broken },
		{ "RC4", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_broken },
		{ "Blowfish-CBC", ALGORITHM_KIND_cipher, ALGORITHM_STRENGTH_legacy },
		{ "MD5", ALGORITHM_KIND_hash, ALGORITHM_STRENGTH_broken },
		{ "SHA-1", ALGORITHM_KIND_hash, ALGORITHM_STRENGTH_weak },
		{ "SHA-256", ALGORITHM_KIND_hash, ALGORITHM_STRENGTH_current },
		{ "HMAC-MD5", ALGORITHM_KIND_mac, ALGORITHM_STRENGTH_legacy },
		{ "HMAC-SHA-1", ALGORITHM_KIND_mac, ALGORITHM_STRENGTH_legacy },
		{ "AES-128-CMAC", ALGORITHM_KIND_mac, ALGORITHM_STRENGTH_current },
		{ "RSA-SHA-1", ALGORITHM_KIND_signature, ALGORITHM_STRENGTH_weak },
		{ "RSA-1024", ALGORITHM_KIND_key, ALGORITHM_STRENGTH_weak },
		{ "RSA-512", ALGORITHM_KIND_key, ALGORITHM_STRENGTH_broken },
		{ "RSA-2048", ALGORITHM_KIND_key, ALGORITHM_STRENGTH_current },
		{ "X25519", ALGORITHM_KIND_key_agreement, ALGORITHM_STRENGTH_current },
		{ "ML-KEM-768", ALGORITHM_KIND_kem, ALGORITHM_STRENGTH_current },
		{ "PBKDF2", ALGORITHM_KIND_kdf, ALGORITHM_STRENGTH_current },
		{ "CTR-DRBG", ALGORITHM_KIND_rng, ALGORITHM_STRENGTH_current },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct algorithm *algorithm = by_name(expected[i].name);

		named_check(expected[i].name, algorithm, expected[i].name);
		if (algorithm->kind != expected[i].kind ||
		    algorithm->verdict->strength != expected[i].strength)
			fail_msg("'%s' is a %s %s", expected[i].name,
				 code_name(&algorithm_strength_codes, algorithm->verdict->strength),
				 code_name(&algorithm_kind_codes, algorithm->kind));
	}
}

static void test_every_number_is_its_algorithm(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		named_check(names[numbers[i].place],
			    algorithm_by_code(numbers[i].codes, numbers[i].number),
			    names[numbers[i].place]);
		/* the lookup wants them in order */
		if (i)
			assert_true(numbers[i].codes > numbers[i - 1].codes ||
				    (numbers[i].codes == numbers[i - 1].codes &&
				     numbers[i].number > numbers[i - 1].number));
	}
}

static void test_other_numbers_are_none(void **state)
{
	(void)state;
	for (unsigned int codes = 0; codes <= NR_ALGORITHM_CODES; codes++) {
		assert_null(algorithm_by_code(codes, UINT64_MAX));
		assert_null(algorithm_by_code(codes, (uint64_t)1 << 32 | 4));
		assert_null(algorithm_by_code(codes, 0xfffffffe));
	}
	assert_null(algorithm_by_nid(0));
	assert_null(algorithm_by_nid(-1));
	assert_null(algorithm_by_code(ALGORITHM_CODES_gnutls_cipher, 0));
	assert_null(algorithm_by_gcrypt_cipher(0, 1));
	assert_null(algorithm_by_mechanism(0xfffffffful));
	assert_null(algorithm_by_psa(0));
}

/* Both of OpenSSL's names of a NID are the algorithm of the NID. */
static void test_nids_are_those_of_openssl(void **state)
{
	size_t nr_checked = 0;

	(void)state;
	for (int nid = 1; nid < 4096; nid++) {
		const struct algorithm *algorithm = algorithm_by_nid(nid);
		const char *text = OBJ_nid2sn(nid);

		if (!algorithm || !text) /* the second: newer than this OpenSSL */
			continue;
		nr_checked++;
		/* an older name that has a NID of its own, see EVP_get_digestbyname(3) */
		if (!by_name(text))
			text = OBJ_nid2ln(nid);
		named_check(text, by_name(text), algorithm->name);
	}
	assert_true(nr_checked > 270);
}

static void digest_check(const EVP_MD *digest, const char *from, const char *to, void *arg)
{
	(void)from;
	(void)to;
	if (!digest)
		return;
	named_check(EVP_MD_get0_name(digest), by_name(EVP_MD_get0_name(digest)),
		    algorithm_by_nid(EVP_MD_get_type(digest))->name);
	++*(size_t *)arg;
}

static void cipher_check(const EVP_CIPHER *cipher, const char *from, const char *to, void *arg)
{
	(void)from;
	(void)to;
	if (!cipher)
		return;
	const struct algorithm *algorithm = algorithm_by_nid(EVP_CIPHER_get_nid(cipher));

	if (!algorithm)
		fail_msg("%s has no NID here", EVP_CIPHER_get0_name(cipher));
	named_check(EVP_CIPHER_get0_name(cipher), by_name(EVP_CIPHER_get0_name(cipher)),
		    algorithm->name);
	++*(size_t *)arg;
}

static void test_ciphers_and_digests_of_openssl_are_known(void **state)
{
	size_t nr_ciphers = 0, nr_digests = 0;

	(void)state;
	EVP_CIPHER_do_all_sorted(cipher_check, &nr_ciphers);
	EVP_MD_do_all_sorted(digest_check, &nr_digests);
	assert_true(nr_ciphers > 60);
	assert_true(nr_digests > 10);
}

/* Names of one algorithm of a provider: all are the same one, but for object identifiers. */
static void alias_check(const char *name, void *arg)
{
	const struct algorithm **first = arg;
	const struct algorithm *found;

	if (name[0] >= '0' && name[0] <= '9')
		return;
	found = by_name(name);
	if (!found)
		fail_msg("'%s' of a provider is unknown", name);
	if (!*first)
		*first = found;
}

#define PROVIDED(type)                                                                             \
	static void provided_##type(EVP_##type *method, void *arg)                                 \
	{                                                                                          \
		const struct algorithm *first = NULL;                                              \
                                                                                                   \
		EVP_##type##_names_do_all(method, alias_check, &first);                            \
		assert_non_null(first);                                                            \
		++*(size_t *)arg;                                                                  \
	}

PROVIDED(CIPHER)
PROVIDED(MD)
PROVIDED(MAC)
PROVIDED(KDF)
PROVIDED(KEYMGMT)
PROVIDED(SIGNATURE)
PROVIDED(KEYEXCH)
PROVIDED(KEM)
PROVIDED(RAND)

static void test_names_of_providers_are_known(void **state)
{
	OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
	size_t nr = 0;

	(void)state;
	assert_non_null(base);
	EVP_CIPHER_do_all_provided(NULL, provided_CIPHER, &nr);
	EVP_MD_do_all_provided(NULL, provided_MD, &nr);
	EVP_MAC_do_all_provided(NULL, provided_MAC, &nr);
	EVP_KDF_do_all_provided(NULL, provided_KDF, &nr);
	EVP_KEYMGMT_do_all_provided(NULL, provided_KEYMGMT, &nr);
	EVP_SIGNATURE_do_all_provided(NULL, provided_SIGNATURE, &nr);
	EVP_KEYEXCH_do_all_provided(NULL, provided_KEYEXCH, &nr);
	EVP_KEM_do_all_provided(NULL, provided_KEM, &nr);
	EVP_RAND_do_all_provided(NULL, provided_RAND, &nr);
	assert_true(nr > 150);
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(base);
}

static void test_gcrypt_cipher_is_named_with_its_mode(void **state)
{
	(void)state;
	named_check("9, 9", algorithm_by_gcrypt_cipher(9, 9), "AES-256-GCM");
	named_check("7, 3", algorithm_by_gcrypt_cipher(7, 3), "AES-128-CBC");
	named_check("2, 3", algorithm_by_gcrypt_cipher(2, 3), "DES-EDE3-CBC");
	named_check("10, 2", algorithm_by_gcrypt_cipher(10, 2), "Twofish-CFB");
	named_check("316, 10", algorithm_by_gcrypt_cipher(316, 10), "ChaCha20-Poly1305");
	named_check("301, 4", algorithm_by_gcrypt_cipher(301, 4), "RC4");
	named_check("9, 0", algorithm_by_gcrypt_cipher(9, 0), "AES-256");
	named_check("9, 99", algorithm_by_gcrypt_cipher(9, 99), "AES-256");
	named_check("9, -1", algorithm_by_gcrypt_cipher(9, -1), "AES-256");
	named_check("1, 9", algorithm_by_gcrypt_cipher(1, 9), "IDEA");
}

static void test_gcrypt_md_with_hmac_flag_is_hmac(void **state)
{
	(void)state;
	named_check("8, 0", algorithm_by_gcrypt_md(8, 0), "SHA-256");
	named_check("8, 1", algorithm_by_gcrypt_md(8, 1), "SHA-256");
	named_check("8, 2", algorithm_by_gcrypt_md(8, 2), "HMAC-SHA-256");
	named_check("318, 3", algorithm_by_gcrypt_md(318, 3), "HMAC-BLAKE2b-512");
	assert_null(algorithm_by_gcrypt_md(4, 2));
}

static void test_numbers_of_other_libraries_are_named(void **state)
{
	(void)state;
	named_check("cipher", algorithm_by_code(ALGORITHM_CODES_gnutls_cipher, 11), "AES-256-GCM");
	named_check("mac", algorithm_by_code(ALGORITHM_CODES_gnutls_mac, 6), "HMAC-SHA-256");
	named_check("digest", algorithm_by_code(ALGORITHM_CODES_gnutls_digest, 6), "SHA-256");
	named_check("pk", algorithm_by_code(ALGORITHM_CODES_gnutls_pk, 7), "Ed25519");
	named_check("sign", algorithm_by_code(ALGORITHM_CODES_gnutls_sign, 40), "RSA-PSS-SHA-256");
	named_check("group", algorithm_by_code(ALGORITHM_CODES_gnutls_group, 256), "FFDHE-2048");
	named_check("mac", algorithm_by_code(ALGORITHM_CODES_gcrypt_mac, 101), "HMAC-SHA-256");
	named_check("pk", algorithm_by_code(ALGORITHM_CODES_gcrypt_pk, 1), "RSA");
	named_check("kdf", algorithm_by_code(ALGORITHM_CODES_gcrypt_kdf, 48), "scrypt");
	named_check("CKM_AES_GCM", algorithm_by_mechanism(0x1087), "AES-GCM");
	named_check("CKM_RSA_PKCS_KEY_PAIR_GEN", algorithm_by_mechanism(0), "RSA");
	named_check("SEC_OID_SHA256", algorithm_by_code(ALGORITHM_CODES_nss_oid, 191), "SHA-256");
}

/* Values of psa/crypto_values.h as its macros compute them. */
static void test_psa_algorithms_are_decoded(void **state)
{
	static const struct {
		uint32_t alg;
		const char *wanted;
	} expected[] = {
		{ 0x02000009, "SHA-256" },
		{ 0x03800009, "HMAC-SHA-256" },
		{ 0x03900009, "HMAC-SHA-256" }, /* cut to 16 bytes */
		{ 0x03c00200, "CMAC" },
		{ 0x03c48200, "CMAC" },
		{ 0x04c01000, "CTR" },
		{ 0x04404100, "CBC" },
		{ 0x04404400, "ECB" },
		{ 0x05500200, "GCM" },
		{ 0x05480200, "GCM" },
		{ 0x05500100, "CCM" },
		{ 0x05100500, "ChaCha20-Poly1305" },
		{ 0x06000209, "RSA-SHA-256" },
		{ 0x06000200, "RSA-PKCS1" },
		{ 0x06000309, "RSA-PSS-SHA-256" },
		{ 0x06001309, "RSA-PSS-SHA-256" },
		{ 0x06000609, "ECDSA-SHA-256" },
		{ 0x0600070a, "ECDSA-SHA-384" },
		{ 0x060006ff, "ECDSA" },
		{ 0x06000800, "EdDSA" },
		{ 0x0600090b, "Ed25519ph" },
		{ 0x07000200, "RSAES-PKCS1-v1_5" },
		{ 0x07000309, "RSA-OAEP" },
		{ 0x08000109, "HKDF" },
		{ 0x08000209, "TLS1-PRF" },
		{ 0x08800109, "PBKDF2" },
		{ 0x08800200, "PBKDF2" },
		{ 0x09020000, "ECDH" },
		{ 0x09020109, "ECDH" },
		{ 0x09820109, "ECDH" },
		{ 0x09010000, "DH" },
		{ 0x82000009, NULL },
		{ 0x02000099, NULL },
		{ 0x038000ee, "HMAC" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		named_check("a PSA algorithm", algorithm_by_psa(expected[i].alg),
			    expected[i].wanted);
		named_check("a PSA code", algorithm_by_code(ALGORITHM_CODES_psa, expected[i].alg),
			    expected[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_name_is_its_own),
		cmocka_unit_test(test_every_spelling_is_its_algorithm),
		cmocka_unit_test(test_every_algorithm_has_kind_strength_and_source),
		cmocka_unit_test(test_names_of_libraries_are_one_name),
		cmocka_unit_test(test_other_text_is_no_algorithm),
		cmocka_unit_test(test_weak_algorithms_are_told),
		cmocka_unit_test(test_every_number_is_its_algorithm),
		cmocka_unit_test(test_other_numbers_are_none),
		cmocka_unit_test(test_nids_are_those_of_openssl),
		cmocka_unit_test(test_ciphers_and_digests_of_openssl_are_known),
		cmocka_unit_test(test_names_of_providers_are_known),
		cmocka_unit_test(test_gcrypt_cipher_is_named_with_its_mode),
		cmocka_unit_test(test_gcrypt_md_with_hmac_flag_is_hmac),
		cmocka_unit_test(test_numbers_of_other_libraries_are_named),
		cmocka_unit_test(test_psa_algorithms_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
