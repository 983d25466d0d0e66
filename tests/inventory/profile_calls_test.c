/* SPDX-License-Identifier: MIT */
/* What calls of crypto functions add up to; what their silence says: profile_unchecked_test.c. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_call.h"

static void test_calls_are_added_up_by_name(void **state)
{
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	called(7, "SSL_new", 1, 1);
	called(7, "SSL_accept", 40, NO_RESULT);
	called(7, "SSL_CTX_new", 1, 1);
	called(7, "SSL_accept", 5, 1);
	called(7, "SSL", 2, NO_RESULT);
	profile = made_profile(0);
	assert_int_equal(profile->api_calls.count, 4);
	assert_string_equal(function_at(profile, 0)->name, "SSL");
	assert_int_equal(function_at(profile, 0)->count, 2);
	assert_string_equal(function_at(profile, 1)->name, "SSL_CTX_new");
	assert_int_equal(function_at(profile, 1)->count, 1);
	assert_string_equal(function_at(profile, 2)->name, "SSL_accept");
	assert_int_equal(function_at(profile, 2)->count, 45);
	assert_string_equal(function_at(profile, 3)->name, "SSL_new");
	assert_int_equal(profile->statistics.api_calls_made, 49);
	assert_int_equal(profile->algorithms.count, 0);
	assert_int_equal(profile->findings.count, 0);
}

static void test_algorithms_have_their_functions_once_in_order(void **state)
{
	static const char functions[] = "EVP_CipherInit_ex\0EVP_EncryptInit_ex\0gnutls_cipher_init";
	const struct profile_algorithm *aes;
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	called_with(7, "gnutls_cipher_init", 1, "AES-256-GCM", NULL);
	called_with(7, "EVP_EncryptInit_ex", 3, "AES-256-GCM", NULL);
	called_with(7, "EVP_CipherInit_ex", 1, "AES-256-GCM", NULL);
	called_with(7, "EVP_EncryptInit_ex", 2, "AES-256-GCM", NULL);
	called_with(7, "PKCS5_PBKDF2_HMAC", 1, "PBKDF2", "SHA-1");
	called_with(7, "OPENSSL_init_ssl", 1, NULL, NULL);
	profile = made_profile(0);
	assert_int_equal(profile->algorithms.count, 3);
	aes = algorithm_at(profile, 0);
	assert_string_equal(aes->name, "AES-256-GCM");
	assert_int_equal(aes->count, 7);
	assert_int_equal(aes->functions.size, sizeof(functions));
	assert_memory_equal(aes->functions.bytes, functions, sizeof(functions));
	assert_string_equal(algorithm_at(profile, 1)->name, "PBKDF2");
	assert_string_equal(algorithm_at(profile, 2)->name, "SHA-1");
	assert_string_equal(algorithm_at(profile, 2)->functions.bytes, "PKCS5_PBKDF2_HMAC");
	assert_int_equal(profile->statistics.api_calls_made, 9);
	/* A document in between changes nothing. */
	called_with(7, "A", 1, "AES-256-GCM", NULL);
	assert_string_equal(algorithm_at(made_profile(0), 0)->functions.bytes, "A");
	assert_int_equal(algorithm_at(made_profile(0), 0)->count, 8);
}

