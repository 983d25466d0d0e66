/* SPDX-License-Identifier: MIT */
/* What is read of arguments, and that it is no secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/api_tables.h"

static bool argument_is_text(const struct api_argument *argument)
{
	return argument->reader == API_READ_text || argument->reader == API_READ_algorithm ||
	       argument->reader == API_READ_path || argument->reader == API_READ_setting;
}

/* The only strings that are read: each is public in the documentation that its table names. */
static const char *const public_words[] = {
	"KDF",
	"MAC",
	"address",
	"certificate file",
	"cipher",
	"cipher list",
	"cipher suites",
	"command",
	"curve",
	"database directory",
	"directory",
	"engine",
	"file",
	"generator",
	"group",
	"groups",
	"hash",
	"hash and padding",
	"hash or cipher",
	"host name",
	"key",
	"key file",
	"module",
	"padding",
	"parameters",
	"priorities",
	"properties",
	"provider",
	"setting",
	"signature algorithms",
	"value",
};

static void public_check(const struct api_function *function, void *arg)
{
	bool *is_met = arg;

	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		bool listed = false;

		if (!argument_is_text(&function->arguments[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(public_words); k++)
			if (!strcmp(public_words[k], function->arguments[i].name))
				listed = is_met[k] = true;
		if (!listed)
			fail_msg("'%s' reads '%s'", function->name, function->arguments[i].name);
		/* "key" is a kind of key, and only where keys are made, or where that is set up */
		if (!strcmp(function->arguments[i].name, "key") &&
		    strcmp(function->name, "EVP_PKEY_CTX_new_from_name") != 0)
			assert_int_equal(function->kind, API_KIND_key_generation);
	}
}

static void test_only_public_strings_are_read(void **state)
{
	const struct api_command *commands;
	bool is_met[ARRAY_SIZE(public_words)] = { false };
	size_t nr;

	(void)state;
	functions_each(public_check, is_met);
	commands = api_commands(&nr);
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < ARRAY_SIZE(public_words); k++)
			if (!strcmp(public_words[k], commands[i].argument.name))
				is_met[k] = true;
	for (size_t k = 0; k < ARRAY_SIZE(public_words); k++)
		if (!is_met[k])
			fail_msg("nothing reads '%s'", public_words[k]);
}

/*
 * Arguments that are, or may be, a password, a PIN, a key, data, a name without an end, or a URI
 * with a PIN in it. A function that is not watched must not become watched with them unnoticed.
 */
