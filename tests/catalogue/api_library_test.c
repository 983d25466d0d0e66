/* SPDX-License-Identifier: MIT */
/* The catalogue against the libraries that are installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "catalogue/api_tables.h"

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

/*
 * In OpenSSL, of which the version is known, a function is there when since says so. One that is
 * over may be there still, and call what has taken its place.
 */
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
		bool wanted = !functions[i].since || version_number(functions[i].since) <= version;

		if (functions[i].until && version_number(functions[i].until) <= version)
			continue;
		if (symbol_exists(libraries, 2, functions[i].name) != wanted)
			fail_msg("'%s' should %sbe there", functions[i].name, wanted ? "" : "not ");
		nr_absent += !wanted;
	}
	assert_true(nr_absent < 8);
	dlclose(libraries[1]);
	dlclose(libraries[0]);
}

/* Functions of OpenSSL 3 that are over and there still: each calls one that is told in its place.
 */
static void test_functions_that_are_over_call_another(void **state)
{
	static const char *const calls[][2] = {
		{ "SHA1", "EVP_Digest" },
		{ "SHA256", "EVP_Digest" },
		{ "SHA512", "EVP_Digest" },
		{ "HMAC", "EVP_Q_mac" },
		{ "EVP_PKEY_keygen", "EVP_PKEY_generate" },
	};
	void *library = dlopen("libcrypto.so.3", RTLD_LAZY);
	size_t nr = 0;
	const struct api_function *functions = api_functions(LIBRARY_FAMILY_openssl, &nr);

	(void)state;
	if (!library)
		skip();
	for (size_t i = 0; i < nr; i++) {
		const struct api_function *told = NULL;

		if (!functions[i].until || version_number(functions[i].until) > 0x30000000ul ||
		    !dlsym(library, functions[i].name))
			continue;
		for (size_t k = 0; !told && k < ARRAY_SIZE(calls); k++)
			if (!strcmp(calls[k][0], functions[i].name))
				told = find(LIBRARY_FAMILY_openssl, calls[k][1]);
		if (!told)
			fail_msg("'%s' is there", functions[i].name);
		assert_int_equal(told->group, API_GROUP_default);
		assert_int_equal(told->kind, functions[i].kind);
		assert_null(told->until);
		assert_non_null(dlsym(library, told->name));
	}
	dlclose(library);
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

/* The premise of code_in: what an EVP_MD_CTX begins with is the hash that was asked for. */
static void test_hash_is_first_in_its_context(void **state)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA2-512", NULL);
	const void *first;
	int nid;

	(void)state;
	assert_true(EVP_DigestInit_ex(context, EVP_sha256(), NULL));
	memcpy(&first, context, sizeof(first));
	memcpy(&nid, first, sizeof(nid));
	assert_string_equal(algorithm_by_nid(nid)->name, "SHA-256");
	assert_true(EVP_DigestInit_ex(context, digest, NULL));
	memcpy(&first, context, sizeof(first));
	memcpy(&nid, first, sizeof(nid));
	assert_string_equal(algorithm_by_nid(nid)->name, "SHA-512");
	EVP_MD_free(digest);
	EVP_MD_CTX_free(context);
}

static void name_check(const void *method, size_t at, const char *expected)
{
	const char *name;

	memcpy(&name, (const char *)method + at, sizeof(name));
	assert_string_equal(name, expected);
}

/* The premise of method, and of what has no number: where OpenSSL 3.0 to 3.5 have the name. */
static void test_names_are_in_methods_where_they_are_read(void **state)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
	EVP_MD *digest = EVP_MD_fetch(NULL, "KECCAK-KMAC-128", NULL);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	int nid = -1;

	(void)state;
	assert_true(cipher && digest && mac && kdf);
	memcpy(&nid, cipher, sizeof(nid));
	assert_int_equal(nid, 0);
	name_check(cipher, 104, "AES-128-SIV");
	name_check(digest, 96, "KECCAK-KMAC-128");
	name_check(mac, 16, "HMAC");
	name_check(kdf, 16, "HKDF");
	EVP_KDF_free(kdf);
	EVP_MAC_free(mac);
	EVP_MD_free(digest);
	EVP_CIPHER_free(cipher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_of_openssl_exist_in_their_versions),
		cmocka_unit_test(test_functions_that_are_over_call_another),
		cmocka_unit_test(test_functions_of_installed_libraries_exist),
		cmocka_unit_test(test_nid_is_first_in_methods_of_openssl),
		cmocka_unit_test(test_hash_is_first_in_its_context),
		cmocka_unit_test(test_names_are_in_methods_where_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
