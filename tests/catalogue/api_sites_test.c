/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/api_sites.h"

static const struct api_function *site(const char *name)
{
	return api_site_function(name, strlen(name));
}

static const struct api_key *key(const char *name)
{
	return api_key_find(name, strlen(name));
}

static void test_contexts_are_functions(void **state)
{
	(void)state;
	assert_string_equal(site("tls::handshake")->name, "tls::handshake");
	assert_int_equal(site("tls::handshake")->kind, API_KIND_handshake);
	assert_int_equal(site("pk::generate")->kind, API_KIND_key_generation);
	assert_int_equal(site("pk::verify")->kind, API_KIND_signature);
}

static void test_other_contexts_are_one(void **state)
{
	(void)state;
	assert_ptr_equal(site("quic::handshake"), site(""));
	assert_ptr_equal(site("tls::handshak"), site(""));
	assert_ptr_equal(site("crypto_auditing"), site(""));
	assert_string_equal(site("")->name, "crypto_auditing");
}

static void test_keys_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_int_equal(key("tls::ciphersuite")->reader, API_KEY_cipher_suite);
	assert_string_equal(key("tls::ciphersuite")->what, "cipher suite");
	assert_int_equal(key("pk::bits")->reader, API_KEY_number);
	assert_int_equal(key("pk::hash")->reader, API_KEY_algorithm);
	assert_null(key("pk::has"));
	assert_null(key("pk::hash2"));
	assert_null(key(""));
	/* It says what a context is, and is no key of one. */
	assert_null(key("name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contexts_are_functions),
		cmocka_unit_test(test_other_contexts_are_one),
		cmocka_unit_test(test_keys_are_found_by_their_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
