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

#include "pipeline/secrets.h"
#include "support/guard.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_names_of_secrets_are_known(void **state)
{
	static const struct {
		const char *name;
		enum secret_kind kind;
	} cases[] = {
		{ "--password", SECRET_VALUE },
		{ "-password", SECRET_VALUE },
		{ "PASSWORD", SECRET_VALUE },
		{ "--pass", SECRET_VALUE },
		{ "--passwd", SECRET_VALUE },
		{ "--passphrase", SECRET_VALUE },
		{ "--PassWord", SECRET_VALUE },
		{ "--token", SECRET_VALUE },
		{ "--auth-token", SECRET_VALUE },
		{ "--secret", SECRET_VALUE },
		{ "--client-secret", SECRET_VALUE },
		{ "--client_secret", SECRET_VALUE },
		{ "--clientSecret", SECRET_VALUE },
		{ "--api-key", SECRET_VALUE },
		{ "--apikey", SECRET_VALUE },
		{ "--api_key", SECRET_VALUE },
		{ "X-Api-Key", SECRET_VALUE },
		{ "--access-key", SECRET_VALUE },
		{ "--secret-key", SECRET_VALUE },
		{ "aws_secret_access_key", SECRET_VALUE },
		{ "--credentials", SECRET_VALUE },
		{ "--creds", SECRET_VALUE },
		{ "-Djavax.net.ssl.keyStorePassword", SECRET_VALUE },
		{ "-Dfoo.password", SECRET_VALUE },
		{ "-storepass", SECRET_VALUE },
		{ "-keypass", SECRET_VALUE },
		{ "-srcstorepass", SECRET_VALUE },
		{ "-deststorepass", SECRET_VALUE },
		{ "dbPass", SECRET_VALUE },
		{ "db-pass", SECRET_VALUE },
		{ "MYSQL_PWD", SECRET_VALUE },
		{ "PGPASSWORD", SECRET_VALUE },
		{ "REDISCLI_AUTH", SECRET_VALUE },
		{ "Authorization", SECRET_VALUE },
		{ "Proxy-Authorization", SECRET_VALUE },
		{ "Set-Cookie", SECRET_VALUE },
		{ "--pin", SECRET_VALUE },
		{ "--so-pin", SECRET_VALUE },
		{ "-psk", SECRET_VALUE },
		{ "--private-key", SECRET_UNLESS_PATH },
		{ "privateKey", SECRET_UNLESS_PATH },
		{ "--password-file", SECRET_NONE },
		{ "--passwd-file", SECRET_NONE },
		{ "--password-stdin", SECRET_NONE },
		{ "--passphrase-fd", SECRET_NONE },
		{ "--tokenizer", SECRET_NONE },
		{ "--bypass", SECRET_NONE },
		{ "compass", SECRET_NONE },
		{ "--spin", SECRET_NONE },
		{ "--key", SECRET_NONE },
		{ "--public-key", SECRET_NONE },
		{ "ssl-key", SECRET_NONE },
		{ "PWD", SECRET_NONE },
		{ "OLDPWD", SECRET_NONE },
		{ "PasswordAuthentication", SECRET_NONE },
		{ "", SECRET_NONE },
		{ "-", SECRET_NONE },
		{ "---", SECRET_NONE },
		{ "word", SECRET_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].name);
		const char *name = guard_copy(cases[i].name, size);

		if (secret_name(name, size) != cases[i].kind)
			fail_msg("'%s'", cases[i].name);
		guard_free(name, size);
	}
}

static void test_questions_take_no_value(void **state)
{
	(void)state;
	assert_true(secret_is_question(BYTES("--ask-password")));
	assert_true(secret_is_question(BYTES("--no-password")));
	assert_false(secret_is_question(BYTES("--notion-token")));
	assert_false(secret_is_question(BYTES("--password")));
	assert_false(secret_is_question(BYTES("--no")));
}

static void test_key_variables_are_in_capitals(void **state)
{
	(void)state;
	assert_true(secret_is_key_variable(BYTES("TLS_KEY")));
	assert_true(secret_is_key_variable(BYTES("-eTLS_KEY")));
	assert_true(secret_is_key_variable(BYTES("AES256_KEY")));
	assert_false(secret_is_key_variable(BYTES("ssl_key")));
	assert_false(secret_is_key_variable(BYTES("_KEY")));
	assert_false(secret_is_key_variable(BYTES("KEY")));
	assert_false(secret_is_key_variable(BYTES("TLS_KEYS")));
}

static void test_keys_are_told_from_their_files(void **state)
{
	(void)state;
	assert_true(secret_is_path(BYTES("/etc/ssl/private/server.key")));
	assert_true(secret_is_path(BYTES("/k")));
	assert_true(secret_is_path(BYTES("./k")));
	assert_true(secret_is_path(BYTES("~/k")));
	assert_true(secret_is_path(BYTES("file:k")));
	assert_false(secret_is_path(BYTES("AAAAB3NzaC1yc2EAAAADAQABAAABgQ")));
	/* 32 bytes in base64 that begin with a slash */
	assert_false(secret_is_path(BYTES("/9mVvK0qCh2l/5eTzY+GjA3kXwB7uN1oRrPfS8dQ4iE=")));
	assert_false(secret_is_path(BYTES("")));
}

static void test_marked_tokens_are_known(void **state)
{
	(void)state;
	assert_true(secret_is_marked(BYTES("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x")));
	assert_true(secret_is_marked(BYTES("ghp_0123456789abcdefghijklmnop")));
	assert_true(secret_is_marked(BYTES("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ")));
	assert_false(secret_is_marked(BYTES("eyJ")));
	assert_false(secret_is_marked(BYTES("npm_config_cache")));
	assert_false(secret_is_marked(BYTES("libcrypto.so.3.0.0.0.0.0.0.0.0")));
}

static void test_private_keys_in_text_are_found(void **state)
{
	static const char certificate[] =
		"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
	static const struct {
		const char *before, *key, *after;
	} cases[] = {
		{ "a ", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", " b" },
		{ "", "-----BEGIN RSA PRIVATE KEY-----\\nx\\n-----END RSA PRIVATE KEY-----", "" },
		{ "", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb", "" },
		{ "", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx -----END PGP", "" },
		{ "", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx -----END ", "" },
		{ certificate, "-----BEGIN EC PRIVATE KEY-----", "" },
		{ certificate, "", "" },
		{ "-----BEGIN", "", "" },
		{ "-----BEGIN ", "", "" },
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char whole[256];
		size_t before = strlen(cases[i].before), key = strlen(cases[i].key);
		size_t size = (size_t)snprintf(whole, sizeof(whole), "%s%s%s", cases[i].before,
					       cases[i].key, cases[i].after);
		const char *text = guard_copy(whole, size), *end = NULL;
		const char *start = secret_pem_find(text, text + size, &end);

		if (key == 0) {
			assert_null(start);
		} else {
			assert_ptr_equal(start, text + before);
			assert_ptr_equal(end, text + before + key);
		}
		guard_free(text, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_secrets_are_known),
		cmocka_unit_test(test_questions_take_no_value),
		cmocka_unit_test(test_key_variables_are_in_capitals),
		cmocka_unit_test(test_keys_are_told_from_their_files),
		cmocka_unit_test(test_marked_tokens_are_known),
		cmocka_unit_test(test_private_keys_in_text_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