static void test_unknown_algorithm_is_told_by_its_name(void **state)
{
	static const char behind[] = "MY\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	char own[] = "MY-OWN";
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	called_unknown(7, "EVP_CIPHER_fetch", guard_copy(own, 6), 6);
	called_unknown(7, "EVP_MD_fetch", own, 6);
	called_unknown(7, "EVP_CIPHER_fetch", own, 2);
	/* What is behind a NUL is not a part of it, and nothing is not a name. */
	called_unknown(7, "EVP_CIPHER_fetch", "ZZ", 2);
	for (size_t size = 3; size < sizeof(behind); size++)
		called_unknown(7, "EVP_CIPHER_fetch", behind, size);
	called_unknown(7, "EVP_CIPHER_fetch", "\0z", 2);
	called_unknown(7, "EVP_CIPHER_fetch", "", 0);
	called_unknown(7, "EVP_CIPHER_fetch", NULL, 0);
	/* It is a copy. */
	memset(own, 'x', sizeof(own) - 1);
	profile = made_profile(0);
	assert_int_equal(profile->algorithms.count, 3);
	assert_string_equal(algorithm_at(profile, 0)->name, "MY");
	assert_int_equal(algorithm_at(profile, 0)->count, 1 + sizeof(behind) - 3);
	assert_string_equal(algorithm_at(profile, 1)->name, "MY-OWN");
	assert_int_equal(algorithm_at(profile, 1)->count, 2);
}

/* One that is not known beside one that is. */
static void test_unknown_algorithm_among_known_ones_is_told_too(void **state)
{
	const struct algorithm known = { .name = "SHA-256" };
	struct made_call made;
	struct api_call *call = made_call(&made, "f");

	(void)state;
	made_target(made_process(7, "web"));
	call->algorithms[0] = &known;
	call->nr_algorithms = 1;
	call->name = "SHA-256-OWN";
	for (size_t i = 0; i < 2; i++) {
		call->name_size = i ? strlen("SHA-256") : strlen(call->name);
		assert_int_equal(take(7, call), 0);
	}
	assert_int_equal(made_profile(0)->algorithms.count, 2);
	assert_string_equal(algorithm_at(made_profile(0), 0)->name, "SHA-256");
	assert_int_equal(algorithm_at(made_profile(0), 0)->count, 2);
	assert_string_equal(algorithm_at(made_profile(0), 1)->name, "SHA-256-OWN");
	assert_int_equal(algorithm_at(made_profile(0), 1)->count, 1);
}

static void test_functions_beyond_the_limit_are_counted(void **state)
{
	static char names[PROFILE_FUNCTIONS_MAX + 2][16];
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	/* Each before all others. */
	for (int i = PROFILE_FUNCTIONS_MAX + 1; i >= 0; i--) {
		snprintf(names[i], sizeof(names[i]), "f%04d", i);
		called(7, names[i], 1, NO_RESULT);
	}
	called(7, names[2], 1, NO_RESULT);
	profile = made_profile(0);
	assert_int_equal(profile->api_calls.count, PROFILE_FUNCTIONS_MAX);
	assert_true(profile->api_calls.truncated);
	assert_string_equal(function_at(profile, 0)->name, "f0002");
	assert_int_equal(function_at(profile, 0)->count, 2);
	assert_int_equal(profiles_count_refused(profiles), 2);
	assert_int_equal(profile->statistics.api_calls_made, PROFILE_FUNCTIONS_MAX + 3);
	for (size_t i = 1; i < PROFILE_FUNCTIONS_MAX; i++)
		assert_true(strcmp(function_at(profile, i - 1)->name,
				   function_at(profile, i)->name) < 0);
}

static void test_algorithms_beyond_the_limit_are_counted(void **state)
{
	const struct profile *profile;
	char name[16];

	(void)state;
	made_target(made_process(7, "web"));
	for (int i = 0; i < PROFILE_ALGORITHMS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "a%04d", i);
		called_unknown(7, "EVP_CIPHER_fetch", name, 5);
	}
	called_unknown(7, "EVP_MD_fetch", "a0000", 5);
	profile = made_profile(0);
	assert_int_equal(profile->algorithms.count, PROFILE_ALGORITHMS_MAX);
	assert_true(profile->algorithms.truncated);
	assert_false(profile->api_calls.truncated);
	assert_int_equal(algorithm_at(profile, 0)->count, 2);
	assert_int_equal(profiles_count_refused(profiles), 5);
	assert_int_equal(function_at(profile, 0)->count, PROFILE_ALGORITHMS_MAX + 5);
}

