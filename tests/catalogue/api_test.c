/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "catalogue/api.h"
#include "support/guard.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const enum library_family families[] = {
	LIBRARY_FAMILY_openssl, LIBRARY_FAMILY_libressl,  LIBRARY_FAMILY_boringssl,
	LIBRARY_FAMILY_aws_lc,	LIBRARY_FAMILY_gnutls,	  LIBRARY_FAMILY_nss,
	LIBRARY_FAMILY_pkcs11,	LIBRARY_FAMILY_libgcrypt, LIBRARY_FAMILY_libsodium,
	LIBRARY_FAMILY_mbedtls, LIBRARY_FAMILY_wolfssl,	  LIBRARY_FAMILY_botan,
};

static const struct api_function *find(enum library_family family, const char *name)
{
	return api_find(family, guard_copy(name, strlen(name)), strlen(name));
}

typedef void check_function(const struct api_function *function, void *arg);

static void functions_each(check_function *check, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t nr = 0;
		const struct api_function *functions = api_functions(families[i], &nr);

		assert_non_null(functions);
		assert_true(nr > 10);
		for (size_t k = 0; k < nr; k++) {
			assert_ptr_equal(find(families[i], functions[k].name), &functions[k]);
			check(&functions[k], arg);
		}
	}
}

/* Also that a name is in a table once: the first of the same name would be found. */
static void row_check(const struct api_function *function, void *arg)
{
	bool ended = false;

	(void)arg;
	assert_non_null(code_name(&library_family_codes, function->family));
	assert_non_null(code_name(&api_kind_codes, function->kind));
	assert_true(function->group == API_GROUP_default || function->group == API_GROUP_all);
	assert_true(function->result <= API_RESULT_pointer);
	if (function->algorithm)
		assert_non_null(
			algorithm_by_name(function->algorithm, strlen(function->algorithm)));
	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		const struct api_argument *argument = &function->arguments[i];

		if (argument->reader == API_READ_none) {
			ended = true;
			continue;
		}
		assert_false(ended);
		assert_true(argument->reader <= API_READ_control);
		assert_true(argument->index <= 5);
		assert_true(argument->codes < NR_ALGORITHM_CODES);
		assert_true(strlen(argument->name) > 0);
		if (argument->reader == API_READ_code_at)
			assert_true(argument->codes == ALGORITHM_CODES_nid ||
				    argument->codes == ALGORITHM_CODES_mechanism);
	}
}

static void test_rows_are_well_formed(void **state)
{
	(void)state;
	functions_each(row_check, NULL);
}

/* What a finding is of is read, and is a number. */
static void finding_check(const struct api_function *function, void *arg)
{
	const struct api_finding *finding = &function->finding;

	(void)arg;
	assert_non_null(code_name(&api_finding_codes, finding->kind));
	if (finding->kind == API_FINDING_none || finding->test == API_TEST_always)
		return;
	if (finding->of == API_OF_RESULT) {
		assert_int_equal(function->result, API_RESULT_number);
		return;
	}
	assert_true(finding->of < API_ARGUMENTS_MAX);
	assert_true(function->arguments[finding->of].reader == API_READ_number ||
		    function->arguments[finding->of].reader == API_READ_versions_at);
}

static void test_findings_are_of_what_is_read(void **state)
{
	(void)state;
	functions_each(finding_check, NULL);
}

static bool argument_is_text(const struct api_argument *argument)
{
	return argument->reader == API_READ_text || argument->reader == API_READ_algorithm ||
	       argument->reader == API_READ_path;
}

