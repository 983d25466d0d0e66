/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/objects.h>

#include "catalogue/api_tables.h"

/* What is read with the registers behind it comes first, and alone: it takes two places. */
static void reader_check(const struct api_function *function)
{
	const struct api_argument *first = &function->arguments[0];
	size_t nr_methods = 0;

	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		const struct api_argument *argument = &function->arguments[i];

		/* a record has room for the name of one */
		nr_methods += argument->reader == API_READ_method;
		if (i)
			assert_true(argument->reader != API_READ_control &&
				    argument->reader != API_READ_setting);
	}
	assert_true(nr_methods <= 1);
	if (first->reader != API_READ_control && first->reader != API_READ_setting)
		return;
	assert_int_equal(function->arguments[1].reader, API_READ_none);
	/* (ssl, command, long, pointer), and (context, name, value) */
	assert_int_equal(first->index, 1);
}

/* Also that a name is in a table once: the first of the same name would be found. */
static void row_check(const struct api_function *function, void *arg)
{
	bool ended = false;

	(void)arg;
	assert_non_null(code_name(&library_family_codes, function->family));
	assert_non_null(code_name(&api_kind_codes, function->kind));
	assert_true(function->group == API_GROUP_default || function->group == API_GROUP_all);
	assert_true(function->result <= API_RESULT_pointer);
	if (function->algorithm)
		assert_non_null(
			algorithm_by_name(function->algorithm, strlen(function->algorithm)));
	for (size_t i = 0; i < API_ARGUMENTS_MAX; i++) {
		const struct api_argument *argument = &function->arguments[i];

		if (argument->reader == API_READ_none) {
			ended = true;
			continue;
		}
		assert_false(ended);
		assert_true(argument->reader <= API_READ_setting);
		assert_true(argument->index <= 5);
		assert_true(argument->codes < NR_ALGORITHM_CODES);
		assert_true(strlen(argument->name) > 0);
		if (argument->reader == API_READ_code_at)
			assert_true(argument->codes == ALGORITHM_CODES_nid ||
				    argument->codes == ALGORITHM_CODES_mechanism);
		/* it is a key of the map of arguments */
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(argument->name, function->arguments[k].name);
		/* an EVP_MD_CTX, which begins with its EVP_MD */
		if (argument->reader == API_READ_code_in)
			assert_int_equal(argument->codes, ALGORITHM_CODES_nid);
	}
	reader_check(function);
}

static void test_rows_are_well_formed(void **state)
{
	(void)state;
	functions_each(row_check, NULL);
}

/* What a finding is of is read, and is a number. */
static void finding_check(const struct api_function *function, void *arg)
{
	const struct api_finding *finding = &function->finding;

	(void)arg;
	assert_non_null(code_name(&api_finding_codes, finding->kind));
	if (finding->kind == API_FINDING_none || finding->test == API_TEST_always)
		return;
	if (finding->of == API_OF_RESULT) {
		assert_int_equal(function->result, API_RESULT_number);
		return;
	}
	assert_true(finding->of < API_ARGUMENTS_MAX);
	assert_true(function->arguments[finding->of].reader == API_READ_number ||
		    function->arguments[finding->of].reader == API_READ_versions_at);
}

static void test_findings_are_of_what_is_read(void **state)
{
	(void)state;
	functions_each(finding_check, NULL);
}

/* The number is compared with the register of the first argument, of which 32 bits are looked at.
 */
static void only_check(const struct api_function *function, void *arg)
{
	size_t *nr_met = arg;

	if (!function->only)
		return;
	++*nr_met;
	assert_int_equal(function->arguments[0].reader, API_READ_number);
	assert_int_equal(function->group, API_GROUP_default);
}

static void test_functions_for_one_number_read_it_first(void **state)
{
	size_t nr_met = 0;

	(void)state;
	functions_each(only_check, &nr_met);
	assert_true(nr_met >= 2);
	/* NID_subject_alt_name of obj_mac.h, GCRYCTL_FORCE_FIPS_MODE of gcrypt.h */
	assert_int_equal(find(LIBRARY_FAMILY_openssl, "X509_get_ext_d2i")->only,
			 NID_subject_alt_name);
	assert_int_equal(find(LIBRARY_FAMILY_libgcrypt, "gcry_control")->only, 56);
}

/* The return address says who calls: of a function that is counted nobody looks at it. */
static void outside_check(const struct api_function *function, void *arg)
{
	size_t *nr_met = arg;

	if (!function->is_outside)
		return;
	++*nr_met;
	assert_int_equal(function->group, API_GROUP_default);
	assert_int_not_equal(function->kind, API_KIND_internal);
	assert_false(function->is_inside);
}

