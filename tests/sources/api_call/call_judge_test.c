/* SPDX-License-Identifier: MIT */
/* What is said against calls, and their results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "sources/api_call/made_event.h"

#define OPENSSL LIBRARY_FAMILY_openssl

static const struct finding *finding_at(const struct api_call *call, size_t i)
{
	assert_true(i < call->findings.count);
	assert_ptr_equal(call->findings.items, call->finding);
	assert_int_equal(call->findings.stride, sizeof(call->finding[0]));
	return &call->finding[i];
}

static void check_finding(const struct finding *finding, const char *rule, enum severity severity,
			  const char *evidence)
{
	assert_string_equal(finding->rule, rule);
	assert_int_equal(finding->severity, severity);
	assert_string_equal(finding->evidence, evidence);
	assert_true(strlen(finding->why) > 0);
	assert_null(finding->file);
	assert_int_equal(finding->processes.count, 0);
}

/* What a call with VALUE in the first place, or as its result, is said against. */
struct judged {
	enum library_family family;
	const char *function;
	uint64_t value;
	bool is_result;
	const char *rule; /* NULL: nothing */
	enum severity severity;
};

static void check_judged(const struct judged *judged)
{
	const struct api_function *function = known(judged->family, judged->function);
	const struct api_call *call;

	print_message("%s, %llx\n", judged->function, (unsigned long long)judged->value);
	event_begin();
	if (judged->is_result)
		event_result(judged->value);
	else
		event_value(0, judged->value);
	call = resolved(function);
	if (!judged->rule) {
		assert_int_equal(call->findings.count, 0);
		return;
	}
	assert_int_equal(call->findings.count, 1);
	check_finding(finding_at(call, 0), judged->rule, judged->severity, judged->function);
}

