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

#include "catalogue/algorithms.h"
#include "lib/array.h"
#include "support/guard.h"

struct expectation {
	const char *name;
	const char *wanted; /* NULL: not known */
	const char *mac;    /* of a pair, else NULL */
};

static void spelling_check(const char *name, const char *what, const struct algorithm *found,
			   const char *wanted)
{
	const char *is = found ? found->name : NULL;

	if (!wanted != !is || (wanted && strcmp(wanted, is)))
		fail_msg("%s of '%s' should be %s, is %s", what, name, wanted ? wanted : "unknown",
			 is ? is : "unknown");
}

static void expectations_check(const struct expectation *expected, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct algorithm *found[ALGORITHMS_KERNEL_MAX];
		const char *name = expected[i].name;
		size_t size = strlen(name);
		const void *copy = guard_copy(name, size);
		size_t nr_found = algorithms_by_kernel_name(copy, size, found);

		spelling_check(name, "the first", nr_found ? found[0] : NULL, expected[i].wanted);
		spelling_check(name, "the MAC", nr_found > 1 ? found[1] : NULL, expected[i].mac);
		assert_ptr_equal(algorithm_by_kernel_name(copy, size), nr_found ? found[0] : NULL);
		guard_free(copy, size);
	}
}

#define CHECK(expected) expectations_check(expected, ARRAY_SIZE(expected))

static void test_templates_are_read_from_the_inside(void **state)
{
	static const struct expectation expected[] = {
		{ "aes", "AES", NULL },
		{ "ecb(aes)", "AES-ECB", NULL },
		{ "cbc(aes)", "AES-CBC", NULL },
		{ "cfb(aes)", "AES-CFB", NULL },
		{ "ofb(aes)", "AES-OFB", NULL },
		{ "ctr(aes)", "AES-CTR", NULL },
		{ "cts(cbc(aes))", "AES-CBC-CTS", NULL },
		{ "xts(aes)", "AES-XTS", NULL },
		{ "kw(aes)", "AES-WRAP", NULL },
		{ "gcm(aes)", "AES-GCM", NULL },
		{ "ccm(aes)", "AES-CCM", NULL },
		{ "cmac(aes)", "AES-CMAC", NULL },
		{ "xcbc(aes)", "AES-XCBC-MAC", NULL },
		{ "cbcmac(aes)", "CBC-MAC", NULL },
		{ "hmac(md5)", "HMAC-MD5", NULL },
		{ "hmac(sha1)", "HMAC-SHA-1", NULL },
		{ "hmac(sha256)", "HMAC-SHA-256", NULL },
		{ "hmac(sha3-512)", "HMAC-SHA3-512", NULL },
		{ "hmac(streebog512)", "HMAC-Streebog-512", NULL },
		{ "cbc(camellia)", "Camellia-CBC", NULL },
		{ "gcm(sm4)", "SM4-GCM", NULL },
		{ "ctr(aria)", "ARIA-CTR", NULL },
		{ "rfc3686(ctr(aes))", "AES-CTR", NULL },
		{ "rfc4106(gcm(aes))", "AES-GCM", NULL },
		{ "rfc4309(ccm(aes))", "AES-CCM", NULL },
		{ "rfc4543(gcm(aes))", "AES-GMAC", NULL },
		{ "seqiv(rfc4106(gcm(aes)))", "AES-GCM", NULL },
		{ "pcrypt(seqiv(rfc4106(gcm(aes))))", "AES-GCM", NULL },
		{ "essiv(cbc(aes),sha256)", "AES-CBC", NULL },
		{ "rfc7539(chacha20,poly1305)", "ChaCha20-Poly1305", NULL },
		{ "rfc7539esp(chacha20,poly1305)", "ChaCha20-Poly1305", NULL },
	};

	(void)state;
	CHECK(expected);
}