/* The only strings that are read: each is public in the documentation that its table names. */
static void public_check(const struct api_function *function, void *arg)
{
	static const char *const public[] = {
		"MAC",
		"KDF",
		"KEM",
		"cipher",
		"cipher list",
		"cipher suites",
		"command",
		"curve",
		"database directory",
		"directory",
		"engine",
		"file",
		"certificate file",
		"key file",
		"generator",
		"group",
		"groups",
		"hash",
		"hash and padding",
		"hash or cipher",
		"host name",
		"key",
		"key exchange",
		"module",
		"padding",
		"parameters",
		"priorities",
		"properties",
		"provider",
		"random number generator",
		"signature",
		"signature algorithms",
		"value",
	};

	(void)arg;
	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		bool listed = false;

		if (!argument_is_text(&function->arguments[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(public); k++)
			listed = listed || !strcmp(public[k], function -> arguments[i].name);
		if (!listed)
			fail_msg("'%s' reads '%s'", function->name, function->arguments[i].name);
		/* "key" is a kind of key, and only where keys are made */
		if (!strcmp(function->arguments[i].name, "key"))
			assert_true(function->kind == API_KIND_key_generation ||
				    function->kind == API_KIND_lookup);
	}
}

static void test_only_public_strings_are_read(void **state)
{
	(void)state;
	functions_each(public_check, NULL);
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
	{ "EVP_Digest", 0 },
	{ "EVP_Q_digest", 3 },
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
	size_t *nr_met = arg;

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		if (strcmp(function->name, secrets[i].name))
			continue;
		++*nr_met;
		for (size_t k = 0; k < API_ARGUMENTS_MAX; k++)
			if (function->arguments[k].reader != API_READ_none &&
			    function->arguments[k].index == secrets[i].index)
				fail_msg("argument %u of '%s' is read", secrets[i].index,
					 function->name);
	}
}