static const struct {
	const char *name;
	unsigned int index;
} secrets[] = {
	{ "PKCS12_parse", 1 },
	{ "PEM_read_bio_PrivateKey", 3 },
	{ "PEM_read_PrivateKey", 3 },
	{ "PEM_read_bio_RSAPrivateKey", 3 },
	{ "PEM_read_bio_ECPrivateKey", 3 },
	{ "PEM_read_bio_X509", 3 },
	{ "d2i_AutoPrivateKey", 1 },
	{ "d2i_PrivateKey", 2 },
	{ "PKCS5_PBKDF2_HMAC", 0 },
	{ "PKCS5_PBKDF2_HMAC", 2 },
	{ "PKCS5_PBKDF2_HMAC_SHA1", 0 },
	{ "PKCS5_PBKDF2_HMAC_SHA1", 2 },
	{ "EVP_BytesToKey", 2 },
	{ "EVP_BytesToKey", 3 },
	{ "EVP_PBE_scrypt", 0 },
	{ "EVP_PBE_scrypt", 2 },
	{ "EVP_CipherInit", 2 },
	{ "EVP_CipherInit", 3 },
	{ "EVP_CipherInit_ex", 3 },
	{ "EVP_CipherInit_ex", 4 },
	{ "EVP_EncryptInit_ex", 3 },
	{ "EVP_EncryptInit_ex", 4 },
	{ "EVP_DecryptInit_ex", 3 },
	{ "EVP_DecryptInit_ex", 4 },
	{ "EVP_CipherInit_ex2", 2 },
	{ "EVP_CipherInit_ex2", 3 },
	{ "EVP_EncryptInit_ex2", 2 },
	{ "EVP_DecryptInit_ex2", 2 },
	{ "EVP_Q_mac", 5 },
	{ "HMAC", 1 },
	{ "HMAC", 3 },
	{ "HMAC_Init_ex", 1 },
	{ "CMAC_Init", 1 },
	{ "AES_set_encrypt_key", 0 },
	{ "AES_set_decrypt_key", 0 },
	{ "Camellia_set_key", 0 },
	{ "DES_set_key", 0 },
	{ "RC4_set_key", 2 },
	{ "BF_set_key", 2 },
	{ "CAST_set_key", 2 },
	{ "EVP_Digest", 0 },
	{ "EVP_Digest", 2 },
	{ "EVP_DigestFinal", 1 },
	{ "EVP_DigestFinal_ex", 1 },
	{ "EVP_DigestFinalXOF", 1 },
	{ "EVP_Q_digest", 3 },
	{ "EVP_Q_digest", 5 },
	{ "HMAC_Final", 1 },
	{ "MD5", 0 },
	{ "SHA1", 0 },
	{ "SHA256", 0 },
	{ "SHA512", 0 },
	{ "RSA_sign", 1 },
	{ "RSA_public_encrypt", 1 },
	{ "RSA_private_decrypt", 1 },
	{ "SSL_read", 1 },
	{ "SSL_write", 1 },
	{ "SSL_read_ex", 1 },
	{ "SSL_write_ex", 1 },
	{ "X509_check_host", 1 },
	{ "OSSL_STORE_open", 0 },
	{ "OSSL_STORE_open_ex", 0 },
	{ "SSL_CTX_ctrl", 3 },
	{ "SSL_ctrl", 3 },
	{ "EVP_PKEY_CTX_ctrl_str", 2 },
	{ "gnutls_certificate_set_x509_key_file2", 4 },
	{ "gnutls_certificate_set_x509_simple_pkcs12_file", 3 },
	{ "gnutls_privkey_import_url", 1 },
	{ "gnutls_x509_privkey_import2", 3 },
	{ "gnutls_pkcs11_add_provider", 1 },
	{ "gnutls_cipher_init", 2 },
	{ "gnutls_cipher_init", 3 },
	{ "gnutls_aead_cipher_init", 2 },
	{ "gnutls_hash_fast", 1 },
	{ "gnutls_hmac_init", 2 },
	{ "gnutls_hmac_fast", 1 },
	{ "gnutls_hmac_fast", 3 },
	{ "gnutls_pbkdf2", 1 },
	{ "gnutls_hkdf_extract", 1 },
	{ "gnutls_hkdf_expand", 1 },
	{ "gnutls_privkey_sign_data", 3 },
	{ "PK11_Encrypt", 0 },
	{ "PK11_Encrypt", 2 },
	{ "PK11_CreateContextBySymKey", 2 },
	{ "PK11_HashBuf", 2 },
	{ "PK11_SignWithMechanism", 4 },
	{ "NSS_Initialize", 4 },
	{ "SECMOD_LoadUserModule", 0 },
	{ "gcry_kdf_derive", 0 },
	{ "gcry_md_hash_buffer", 2 },
	{ "gcry_pk_sign", 1 },
	{ "gcry_pk_sign", 2 },
	{ "crypto_pwhash", 2 },
	{ "crypto_pwhash_str", 1 },
	{ "crypto_secretbox_easy", 4 },
	{ "mbedtls_pk_parse_keyfile", 2 },
	{ "mbedtls_pk_parse_key", 1 },
	{ "mbedtls_pk_parse_key", 3 },
	{ "mbedtls_gcm_setkey", 2 },
	{ "mbedtls_ccm_setkey", 2 },
	{ "mbedtls_aes_setkey_enc", 1 },
	{ "mbedtls_cipher_setkey", 1 },
	{ "mbedtls_pkcs5_pbkdf2_hmac", 1 },
	{ "psa_hash_compute", 1 },
	{ "wc_AesSetKey", 1 },
	{ "wc_AesGcmSetKey", 1 },
	{ "wc_PBKDF2", 1 },
	{ "wc_scrypt", 1 },
	{ "wc_HmacSetKey", 2 },
	{ "wolfSSL_CTX_use_PrivateKey_buffer", 1 },
	{ "botan_pbkdf", 3 },
	{ "botan_pbkdf_timed", 3 },
	{ "botan_kdf", 3 },
	{ "botan_privkey_load", 2 },
	{ "botan_privkey_load", 4 },
	{ "C_Login", 2 },
	{ "C_EncryptInit", 2 },
};

