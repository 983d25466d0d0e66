/* SPDX-License-Identifier: MIT */
/* What is read of a call's arguments, and which algorithms they are. Of real functions:
 * call_names_test.c; findings: call_judge_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sources/api_call/made_event.h"

#define OPENSSL LIBRARY_FAMILY_openssl

/* A function with one argument, READER, called "it". */
static struct api_function reading(enum api_reader reader)
{
	return (struct api_function){
		.name = "f",
		.kind = API_KIND_config,
		.arguments = { { .reader = (uint8_t)reader, .name = "it" } },
	};
}

static void test_call_has_function_library_and_count(void **state)
{
	const struct api_function function = { .name = "f", .family = LIBRARY_FAMILY_gnutls };
	const struct api_call *call;

	(void)state;
	event_begin();
	event->count = 12;
	call = resolved(&function);
	assert_ptr_equal(call->function, &function);
	assert_string_equal(call->library, MADE_LIBRARY);
	assert_int_equal(call->family, LIBRARY_FAMILY_gnutls);
	assert_int_equal(call->count, 12);
	assert_int_equal(call->arguments.count, 0);
	assert_int_equal(call->findings.count, 0);
	assert_int_equal(call->nr_algorithms, 0);
	assert_null(call->name);
	assert_false(call->has_result);
}

static void test_texts_are_told_as_they_are(void **state)
{
	static const char *const texts[] = { "ALL:@SECLEVEL=0", "x", " ", "\xff\x01\"\\" };
	const struct api_function function = reading(API_READ_text);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		event_begin();
		event_text(0, texts[i]);
		check_only_argument(resolved(&function), "it", texts[i]);
		check_algorithms(api_call_of(&record), (const char *const[]){ NULL });
	}
}

/* NULL, an empty one, or one that could not be read: all without a tail. */
static void test_texts_that_are_not_there_are_not_told(void **state)
{
	static const enum api_reader readers[] = { API_READ_text, API_READ_algorithm, API_READ_path,
						   API_READ_method, API_READ_setting };

	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct api_function function = reading(readers[i]);

		event_begin();
		event->marks |= API_FAULT;
		assert_int_equal(resolved(&function)->arguments.count, 0);
		assert_null(api_call_of(&record)->name);
	}
}

/* Nothing but the sizes says where they end. */
static void test_strings_side_by_side_are_kept_apart(void **state)
{
	const struct api_function *function = known(OPENSSL, "EVP_Q_mac");
	const struct api_call *call;

	(void)state;
	event_begin();
	event_text(0, "CMAC");
	event_text(1, "fips=yes");
	event_text(2, "AES-128-CBC-");
	/* so that nothing is behind the last byte */
	assert_int_equal(raw.size % 8, 0);
	call = resolved(function);
	assert_int_equal(call->arguments.count, 3);
	check_argument(call, 0, "MAC", "CMAC");
	check_argument(call, 1, "properties", "fips=yes");
	check_argument(call, 2, "hash or cipher", "AES-128-CBC-");
	check_algorithms(call, (const char *const[]){ "CMAC", "AES-128-CBC", NULL });
}

/* Every reader of strings, with its last byte at the end of memory. */
static void test_strings_are_read_to_their_end_and_not_beyond(void **state)
{
	static const struct {
		enum api_reader reader;
		const char *texts[2];
		const char *algorithm;
	} cases[] = {
		{ API_READ_text, { "12345678" }, NULL },
		{ API_READ_path, { "pkcs11+x" }, NULL },
		{ API_READ_algorithm, { "SHA2-256" }, "SHA-256" },
		{ API_READ_setting, { "digest", "SHA3-256:." }, "SHA3-256" },
		{ API_READ_setting, { "rsa_keygen_bits", "000002048" }, NULL },
		{ API_READ_setting, { "rsa_keygen_bits", "1234567890123456789012345" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_function function = reading(cases[i].reader);

		event_begin();
		event_text(0, cases[i].texts[0]);
		if (cases[i].texts[1])
			event_text(1, cases[i].texts[1]);
		assert_int_equal(raw.size % 8, 0);
		check_algorithms(resolved(&function),
				 (const char *const[]){ cases[i].algorithm, NULL });
	}
	event_begin();
	event_method("HMACHMAC");
	assert_int_equal(raw.size % 8, 0);
	assert_string_equal(
		text_of(resolved(&(struct api_function){ .arguments = { { .reader = API_READ_method,
									  .name = "MAC" } } })
				->name,
			8),
		"HMACHMAC");
}

static void test_of_a_uri_the_scheme_is_told(void **state)
{
	static const char *const cases[][2] = {
		{ "/etc/ssl/private/server.key", "/etc/ssl/private/server.key" },
		{ "pkcs11:token=a?pin-value=1234", "pkcs11" },
		{ "./a:b", "./a:b" },
		{ "key.pem", "key.pem" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		event_begin();
		event_text(0, cases[i][0]);
		check_only_argument(resolved(known(OPENSSL, "SSL_CTX_use_PrivateKey_file")), "file",
				    cases[i][1]);
	}
}

static void test_number_is_an_int(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ 0xffffffff, "-1" },
		{ 0x80000000, "-2147483648" },
		{ 0x7fffffff, "2147483647" },
		/* the upper half of the register is anything */
		{ 0xdeadbeef00000001, "1" },
		{ UINT64_MAX, "-1" },
	};
	const struct api_function function = reading(API_READ_number);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		event_begin();
		event_value(0, cases[i].value);
		check_only_argument(resolved(&function), "it", cases[i].text);
	}
}