static void test_own_names_of_the_kernel_are_known(void **state)
{
	static const struct expectation expected[] = {
		{ "sha1", "SHA-1", NULL },
		{ "sha3-256", "SHA3-256", NULL },
		{ "blake2b-256", "BLAKE2b-256", NULL },
		{ "rmd160", "RIPEMD-160", NULL },
		{ "wp512", "Whirlpool", NULL },
		{ "tgr192", "Tiger", NULL },
		{ "des", "DES", NULL },
		{ "des3_ede", "3DES", NULL },
		{ "ecb(des3_ede)", "DES-EDE3-ECB", NULL },
		{ "cbc(des3_ede)", "DES-EDE3-CBC", NULL },
		{ "ctr(des3_ede)", "DES-EDE3-CTR", NULL },
		{ "cmac(des3_ede)", "DES-EDE3-CMAC", NULL },
		{ "ecb(arc4)", "RC4", NULL },
		{ "cipher_null", "NULL", NULL },
		{ "ecb(cipher_null)", "NULL", NULL },
		{ "drbg_nopr_ctr_aes256", "CTR-DRBG", NULL },
		{ "drbg_pr_ctr_aes128", "CTR-DRBG", NULL },
		{ "drbg_nopr_hmac_sha512", "HMAC-DRBG", NULL },
		{ "drbg_pr_hmac_sha256", "HMAC-DRBG", NULL },
		{ "drbg_nopr_sha256", "Hash-DRBG", NULL },
		{ "drbg_pr_sha1", "Hash-DRBG", NULL },
	};

	(void)state;
	CHECK(expected);
}

static void test_pairs_are_a_cipher_and_a_mac(void **state)
{
	static const struct expectation expected[] = {
		{ "authenc(hmac(sha256),cbc(aes))", "AES-CBC", "HMAC-SHA-256" },
		{ "authencesn(hmac(sha1),cbc(des3_ede))", "DES-EDE3-CBC", "HMAC-SHA-1" },
		{ "echainiv(authenc(hmac(sha512),cbc(aes)))", "AES-CBC", "HMAC-SHA-512" },
		{ "seqiv(authenc(hmac(sha256),rfc3686(ctr(aes))))", "AES-CTR", "HMAC-SHA-256" },
		{ "essiv(authenc(hmac(sha256),cbc(aes)),sha256)", "AES-CBC", "HMAC-SHA-256" },
		{ "krb5enc(cmac(camellia),cts(cbc(camellia)))", "Camellia-CBC-CTS",
		  "Camellia-CMAC" },
		{ "authenc(hmac(md5),ecb(cipher_null))", "NULL", "HMAC-MD5" },
		{ "authenc(digest_null,cbc(aes))", "AES-CBC", NULL },
		/* not named by its MAC alone */
		{ "authenc(hmac(sha256),foo(bar))", NULL, NULL },
		{ "authenc(hmac(sha256))", NULL, NULL },
	};

	(void)state;
	CHECK(expected);
}