static void test_settings_that_are_bad_are_found(void **state)
{
	static const char off[] = "verification_off", old[] = "old_protocol_allowed";
	static const struct judged cases[] = {
		/* SSL_VERIFY_NONE, SSL_VERIFY_PEER, and with what has no effect alone */
		{ OPENSSL, "SSL_CTX_set_verify", 0, false, off, SEVERITY_high },
		{ OPENSSL, "SSL_set_verify", 0, false, off, SEVERITY_high },
		{ OPENSSL, "SSL_set_verify", 4, false, off, SEVERITY_high },
		{ OPENSSL, "SSL_CTX_set_verify", 1, false, NULL, 0 },
		{ OPENSSL, "SSL_CTX_set_verify", 3, false, NULL, 0 },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_authmode", 0, false, off,
		  SEVERITY_high },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_authmode", 2, false, NULL, 0 },
		{ LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_set_verify", 0, false, off, SEVERITY_high },
		{ LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_set_verify", 1, false, NULL, 0 },
		{ OPENSSL, "SSL_CTX_set_security_level", 0, false, "security_level_off",
		  SEVERITY_medium },
		{ OPENSSL, "SSL_set_security_level", 1, false, NULL, 0 },
		{ LIBRARY_FAMILY_aws_lc, "SSL_CTX_set_min_proto_version", 0x0301, false, old,
		  SEVERITY_high },
		{ LIBRARY_FAMILY_aws_lc, "SSL_CTX_set_min_proto_version", 0x0303, false, NULL, 0 },
		{ LIBRARY_FAMILY_aws_lc, "SSL_CTX_set_min_proto_version", 0, false, NULL, 0 },
		/* of two versions the least counts */
		{ LIBRARY_FAMILY_nss, "SSL_VersionRangeSet", 0x03040302, false, old,
		  SEVERITY_high },
		{ LIBRARY_FAMILY_nss, "SSL_VersionRangeSetDefault", 0x03030303, false, NULL, 0 },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_min_version", 0, false, old,
		  SEVERITY_high },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_min_version", 3, false, NULL, 0 },
		{ LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_SetMinVersion", 0, false, old,
		  SEVERITY_high },
		{ LIBRARY_FAMILY_wolfssl, "wolfSSL_CTX_SetMinVersion", 3, false, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_judged(&cases[i]);
}

static void test_results_that_are_bad_are_found(void **state)
{
	static const char chain[] = "certificate_rejected", name[] = "host_name_rejected";
	static const struct judged cases[] = {
		{ OPENSSL, "X509_verify_cert", 0, true, chain, SEVERITY_medium },
		{ OPENSSL, "X509_verify_cert", 0xffffffff, true, chain, SEVERITY_medium },
		{ OPENSSL, "X509_verify_cert", 1, true, NULL, 0 },
		/* SECFailure, SECSuccess */
		{ LIBRARY_FAMILY_nss, "CERT_VerifyCert", 0xffffffff, true, chain, SEVERITY_medium },
		{ LIBRARY_FAMILY_nss, "CERT_VerifyCert", 0, true, NULL, 0 },
		{ OPENSSL, "X509_check_host", 0, true, name, SEVERITY_medium },
		{ OPENSSL, "X509_check_host", 1, true, NULL, 0 },
		{ OPENSSL, "X509_check_ip_asc", 0, true, name, SEVERITY_medium },
		{ LIBRARY_FAMILY_gnutls, "gnutls_x509_crt_check_hostname", 0, true, name,
		  SEVERITY_medium },
		{ LIBRARY_FAMILY_gnutls, "gnutls_x509_crt_check_hostname", 1, true, NULL, 0 },
		{ LIBRARY_FAMILY_nss, "CERT_VerifyCertName", 0xffffffff, true, name,
		  SEVERITY_medium },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_x509_crt_verify", 0xffffd900, true, chain,
		  SEVERITY_medium },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_x509_crt_verify", 0, true, NULL, 0 },
		/* a handshake that waits for its peer is none */
		{ OPENSSL, "SSL_do_handshake", 0xffffffff, true, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_judged(&cases[i]);
}

static void test_some_calls_are_a_finding_by_themselves(void **state)
{
	static const struct {
		enum library_family family;
		const char *function, *rule;
		enum severity severity;
	} cases[] = {
		{ OPENSSL, "SSL_CTX_set_keylog_callback", "session_keys_logged", SEVERITY_medium },
		{ LIBRARY_FAMILY_gnutls, "gnutls_session_set_keylog_function",
		  "session_keys_logged", SEVERITY_medium },
		{ LIBRARY_FAMILY_wolfssl, "wolfTLSv1_1_client_method", "old_protocol_allowed",
		  SEVERITY_high },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_call *call;

		event_begin();
		call = resolved(known(cases[i].family, cases[i].function));
		assert_int_equal(call->findings.count, 1);
		check_finding(finding_at(call, 0), cases[i].rule, cases[i].severity,
			      cases[i].function);
	}
}

/* SSL_CTRL_SET_MIN_PROTO_VERSION and _MAX_, as macros of SSL_CTX_ctrl() set it. */
static void test_commands_of_ctrl_are_judged_by_their_argument(void **state)
{
	static const struct {
		int command;
		uint64_t value;
		bool is_found;
	} cases[] = {
		{ 123, 0x0301, true },	{ 123, 0x0302, true },	{ 124, 0x0300, true },
		{ 123, 0x0303, false }, { 124, 0x0304, false }, { 123, 0, false },
		{ 123, 0xfefd, false }, { 91, 0x0301, false },	{ 33, 0x0301, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_call *call;

		event_begin();
		event_value(0, (uint64_t)cases[i].command);
		event_value(1, cases[i].value);
		call = resolved(known(OPENSSL, "SSL_CTX_ctrl"));
		assert_int_equal(call->findings.count, cases[i].is_found);
		if (cases[i].is_found)
			check_finding(finding_at(call, 0), "old_protocol_allowed", SEVERITY_high,
				      "SSL_CTX_ctrl");
	}
}

/* An argument or a result that is not known is not 0. */
static void test_what_is_not_known_is_not_judged(void **state)
{
	static const struct {
		enum library_family family;
		const char *function;
	} cases[] = {
		{ OPENSSL, "SSL_CTX_set_verify" },
		{ OPENSSL, "SSL_set_security_level" },
		{ OPENSSL, "X509_verify_cert" },
		{ OPENSSL, "X509_check_host" },
		{ OPENSSL, "SSL_ctrl" },
		{ LIBRARY_FAMILY_nss, "SSL_VersionRangeSet" },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_min_version" },
		{ LIBRARY_FAMILY_mbedtls, "mbedtls_ssl_conf_authmode" },
		{ LIBRARY_FAMILY_wolfssl, "wolfSSL_set_verify" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		event_begin();
		assert_int_equal(
			resolved(known(cases[i].family, cases[i].function))->findings.count, 0);
	}
	event_begin();
	event_value(0, 123);
	assert_int_equal(resolved(known(OPENSSL, "SSL_ctrl"))->findings.count, 0);
}

/* A server asks few clients for certificates; whom it allows TLS 1.1 is its own doing. */
static void test_server_that_does_not_verify_is_information(void **state)
{
	const struct api_call *call;

	(void)state;
	event_begin();
	event_value(0, 0);
	call = resolve(known(OPENSSL, "SSL_CTX_set_verify"), true);
	assert_int_equal(call->findings.count, 1);
	check_finding(finding_at(call, 0), "verification_off", SEVERITY_info, "SSL_CTX_set_verify");
	event_begin();
	event_value(0, 123);
	event_value(1, 0x0301);
	call = resolve(known(OPENSSL, "SSL_CTX_ctrl"), true);
	check_finding(finding_at(call, 0), "old_protocol_allowed", SEVERITY_high, "SSL_CTX_ctrl");
	event_begin();
	event_value(0, NID_md5);
	call = resolve(known(OPENSSL, "EVP_DigestFinal_ex"), true);
	check_finding(finding_at(call, 0), "broken_algorithm", SEVERITY_high, "MD5");
}

static const struct api_call *call_with(const char *function, uint64_t number)
{
	event_begin();
	event_value(0, number);
	return resolved(known(OPENSSL, function));
}

static void test_algorithms_that_are_used_are_judged(void **state)
{
	static const struct {
		const char *function;
		uint64_t number;
		const char *rule;
		enum severity severity;
		const char *name;
	} cases[] = {
		{ "EVP_DigestFinal_ex", NID_md5, "broken_algorithm", SEVERITY_high, "MD5" },
		{ "EVP_DigestFinal_ex", NID_sha1, "weak_algorithm", SEVERITY_medium, "SHA-1" },
		{ "EVP_DigestFinal_ex", NID_ripemd160, "legacy_algorithm", SEVERITY_low,
		  "RIPEMD-160" },
		{ "EVP_CipherInit_ex", NID_rc4, "broken_algorithm", SEVERITY_high, "RC4" },
		{ "EVP_CipherInit_ex2", NID_des_ede3_cbc, "weak_algorithm", SEVERITY_medium,
		  "DES-EDE3-CBC" },
		{ "EVP_CipherInit", NID_bf_cbc, "legacy_algorithm", SEVERITY_low, "Blowfish-CBC" },
		{ "EVP_DigestSignInit", NID_sha1, "weak_algorithm", SEVERITY_medium, "SHA-1" },
		{ "RSA_generate_multi_prime_key", 512, "broken_algorithm", SEVERITY_high,
		  "RSA-512" },
		{ "RSA_generate_multi_prime_key", 1024, "weak_algorithm", SEVERITY_medium,
		  "RSA-1024" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_call *call = call_with(cases[i].function, cases[i].number);

		assert_int_equal(call->findings.count, 1);
		check_finding(finding_at(call, 0), cases[i].rule, cases[i].severity, cases[i].name);
		assert_ptr_equal(finding_at(call, 0)->why, call->algorithms[0]->verdict->reason);
	}
}

static void test_good_algorithms_are_no_finding(void **state)
{
	static const struct {
		const char *function;
		uint64_t number;
	} cases[] = {
		{ "EVP_DigestFinal_ex", NID_sha256 },
		{ "EVP_CipherInit_ex", NID_aes_128_gcm },
		{ "RSA_generate_multi_prime_key", 2048 },
		{ "HMAC", NID_sha256 },
		{ "EVP_PKEY_CTX_new_id", EVP_PKEY_ED25519 },
		/* what nobody knows is not bad */
		{ "EVP_CipherInit_ex", 99999 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(call_with(cases[i].function, cases[i].number)->findings.count, 0);
}

/* MD5 in HMAC is not what MD5 is for a signature: the MAC is judged as one. */
static void test_hash_of_a_mac_is_no_finding_of_its_own(void **state)
{
	static const struct {
		const char *function;
		uint64_t number;
		const char *names[3];
	} cases[] = {
		{ "HMAC_Init_ex", NID_md5, { "HMAC-MD5", "MD5" } },
		{ "HMAC_Init_ex", NID_sha1, { "HMAC-SHA-1", "SHA-1" } },
		{ "HMAC", NID_sha1, { "HMAC-SHA-1", "SHA-1" } },
		{ "HMAC", NID_sha256, { "HMAC-SHA-256", "SHA-256" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_call *call = call_with(cases[i].function, cases[i].number);
		bool is_good = call->algorithms[0]->verdict->strength == ALGORITHM_STRENGTH_current;

		check_algorithms(call, cases[i].names);
		assert_int_equal(call->findings.count, !is_good);
		if (!is_good)
			assert_string_equal(finding_at(call, 0)->evidence, cases[i].names[0]);
	}
	/* there is at least one on each side */
	assert_int_equal(call_with("HMAC", NID_sha256)->findings.count, 0);
	assert_int_equal(call_with("HMAC", NID_md5)->findings.count, 1);
	/* by name, too */
	event_begin();
	event_text(0, "HMAC");
	event_text(2, "SHA1");
	assert_int_equal(resolved(known(OPENSSL, "EVP_Q_mac"))->findings.count, 1);
	assert_string_equal(finding_at(api_call_of(&record), 0)->evidence, "HMAC-SHA-1");
}

/* The cipher of a MAC is what it rests on, and a hash elsewhere is used as one. */
static void test_what_is_no_hash_of_a_mac_is_judged(void **state)
{
	const struct api_call *call;

	(void)state;
	call = call_with("CMAC_Init", NID_des_ede3_cbc);
	check_algorithms(call, (const char *const[]){ "CMAC", "DES-EDE3-CBC", NULL });
	assert_int_equal(call->findings.count, 1);
	assert_string_equal(finding_at(call, 0)->evidence, "DES-EDE3-CBC");
	call = call_with("RSA_sign", NID_sha1);
	check_algorithms(call, (const char *const[]){ "RSA-SHA-1", "SHA-1", NULL });
	assert_int_equal(call->findings.count, 2);
	assert_string_equal(finding_at(call, 1)->evidence, "SHA-1");
	event_begin();
	event_value(1, NID_md5);
	call = resolved(known(OPENSSL, "EVP_BytesToKey"));
	check_algorithms(call, (const char *const[]){ "PBKDF1", "MD5", NULL });
	assert_string_equal(finding_at(call, call->findings.count - 1)->evidence, "MD5");
}

/* Not: what may be used, and what a certificate or key that is loaded has. */
static void test_what_is_only_set_up_is_not_judged(void **state)
{
	static const enum api_kind unused[] = {
		API_KIND_context, API_KIND_config,	API_KIND_handshake,
		API_KIND_verify,  API_KIND_key_load,	API_KIND_provider,
		API_KIND_rng,	  API_KIND_certificate, API_KIND_operation,
	};
	static const enum api_kind used[] = {
		API_KIND_cipher,    API_KIND_digest, API_KIND_mac,	   API_KIND_kdf,
		API_KIND_signature, API_KIND_derive, API_KIND_encapsulate, API_KIND_key_generation,
	};
	struct api_function function = { .name = "f", .algorithm = "MD5" };

	(void)state;
	event_begin();
	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++) {
		function.kind = unused[i];
		assert_int_equal(resolved(&function)->findings.count, 0);
		assert_int_equal(api_call_of(&record)->nr_algorithms, 1);
	}
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		function.kind = used[i];
		assert_int_equal(resolved(&function)->findings.count, 1);
	}
}

/* They have neither arguments nor results, and calls of the library itself are among them. */
static void test_counted_calls_are_not_judged(void **state)
{
	static const char *const functions[] = { "SSL_CTX_set_keylog_callback", "MD5_Init", "MD5",
						 "RC4_set_key", "SSL_CTX_set_verify" };

	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		event_begin();
		event->marks = API_COUNTED;
		event->count = 1000000;
		assert_int_equal(resolved(known(OPENSSL, functions[i]))->findings.count, 0);
		assert_int_equal(api_call_of(&record)->count, 1000000);
	}
}

/* Nothing was used where the kernel says no; it is a library's affair what its results mean. */
static void test_what_the_kernel_refused_is_not_judged(void **state)
{
	const struct api_function *function = api_kernel_function(API_KERNEL_bind_hash);
	const struct api_function *of_library = known(OPENSSL, "MD5");

	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		event_begin();
		event_text(0, "hash");
		event_text(1, "md5");
		event_result(refused ? (uint64_t)-2 : 0);
		assert_int_equal(resolved(function)->findings.count, !refused);
		check_algorithms(api_call_of(&record), (const char *const[]){ "MD5", NULL });
	}
	event_begin();
	event_result((uint64_t)-2);
	assert_int_equal(resolved(of_library)->findings.count, 1);
}

static void test_findings_have_a_maximum(void **state)
{
	const struct api_function function = {
		.name = "f",
		.kind = API_KIND_digest,
		.algorithm = "RC4",
		.arguments = { { API_READ_algorithm, 0, 0, "a" },
			       { API_READ_algorithm, 1, 0, "b" },
			       { API_READ_algorithm, 2, 0, "c" } },
		.finding = { API_FINDING_key_log, 0, API_TEST_always, 0 },
	};
	const struct api_call *call;

	(void)state;
	event_begin();
	event_text(0, "DES");
	event_text(1, "SHA-1");
	event_text(2, "MD5");
	call = resolved(&function);
	assert_int_equal(call->nr_algorithms, 4);
	assert_int_equal(call->findings.count, API_CALL_FINDINGS_MAX);
	assert_false(call->findings.truncated);
	assert_string_equal(finding_at(call, 0)->rule, "session_keys_logged");
	assert_string_equal(finding_at(call, 1)->evidence, "RC4");
	assert_string_equal(finding_at(call, 3)->evidence, "SHA-1");
}

static void check_result(enum api_result type, uint64_t value, int64_t expected)
{
	const struct api_function function = { .name = "f", .result = (uint8_t)type };

	event_begin();
	event_result(value);
	assert_true(resolved(&function)->has_result);
	assert_int_equal(api_call_of(&record)->result, expected);
}

/* Addresses are no setting: of a pointer it is told whether it is one. */
static void test_result_is_an_int_or_whether_there_is_a_pointer(void **state)
{
	const struct api_function function = { .name = "f", .result = API_RESULT_number };

	(void)state;
	check_result(API_RESULT_number, 1, 1);
	check_result(API_RESULT_number, 0, 0);
	check_result(API_RESULT_number, 0xffffffff, -1);
	check_result(API_RESULT_number, 0xdeadbeef80000000, INT32_MIN);
	check_result(API_RESULT_pointer, 0, 0);
	check_result(API_RESULT_pointer, 0x7f0012345678, 1);
	check_result(API_RESULT_pointer, 0x100000000, 1);
	event_begin();
	event->result = 1;
	assert_false(resolved(&function)->has_result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_that_are_bad_are_found),
		cmocka_unit_test(test_results_that_are_bad_are_found),
		cmocka_unit_test(test_some_calls_are_a_finding_by_themselves),
		cmocka_unit_test(test_commands_of_ctrl_are_judged_by_their_argument),
		cmocka_unit_test(test_what_is_not_known_is_not_judged),
		cmocka_unit_test(test_server_that_does_not_verify_is_information),
		cmocka_unit_test(test_algorithms_that_are_used_are_judged),
		cmocka_unit_test(test_good_algorithms_are_no_finding),
		cmocka_unit_test(test_hash_of_a_mac_is_no_finding_of_its_own),
		cmocka_unit_test(test_what_is_no_hash_of_a_mac_is_judged),
		cmocka_unit_test(test_what_is_only_set_up_is_not_judged),
		cmocka_unit_test(test_counted_calls_are_not_judged),
		cmocka_unit_test(test_what_the_kernel_refused_is_not_judged),
		cmocka_unit_test(test_findings_have_a_maximum),
		cmocka_unit_test(test_result_is_an_int_or_whether_there_is_a_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
