/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/ja.h"

#define LIST(...)                                                                                  \
	{                                                                                          \
		.nr = sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t), .codes = {           \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define TEXT(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

/*
 * A Chrome as in the JA4 documentation (technical_details/JA4.md): its lists of suites, extensions
 * and signatures, in the order they were sent.
 */
static const struct tls_client_hello chrome = {
	.is_there = true,
	.has_extensions = true,
	.legacy_version = 0x0303,
	.ciphers = LIST(0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
			0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035),
	.extensions = LIST(0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
			   0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015),
	.signatures = LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
	.versions = LIST(0x0304, 0x0303),
	.alpn = { TEXT("h2"), TEXT("http/1.1") },
	.nr_alpn = 2,
};

static void expect_ja4(const struct tls_client_hello *hello, const char *expected)
{
	char ja4[JA4_SIZE];

	assert_int_equal(ja4_format(hello, TLS_TRANSPORT_tcp, ja4), 0);
	assert_string_equal(ja4, expected);
}

static void test_ja4_is_that_of_its_documentation(void **state)
{
	(void)state;
	expect_ja4(&chrome, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

/* A later Chrome, with what browserleaks.com said of it: both fingerprints, and JA3's text. */
static void test_fingerprints_are_those_of_others(void **state)
{
	static const struct tls_client_hello hello = {
		.is_there = true,
		.has_extensions = true,
		.has_grease = true,
		.legacy_version = 0x0303,
		.ciphers = LIST(0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
				0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035),
		.extensions = LIST(0x002d, 0x0033, 0x0010, 0xfe0d, 0x0017, 0x44cd, 0x0000, 0x000b,
				   0x000a, 0x002b, 0xff01, 0x0023, 0x0012, 0x0005, 0x000d, 0x001b),
		.signatures = LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
		.versions = LIST(0x0304, 0x0303),
		.groups = LIST(4588, 29, 23, 24),
		.point_formats = { .nr = 1, .bytes = { 0 } },
		.alpn = { TEXT("h2"), TEXT("http/1.1") },
		.nr_alpn = 2,
	};
	char text[JA3_TEXT_SIZE], ja3[JA3_SIZE];

	(void)state;
	expect_ja4(&hello, "t13d1516h2_8daaf6152771_d8a2da3f94cd");
	assert_int_equal(ja3_text(&hello, text), 0);
	assert_string_equal(text, "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-"
				  "49172-156-157-47-53,45-51-16-65037-23-17613-0-11-10-43-65281-"
				  "35-18-5-13-27,4588-29-23-24,0");
	assert_int_equal(ja3_hash(&hello, ja3), 0);
	assert_string_equal(ja3, "98487aa16281980e7d1120d399efb6a4");
}

/* The two examples of github.com/salesforce/ja3. */
static void test_ja3_is_that_of_its_documentation(void **state)
{
	static const struct tls_client_hello full = {
		.is_there = true,
		.legacy_version = 769,
		.ciphers = LIST(47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4),
		.extensions = LIST(0, 10, 11),
		.groups = LIST(23, 24, 25),
		.point_formats = { .nr = 1, .bytes = { 0 } },
	};
	static const struct tls_client_hello bare = {
		.is_there = true,
		.legacy_version = 769,
		.ciphers = LIST(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99),
	};
	char text[JA3_TEXT_SIZE], ja3[JA3_SIZE];

	(void)state;
	assert_int_equal(ja3_hash(&full, ja3), 0);
	assert_string_equal(ja3, "ada70206e40642a3e4461f35503241d5");
	assert_int_equal(ja3_hash(&bare, ja3), 0);
	assert_string_equal(ja3, "de350869b8c85de67a350c8d186f11e6");
	assert_int_equal(ja3_text(&bare, text), 0);
	assert_string_equal(text, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
}

static void test_transport_and_version_lead(void **state)
{
	static const struct {
		uint16_t legacy;
		struct tls_codes versions;
		unsigned int transport;
		const char *begins;
	} cases[] = {
		{ 0x0303, LIST(0x0303, 0x0304), TLS_TRANSPORT_quic, "q13i" },
		{ 0x0303, { 0 }, TLS_TRANSPORT_tcp, "t12i" },
		{ 0x0302, { 0 }, TLS_TRANSPORT_tcp, "t11i" },
		{ 0x0301, { 0 }, TLS_TRANSPORT_tcp, "t10i" },
		{ 0x0300, { 0 }, TLS_TRANSPORT_tcp, "ts3i" },
		{ 0xfefd, LIST(0xfefd, 0xfefc), TLS_TRANSPORT_dtls, "dd3i" },
		{ 0xfefd, { 0 }, TLS_TRANSPORT_dtls, "dd2i" },
		{ 0xfeff, { 0 }, TLS_TRANSPORT_dtls, "dd1i" },
		{ 0x0303, LIST(0x7f1c, 0x0303), TLS_TRANSPORT_tcp, "t00i" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_client_hello hello = { .is_there = true,
						  .legacy_version = cases[i].legacy,
						  .versions = cases[i].versions };
		char ja4[JA4_SIZE];

		assert_int_equal(ja4_format(&hello, cases[i].transport, ja4), 0);
		assert_memory_equal(ja4, cases[i].begins, 4);
		/* nothing in the lists has no hash */
		assert_string_equal(ja4 + 4, "000000_000000000000_000000000000");
	}
}

/* The examples of the documentation, section "ALPN Extension Value". */
static void test_protocol_is_told_by_its_ends(void **state)
{
	static const struct {
		struct flow_text alpn;
		const char *ends;
	} cases[] = {
		{ TEXT("http/1.1"), "h1" },
		{ TEXT("h2"), "h2" },
		{ TEXT("\xab"), "ab" },
		{ TEXT("\xab\xcd"), "ad" },
		{ TEXT("\x30\xab"), "3b" },
		{ TEXT("\x30\x31\xab\xcd"), "3d" },
		{ TEXT("\x30\xab\xcd\x31"), "01" },
		{ TEXT("Z"), "ZZ" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_client_hello hello = { .is_there = true,
						  .legacy_version = 0x0303,
						  .alpn = { cases[i].alpn },
						  .nr_alpn = 1 };
		char ja4[JA4_SIZE];

		assert_int_equal(ja4_format(&hello, TLS_TRANSPORT_tcp, ja4), 0);
		assert_memory_equal(ja4 + 8, cases[i].ends, 2);
	}
}

static void test_longest_lists_fit(void **state)
{
	static struct tls_client_hello hello;
	char text[JA3_TEXT_SIZE], ja4[JA4_SIZE];

	(void)state;
	hello = (struct tls_client_hello){ .is_there = true, .legacy_version = 0xffff };
	for (size_t i = 0; i < TLS_CODES_MAX; i++) {
		uint16_t code = (uint16_t)(65535 - i);

		hello.ciphers.codes[i] = hello.extensions.codes[i] = code;
		hello.groups.codes[i] = hello.signatures.codes[i] = code;
	}
	hello.ciphers.nr = hello.extensions.nr = TLS_CODES_MAX;
	hello.groups.nr = hello.signatures.nr = TLS_CODES_MAX;
	hello.point_formats.nr = TLS_BYTES_MAX;
	memset(hello.point_formats.bytes, 0xff, TLS_BYTES_MAX);
	assert_int_equal(ja3_text(&hello, text), 0);
	assert_string_equal(text + strlen(text) - 8, "-255-255");
	assert_int_equal(strlen(text),
			 5 + 3 * (size_t)TLS_CODES_MAX * 6 + 1 + 4 * TLS_BYTES_MAX - 1);
	assert_int_equal(ja4_format(&hello, TLS_TRANSPORT_tcp, ja4), 0);
	assert_memory_equal(ja4, "t00i9999", 8);
	assert_int_equal(strlen(ja4), JA4_SIZE - 1);
}

static void test_hellos_that_are_not_whole_have_none(void **state)
{
	struct tls_client_hello hello = chrome;
	char ja3[JA3_SIZE] = "untouched", ja4[JA4_SIZE] = "untouched";

	(void)state;
	hello.is_cut = true;
	assert_int_equal(ja3_hash(&hello, ja3), -ENODATA);
	assert_int_equal(ja4_format(&hello, TLS_TRANSPORT_tcp, ja4), -ENODATA);
	hello = chrome;
	hello.ciphers.is_cut = true;
	assert_int_equal(ja3_hash(&hello, ja3), -ENODATA);
	hello = chrome;
	hello.is_sslv2 = true;
	assert_int_equal(ja4_format(&hello, TLS_TRANSPORT_tcp, ja4), -ENODATA);
	hello = (struct tls_client_hello){ .is_there = false };
	assert_int_equal(ja3_hash(&hello, ja3), -ENODATA);
	assert_string_equal(ja3, "untouched");
	assert_string_equal(ja4, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ja4_is_that_of_its_documentation),
		cmocka_unit_test(test_fingerprints_are_those_of_others),
		cmocka_unit_test(test_ja3_is_that_of_its_documentation),
		cmocka_unit_test(test_transport_and_version_lead),
		cmocka_unit_test(test_protocol_is_told_by_its_ends),
		cmocka_unit_test(test_longest_lists_fit),
		cmocka_unit_test(test_hellos_that_are_not_whole_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
