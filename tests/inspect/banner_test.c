/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/libraries.h"
#include "inspect/banner.h"
#include "support/guard.h"

static struct banners banners;

/* Looks through TEXT for the banners of FAMILY, or of all programs. */
static void look(uint32_t family, const void *text, size_t size)
{
	const void *bytes = guard_copy(text, size);
	struct search *search = NULL;
	struct window window;

	banners_init(&banners, family);

	struct needle_group group = banners_group(&banners);

	window_memory(&window, bytes, size);
	assert_int_equal(search_new(&search, &group, 1), 0);
	assert_true(search_run(search, &window, 0, size));
	search_free(search);
	guard_free(bytes, size);
}

static const char *found(uint32_t family)
{
	const char *version = NULL;

	if (!banners_version(&banners, family, &version))
		return "nothing";
	return version ? version : "no version";
}

struct row {
	const char *text;
	size_t size;
	uint32_t family;
	const char *version;
};

#define ROW(family, version, text)                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1, LIBRARY_FAMILY_##family, version                           \
	}

/* As they are in the files of Debian 12, and in those of the forks. */
static const struct row rows[] = {
	ROW(openssl, "3.0.17", "\0OpenSSL 3.0.17 1 Jul 2025"),
	ROW(openssl, "3.0.22", "\0OpenSSL 3.0.22 25 Aug 2026\0003.0.22"),
	ROW(openssl, "1.1.1w", "\0OpenSSL 1.1.1w  11 Sep 2023"),
	ROW(openssl, "1.1.1k", "OpenSSL 1.1.1k  FIPS 25 Mar 2021"),
	ROW(openssl, "1.0.2k-fips", "OpenSSL 1.0.2k-fips  26 Jan 2017"),
	ROW(openssl, "3.0.7+quic", "built with OpenSSL 3.0.7+quic 1 Nov 2022 (running with "),
	ROW(libressl, "4.0.0", "LibreSSL 4.0.0"),
	ROW(aws_lc, "1.69.0", "OpenSSL 1.1.1 (compatible; AWS-LC 1.69.0)"),
	ROW(aws_lc, "1.69.0", "\0AWS-LC 1.69.0\0AWS-LC KEM method"),
	ROW(aws_lc, "3.0.0", "AWS-LC FIPS 3.0.0"),
	ROW(gnutls, "3.7.9", "Enabled GnuTLS 3.7.9 logging...\n"),
	ROW(nss, "3.87.1", "\xffVersion: NSS 3.87.1 Basic ECC"),
	ROW(libgcrypt, "1.10.1", "This is Libgcrypt 1.10.1 - The GNU Crypto Library"),
	ROW(gnupg, "1.6.3", "This is Libksba 1.6.3 - An X.509 and CMS Library"),
	ROW(gnupg, "1.18.0", "This is GPGME 1.18.0 - The GnuPG Made Easy library"),
	ROW(mbedtls, "2.28.3", "mbed TLS 2.28.3"),
	ROW(mbedtls, "3.6.0", "Mbed TLS 3.6.0"),
	ROW(wolfssl, "5.5.4", "wolfSSL 5.5.4"),
	ROW(botan, "2.19.3", "Botan 2.19.3 (unreleased, revision unknown, distribution Debian)"),
	ROW(libtomcrypt, "1.18.2", "-LibTomCrypt 1.18.2 (www.libtom.net)"),
	ROW(krb5, "1.20.1", "\0KRB5_BRAND: krb5-1.20.1-final 1.20.1 20221111"),
	ROW(heimdal, "7.8.0", "@(#)$Version: Heimdal 7.8.0 $"),
	ROW(libssh, "0.10.6", "SSH-2.0-libssh_0.10.6"),
	ROW(libssh2, "1.10.0", "SSH-2.0-libssh2_1.10.0\r\n"),
	ROW(libssh2, "1.10.0", "SSH-2.0-libssh2_1.10.0\r\n\0SSH-2.0-libssh2_1.10.0"),
};

static void test_banners_of_libraries_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		look(rows[i].family, rows[i].text, rows[i].size);
		assert_string_equal(found(rows[i].family), rows[i].version);
		look(LIBRARY_FAMILY_none, rows[i].text, rows[i].size);
		assert_string_equal(found(rows[i].family), rows[i].version);
		/* The library of another family only mentions it. */
		look(LIBRARY_FAMILY_argon2, rows[i].text, rows[i].size);
		assert_string_equal(found(rows[i].family), "nothing");
	}
}

static void test_whole_text_is_a_version_in_its_library_only(void **state)
{
	static const char text[] = "x\0001.0.18\0y", longer[] = "\0001.0.18-beta1x\0001.0.x";

	(void)state;
	look(LIBRARY_FAMILY_libsodium, text, sizeof(text));
	assert_string_equal(found(LIBRARY_FAMILY_libsodium), "1.0.18");
	look(LIBRARY_FAMILY_none, text, sizeof(text));
	assert_string_equal(found(LIBRARY_FAMILY_libsodium), "nothing");
	look(LIBRARY_FAMILY_libsodium, longer, sizeof(longer));
	assert_string_equal(found(LIBRARY_FAMILY_libsodium), "nothing");
}

