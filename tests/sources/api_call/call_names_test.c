/* SPDX-License-Identifier: MIT */
/* Which algorithms calls of real functions use: of the numbers and names that libraries have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "sources/api_call/made_event.h"

#define NONE UINT64_MAX /* no such number */

/* A call and its algorithms, the first names it. */
struct use {
	const char *function;
	uint64_t numbers[API_VALUES_MAX]; /* NONE: it could not be read, or is no number */
	const char *texts[API_VALUES_MAX];
	const char *method;
	const char *algorithms[API_CALL_ALGORITHMS_MAX + 1];
};

#define NOTHING                                                                                    \
	{                                                                                          \
		NONE, NONE, NONE                                                                   \
	}

static void check_use(enum library_family family, const struct use *use)
{
	event_begin();
	for (size_t i = 0; i < API_VALUES_MAX; i++) {
		if (use->numbers[i] != NONE)
			event_value(i, use->numbers[i]);
		if (use->texts[i])
			event_text(i, use->texts[i]);
	}
	if (use->method)
		event_method(use->method);
	print_message("%s, %s\n", use->function, use->algorithms[0] ? use->algorithms[0] : "-");
	check_algorithms(resolved(known(family, use->function)), use->algorithms);
}

#define check_uses(family, uses)                                                                   \
	for (size_t use_i = 0; use_i < sizeof(uses) / sizeof((uses)[0]); use_i++)                  \
	check_use(family, &(uses)[use_i])

