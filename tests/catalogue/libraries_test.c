/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "lib/array.h"
#include "support/guard.h"

struct expectation {
	const char *path;
	const char *family; /* NULL: no crypto library */
};

static void expectations_check(const struct expectation *expected, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const char *path = expected[i].path, *wanted = expected[i].family;
		size_t size = strlen(path);
		const struct library_class *class = library_classify(guard_copy(path, size), size);
		const char *family = class ? code_name(&library_family_codes, class->family) : NULL;

		if (!wanted != !family || (wanted && strcmp(wanted, family)))
			fail_msg("'%s' should be %s, is %s", path, wanted ? wanted : "nothing",
				 family ? family : "nothing");
	}
}

#define LIB "/usr/lib/x86_64-linux-gnu/"

static void test_libraries_of_distributions_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ LIB "libssl.so.3", "openssl" },
		{ LIB "libcrypto.so.1.1", "openssl" },
		{ "/usr/lib64/libcrypto.so.1.1.1k", "openssl" },
		{ "/usr/lib64/libssl.so.10", "openssl" },
		{ "/opt/app/lib/libssl.so", "openssl" },
		{ "libssl.so.4", "openssl" },
		{ LIB "ossl-modules/legacy.so", "openssl" },
		{ LIB "ossl-modules/fips.so", "openssl" },
		{ LIB "engines-3/afalg.so", "openssl" },
		{ LIB "libgnutls.so.30.34.3", "gnutls" },
		{ LIB "libgnutls-dane.so.0.4.1", "gnutls" },
		{ LIB "libnettle.so.8.6", "nettle" },
		{ LIB "libhogweed.so.6", "nettle" },
		{ LIB "libnss3.so", "nss" },
		{ LIB "libssl3.so", "nss" },
		{ LIB "nss/libsoftokn3.so", "nss" },
		{ LIB "libgcrypt.so.20.4.1", "libgcrypt" },
		{ LIB "libksba.so.8.14.3", "gnupg" },
		{ LIB "libsodium.so.23.3.0", "libsodium" },
		{ LIB "libmbedtls.so.14", "mbedtls" },
		{ LIB "libmbedcrypto.so.7", "mbedtls" },
		{ LIB "libwolfssl.so.35", "wolfssl" },
		{ LIB "libbotan-2.so.19", "botan" },
		{ LIB "libbotan-3.so.5", "botan" },
		{ LIB "libcrypto++.so.8", "cryptopp" },
		{ LIB "libp11-kit.so.0.3.0", "pkcs11" },
		{ LIB "pkcs11/p11-kit-client.so", "pkcs11" },
		{ "/usr/lib/softhsm/libsofthsm2.so", "pkcs11" },
		{ LIB "libpkcs11-helper.so.1", "pkcs11" },
		{ LIB "libgssapi_krb5.so.2.2", "krb5" },
		{ LIB "libkrb5.so.3.3", "krb5" },
		{ LIB "libssh-gcrypt.so.4", "libssh" },
		{ LIB "libssh2.so.1.0.1", "libssh2" },
		{ LIB "libtss2-esys.so.0", "tpm2" },
		{ LIB "cryptsetup/libcryptsetup-token-systemd-tpm2.so", "cryptsetup" },
		{ LIB "libcrypt.so.1.1.0", "libcrypt" },
		{ "/lib/x86_64-linux-gnu/libcrypt-2.31.so", "libcrypt" },
		{ LIB "libIPSec_MB.so.1", "ipsec_mb" },
		{ LIB "libxmlsec1-openssl.so.1.2.37", "xmlsec" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_libraries_that_share_a_name_are_told_by_version_or_directory(void **state)
{
	static const struct expectation expected[] = {
		{ LIB "libssl.so.3", "openssl" },
		{ LIB "libssl.so.56", "libressl" },
		{ LIB "libcrypto.so.44.0.1", "libressl" },
		{ LIB "android/libssl.so.0", "boringssl" },
		{ LIB "libkrb5.so.26", "heimdal" },
		{ LIB "ossl-modules/oqsprovider.so", "liboqs" },
		{ LIB "libcrypto-awslc.so.0", "aws_lc" },
		{ LIB "libtls.so.26", "libtls" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_libraries_bundled_by_languages_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ "/x/psycopg2_binary.libs/libssl-3a1b2c3d.so.3", "openssl" },
		{ "/x/psycopg2_binary.libs/libcrypto-ed1aa8e1.so.1.1", "openssl" },
		{ "/x/_ssl.cpython-312-x86_64-linux-gnu.so", "python" },
		{ "/x/lib-dynload/_ssl.so", "python" },
		{ "/x/_hashlib.cpython-39-x86_64-linux-gnu.so", "python" },
		{ "/x/cryptography/hazmat/bindings/_rust.abi3.so", "python" },
		{ "/x/orjson/_rust.abi3.so", NULL },
		{ "/x/Crypto/Cipher/_raw_aes.abi3.so", "python" },
		{ "/x/grpc/_cython/cygrpc.cpython-311-x86_64-linux-gnu.so", "boringssl" },
		{ "/tmp/libnetty_tcnative_linux_x86_6415931763.so", "java" },
		{ "/usr/lib/jvm/x/lib/libj2pkcs11.so", "java" },
		{ "/usr/share/dotnet/libSystem.Security.Cryptography.Native.OpenSsl.so", "dotnet" },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_replaced_libraries_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ LIB "libcrypto.so.3 (deleted)", "openssl" },
		{ LIB "libcrypto.so.1.0.1e;54c9d4a5 (deleted)", "openssl" },
		{ LIB "notes (deleted)", NULL },
		{ " (deleted)", NULL },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

static void test_names_that_only_look_alike_are_refused(void **state)
{
	static const struct expectation expected[] = {
		{ "/home/a/my libssl notes.txt", NULL },
		{ "/home/a/libssl notes.so", NULL },
		{ "/home/a/libsslfoo.txt", NULL },
		{ "/usr/lib/libsslclient.so", NULL },
		{ "/usr/lib/libssl.so/data.txt", NULL },
		{ "/usr/lib/libssl", NULL },
		{ "/usr/lib/libssl.a", NULL },
		{ "/usr/lib/libssl.so.txt", NULL },
		{ "/usr/lib/libssl.so.3.hmac", NULL },
		{ "/usr/lib/libssl.so.", NULL },
		{ "/usr/lib/libssl.so.3.", NULL },
		{ "/usr/lib/libssl.sound", NULL },
		{ "/usr/lib/xlibssl.so.3", NULL },
		{ "/usr/lib/libssl-dev.so.3", NULL },
		{ "/usr/lib/LIBSSL.SO.3", NULL },
		{ LIB "libnss_files.so.2", NULL },
		{ LIB "libnss_systemd.so.2", NULL },
		{ LIB "libnspr4.so", NULL },
		{ LIB "libgpg-error.so.0.33.1", NULL },
		{ LIB "libtlsh.so.0", NULL },
		{ LIB "libcurl-gnutls.so.4.8.0", NULL },
		{ LIB "libcryptominisat5.so.5.11", NULL },
		{ LIB "libical.so.3", NULL },
		{ LIB "libc.so.6", NULL },
		{ LIB "legacy.so", NULL },
		{ LIB "xossl-modules/legacy.so", NULL },
		{ LIB "ossl-modules/old/legacy.so", NULL },
		{ "/x/_ssl_helper.cpython-312-x86_64-linux-gnu.so", NULL },
		{ "/x/nocryptography/xhazmat/bindings/_rust.abi3.so", NULL },
		{ ".so", NULL },
		{ "", NULL },
	};

	(void)state;
	expectations_check(expected, ARRAY_SIZE(expected));
}

/* Every row of the catalogue is reached: none stands in the shadow of another. */
static void test_each_row_gives_its_own_family(void **state)
{
	static const struct expectation expected[] = {
#define LIBRARY(stem, family)		   { "/x/" stem ".so.1", #family },
#define LIBRARY_SINCE(stem, major, family) { "/x/" stem ".so." #major, #family },
#define LIBRARY_PREFIX(prefix, family)	   { "/x/" prefix "1.so.1", #family },
#define LIBRARY_MODULE(stem, family)	   { "/x/" stem ".cpython-312-x86_64-linux-gnu.so", #family },
#define LIBRARY_IN(dir, stem, family)	   { "/x/" dir "/" stem ".so", #family },
#define LIBRARY_DIR(dir, family)	   { "/x/" dir "/any.so", #family },
#include "catalogue/libraries.def"
	};

	(void)state;
	assert_true(ARRAY_SIZE(expected) > 100);
	expectations_check(expected, ARRAY_SIZE(expected));
}

/* But the kernel, which is in no file. */
static void test_each_family_has_a_row(void **state)
{
	static const char *const families[] = {
#define LIBRARY(stem, family)		   #family,
#define LIBRARY_PREFIX(prefix, family)	   #family,
#define LIBRARY_SINCE(stem, major, family) #family,
#define LIBRARY_MODULE(stem, family)	   #family,
#include "catalogue/libraries.def"
	};

	(void)state;
	for (size_t i = 0; i < library_family_codes.nr_entries; i++) {
		const char *name = library_family_codes.entries[i].name;
		bool found = !strcmp(name, "kernel");

		for (size_t row = 0; row < ARRAY_SIZE(families) && !found; row++)
			found = !strcmp(families[row], name);
		if (!found)
			fail_msg("no library of family %s", name);
	}
}

static void test_any_bytes_are_read_within_their_size(void **state)
{
	static const char path[] = "x/hazmat/bindings/_rust-1a2b3c4d.abi3.so.1.1k;0f (deleted)";

	(void)state;
	for (size_t from = 0; from < sizeof(path); from++) {
		for (size_t size = 0; from + size <= sizeof(path); size++) {
			const char *copy = guard_copy(path + from, size);
			const struct library_class *class = library_classify(copy, size);

			if (class)
				assert_non_null(code_name(&library_family_codes, class->family));
			assert_false(library_matches(copy, size, LIBRARY_FAMILY_none, "openssl"));
		}
	}
}

static bool matches(const char *path, const char *pattern)
{
	const struct library_class *class = library_classify(path, strlen(path));

	return library_matches(path, strlen(path), class ? class->family : LIBRARY_FAMILY_none,
			       pattern);
}

static void test_pattern_is_a_family_or_a_part_of_the_name(void **state)
{
	(void)state;
	assert_true(matches(LIB "libssl.so.3", "openssl"));
	assert_true(matches(LIB "libcrypto.so.3", "OpenSSL"));
	assert_true(matches(LIB "libssl.so.3", "LIBSSL"));
	assert_true(matches(LIB "libssl.so.3", "libssl.so.3"));
	assert_true(matches(LIB "libssl.so.3 (deleted)", "so.3"));
	assert_true(matches(LIB "libfoo.so", "foo"));
	assert_true(matches(LIB "libfoo.so", ""));
	assert_false(matches(LIB "libssl.so.3", "opens"));
	assert_false(matches(LIB "libssl.so.3", "linux"));
	assert_false(matches(LIB "libssl.so.3", "libssl.so.3x"));
	assert_false(matches(LIB "libssl.so.3 (deleted)", "deleted"));
	assert_false(matches(LIB "libfoo.so", "openssl"));
	assert_false(matches(LIB "libgnutls.so.30", "openssl"));
}

static bool speaks_tls(const char *path)
{
	return library_speaks_tls(path, strlen(path));
}

static void test_libraries_that_lend_algorithms_speak_no_tls(void **state)
{
	(void)state;
	assert_true(speaks_tls(LIB "libssl.so.3"));
	assert_true(speaks_tls(LIB "libssl.so.1.1 (deleted)"));
	assert_true(speaks_tls(LIB "libgnutls.so.30"));
	assert_true(speaks_tls(LIB "libssl3.so"));
	assert_false(speaks_tls(LIB "libcrypto.so.3"));
	assert_false(speaks_tls(LIB "libnettle.so.8"));
	assert_false(speaks_tls(LIB "libsslclient.so"));
	assert_false(speaks_tls("libssl"));
	assert_false(speaks_tls(""));
}

static void test_mark_of_a_file_that_is_gone_is_no_part_of_its_path(void **state)
{
	(void)state;
	assert_int_equal(library_path_size("/a.so (deleted)", 15), 5);
	assert_int_equal(library_path_size("/a.so", 5), 5);
	assert_int_equal(library_path_size("/a.so (deleted) ", 16), 16);
	assert_int_equal(library_path_size(" (deleted)", 10), 10);
	assert_int_equal(library_path_size("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libraries_of_distributions_are_known),
		cmocka_unit_test(test_libraries_that_share_a_name_are_told_by_version_or_directory),
		cmocka_unit_test(test_libraries_bundled_by_languages_are_known),
		cmocka_unit_test(test_replaced_libraries_are_known),
		cmocka_unit_test(test_names_that_only_look_alike_are_refused),
		cmocka_unit_test(test_each_row_gives_its_own_family),
		cmocka_unit_test(test_each_family_has_a_row),
		cmocka_unit_test(test_any_bytes_are_read_within_their_size),
		cmocka_unit_test(test_pattern_is_a_family_or_a_part_of_the_name),
		cmocka_unit_test(test_libraries_that_lend_algorithms_speak_no_tls),
		cmocka_unit_test(test_mark_of_a_file_that_is_gone_is_no_part_of_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