static void test_functions_of_an_algorithm_beyond_the_limit_are_counted(void **state)
{
	static char names[PROFILE_ALGORITHM_FUNCTIONS_MAX + 1][16];
	const struct profile *profile;

	(void)state;
	made_target(made_process(7, "web"));
	for (int i = 0; i <= PROFILE_ALGORITHM_FUNCTIONS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "f%04d", i);
		called_with(7, names[i], 1, "AES", NULL);
	}
	profile = made_profile(0);
	assert_int_equal(algorithm_at(profile, 0)->count, PROFILE_ALGORITHM_FUNCTIONS_MAX + 1);
	assert_int_equal(algorithm_at(profile, 0)->functions.size,
			 6 * PROFILE_ALGORITHM_FUNCTIONS_MAX);
	assert_int_equal(profiles_count_refused(profiles), 1);
}

static void test_calls_take_no_memory_each(void **state)
{
	size_t before;

	(void)state;
	made_target(made_process(7, "web"));
	called_unknown(7, "EVP_CIPHER_fetch", "MY-OWN", 6);
	found(7, FINDING_dsa_key, "DSA-1024");
	before = mallinfo2().uordblks;
	for (int i = 0; i < 50000; i++) {
		called_unknown(7, "EVP_CIPHER_fetch", "MY-OWN", 6);
		found(7, FINDING_dsa_key, "DSA-1024");
	}
	assert_int_equal(algorithm_at(made_profile(0), 0)->count, 50001);
	assert_true(mallinfo2().uordblks < before + (256U << 10));
}

static void test_each_finding_is_told_once_among_those_of_files(void **state)
{
	static const struct finding some[] = {
		{ .rule = "md5_signature", .severity = SEVERITY_critical, .evidence = "file" },
		{ .rule = "dsa_key", .severity = SEVERITY_medium, .evidence = "file" },
	};
	struct inventory_process *process = made_process(7, "web");
	const struct profile *profile;
	char evidence[] = "second";

	(void)state;
	made_content(made_file(process, "/b.pem", 1, 3))->findings = ITEMS(some);
	made_target(process);
	found(7, FINDING_dsa_key, evidence);
	found(7, FINDING_dsa_key, "first");
	found(7, FINDING_dsa_key, "second");
	found(7, FINDING_rsa_key_short, "second");
	found(7, FINDING_rsa_key_short, NULL);
	found(7, FINDING_rsa_key_short, NULL);
	memset(evidence, 'x', sizeof(evidence) - 1);
	profile = made_profile(0);
	assert_int_equal(profile->findings.count, 6);
	assert_string_equal(finding_at(profile, 0)->rule, "md5_signature");
	assert_string_equal(finding_at(profile, 1)->rule, "rsa_key_short");
	assert_null(finding_at(profile, 1)->evidence);
	assert_string_equal(finding_at(profile, 2)->evidence, "second");
	assert_string_equal(finding_at(profile, 3)->rule, "dsa_key");
	assert_string_equal(finding_at(profile, 3)->evidence, "first");
	assert_null(finding_at(profile, 3)->file);
	assert_string_equal(finding_at(profile, 4)->evidence, "second");
	assert_string_equal(finding_at(profile, 5)->file, "/b.pem");
	/* What --fail-on asks. */
	assert_int_equal(profile_count_findings(&document, SEVERITY_high), 3);
	assert_int_equal(profile_count_findings(&document, SEVERITY_medium), 6);
}

static void test_the_worse_of_two_equal_findings_is_told(void **state)
{
	static const uint32_t severities[] = { SEVERITY_info, SEVERITY_high, SEVERITY_low };
	struct made_call made;
	struct api_call *call = made_call(&made, "f");

	(void)state;
	made_target(made_process(7, "web"));
	call->findings = (struct item_list){ call->finding, 1, sizeof(call->finding[0]), false };
	for (size_t i = 0; i < 3; i++) {
		call->finding[0] = (struct finding){ .rule = "r", .severity = severities[i] };
		assert_int_equal(take(7, call), 0);
	}
	assert_int_equal(made_profile(0)->findings.count, 1);
	assert_int_equal(finding_at(made_profile(0), 0)->severity, SEVERITY_high);
}

