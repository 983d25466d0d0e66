/* SPDX-License-Identifier: MIT */
/* Plans for programs that have OpenSSL inside, or a fork of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sources/api_call/api_call.h"
#include "trace/planned_file.h"

static void test_program_with_openssl_inside_is_found(void **state)
{
	static const char *const names[] = { "EVP_CipherInit_ex", "EVP_MD_fetch",
					     "X509_get_ext_d2i", "SSL_do_handshake", NULL };

	(void)state;
	make_file(names);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 2);
	/* which the library itself calls for other reasons, and nothing tells it from the program
	 */
	assert_null(plan_of("X509_get_ext_d2i"));
	assert_int_equal(plan_file(OPENSSL, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 3);
	plan_have("X509_get_ext_d2i");
}

/* Nobody calls from another file: what these call is told. */
static void test_program_has_none_for_callers_outside(void **state)
{
	static const char *const names[] = { "EVP_CipherInit_ex",
					     "EVP_Digest",
					     "EVP_DigestFinal",
					     "EVP_DigestFinal_ex",
					     "EVP_Q_digest",
					     "EVP_MD_fetch",
					     NULL };
	const uint64_t who = API_COOKIE_OUTSIDE;

	(void)state;
	make_file(names);
	assert_int_equal(plan_file(OPENSSL, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 5);
	for (size_t i = 1; i < 5; i++)
		assert_true(plan_have(names[i])->cookie & who);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 2);
	plan_have("EVP_CipherInit_ex");
	plan_have("EVP_DigestFinal_ex");
	for (int i = 0; i < nr_planned; i++) {
		assert_false(planned[i].cookie & who);
		assert_int_equal(planned[i].stack, 0);
	}
}

/* Hashes within a MAC, of which the caller is known in a library of its own. */
static void test_program_alone_has_those_for_a_library_inside(void **state)
{
	static const char *const names[] = { "EVP_CipherInit_ex", "HMAC_Final", "EVP_MD_fetch",
					     NULL };
	static const char *const fork[] = { "EVP_CipherInit_ex", "HMAC_Final", NULL };

	(void)state;
	make_file(names);
	plan_file(OPENSSL, API_GROUP_all);
	assert_int_equal(nr_planned, 1);
	assert_null(plan_of("HMAC_Final"));
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 2);
	assert_true(plan_have("HMAC_Final")->cookie & API_COOKIE_QUIET);
	assert_true(plan_have("HMAC_Final")->has_return);
	make_file(fork);
	plan_file(LIBRARY_FAMILY_boringssl, API_GROUP_all);
	assert_null(plan_of("HMAC_Final"));
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default),
			 LIBRARY_FAMILY_boringssl);
	plan_have("HMAC_Final");
}

/* What OpenSSL 3 calls others for; a fork has no other. */
static void test_program_has_no_functions_that_are_over(void **state)
{
	static const char *const fork[] = { "EVP_CipherInit_ex", "HMAC", "EVP_PKEY_keygen", NULL };
	static const char *const three[] = { "EVP_CipherInit_ex", "HMAC", "EVP_PKEY_keygen",
					     "EVP_MD_fetch", NULL };

	(void)state;
	make_file(three);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default), OPENSSL);
	assert_int_equal(nr_planned, 1);
	plan_have("EVP_CipherInit_ex");
	make_file(fork);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default),
			 LIBRARY_FAMILY_boringssl);
	assert_int_equal(nr_planned, 3);
}

static void test_program_with_a_fork_inside_is_found(void **state)
{
	static const char *const fork[] = { "EVP_CipherInit_ex", "SSL_CTX_set_min_proto_version",
					    "EVP_AEAD_CTX_init", "EVP_MAC_CTX_new", NULL };

	(void)state;
	make_file(fork);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_default),
			 LIBRARY_FAMILY_boringssl);
	assert_int_equal(nr_planned, 3);
	plan_have("EVP_AEAD_CTX_init");
	/* what only OpenSSL has is in another table */
	assert_null(plan_of("EVP_MAC_CTX_new"));
}

/* A name that OpenSSL has, too, makes no OpenSSL of a program. */
static void test_program_with_nothing_inside_has_no_places(void **state)
{
	static const char *const own[] = { "main", "SSL_new", "MD5", NULL };

	(void)state;
	make_file(own);
	assert_int_equal(plan_file(LIBRARY_FAMILY_none, API_GROUP_all), LIBRARY_FAMILY_none);
	assert_int_equal(nr_planned, 0);
	/* a library of a project without a table */
	assert_int_equal(plan_file(LIBRARY_FAMILY_krb5, API_GROUP_all), LIBRARY_FAMILY_krb5);
	assert_int_equal(nr_planned, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_with_openssl_inside_is_found),
		cmocka_unit_test(test_program_has_none_for_callers_outside),
		cmocka_unit_test(test_program_alone_has_those_for_a_library_inside),
		cmocka_unit_test(test_program_has_no_functions_that_are_over),
		cmocka_unit_test(test_program_with_a_fork_inside_is_found),
		cmocka_unit_test(test_program_with_nothing_inside_has_no_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