static void test_bits_are_hexadecimal(void **state)
{
	struct api_function function = reading(API_READ_number);

	(void)state;
	function.arguments[0].name = "options";
	event_begin();
	/* SSL_OP_NO_TLSv1 of openssl/ssl.h, and one above 32 bits */
	event_value(0, 0x104000000);
	check_only_argument(resolved(&function), "options", "0x104000000");
	event_begin();
	event_value(0, 0x2);
	check_only_argument(resolved(known(LIBRARY_FAMILY_gnutls, "gnutls_init")), "flags", "0x2");
}

static void check_version(const struct api_function *function, uint64_t value, const char *name,
			  const char *text)
{
	event_begin();
	event_value(0, value);
	check_only_argument(resolved(function), name, text);
}

static void test_versions_of_tls_have_names(void **state)
{
	const struct api_function *of_fork =
		known(LIBRARY_FAMILY_libressl, "SSL_CTX_set_min_proto_version");

	(void)state;
	check_version(of_fork, 0x0300, "version", "SSLv3");
	check_version(of_fork, 0x0301, "version", "TLSv1.0");
	check_version(of_fork, 0x0302, "version", "TLSv1.1");
	check_version(of_fork, 0x0303, "version", "TLSv1.2");
	check_version(of_fork, 0x0304, "version", "TLSv1.3");
	check_version(of_fork, 0, "version", "default");
	/* DTLS 1.2, and what there is not */
	check_version(of_fork, 0xfefd, "version", "0xfefd");
	check_version(of_fork, 0x0305, "version", "0x0305");
	check_version(of_fork, 0x02ff, "version", "0x02ff");
}