static void test_findings_beyond_the_limit_are_counted(void **state)
{
	char evidence[16];

	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	for (int i = 0; i < PROFILE_FINDINGS_MAX + 3; i++) {
		snprintf(evidence, sizeof(evidence), "%d", i);
		found(7, FINDING_dsa_key, evidence);
		found(8, FINDING_dsa_key, evidence);
	}
	found(7, FINDING_dsa_key, "0");
	assert_int_equal(made_profile(0)->findings.count, PROFILE_FINDINGS_MAX);
	assert_int_equal(profiles_count_refused(profiles), 6);
}

static void test_calls_of_each_profile_are_its_own_and_the_summary_the_sum(void **state)
{
	(void)state;
	made_target(made_process(7, "web"));
	made_target(made_process(8, "web"));
	made_fork(9, 8);
	called_with(7, "f", 2, "AES", NULL);
	called_with(8, "f", 3, "DES", NULL);
	called_with(9, "f", 4, "DES", NULL);
	made_profile(1);
	assert_int_equal(made_profile(0)->statistics.api_calls_made, 2);
	assert_int_equal(made_profile(1)->statistics.api_calls_made, 7);
	assert_int_equal(algorithm_at(made_profile(1), 0)->count, 7);
	assert_string_equal(algorithm_at(made_profile(0), 0)->name, "AES");
	assert_int_equal(document.summary.api_calls_made, 9);
}

static void test_calls_and_algorithms_are_spelled(void **state)
{
	static struct scene paper;
	const char *text;

	(void)state;
	made_target(made_process(7, "web"));
	called_with(7, "SSL_CTX_new", 1, NULL, NULL);
	called_with(7, "SSL_accept", 45, NULL, NULL);
	called_with(7, "EVP_CipherInit_ex", 3, "AES-256-GCM", NULL);
	called_unknown(7, "EVP_MD_fetch", "\"/home/bob/\n", 12);
	text = made_json(&paper, made_profile(0), &profile_fields);
	assert_non_null(strstr(text, "\"files_accessed\":[],"
				     "\"api_calls\":{\"EVP_CipherInit_ex\":3,\"EVP_MD_fetch\":1,"
				     "\"SSL_CTX_new\":1,\"SSL_accept\":45},"
				     "\"algorithms\":{\"\\\"/home/USER/\\n\":{\"count\":1,"
				     "\"functions\":[\"EVP_MD_fetch\"]},"
				     "\"AES-256-GCM\":{\"count\":3,"
				     "\"functions\":[\"EVP_CipherInit_ex\"]}},"
				     "\"crypto_providers\":[],"));
	assert_string_equal(parsed_value(text, "statistics.api_calls_made"), "50");
	scene_close(&paper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_calls_are_added_up_by_name),
		ALONE(test_algorithms_have_their_functions_once_in_order),
		ALONE(test_unknown_algorithm_is_told_by_its_name),
		ALONE(test_unknown_algorithm_among_known_ones_is_told_too),
		ALONE(test_functions_beyond_the_limit_are_counted),
		ALONE(test_algorithms_beyond_the_limit_are_counted),
		ALONE(test_functions_of_an_algorithm_beyond_the_limit_are_counted),
		ALONE(test_calls_take_no_memory_each),
		ALONE(test_each_finding_is_told_once_among_those_of_files),
		ALONE(test_the_worse_of_two_equal_findings_is_told),
		ALONE(test_findings_beyond_the_limit_are_counted),
		TREE(test_calls_of_each_profile_are_its_own_and_the_summary_the_sum),
		ALONE(test_calls_and_algorithms_are_spelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