static void test_secrets_are_never_read(void **state)
{
	size_t nr_met = 0;

	(void)state;
	functions_each(secret_check, &nr_met);
	assert_true(nr_met >= ARRAY_SIZE(secrets) - 1); /* C_Login is in no table */
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

static void test_commands_of_ctrl_have_their_reader(void **state)
{
	size_t nr = 0;
	const struct api_command *commands = api_commands(&nr);

	(void)state;
	assert_int_equal(nr, 7);
	for (size_t i = 0; i < nr; i++) {
		assert_ptr_equal(api_command_find(commands[i].command), &commands[i]);
		assert_true(commands[i].argument.index == 2 || commands[i].argument.index == 3);
		assert_true((commands[i].argument.index == 2) ==
			    (commands[i].argument.reader == API_READ_number));
	}
	assert_int_equal(api_command_find(92)->argument.reader, API_READ_text);
	assert_int_equal(api_command_find(123)->argument.index, 2);
	/* SSL_CTRL_MODE, and commands with keys: SSL_CTRL_SET_TLSEXT_TICKET_KEYS, SET_TMP_DH, SRP
	 */
	assert_null(api_command_find(33));
	assert_null(api_command_find(59));
	assert_null(api_command_find(3));
	assert_null(api_command_find(81));
	assert_null(api_command_find(0));
	assert_null(api_command_find(-1));
}

static bool holds(const char *name, int64_t value)
{
	const struct api_function *function = NULL;

	for (size_t i = 0; !function && i < ARRAY_SIZE(families); i++)
		function = find(families[i], name);
	assert_non_null(function);
	return api_finding_holds(&function->finding, value);
}

static void test_findings_hold_for_bad_values_only(void **state)
{
	const struct api_finding *version = &api_command_find(123)->finding;

	(void)state;
	assert_true(holds("SSL_CTX_set_verify", 0));
	assert_true(holds("SSL_CTX_set_verify", 4));
	assert_false(holds("SSL_CTX_set_verify", 1));
	assert_false(holds("SSL_CTX_set_verify", 3));
	assert_true(holds("X509_verify_cert", 0));
	assert_true(holds("X509_verify_cert", -1));
	assert_false(holds("X509_verify_cert", 1));
	assert_true(holds("SSL_get_verify_result", 18));
	assert_false(holds("SSL_get_verify_result", 0));
	assert_true(holds("SSL_CTX_set_security_level", 0));
	assert_false(holds("SSL_CTX_set_security_level", 2));
	assert_true(holds("SSL_CTX_set_keylog_callback", 0));
	assert_true(holds("mbedtls_ssl_conf_authmode", 0));
	assert_false(holds("mbedtls_ssl_conf_authmode", 2));
	assert_true(holds("mbedtls_ssl_conf_min_version", 0));
	assert_false(holds("mbedtls_ssl_conf_min_version", 3));
	assert_true(holds("gnutls_x509_crt_check_hostname", 0));
	assert_false(holds("gnutls_x509_crt_check_hostname", 1));
	assert_false(holds("SSL_CTX_new", 0));
	assert_true(api_finding_holds(version, 0x0301));
	assert_true(api_finding_holds(version, 0x0302));
	assert_false(api_finding_holds(version, 0x0303));
	assert_false(api_finding_holds(version, 0x0304));
	assert_false(api_finding_holds(version, 0xfefd)); /* DTLS 1.2 */
	assert_false(api_finding_holds(version, 0));
}

static void test_forks_of_openssl_share_a_table_without_fetch(void **state)
{
	size_t nr_libressl, nr_boringssl;

	(void)state;
	assert_ptr_equal(api_functions(LIBRARY_FAMILY_libressl, &nr_libressl),
			 api_functions(LIBRARY_FAMILY_boringssl, &nr_boringssl));
	assert_int_equal(nr_libressl, nr_boringssl);
	assert_non_null(find(LIBRARY_FAMILY_aws_lc, "EVP_EncryptInit_ex"));
	assert_non_null(find(LIBRARY_FAMILY_openssl, "EVP_CIPHER_fetch"));
	assert_null(find(LIBRARY_FAMILY_aws_lc, "EVP_CIPHER_fetch"));
	assert_int_equal(find(LIBRARY_FAMILY_aws_lc, "SSL_connect")->family,
			 LIBRARY_FAMILY_boringssl);
}

static void test_other_names_and_families_have_no_function(void **state)
{
	size_t nr = 1;

	(void)state;
	assert_null(api_functions(LIBRARY_FAMILY_none, &nr));
	assert_int_equal(nr, 0);
	nr = 1;
	assert_null(api_functions(LIBRARY_FAMILY_krb5, &nr));
	assert_int_equal(nr, 0);
	assert_null(find(LIBRARY_FAMILY_openssl, ""));
	assert_null(find(LIBRARY_FAMILY_openssl, "SSL_connec"));
	assert_null(find(LIBRARY_FAMILY_openssl, "SSL_connect2"));
	assert_null(find(LIBRARY_FAMILY_openssl, "ssl_connect"));
	assert_null(find(LIBRARY_FAMILY_gnutls, "SSL_connect"));
	assert_null(api_find(LIBRARY_FAMILY_openssl, "MD5\0", 4));
}

static void test_uri_is_kept_up_to_its_scheme(void **state)
{
	static const struct {
		const char *text;
		size_t kept;
	} expected[] = {
		{ "", 0 },
		{ "/etc/ssl/key.pem", 16 },
		{ "key.pem", 7 },
		{ "a b:c", 5 },
		{ "./a:b", 5 },
		{ "pkcs11:token=x?pin-value=1234", 6 },
		{ "tpmkey:uuid=1", 6 },
		{ "system:id=1", 6 },
		{ ":1234", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		size_t size = strlen(expected[i].text);

		assert_int_equal(api_path_kept(guard_copy(expected[i].text, size), size),
				 expected[i].kept);
	}
}

/* "3.0" and "1.1.1" as the numbers of OpenSSL_version_num(3). */
static unsigned long version_number(const char *text)
{
	unsigned int major = 0, minor = 0, fix = 0;

	assert_true(sscanf(text, "%u.%u.%u", &major, &minor, &fix) >= 2);
	return (unsigned long)major << 28 | (unsigned long)minor << 20 | (unsigned long)fix << 12;
}

static bool symbol_exists(void *const *libraries, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (dlsym(libraries[i], name))
			return true;
	return false;
}

/* In OpenSSL, of which the version is known, a function is there when since and until say so. */
static void test_functions_of_openssl_exist_in_their_versions(void **state)
{
	void *libraries[] = { dlopen("libssl.so.3", RTLD_LAZY),
			      dlopen("libcrypto.so.3", RTLD_LAZY) };
	unsigned long version = OpenSSL_version_num() & 0xfffff000ul;
	size_t nr = 0, nr_absent = 0;
	const struct api_function *functions = api_functions(LIBRARY_FAMILY_openssl, &nr);

	(void)state;
	if (!libraries[0] || !libraries[1])
		skip();
	for (size_t i = 0; i < nr; i++) {
		bool wanted =
			(!functions[i].since || version_number(functions[i].since) <= version) &&
			(!functions[i].until || version_number(functions[i].until) > version);

		if (symbol_exists(libraries, 2, functions[i].name) != wanted)
			fail_msg("'%s' should %sbe there", functions[i].name, wanted ? "" : "not ");
		nr_absent += !wanted;
	}
	assert_true(nr_absent < 8);
	dlclose(libraries[1]);
	dlclose(libraries[0]);
}

/* Of other libraries those that are installed; the oldest of the versions named has no SINCE. */
static void test_functions_of_installed_libraries_exist(void **state)
{
	static const struct {
		enum library_family family;
		const char *names[3];
	} libraries[] = {
		{ LIBRARY_FAMILY_gnutls, { "libgnutls.so.30" } },
		{ LIBRARY_FAMILY_nss, { "libssl3.so", "libnss3.so", "libsmime3.so" } },
		{ LIBRARY_FAMILY_libgcrypt, { "libgcrypt.so.20" } },
		{ LIBRARY_FAMILY_libsodium, { "libsodium.so.23" } },
		{ LIBRARY_FAMILY_mbedtls,
		  { "libmbedtls.so.14", "libmbedcrypto.so.7", "libmbedx509.so.1" } },
		{ LIBRARY_FAMILY_wolfssl, { "libwolfssl.so.35" } },
		{ LIBRARY_FAMILY_botan, { "libbotan-2.so.19" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		void *handles[3];
		size_t nr = 0, nr_functions = 0;
		const struct api_function *functions =
			api_functions(libraries[i].family, &nr_functions);

		for (size_t k = 0; k < 3 && libraries[i].names[k]; k++) {
			handles[nr] = dlopen(libraries[i].names[k], RTLD_LAZY);
			nr += handles[nr] != NULL;
		}
		for (size_t k = 0; nr && k < nr_functions; k++)
			if (!functions[k].since && !functions[k].until &&
			    !symbol_exists(handles, nr, functions[k].name))
				fail_msg("'%s' is not in %s", functions[k].name,
					 libraries[i].names[0]);
	}
}

/* The premise of code_at: a NID is what EVP_CIPHER and EVP_MD begin with. */
static void test_nid_is_first_in_methods_of_openssl(void **state)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	int nid;

	(void)state;
	assert_non_null(cipher);
	assert_non_null(digest);
	memcpy(&nid, EVP_aes_128_cbc(), sizeof(nid));
	assert_string_equal(algorithm_by_nid(nid)->name, "AES-128-CBC");
	memcpy(&nid, cipher, sizeof(nid));
	assert_string_equal(algorithm_by_nid(nid)->name, "AES-256-GCM");
	memcpy(&nid, digest, sizeof(nid));
	assert_string_equal(algorithm_by_nid(nid)->name, "SHA-256");
	EVP_MD_free(digest);
	EVP_CIPHER_free(cipher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_well_formed),
		cmocka_unit_test(test_findings_are_of_what_is_read),
		cmocka_unit_test(test_only_public_strings_are_read),
		cmocka_unit_test(test_secrets_are_never_read),
		cmocka_unit_test(test_operations_are_only_counted),
		cmocka_unit_test(test_commands_of_ctrl_have_their_reader),
		cmocka_unit_test(test_findings_hold_for_bad_values_only),
		cmocka_unit_test(test_forks_of_openssl_share_a_table_without_fetch),
		cmocka_unit_test(test_other_names_and_families_have_no_function),
		cmocka_unit_test(test_uri_is_kept_up_to_its_scheme),
		cmocka_unit_test(test_functions_of_openssl_exist_in_their_versions),
		cmocka_unit_test(test_functions_of_installed_libraries_exist),
		cmocka_unit_test(test_nid_is_first_in_methods_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