static void test_names_of_drivers_are_their_algorithm(void **state)
{
	static const struct expectation expected[] = {
		{ "cbc-aes-aesni", "AES-CBC", NULL },
		{ "__cbc(aes)", "AES-CBC", NULL },
		{ "__cbc-aes-aesni", "AES-CBC", NULL },
		{ "cryptd(__cbc-aes-aesni)", "AES-CBC", NULL },
		{ "cbc(ecb(aes-fixed-time))", "AES-CBC", NULL },
		{ "cts-cbc-aes-aesni", "AES-CBC-CTS", NULL },
		{ "xts(ecb(aes-generic))", "AES-XTS", NULL },
		{ "xts-aes-vaes-avx10_512", "AES-XTS", NULL },
		{ "ecb-des3_ede-asm", "DES-EDE3-ECB", NULL },
		{ "des3_ede-generic", "3DES", NULL },
		{ "ecb(arc4)-generic", "RC4", NULL },
		{ "ecb-cipher_null", "NULL", NULL },
		{ "aes-generic", "AES", NULL },
		{ "aes-fixed-time", "AES", NULL },
		{ "sha256-arm64-neon", "SHA-256", NULL },
		{ "sha3-256-generic", "SHA3-256", NULL },
		{ "hmac(sha256-avx2)", "HMAC-SHA-256", NULL },
		{ "hmac-sha256-lib", "HMAC-SHA-256", NULL },
		{ "generic-gcm-aesni", "AES-GCM", NULL },
		{ "generic-gcm-vaes-avx10_256", "AES-GCM", NULL },
		{ "rfc4106-gcm-aesni", "AES-GCM", NULL },
		{ "gcm_base(ctr(aes-generic),ghash-generic)", "AES-GCM", NULL },
		{ "rfc4543(gcm_base(ctr(aes-generic),ghash-generic))", "AES-GMAC", NULL },
		{ "ccm_base(ctr(aes-ce),cbcmac(aes-ce))", "AES-CCM", NULL },
		{ "essiv-cbc-aes-sha256-ce", "AES-CBC", NULL },
		{ "rfc7539(chacha20-simd,poly1305-generic)", "ChaCha20-Poly1305", NULL },
		{ "authenc(hmac(sha1-generic),cbc(aes-generic))", "AES-CBC", "HMAC-SHA-1" },
	};

	(void)state;
	CHECK(expected);
}

static void test_other_names_are_no_algorithm(void **state)
{
	static const struct expectation expected[] = {
		{ "", NULL, NULL },
		{ "-", NULL, NULL },
		{ "__", NULL, NULL },
		{ "(", NULL, NULL },
		{ ")", NULL, NULL },
		{ "()", NULL, NULL },
		{ "cbc", "CBC", NULL },
		{ "cbc()", NULL, NULL },
		{ "cbc(", NULL, NULL },
		{ "cbc(aes", NULL, NULL },
		{ "cbc)aes(", NULL, NULL },
		{ "cbc(aes))", NULL, NULL },
		{ "cbc((aes)", NULL, NULL },
		{ "(aes)cbc", NULL, NULL },
		{ "CBC(AES)", NULL, NULL },
		{ "cbc(sha256)", NULL, NULL },
		{ "hmac(aes)", NULL, NULL },
		{ "rfc7539(chacha20)", NULL, NULL },
		{ "rfc7539(,poly1305)", NULL, NULL },
		{ "lrw(aes)", NULL, NULL },
		{ "hctr2(aes)", NULL, NULL },
		{ "adiantum(xchacha12,aes)", NULL, NULL },
		{ "pcbc(fcrypt)", NULL, NULL },
		{ "cbc(cast6)", NULL, NULL },
		{ "ghash", NULL, NULL },
		{ "stdrng", NULL, NULL },
		{ "crc32c-intel", NULL, NULL },
		{ "digest_null", NULL, NULL },
		{ "aes-with-too-many-words", NULL, NULL },
		{ "cbc(aes\xff)", NULL, NULL },
	};

	(void)state;
	CHECK(expected);
	assert_null(algorithm_by_kernel_name("cbc(aes)\0", sizeof("cbc(aes)")));
}

static void test_templates_are_followed_four_deep(void **state)
{
	static const struct expectation expected[] = {
		{ "cryptd(cryptd(cryptd(cbc(aes))))", "AES-CBC", NULL },
		{ "cryptd(cryptd(cryptd(cryptd(cbc(aes)))))", NULL, NULL },
		{ "cryptd-cryptd-cryptd-cbc-aes", "AES-CBC", NULL },
		{ "cryptd-cryptd-cryptd-cryptd-cbc-aes", NULL, NULL },
		{ "pcrypt(seqiv(authenc(hmac(sha256),rfc3686(ctr(aes)))))", NULL, NULL },
	};

	(void)state;
	CHECK(expected);
}