/* 0 is SSL 3.0 there, not the library's choice: ssl.h of both. */
static void test_minor_versions_are_versions_of_tls(void **state)
{
	const struct api_function *of_mbedtls =
		known(LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_min_version");
	const struct api_function *of_wolfssl =
		known(LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_SetMinVersion");

	(void)state;
	check_version(of_mbedtls, 0, "minor version", "SSLv3");
	check_version(of_mbedtls, 3, "minor version", "TLSv1.2");
	check_version(of_mbedtls, 4, "minor version", "TLSv1.3");
	check_version(of_wolfssl, 0, "minor version", "SSLv3");
	check_version(of_wolfssl, 3, "minor version", "TLSv1.2");
	check_version(known(LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_set_min_proto_version"), 0x0303,
		      "version", "TLSv1.2");
}

/* struct SSLVersionRange of NSS. */
static void test_two_versions_are_the_least_and_the_greatest(void **state)
{
	const struct api_function *function = known(LIBRARY_FAMILY_nss, "SSL_VersionRangeSet");
	const struct api_call *call;

	(void)state;
	event_begin();
	event_value(0, 0x03040302);
	call = resolved(function);
	assert_int_equal(call->arguments.count, 2);
	check_argument(call, 0, "least version", "TLSv1.1");
	check_argument(call, 1, "greatest version", "TLSv1.3");
	event_begin();
	assert_int_equal(resolved(function)->arguments.count, 0);
}

static void test_numbers_that_are_not_there_are_not_told(void **state)
{
	static const enum api_reader readers[] = { API_READ_number,  API_READ_code,
						   API_READ_code_at, API_READ_code_in,
						   API_READ_control, API_READ_versions_at };

	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const struct api_function function = reading(readers[i]);

		event_begin();
		event->values[0] = 64;
		assert_int_equal(resolved(&function)->arguments.count, 0);
		check_algorithms(api_call_of(&record), (const char *const[]){ NULL });
	}
}

/* A number that no table has: by a program that knows more than this catalogue. */
static void test_unknown_numbers_are_told_as_numbers(void **state)
{
	static const struct {
		enum library_family family;
		const char *function;
		size_t place;
		uint64_t number;
		const char *name, *text;
	} cases[] = {
		{ OPENSSL, "EVP_CipherInit_ex", 0, 99999, "cipher", "99999" },
		{ OPENSSL, "EVP_DigestFinal_ex", 0, 99999, "hash", "99999" },
		{ OPENSSL, "EVP_CipherInit_ex", 0, (uint64_t)-5, "cipher", "-5" },
		{ LIBRARY_FAMILY_gnutls, "gnutls_hash_init", 0, 9999, "hash", "9999" },
		{ LIBRARY_FAMILY_libgcrypt, "gcry_md_enable", 0, 9999, "hash", "9999" },
		{ LIBRARY_FAMILY_nss, "PK11_HashBuf", 0, 9999, "hash", "9999" },
		/* CKM_VENDOR_DEFINED, and one of 64 bits */
		{ LIBRARY_FAMILY_pkcs11, "C_SignInit", 0, 0x80000000, "mechanism", "2147483648" },
		{ LIBRARY_FAMILY_nss, "PK11_SignWithMechanism", 0, 0x100000001, "mechanism",
		  "4294967297" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		event_begin();
		event_value(cases[i].place, cases[i].number);
		check_only_argument(resolved(known(cases[i].family, cases[i].function)),
				    cases[i].name, cases[i].text);
		check_algorithms(api_call_of(&record), (const char *const[]){ NULL });
	}
}

static void test_unknown_name_names_the_call(void **state)
{
	const struct api_call *call;

	(void)state;
	event_begin();
	event_text(0, "Quux-512(x)");
	call = resolved(known(LIBRARY_FAMILY_botan, "botan_hash_init"));
	assert_int_equal(call->nr_algorithms, 0);
	assert_string_equal(text_of(call->name, call->name_size), "Quux-512(x)");
	check_only_argument(call, "hash", "Quux-512(x)");
	/* what is known beside it is an algorithm all the same */
	event_begin();
	event_text(0, "QuuxMAC");
	event_text(2, "sha1");
	call = resolved(known(OPENSSL, "EVP_Q_mac"));
	assert_int_equal(call->nr_algorithms, 1);
	assert_string_equal(call->algorithms[0]->name, "SHA-1");
	assert_string_equal(text_of(call->name, call->name_size), "QuuxMAC");
}

/* What only a provider has has the number 0, and perhaps a name. */
static void check_nameless(const char *function, const char *method, const char *text)
{
	const struct api_call *call;

	event_begin();
	event_value(0, 0);
	if (method)
		event_method(method);
	call = resolved(known(OPENSSL, function));
	check_algorithms(call, (const char *const[]){ text, NULL });
	if (!text) {
		assert_int_equal(call->arguments.count, 0);
		return;
	}
	assert_int_equal(call->arguments.count, 1);
	assert_string_equal(text_of(call->argument[0].text, call->argument[0].size), text);
}

static void test_what_has_no_number_has_a_name(void **state)
{
	(void)state;
	check_nameless("EVP_CipherInit_ex", "AES-128-SIV", "AES-128-SIV");
	check_nameless("EVP_CipherInit_ex2", "AES-256-GCM-SIV", "AES-256-GCM-SIV");
	check_nameless("EVP_CipherInit", "aes-256-cbc-cts", "AES-256-CBC-CTS");
	check_nameless("EVP_DigestFinal_ex", "BLAKE3", "BLAKE3");
	check_nameless("EVP_DigestFinal_ex", NULL, NULL);
	/* what is there in a version whose structures are other ones */
	check_nameless("EVP_CipherInit_ex", "\x7f\x45\x4c\x46\x02", NULL);
	check_nameless("EVP_CipherInit_ex", "provider=default", NULL);
}

/* What a command sets comes with it; commands that are not in the catalogue say nothing. */
static void test_commands_tell_what_they_set(void **state)
{
	static const struct {
		int command;
		const char *text;
		int64_t value; /* without text */
		const char *name, *expected;
	} cases[] = {
		{ 55, "example.org", 0, "host name", "example.org" },
		{ 92, "X25519:P-256", 0, "groups", "X25519:P-256" },
		{ 98, "ECDSA+SHA256", 0, "signature algorithms", "ECDSA+SHA256" },
		{ 102, "RSA+SHA1", 0, "client signature algorithms", "RSA+SHA1" },
		{ 91, NULL, 1034, "groups", "X25519" },
		{ 91, NULL, 99999, "groups", "99999" },
		{ 123, NULL, 0x0303, "least version", "TLSv1.2" },
		{ 123, NULL, 0, "least version", "default" },
		{ 124, NULL, 0x0304, "greatest version", "TLSv1.3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		event_begin();
		event_value(0, (uint64_t)cases[i].command);
		if (cases[i].text)
			event_text(1, cases[i].text);
		else
			event_value(1, (uint64_t)cases[i].value);
		check_only_argument(resolved(known(OPENSSL, i % 2 ? "SSL_ctrl" : "SSL_CTX_ctrl")),
				    cases[i].name, cases[i].expected);
	}
}

/* SSL_CTRL_MODE, SSL_CTRL_SET_TLSEXT_TICKET_KEYS: not even where a record had something. */
static void test_other_commands_tell_nothing(void **state)
{
	static const int commands[] = { 33, 59, 3, 0, -1, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		event_begin();
		event_value(0, (uint64_t)commands[i]);
		event_text(1, "secret");
		event_value(1, 0x0301);
		assert_int_equal(resolved(known(OPENSSL, "SSL_ctrl"))->arguments.count, 0);
		assert_int_equal(api_call_of(&record)->findings.count, 0);
	}
	event_begin();
	event_value(0, 55);
	assert_int_equal(resolved(known(OPENSSL, "SSL_ctrl"))->arguments.count, 0);
}

static void test_settings_have_a_name_and_perhaps_a_value(void **state)
{
	static const struct {
		const char *name, *value, *algorithm;
	} cases[] = {
		{ "rsa_keygen_bits", "3072", "RSA-3072" },
		{ "rsa_keygen_bits", "3000", NULL },
		{ "rsa_keygen_bits", "many", NULL },
		{ "rsa_keygen_pubexp", "65537", NULL },
		{ "ec_paramgen_curve", "prime256v1", "P-256" },
		{ "ec_paramgen_curve", "secp384r1", "P-384" },
		{ "group", "ffdhe2048", "FFDHE-2048" },
		{ "digest", "SHA2-512", "SHA-512" },
		{ "rsa_padding_mode", "pss", NULL },
		{ "hexkey", NULL, NULL },
	};
	const struct api_function *function = known(OPENSSL, "EVP_PKEY_CTX_ctrl_str");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_call *call;

		event_begin();
		event_text(0, cases[i].name);
		if (cases[i].value)
			event_text(1, cases[i].value);
		call = resolved(function);
		check_argument(call, 0, "setting", cases[i].name);
		if (cases[i].value)
			check_argument(call, 1, "value", cases[i].value);
		assert_int_equal(call->arguments.count, cases[i].value ? 2 : 1);
		check_algorithms(call, (const char *const[]){ cases[i].algorithm, NULL });
	}
}

/* Where there is no room for it, a number is left out, and what it is is told all the same. */
static void test_full_arena_leaves_numbers_out(void **state)
{
	const struct api_function *function = known(OPENSSL, "RSA_generate_multi_prime_key");
	struct api_call call = { .function = function };

	(void)state;
	event_begin();
	event_value(0, 2048);
	resolved(function);
	arena.used = sizeof(arena.bytes);
	api_call_read(&record, &call, false);
	assert_int_equal(call.arguments.count, 0);
	check_algorithms(&call, (const char *const[]){ "RSA-2048", NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_has_function_library_and_count),
		cmocka_unit_test(test_texts_are_told_as_they_are),
		cmocka_unit_test(test_texts_that_are_not_there_are_not_told),
		cmocka_unit_test(test_strings_side_by_side_are_kept_apart),
		cmocka_unit_test(test_strings_are_read_to_their_end_and_not_beyond),
		cmocka_unit_test(test_of_a_uri_the_scheme_is_told),
		cmocka_unit_test(test_number_is_an_int),
		cmocka_unit_test(test_bits_are_hexadecimal),
		cmocka_unit_test(test_versions_of_tls_have_names),
		cmocka_unit_test(test_minor_versions_are_versions_of_tls),
		cmocka_unit_test(test_two_versions_are_the_least_and_the_greatest),
		cmocka_unit_test(test_numbers_that_are_not_there_are_not_told),
		cmocka_unit_test(test_unknown_numbers_are_told_as_numbers),
		cmocka_unit_test(test_unknown_name_names_the_call),
		cmocka_unit_test(test_what_has_no_number_has_a_name),
		cmocka_unit_test(test_commands_tell_what_they_set),
		cmocka_unit_test(test_other_commands_tell_nothing),
		cmocka_unit_test(test_settings_have_a_name_and_perhaps_a_value),
		cmocka_unit_test(test_full_arena_leaves_numbers_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