static void test_boringssl_has_no_version(void **state)
{
	static const char text[] = "built with OpenSSL 1.1.1 (compatible; BoringSSL) (running";

	(void)state;
	look(LIBRARY_FAMILY_none, text, sizeof(text));
	assert_string_equal(found(LIBRARY_FAMILY_boringssl), "no version");
	assert_string_equal(found(LIBRARY_FAMILY_openssl), "nothing");
}

static void test_source_files_of_forks_tell_them(void **state)
{
	static const char chromium[] = "../../third_party/boringssl/src/crypto/bio/bio.cc";
	static const char both[] = "AWS-LC 1.69.0\0/aws-lc/crypto/bytestring/cbb.c";
	static const char aws[] = "/aws-lc/crypto/bytestring/cbb.c",
			  other[] = "a/aws-lc/cryptography";

	(void)state;
	look(LIBRARY_FAMILY_none, chromium, sizeof(chromium));
	assert_string_equal(found(LIBRARY_FAMILY_boringssl), "no version");
	look(LIBRARY_FAMILY_none, aws, sizeof(aws));
	assert_string_equal(found(LIBRARY_FAMILY_aws_lc), "no version");
	look(LIBRARY_FAMILY_none, both, sizeof(both));
	assert_string_equal(found(LIBRARY_FAMILY_aws_lc), "1.69.0");
	look(LIBRARY_FAMILY_none, other, sizeof(other));
	assert_string_equal(found(LIBRARY_FAMILY_aws_lc), "nothing");
}

static void test_sentences_are_no_banners(void **state)
{
	static const char *const texts[] = {
		"needs OpenSSL 1.1.1 or newer",
		"OpenSSL 3.0 does not support direct access to DSA key",
		"OpenSSL 3.0.17",
		"OpenSSL 3.0.17 is not 1 Jul 2025",
		"OpenSSL 3.0.17 1 Foo 2025",
		"OpenSSL 3.0.17 123 Jul 2025",
		"OpenSSL 3.0.17 1 Jul 202",
		"OpenSSL 3.0.17 1 Jul 20256",
		"OpenSSL 3.0.17.18.19 1 Jul 2025",
		"OpenSSL 3 1 Jul 2025",
		"MyOpenSSL 3.0.17 1 Jul 2025",
		"OpenSSL %d.%d.%d 1 Jul 2025",
		"LibreSSL support",
		"LibreSSL 4",
		"OpenSSL 1.1.1 (compatible; AWS-LC)",
		"AWS-LC 1",
		"GnuTLS 3.7.9",
		"Version: NSS Builtin Trusted Root CAs 2.60",
		"KRB5_BRAND: krb5-",
		"SSH-2.0-libssh_*",
		"wolfSSL 5.5.4stable",
		"Botan 2.19.3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		look(LIBRARY_FAMILY_none, texts[i], strlen(texts[i]));
		for (size_t k = 0; k < library_family_codes.nr_entries; k++)
			assert_string_equal(found((uint32_t)library_family_codes.entries[k].code),
					    "nothing");
	}
}

static void test_banners_that_disagree_give_no_version(void **state)
{
	static const char text[] = "OpenSSL 3.0.17 1 Jul 2025\0OpenSSL 1.1.1w  11 Sep 2023";

	(void)state;
	look(LIBRARY_FAMILY_openssl, text, sizeof(text));
	assert_string_equal(found(LIBRARY_FAMILY_openssl), "no version");
}

static void test_banner_at_the_end_is_read_within_bounds(void **state)
{
	static const char text[] = "OpenSSL 3.0.17 1 Jul 2025";

	(void)state;
	/* look() ends each at an unmapped page. */
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		look(LIBRARY_FAMILY_none, text, size);
		assert_string_equal(found(LIBRARY_FAMILY_openssl), "nothing");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t size = 0; size < rows[i].size; size++)
			look(rows[i].family, rows[i].text, size);
	look(LIBRARY_FAMILY_none, text, sizeof(text) - 1);
	assert_string_equal(found(LIBRARY_FAMILY_openssl), "3.0.17");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_banners_of_libraries_are_read),
		cmocka_unit_test(test_whole_text_is_a_version_in_its_library_only),
		cmocka_unit_test(test_boringssl_has_no_version),
		cmocka_unit_test(test_source_files_of_forks_tell_them),
		cmocka_unit_test(test_sentences_are_no_banners),
		cmocka_unit_test(test_banners_that_disagree_give_no_version),
		cmocka_unit_test(test_banner_at_the_end_is_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