/* The kernel's names have at most 128 bytes, CRYPTO_MAX_ALG_NAME. */
static void test_longer_names_are_none(void **state)
{
	char name[200];

	(void)state;
	memset(name, '-', sizeof(name));
	memcpy(name, "cbc(aes", 7);
	name[128] = ')';
	assert_null(algorithm_by_kernel_name(guard_copy(name, 129), 129));
	memset(name, '(', sizeof(name));
	for (size_t size = 0; size <= sizeof(name); size++)
		assert_null(algorithm_by_kernel_name(guard_copy(name, size), size));
	memset(name, '_', sizeof(name));
	memcpy(name + sizeof(name) - 8, "cbc(aes)", 8);
	assert_non_null(algorithm_by_kernel_name(name + sizeof(name) - 10, 10));
	assert_null(algorithm_by_kernel_name(name, sizeof(name)));
}

static void test_any_part_of_a_name_is_read_within_its_size(void **state)
{
	static const char name[] = "__seqiv(authenc(hmac-sha256-lib,rfc7539(gcm_base(ctr(aes-"
				   "generic),x),poly1305)))-a-b";

	(void)state;
	for (size_t from = 0; from < sizeof(name); from++) {
		for (size_t size = 0; from + size <= sizeof(name); size++) {
			const struct algorithm *found[ALGORITHMS_KERNEL_MAX];
			const void *copy = guard_copy(name + from, size);
			size_t nr = algorithms_by_kernel_name(copy, size, found);

			assert_true(nr <= ALGORITHMS_KERNEL_MAX);
			for (size_t i = 0; i < nr; i++)
				assert_ptr_equal(
					algorithm_by_name(found[i]->name, strlen(found[i]->name)),
					found[i]);
			guard_free(copy, size);
		}
	}
}

/* A name and the driver behind it, in /proc/crypto, are the same algorithm. */
static void test_names_of_this_kernel_agree_with_their_drivers(void **state)
{
	FILE *file = fopen("/proc/crypto", "r");
	const struct algorithm *named = NULL;
	char line[256], value[200], name[200] = "";
	size_t nr = 0;

	(void)state;
	if (!file)
		skip();
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "name : %199s", name) == 1) {
			named = algorithm_by_kernel_name(name, strlen(name));
		} else if (sscanf(line, "driver : %199s", value) == 1 && named) {
			spelling_check(value, name, algorithm_by_kernel_name(value, strlen(value)),
				       named->name);
			nr++;
		}
	}
	fclose(file);
	if (!nr)
		skip();
}

static void test_ciphers_of_kernel_tls_are_numbered(void **state)
{
	static const char *const wanted[] = {
		"AES-128-GCM", "AES-256-GCM", "AES-128-CCM",  "ChaCha20-Poly1305",
		"SM4-GCM",     "SM4-CCM",     "ARIA-128-GCM", "ARIA-256-GCM",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_string_equal(algorithm_by_code(ALGORITHM_CODES_ktls, 51 + i)->name,
				    wanted[i]);
	assert_null(algorithm_by_code(ALGORITHM_CODES_ktls, 50));
	assert_null(algorithm_by_code(ALGORITHM_CODES_ktls, 59));
	assert_null(algorithm_by_code(ALGORITHM_CODES_ktls, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_templates_are_read_from_the_inside),
		cmocka_unit_test(test_own_names_of_the_kernel_are_known),
		cmocka_unit_test(test_pairs_are_a_cipher_and_a_mac),
		cmocka_unit_test(test_names_of_drivers_are_their_algorithm),
		cmocka_unit_test(test_other_names_are_no_algorithm),
		cmocka_unit_test(test_templates_are_followed_four_deep),
		cmocka_unit_test(test_longer_names_are_none),
		cmocka_unit_test(test_any_part_of_a_name_is_read_within_its_size),
		cmocka_unit_test(test_names_of_this_kernel_agree_with_their_drivers),
		cmocka_unit_test(test_ciphers_of_kernel_tls_are_numbered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