static void test_functions_for_callers_outside_are_told(void **state)
{
	static const char *const expected[] = { "X509_get_ext_d2i", "EVP_Digest", "EVP_DigestFinal",
						"EVP_Q_digest" };
	size_t nr_met = 0;

	(void)state;
	functions_each(outside_check, &nr_met);
	assert_true(nr_met > ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_true(find(LIBRARY_FAMILY_openssl, expected[i])->is_outside);
	assert_true(find(LIBRARY_FAMILY_gnutls, "gnutls_certificate_verify_peers")->is_outside);
}

/* What the wrappers for callers outside come to. */
static void programs_check(const struct api_function *function, void *arg)
{
	size_t *nr_met = arg;

	if (!function->in_programs)
		return;
	++*nr_met;
	assert_true(function->is_outside);
	assert_int_equal(function->only, 0);
}

static void test_hashes_of_programs_are_told_whoever_calls(void **state)
{
	size_t nr_met = 0;

	(void)state;
	functions_each(programs_check, &nr_met);
	assert_true(nr_met > 0);
	assert_true(find(LIBRARY_FAMILY_openssl, "EVP_DigestFinal_ex")->in_programs);
	assert_true(find(LIBRARY_FAMILY_aws_lc, "EVP_DigestFinalXOF")->in_programs);
}

/* Programs are looked at for OpenSSL and its forks only. */
static void inside_check(const struct api_function *function, void *arg)
{
	size_t *nr_met = arg;

	if (!function->is_inside)
		return;
	++*nr_met;
	assert_int_equal(function->group, API_GROUP_default);
	assert_true(function->family == LIBRARY_FAMILY_openssl ||
		    function->family == LIBRARY_FAMILY_boringssl);
	/* of which these have no place in a program */
	assert_int_equal(function->only, 0);
}

static void test_functions_of_programs_alone_are_of_openssl(void **state)
{
	size_t nr_met = 0;

	(void)state;
	functions_each(inside_check, &nr_met);
	assert_true(nr_met > 0);
	assert_true(find(LIBRARY_FAMILY_openssl, "HMAC_Final")->is_inside);
	assert_int_equal(find(LIBRARY_FAMILY_openssl, "HMAC_Final")->kind, API_KIND_internal);
}

/* "3.0": plans look at the first digit. */
static void version_check(const char *version)
{
	unsigned int major, minor;

	assert_int_equal(sscanf(version, "%u.%u", &major, &minor), 2);
	assert_true(major <= 9);
	assert_int_equal(version[1], '.');
}

static void versions_check(const struct api_function *function, void *arg)
{
	size_t *nr_over = arg;

	if (function->since)
		version_check(function->since);
	if (!function->until)
		return;
	version_check(function->until);
	if (function->since)
		assert_true(strcmp(function->since, function->until) < 0);
	if (function->family != LIBRARY_FAMILY_openssl)
		return;
	/* an earlier or later one of OpenSSL 3 would be taken for this one */
	assert_true(!strcmp(function->until, "3.0") || function->until[0] > '3');
	*nr_over += function->until[0] == '3';
}

static void test_versions_are_ones_that_plans_understand(void **state)
{
	static const char *const over[] = { "HMAC", "EVP_PKEY_keygen" };
	size_t nr_over = 0;

	(void)state;
	functions_each(versions_check, &nr_over);
	assert_true(nr_over > ARRAY_SIZE(over));
	for (size_t i = 0; i < ARRAY_SIZE(over); i++)
		assert_string_equal(find(LIBRARY_FAMILY_openssl, over[i])->until, "3.0");
	/* which computes it itself in 3.0, too: crypto/md5/md5_one.c */
	assert_null(find(LIBRARY_FAMILY_openssl, "MD5")->until);
}

/* They are never told: nothing is read, named or judged, and they are there in every set. */
static void internal_check(const struct api_function *function, void *arg)
{
	size_t *nr_met = arg;

	if (function->kind != API_KIND_internal)
		return;
	++*nr_met;
	assert_int_equal(function->group, API_GROUP_default);
	assert_int_equal(function->arguments[0].reader, API_READ_none);
	assert_int_equal(function->result, API_RESULT_none);
	assert_int_equal(function->finding.kind, API_FINDING_none);
	assert_int_equal(function->only, 0);
	assert_null(function->algorithm);
	assert_false(function->is_outside);
}

static void test_internal_functions_have_nothing_to_tell(void **state)
{
	size_t nr_met = 0;

	(void)state;
	functions_each(internal_check, &nr_met);
	assert_true(nr_met > 0);
	assert_int_equal(find(LIBRARY_FAMILY_openssl, "X509_digest")->kind, API_KIND_internal);
}

static void kind_check(const struct api_function *function, void *arg)
{
	bool *is_met = arg;

	is_met[function->kind] = true;
}

static void test_every_kind_has_a_function(void **state)
{
	bool is_met[UINT8_MAX + 1] = { false };

	(void)state;
	functions_each(kind_check, is_met);
	for (size_t i = 0; i < api_kind_codes.nr_entries; i++)
		if (!is_met[api_kind_codes.entries[i].code])
			fail_msg("there is no '%s'", api_kind_codes.entries[i].name);
}

/* What is looked up is used later or never, what is wrapped is told where it is done. */
static void test_lookups_and_wrappers_are_not_watched(void **state)
{
	static const char *const openssl[] = {
		"EVP_CIPHER_fetch",	"EVP_MD_fetch",	       "EVP_MAC_fetch",
		"EVP_KDF_fetch",	"EVP_KEYMGMT_fetch",   "EVP_get_cipherbyname",
		"EVP_get_digestbyname", "EVP_EncryptInit_ex",  "EVP_DecryptInit_ex",
		"EVP_EncryptInit_ex2",	"EVP_DecryptInit_ex2", "EVP_DigestInit_ex",
		"OSSL_PROVIDER_load",	"RSA_generate_key_ex",
	};
	static const char *const gnutls[] = { "gnutls_set_default_priority", "gnutls_pkcs11_init",
					      "gnutls_fips140_mode_enabled" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(openssl); i++) {
		assert_null(find(LIBRARY_FAMILY_openssl, openssl[i]));
		/* The forks have none below it. */
		if (strcmp(openssl[i], "RSA_generate_key_ex") != 0)
			assert_null(find(LIBRARY_FAMILY_boringssl, openssl[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(gnutls); i++)
		assert_null(find(LIBRARY_FAMILY_gnutls, gnutls[i]));
}

/* Where a hash is computed, not where it is set up. */
static void test_hashes_are_told_where_they_are_computed(void **state)
{
	static const struct {
		const char *name;
		enum api_reader reader;
		unsigned int index;
	} expected[] = {
		{ "EVP_Digest", API_READ_code_at, 4 },
		{ "EVP_DigestFinal", API_READ_code_in, 0 },
		{ "EVP_DigestFinal_ex", API_READ_code_in, 0 },
		{ "EVP_DigestFinalXOF", API_READ_code_in, 0 },
		{ "EVP_Q_digest", API_READ_algorithm, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct api_function *function =
			find(LIBRARY_FAMILY_openssl, expected[i].name);

		assert_non_null(function);
		assert_int_equal(function->kind, API_KIND_digest);
		assert_int_equal(function->group, API_GROUP_default);
		assert_int_equal(function->arguments[0].reader, expected[i].reader);
		assert_int_equal(function->arguments[0].index, expected[i].index);
		assert_string_equal(function->arguments[0].name, "hash");
	}
	assert_int_equal(find(LIBRARY_FAMILY_openssl, "MD5_Init")->group, API_GROUP_all);
}

static void test_commands_of_ctrl_have_their_reader(void **state)
{
	size_t nr = 0;
	const struct api_command *commands = api_commands(&nr);

	(void)state;
	assert_int_equal(nr, 7);
	for (size_t i = 0; i < nr; i++) {
		assert_ptr_equal(api_command_find(commands[i].command), &commands[i]);
		assert_true(commands[i].argument.index == 2 || commands[i].argument.index == 3);
		assert_true((commands[i].argument.index == 2) ==
			    (commands[i].argument.reader == API_READ_number));
	}
	assert_int_equal(api_command_find(92)->argument.reader, API_READ_text);
	assert_int_equal(api_command_find(123)->argument.index, 2);
	/* SSL_CTRL_MODE, and commands with keys: SSL_CTRL_SET_TLSEXT_TICKET_KEYS, SET_TMP_DH, SRP
	 */
	assert_null(api_command_find(33));
	assert_null(api_command_find(59));
	assert_null(api_command_find(3));
	assert_null(api_command_find(81));
	assert_null(api_command_find(0));
	assert_null(api_command_find(-1));
}

static bool holds(const char *name, int64_t value)
{
	const struct api_function *function = NULL;

	for (size_t i = 0; !function && i < ARRAY_SIZE(families); i++)
		function = find(families[i], name);
	assert_non_null(function);
	return api_finding_holds(&function->finding, value);
}

static void test_findings_hold_for_bad_values_only(void **state)
{
	const struct api_finding *version = &api_command_find(123)->finding;

	(void)state;
	assert_true(holds("SSL_CTX_set_verify", 0));
	assert_true(holds("SSL_CTX_set_verify", 4));
	assert_false(holds("SSL_CTX_set_verify", 1));
	assert_false(holds("SSL_CTX_set_verify", 3));
	assert_true(holds("X509_verify_cert", 0));
	assert_true(holds("X509_verify_cert", -1));
	assert_false(holds("X509_verify_cert", 1));
	assert_true(holds("CERT_VerifyCert", -1));
	assert_false(holds("CERT_VerifyCert", 0));
	assert_true(holds("SSL_CTX_set_security_level", 0));
	assert_false(holds("SSL_CTX_set_security_level", 2));
	assert_true(holds("SSL_CTX_set_keylog_callback", 0));
	assert_true(holds("mbedtls_ssl_conf_authmode", 0));
	assert_false(holds("mbedtls_ssl_conf_authmode", 2));
	assert_true(holds("mbedtls_ssl_conf_min_version", 0));
	assert_false(holds("mbedtls_ssl_conf_min_version", 3));
	assert_true(holds("gnutls_x509_crt_check_hostname", 0));
	assert_false(holds("gnutls_x509_crt_check_hostname", 1));
	assert_false(holds("SSL_CTX_new", 0));
	assert_true(api_finding_holds(version, 0x0301));
	assert_true(api_finding_holds(version, 0x0302));
	assert_false(api_finding_holds(version, 0x0303));
	assert_false(api_finding_holds(version, 0x0304));
	assert_false(api_finding_holds(version, 0xfefd)); /* DTLS 1.2 */
	assert_false(api_finding_holds(version, 0));
}

static void test_forks_of_openssl_share_a_table_without_openssl_3(void **state)
{
	size_t nr_libressl, nr_boringssl;

	(void)state;
	assert_ptr_equal(api_functions(LIBRARY_FAMILY_libressl, &nr_libressl),
			 api_functions(LIBRARY_FAMILY_boringssl, &nr_boringssl));
	assert_int_equal(nr_libressl, nr_boringssl);
	assert_non_null(find(LIBRARY_FAMILY_aws_lc, "EVP_CipherInit_ex"));
	assert_non_null(find(LIBRARY_FAMILY_openssl, "EVP_MAC_CTX_new"));
	assert_null(find(LIBRARY_FAMILY_aws_lc, "EVP_MAC_CTX_new"));
	assert_int_equal(find(LIBRARY_FAMILY_aws_lc, "SSL_connect")->family,
			 LIBRARY_FAMILY_boringssl);
}

static void test_other_names_and_families_have_no_function(void **state)
{
	size_t nr = 1;

	(void)state;
	assert_null(api_functions(LIBRARY_FAMILY_none, &nr));
	assert_int_equal(nr, 0);
	nr = 1;
	assert_null(api_functions(LIBRARY_FAMILY_krb5, &nr));
	assert_int_equal(nr, 0);
	assert_null(find(LIBRARY_FAMILY_openssl, ""));
	assert_null(find(LIBRARY_FAMILY_openssl, "SSL_connec"));
	assert_null(find(LIBRARY_FAMILY_openssl, "SSL_connect2"));
	assert_null(find(LIBRARY_FAMILY_openssl, "ssl_connect"));
	assert_null(find(LIBRARY_FAMILY_gnutls, "SSL_connect"));
	assert_null(api_find(LIBRARY_FAMILY_openssl, "MD5\0", 4));
}

static void test_uri_is_kept_up_to_its_scheme(void **state)
{
	static const struct {
		const char *text;
		size_t kept;
	} expected[] = {
		{ "", 0 },
		{ "/etc/ssl/key.pem", 16 },
		{ "key.pem", 7 },
		{ "a b:c", 5 },
		{ "./a:b", 5 },
		{ "pkcs11:token=x?pin-value=1234", 6 },
		{ "tpmkey:uuid=1", 6 },
		{ "system:id=1", 6 },
		{ ":1234", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		size_t size = strlen(expected[i].text);

		assert_int_equal(api_path_kept(guard_copy(expected[i].text, size), size),
				 expected[i].kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_well_formed),
		cmocka_unit_test(test_findings_are_of_what_is_read),
		cmocka_unit_test(test_functions_for_one_number_read_it_first),
		cmocka_unit_test(test_functions_for_callers_outside_are_told),
		cmocka_unit_test(test_hashes_of_programs_are_told_whoever_calls),
		cmocka_unit_test(test_functions_of_programs_alone_are_of_openssl),
		cmocka_unit_test(test_versions_are_ones_that_plans_understand),
		cmocka_unit_test(test_internal_functions_have_nothing_to_tell),
		cmocka_unit_test(test_every_kind_has_a_function),
		cmocka_unit_test(test_lookups_and_wrappers_are_not_watched),
		cmocka_unit_test(test_hashes_are_told_where_they_are_computed),
		cmocka_unit_test(test_commands_of_ctrl_have_their_reader),
		cmocka_unit_test(test_findings_hold_for_bad_values_only),
		cmocka_unit_test(test_forks_of_openssl_share_a_table_without_openssl_3),
		cmocka_unit_test(test_other_names_and_families_have_no_function),
		cmocka_unit_test(test_uri_is_kept_up_to_its_scheme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