static void secret_check(const struct api_function *function, void *arg)
{
	bool *is_met = arg;

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		if (strcmp(function->name, secrets[i].name))
			continue;
		is_met[i] = true;
		for (size_t k = 0; k < API_ARGUMENTS_MAX; k++)
			if (function->arguments[k].reader != API_READ_none &&
			    function->arguments[k].index == secrets[i].index)
				fail_msg("argument %u of '%s' is read", secrets[i].index,
					 function->name);
	}
}

static void test_secrets_are_never_read(void **state)
{
	bool is_met[ARRAY_SIZE(secrets)] = { false };
	size_t nr_met = 0;

	(void)state;
	functions_each(secret_check, is_met);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		nr_met += is_met[i];
	/* most are watched, and others may be some day */
	assert_true(nr_met > ARRAY_SIZE(secrets) / 2);
	assert_null(find(LIBRARY_FAMILY_pkcs11, "C_Login"));
	assert_null(find(LIBRARY_FAMILY_openssl, "ENGINE_ctrl_cmd_string"));
	assert_null(find(LIBRARY_FAMILY_openssl, "SSL_CTX_set_default_passwd_cb_userdata"));
	assert_null(find(LIBRARY_FAMILY_nss, "PK11_Authenticate"));
	assert_null(find(LIBRARY_FAMILY_nss, "PK11_CheckUserPassword"));
}

/* Data is counted, never looked at. */
static void operation_check(const struct api_function *function, void *arg)
{
	(void)arg;
	if (function->kind != API_KIND_operation)
		return;
	assert_int_equal(function->group, API_GROUP_all);
	assert_int_equal(function->arguments[0].reader, API_READ_none);
}

static void test_operations_are_only_counted(void **state)
{
	(void)state;
	functions_each(operation_check, NULL);
}

/* As the kernel side compares them: eight bytes, the rest NUL. */
static const struct {
	const char *begin;
	size_t size;
} settings[] = {
#define API_SETTING(begin) { begin, sizeof(begin) - 1 },
#include "catalogue/api.def"
};

static bool setting_is_public(const char *name)
{
	char begin[8] = { 0 };

	memcpy(begin, name, strnlen(name, sizeof(begin)));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!memcmp(settings[i].begin, begin, sizeof(begin)))
			return true;
	return false;
}

static void test_settings_are_eight_bytes_and_no_secrets(void **state)
{
	/* EVP_PKEY_CTX_ctrl(3), EVP_PKEY_HKDF(7), EVP_PKEY_SCRYPT(7), EVP_PKEY_TLS1_PRF(7). */
	static const char *const public[] = {
		"rsa_keygen_bits",
		"rsa_keygen_primes",
		"rsa_keygen_pubexp",
		"rsa_padding_mode",
		"rsa_pss_saltlen",
		"rsa_pss_keygen_md",
		"rsa_mgf1_md",
		"ec_paramgen_curve",
		"ec_param_enc",
		"dh_paramgen_prime_len",
		"dsa_paramgen_bits",
		"group",
		"digest",
	};
	static const char *const secret[] = {
		"key",	     "hexkey",	"pass",	   "hexpass",	     "secret",
		"hexsecret", "salt",	"hexsalt", "seed",	     "hexseed",
		"info",	     "hexinfo", "distid",  "hexdistid",	     "label",
		"",	     "digest1", "groups",  "rsa_oaep_label", "priv",
		"digestkey",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		assert_int_equal(settings[i].size, 8);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(settings[i].begin, settings[k].begin, 8);
	}
	for (size_t i = 0; i < ARRAY_SIZE(public); i++)
		assert_true(setting_is_public(public[i]));
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
		assert_false(setting_is_public(secret[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_public_strings_are_read),
		cmocka_unit_test(test_secrets_are_never_read),
		cmocka_unit_test(test_operations_are_only_counted),
		cmocka_unit_test(test_settings_are_eight_bytes_and_no_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