/* CODE: one number, in the first place. */
#define CODE(name, number, ...)                                                                    \
	{                                                                                          \
		.function = #name, .numbers = { number, NONE, NONE }, .algorithms = {              \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define CODES(name, first, second, ...)                                                            \
	{                                                                                          \
		.function = #name, .numbers = { first, second, NONE }, .algorithms = {             \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define PLAIN(name, ...)                                                                           \
	{                                                                                          \
		.function = #name, .numbers = NOTHING, .algorithms = { __VA_ARGS__ }               \
	}
#define TEXT_AT(name, place, text, ...)                                                            \
	{                                                                                          \
		.function = #name, .numbers = NOTHING, .texts[place] = text, .algorithms = {       \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define METHOD(name, text, ...)                                                                    \
	{                                                                                          \
		.function = #name, .numbers = NOTHING, .method = text, .algorithms = {             \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

/* EVP: the structure that is passed says it. */
static void test_openssl_numbers_what_it_uses(void **state)
{
	static const struct use uses[] = {
		CODE(EVP_CipherInit_ex, NID_aes_256_gcm, "AES-256-GCM"),
		CODE(EVP_CipherInit_ex2, NID_aes_128_cbc, "AES-128-CBC"),
		CODE(EVP_CipherInit_ex2, NID_chacha20_poly1305, "ChaCha20-Poly1305"),
		CODE(EVP_CipherInit, NID_des_ede3_cbc, "DES-EDE3-CBC"),
		CODE(EVP_DigestFinal_ex, NID_sha256, "SHA-256"),
		CODE(EVP_DigestFinal_ex, NID_md5, "MD5"),
		CODE(EVP_DigestFinalXOF, NID_shake256, "SHAKE256"),
		CODE(EVP_DigestFinal, NID_sha1, "SHA-1"),
		CODE(EVP_Digest, NID_sha3_256, "SHA3-256"),
		CODE(EVP_DigestSignInit, NID_sha384, "SHA-384"),
		CODE(X509_sign, NID_sha1, "SHA-1"),
		CODE(EVP_PKEY_CTX_new_id, EVP_PKEY_RSA, "RSA"),
		CODE(EVP_PKEY_CTX_new_id, EVP_PKEY_ED25519, "Ed25519"),
		CODE(EVP_PKEY_CTX_new_id, EVP_PKEY_X25519, "X25519"),
		PLAIN(EVP_CipherInit_ex, NULL),
		PLAIN(EVP_PKEY_keygen, NULL),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_openssl, uses);
}

static void test_openssl_names_what_it_uses(void **state)
{
	static const struct use uses[] = {
		METHOD(EVP_MAC_CTX_new, "HMAC", "HMAC"),
		METHOD(EVP_MAC_CTX_new, "KMAC-256", "KMAC256"),
		METHOD(EVP_KDF_CTX_new, "TLS13-KDF", "TLS13-KDF"),
		METHOD(EVP_KDF_CTX_new, "SCRYPT", "scrypt"),
		TEXT_AT(EVP_PKEY_CTX_new_from_name, 0, "RSA-PSS", "RSA-PSS"),
		TEXT_AT(EVP_PKEY_CTX_new_from_name, 0, "ML-KEM-768", "ML-KEM-768"),
		TEXT_AT(EVP_PKEY_Q_keygen, 0, "X25519", "X25519"),
		TEXT_AT(EVP_DigestSignInit_ex, 0, "SHA2-512", "SHA-512"),
		TEXT_AT(EVP_Q_digest, 0, "SHA2-256", "SHA-256"),
		TEXT_AT(EVP_PKEY_CTX_set_group_name, 0, "prime256v1", "P-256"),
		{ "EVP_Q_mac",
		  NOTHING,
		  { "HMAC", NULL, "SHA2-256" },
		  NULL,
		  { "HMAC-SHA-256", "SHA-256" } },
		{ "EVP_Q_mac",
		  NOTHING,
		  { "CMAC", "fips=yes", "AES-256-CBC" },
		  NULL,
		  { "CMAC", "AES-256-CBC" } },
		{ "EVP_Q_mac", NOTHING, { "SIPHASH" }, NULL, { "SipHash" } },
		TEXT_AT(EVP_Q_mac, 2, "SHA1", "SHA-1"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_openssl, uses);
}

/* FUNCTION, called with the SIZE bytes at NAME in the memory of its structure. */
static const struct api_call *called_with(const char *function, const char *name, size_t size)
{
	event_begin();
	raw_tail(&raw, offsetof(struct api_call_event, method), name, size);
	return resolved(known(LIBRARY_FAMILY_openssl, function));
}

/* Functions of which a name is read that is behind a pointer. */
static const struct {
	const char *name;
	const char *argument; /* NULL: a key, told only as the algorithm that it is */
} readers[] = {
	{ "EVP_MAC_CTX_new", "MAC" },
	{ "EVP_KDF_CTX_new", "KDF" },
	{ "EVP_PKEY_generate", NULL },
	{ "EVP_PKEY_derive", NULL },
};

static void check_told(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct api_call *call = called_with(readers[i].name, name, size);

		assert_int_equal(call->nr_algorithms, 0);
		assert_non_null(call->name);
		assert_int_equal(call->name_size, size);
		assert_memory_equal(call->name, name, size);
		if (readers[i].argument)
			check_only_argument(call, readers[i].argument, text_of(name, size));
		else
			assert_int_equal(call->arguments.count, 0);
	}
}

static void check_untold(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct api_call *call = called_with(readers[i].name, name, size);

		check_algorithms(call, (const char *const[]){ NULL });
		assert_int_equal(call->arguments.count, 0);
	}
}

/* In another version of OpenSSL it is any memory of the process. */
static void test_memory_that_is_no_name_is_not_told(void **state)
{
	static const char marks[] = "-_/.:+ ";
	char name[] = "Quux?512";

	(void)state;
	for (int byte = 0; byte <= UINT8_MAX; byte++) {
		bool may_be = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
			      (byte >= '0' && byte <= '9') || (byte && strchr(marks, byte));

		name[4] = (char)byte;
		(may_be ? check_told : check_untold)(name, strlen("Quux?512"));
		/* wherever it is */
		(may_be ? check_told : check_untold)(name, strlen("Quux?"));
		(may_be ? check_told : check_untold)(name + 4, strlen("?512"));
	}
	check_untold("", 0);
	check_untold("\x7f\x45\x4c\x46\x02", 5);
}

/* As the catalogue spells it, with bytes that other names do not have. */
static void test_name_of_the_catalogue_is_told_whatever_is_in_it(void **state)
{
	static const char pbkdf2[] = "PBKDF2(SHA-256)";
	static const char x25519[] = "ECDH (X25519)";
	const struct api_call *call;

	(void)state;
	call = called_with("EVP_KDF_CTX_new", pbkdf2, strlen(pbkdf2));
	check_algorithms(call, (const char *const[]){ "PBKDF2", NULL });
	check_only_argument(call, "KDF", pbkdf2);
	call = called_with("EVP_PKEY_generate", x25519, strlen(x25519));
	check_algorithms(call, (const char *const[]){ "X25519", NULL });
	check_only_argument(call, "key", "X25519");
}

/* What the function itself is comes first, with what its arguments add. */
static void test_functions_of_openssl_that_are_an_algorithm(void **state)
{
	static const struct use uses[] = {
		PLAIN(MD5, "MD5"),
		PLAIN(SHA512, "SHA-512"),
		PLAIN(RC4_set_key, "RC4"),
		PLAIN(ECDSA_sign, "ECDSA"),
		CODE(AES_set_encrypt_key, 256, "AES-256"),
		CODE(Camellia_set_key, 128, "Camellia-128"),
		CODE(HMAC, NID_sha256, "HMAC-SHA-256", "SHA-256"),
		CODE(HMAC_Init_ex, NID_md5, "HMAC-MD5", "MD5"),
		PLAIN(HMAC_Init_ex, "HMAC"),
		CODE(CMAC_Init, NID_aes_128_cbc, "CMAC", "AES-128-CBC"),
		CODES(PKCS5_PBKDF2_HMAC, 10000, NID_sha256, "PBKDF2", "SHA-256"),
		CODES(PKCS5_PBKDF2_HMAC, 10000, NID_sha3_256, "PBKDF2", "SHA3-256"),
		CODES(EVP_BytesToKey, NID_aes_256_cbc, NID_md5, "PBKDF1", "AES-256-CBC", "MD5"),
		CODES(EVP_PBE_scrypt, 16384, 8, "scrypt"),
		CODE(RSA_sign, NID_sha256, "RSA-SHA-256", "SHA-256"),
		CODE(RSA_sign, NID_md5_sha1, "RSA", "MD5-SHA-1"),
		CODE(RSA_public_encrypt, 4, "RSA"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_openssl, uses);
}

static void test_size_of_a_key_is_part_of_its_name(void **state)
{
	static const struct use openssl[] = {
		CODE(RSA_generate_multi_prime_key, 2048, "RSA-2048"),
		CODE(RSA_generate_multi_prime_key, 1024, "RSA-1024"),
		/* no size that is seen: the argument has it */
		CODE(RSA_generate_multi_prime_key, 3000, "RSA"),
		CODE(RSA_generate_multi_prime_key, 0, "RSA"),
		CODE(RSA_generate_multi_prime_key, 0xffffffff, "RSA"),
		CODE(DSA_generate_parameters_ex, 2048, "DSA-2048"),
		CODE(DH_generate_parameters_ex, 512, "DH-512"),
	};
	static const struct use gnutls[] = {
		CODES(gnutls_privkey_generate, 1, 3072, "RSA-3072"),
		CODES(gnutls_x509_privkey_generate2, 2, 2048, "DSA-2048"),
		CODES(gnutls_x509_privkey_generate, 7, 0, "Ed25519"),
		CODES(gnutls_x509_privkey_generate, 4, 256, "EC"),
		/* GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) of gnutls.h */
		CODES(gnutls_privkey_generate, 4, 0x80000002, "EC"),
		CODE(gnutls_dh_params_generate2, 2048, "DH-2048"),
	};
	static const struct use botan[] = {
		{ "botan_privkey_create_rsa",
		  { 3072, NONE, NONE },
		  { NULL },
		  NULL,
		  { "RSA-3072" } },
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_openssl, openssl);
	check_uses(LIBRARY_FAMILY_gnutls, gnutls);
	check_uses(LIBRARY_FAMILY_botan, botan);
}

static void test_curve_is_the_key(void **state)
{
	static const struct use openssl[] = {
		CODE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, NID_X9_62_prime256v1, "P-256"),
		CODE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, NID_secp256k1, "secp256k1"),
		CODE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, NID_secp521r1, "P-521"),
		CODE(EVP_PKEY_CTX_set_ec_paramgen_curve_nid, 99999, "EC"),
	};
	static const struct use botan[] = {
		TEXT_AT(botan_privkey_create_ecdsa, 0, "secp256r1", "ECDSA-P-256", "P-256"),
		TEXT_AT(botan_privkey_create_ecdh, 0, "secp384r1", "ECDH-P-384", "P-384"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_openssl, openssl);
	check_uses(LIBRARY_FAMILY_botan, botan);
}

/* gnutls.h and crypto.h of GnuTLS. */
static void test_gnutls_numbers_what_it_uses(void **state)
{
	static const struct use uses[] = {
		CODE(gnutls_cipher_init, 5, "AES-256-CBC"),
		CODE(gnutls_aead_cipher_init, 11, "AES-256-GCM"),
		CODE(gnutls_hash_init, 6, "SHA-256"),
		CODE(gnutls_hash_fast, 2, "MD5"),
		/* the same number is a MAC there */
		CODE(gnutls_hmac_init, 6, "HMAC-SHA-256"),
		CODES(gnutls_pbkdf2, 6, 1000, "PBKDF2", "HMAC-SHA-256"),
		CODE(gnutls_hkdf_extract, 6, "HKDF", "HMAC-SHA-256"),
		CODE(gnutls_privkey_sign_data, 6, "SHA-256"),
		CODE(gnutls_privkey_sign_data2, 6, "RSA-SHA-256"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_gnutls, uses);
}

/* gcrypt.h: GCRY_CIPHER_AES256 and GCRY_MD_SHA256 with their mode and flags. */
static void test_numbers_of_libgcrypt_go_together(void **state)
{
	static const struct use uses[] = {
		CODES(gcry_cipher_open, 9, 9, "AES-256-GCM"),
		CODES(gcry_cipher_open, 9, 3, "AES-256-CBC"),
		CODE(gcry_cipher_open, 9, "AES-256"),
		CODES(gcry_cipher_open, 9, 9999, "AES-256"),
		CODES(gcry_md_open, 8, 0, "SHA-256"),
		/* GCRY_MD_FLAG_HMAC, and with GCRY_MD_FLAG_SECURE */
		CODES(gcry_md_open, 8, 2, "HMAC-SHA-256"),
		CODES(gcry_md_open, 8, 3, "HMAC-SHA-256"),
		CODES(gcry_md_open, 8, 1, "SHA-256"),
		CODE(gcry_md_open, 8, "SHA-256"),
		/* gcry_md_enable() makes it so later */
		CODES(gcry_md_open, 0, 0, NULL),
		CODE(gcry_md_enable, 1, "MD5"),
		CODE(gcry_md_hash_buffer, 8, "SHA-256"),
		CODES(gcry_md_hash_buffers, 8, 2, "HMAC-SHA-256"),
		/* GCRY_MAC_HMAC_SHA256, GCRY_KDF_PBKDF2 */
		CODE(gcry_mac_open, 101, "HMAC-SHA-256"),
		CODES(gcry_kdf_derive, 34, 8, "PBKDF2"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_libgcrypt, uses);
}

/* PKCS #11, 3.0: CKM_SHA256_RSA_PKCS, CKM_AES_CBC, CKM_AES_GCM, CKM_SHA_1. */
static void test_mechanisms_are_numbers_of_pkcs11(void **state)
{
	static const struct use modules[] = {
		CODE(C_SignInit, 0x40, "RSA-SHA-256"),
		CODE(C_EncryptInit, 0x1082, "AES-CBC"),
		CODE(C_DecryptInit, 0x1087, "AES-GCM"),
		CODE(C_DigestInit, 0x220, "SHA-1"),
	};
	static const struct use nss[] = {
		CODE(PK11_CreateContextBySymKey, 0x1087, "AES-GCM"),
		CODE(PK11_SignWithMechanism, 0x40, "RSA-SHA-256"),
		/* SEC_OID_SHA256, SEC_OID_MD5 of secoidt.h */
		CODE(PK11_HashBuf, 191, "SHA-256"),
		CODE(PK11_CreateDigestContext, 3, "MD5"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_pkcs11, modules);
	check_uses(LIBRARY_FAMILY_nss, nss);
}

/* MBEDTLS_CIPHER_ID_AES is 2 and MBEDTLS_CIPHER_ID_CAMELLIA 5 or 4, in versions 2 and 3. */
static void test_cipher_and_size_of_mbedtls_go_before_the_mode(void **state)
{
	static const struct use uses[] = {
		CODES(mbedtls_gcm_setkey, 2, 256, "AES-256-GCM"),
		CODES(mbedtls_gcm_setkey, 2, 128, "AES-128-GCM"),
		CODES(mbedtls_ccm_setkey, 2, 192, "AES-192-CCM"),
		CODES(mbedtls_gcm_setkey, 5, 256, "GCM"),
		CODES(mbedtls_gcm_setkey, 2, 7, "GCM"),
		CODES(mbedtls_gcm_setkey, NONE, 256, "GCM"),
		CODE(mbedtls_aes_setkey_enc, 256, "AES-256"),
		CODE(mbedtls_rsa_gen_key, 4096, "RSA-4096"),
		PLAIN(mbedtls_chachapoly_setkey, "ChaCha20-Poly1305"),
		/* PSA_ALG_GCM, PSA_ALG_HMAC(PSA_ALG_SHA_256), PSA_ALG_SHA_512 */
		CODE(psa_aead_encrypt, 0x05500200, "GCM"),
		CODE(psa_mac_compute, 0x03800009, "HMAC-SHA-256"),
		CODE(psa_hash_compute, 0x0200000b, "SHA-512"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_mbedtls, uses);
}

static void test_names_of_botan_libsodium_and_wolfssl(void **state)
{
	static const struct use botan[] = {
		TEXT_AT(botan_cipher_init, 0, "AES-256/GCM", "AES-256-GCM"),
		TEXT_AT(botan_hash_init, 0, "SHA-3(256)", "SHA3-256"),
		TEXT_AT(botan_mac_init, 0, "HMAC(SHA-256)", "HMAC-SHA-256"),
		TEXT_AT(botan_pbkdf, 0, "PBKDF2(SHA-256)", "PBKDF2"),
		{ "botan_privkey_create", NOTHING, { "RSA", "2048" }, NULL, { "RSA" } },
	};
	static const struct use libsodium[] = {
		PLAIN(crypto_secretbox_easy, "XSalsa20-Poly1305"),
		PLAIN(crypto_pwhash_str, "Argon2id"),
		PLAIN(crypto_sign_keypair, "Ed25519"),
		PLAIN(crypto_box_beforenm, "X25519"),
		PLAIN(sodium_init, NULL),
	};
	static const struct use wolfssl[] = {
		PLAIN(wc_InitSha256, "SHA-256"),
		PLAIN(wc_Arc4SetKey, "RC4"),
		CODE(wc_AesGcmSetKey, 32, "AES-GCM"),
		CODE(wc_MakeRsaKey, 2048, "RSA-2048"),
	};

	(void)state;
	check_uses(LIBRARY_FAMILY_botan, botan);
	check_uses(LIBRARY_FAMILY_libsodium, libsodium);
	check_uses(LIBRARY_FAMILY_wolfssl, wolfssl);
}

/* Three arguments and the function itself: as many as there is room for. */
static void test_all_algorithms_of_a_call_have_room(void **state)
{
	const struct api_function function = {
		.name = "f",
		.algorithm = "RSA",
		.arguments = { { API_READ_algorithm, 0, 0, "a" },
			       { API_READ_algorithm, 1, 0, "b" },
			       { API_READ_algorithm, 2, 0, "c" } },
	};

	(void)state;
	event_begin();
	event_text(0, "AES");
	event_text(1, "SHA-1");
	event_text(2, "MD5");
	check_algorithms(resolved(&function),
			 (const char *const[]){ "RSA", "AES", "SHA-1", "MD5", NULL });
	/* and each is there once */
	event_begin();
	event_text(0, "md5");
	event_text(1, "rsaEncryption");
	event_text(2, "MD-5");
	check_algorithms(resolved(&function),
			 (const char *const[]){ "RSA-MD5", "MD5", "RSA", NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_numbers_what_it_uses),
		cmocka_unit_test(test_openssl_names_what_it_uses),
		cmocka_unit_test(test_memory_that_is_no_name_is_not_told),
		cmocka_unit_test(test_name_of_the_catalogue_is_told_whatever_is_in_it),
		cmocka_unit_test(test_functions_of_openssl_that_are_an_algorithm),
		cmocka_unit_test(test_size_of_a_key_is_part_of_its_name),
		cmocka_unit_test(test_curve_is_the_key),
		cmocka_unit_test(test_gnutls_numbers_what_it_uses),
		cmocka_unit_test(test_numbers_of_libgcrypt_go_together),
		cmocka_unit_test(test_mechanisms_are_numbers_of_pkcs11),
		cmocka_unit_test(test_cipher_and_size_of_mbedtls_go_before_the_mode),
		cmocka_unit_test(test_names_of_botan_libsodium_and_wolfssl),
		cmocka_unit_test(test_all_algorithms_of_a_call_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
