/* SPDX-License-Identifier: MIT */
/* The rows of catalogue/api_kernel.def. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/api.h"
#include "lib/array.h"
#include "support/guard.h"

static const uint32_t binds[] = { API_KERNEL_bind, API_KERNEL_bind_cipher, API_KERNEL_bind_hash,
				  API_KERNEL_bind_mac, API_KERNEL_bind_rng };
static const uint32_t settings[] = { API_KERNEL_tls_tx, API_KERNEL_tls_rx };

/* What all of them have in common. */
static const struct api_function *row_of(uint32_t number, const char *name)
{
	const struct api_function *function = api_kernel_function(number);

	assert_non_null(function);
	assert_string_equal(function->name, name);
	assert_int_equal(function->family, LIBRARY_FAMILY_kernel);
	assert_int_equal(function->group, API_GROUP_default);
	assert_int_equal(function->result, API_RESULT_number);
	assert_int_equal(function->finding.kind, API_FINDING_none);
	assert_non_null(code_name(&api_kind_codes, function->kind));
	assert_int_equal(function->arguments[2].reader, API_READ_none);
	return function;
}

static void test_bind_reads_type_and_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
		const struct api_function *function = row_of(binds[i], "bind");

		assert_int_equal(function->arguments[0].reader, API_READ_text);
		assert_string_equal(function->arguments[0].name, "type");
		assert_int_equal(function->arguments[1].reader, API_READ_kernel_name);
		assert_string_equal(function->arguments[1].name, "name");
	}
}

static void test_setsockopt_reads_version_and_cipher_of_its_direction(void **state)
{
	static const char *const names[][2] = { { "sending version", "sending cipher" },
						{ "receiving version", "receiving cipher" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct api_function *function = row_of(settings[i], "setsockopt");

		assert_int_equal(function->kind, API_KIND_cipher);
		assert_int_equal(function->arguments[0].reader, API_READ_number);
		assert_string_equal(function->arguments[0].name, names[i][0]);
		assert_int_equal(function->arguments[1].reader, API_READ_code);
		assert_int_equal(function->arguments[1].codes, ALGORITHM_CODES_ktls);
		assert_string_equal(function->arguments[1].name, names[i][1]);
	}
}

static void test_other_numbers_have_no_row(void **state)
{
	size_t nr = 1;

	(void)state;
	assert_null(api_kernel_function(ARRAY_SIZE(binds) + ARRAY_SIZE(settings)));
	assert_null(api_kernel_function(UINT32_MAX));
	/* No library has them: nothing is looked for in a file. */
	assert_null(api_functions(LIBRARY_FAMILY_kernel, &nr));
	assert_int_equal(nr, 0);
}

static void test_kind_of_bind_is_that_of_its_type(void **state)
{
	static const struct {
		const char *type;
		const char *name;
		enum api_kind kind;
	} expected[] = {
		{ "skcipher", "cbc(aes)", API_KIND_cipher },
		{ "skcipher", "foo(bar)", API_KIND_cipher },
		{ "aead", "gcm(aes)", API_KIND_cipher },
		{ "aead", "rfc4543(gcm(aes))", API_KIND_cipher },
		{ "hash", "sha256", API_KIND_digest },
		{ "hash", "crc32c", API_KIND_digest },
		{ "hash", "hmac(sha256)", API_KIND_mac },
		{ "hash", "cmac(aes)", API_KIND_mac },
		{ "rng", "drbg_nopr_hmac_sha256", API_KIND_rng },
		{ "rng", "stdrng", API_KIND_rng },
		{ "", "cbc(aes)", API_KIND_context },
		{ "has", "sha256", API_KIND_context },
		{ "hash2", "sha256", API_KIND_context },
		{ "akcipher", "rsa", API_KIND_context },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const char *type = expected[i].type, *name = expected[i].name;
		const struct api_function *function =
			api_kernel_bind(guard_copy(type, strlen(type)), strlen(type),
					algorithm_by_kernel_name(name, strlen(name)));

		assert_string_equal(function->name, "bind");
		assert_int_equal(function->kind, expected[i].kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind_reads_type_and_name),
		cmocka_unit_test(test_setsockopt_reads_version_and_cipher_of_its_direction),
		cmocka_unit_test(test_other_numbers_have_no_row),
		cmocka_unit_test(test_kind_of_bind_is_that_of_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
