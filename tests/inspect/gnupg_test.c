/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

#define GPG "gpg --batch --quiet --pinentry-mode loopback --passphrase '' "

static void test_keybox_lists_public_keys(void **state)
{
	struct content *content;

	(void)state;
	if (!sample_has("gpg"))
		skip();
	content = sample_make("pubring.kbx", GPG "--quick-gen-key rsa@x rsa2048 default never;" GPG
						 "--quick-gen-key ed@x ed25519 default never;"
						 "gpgconf --kill gpg-agent");
	assert_int_equal(content->kind, FILE_KIND_pgp_keyring);
	assert_string_equal(content->format, "keybox");
	assert_int_equal(content->keys.count, 2);
	assert_string_equal(sample_key(content, 0)->type, "RSA");
	assert_int_equal(sample_key(content, 0)->bits, 2048);
	assert_string_equal(sample_key(content, 1)->type, "Ed25519");
	content_free(content);
}

static void test_private_key_files_are_told(void **state)
{
	size_t nr_rsa = 0, nr_ecc = 0;
	char *names, *at, *name;

	(void)state;
	if (!sample_has("gpg"))
		skip();
	names = sample_output("ls private-keys-v1.d/*.key");
	at = names;
	while ((name = strsep(&at, "\n"))) {
		struct content *content = sample_inspect(name);
		const struct key *key = sample_key(content, 0);

		assert_int_equal(content->kind, FILE_KIND_pgp_private_key);
		assert_true(key->is_private);
		if (strcmp(key->type, "RSA") == 0) {
			nr_rsa++;
			assert_int_equal(key->bits, 2048);
		} else {
			nr_ecc++;
			assert_string_equal(key->type, "EC");
			assert_string_equal(key->curve, "Ed25519");
		}
		content_free(content);
	}
	assert_int_equal(nr_rsa, 1);
	assert_int_equal(nr_ecc, 1);
	free(names);
}

static void test_readable_form_is_told(void **state)
{
	static const char text[] =
		"Created: 20260101T000000\n"
		"Key: (protected-private-key (rsa (n #00B1F2\n  AA00#)(e #010001#)";
	struct content *content = sample_judge(text, sizeof(text) - 1, NULL);

	(void)state;
	sample_expect_key(content, "RSA", "GnuPG", NULL, 32, 1, 1);
	content_free(content);
}

static void test_blob_that_does_not_fit_is_damage(void **state)
{
	static const uint8_t keybox[] = { 0, 0, 0, 32, 1, 1, 0, 2, 'K',	 'B', 'X', 'f',
					  0, 0, 0, 0,  0, 0, 0, 0, 0,	 0,   0,   0,
					  0, 0, 0, 0,  0, 0, 0, 0, 0xff, 0,   0,   0 };
	struct content *content = sample_judge(keybox, sizeof(keybox), NULL);

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_pgp_keyring);
	assert_string_equal(content->note, "damaged: a blob does not fit");
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keybox_lists_public_keys),
		cmocka_unit_test(test_private_key_files_are_told),
		cmocka_unit_test(test_readable_form_is_told),
		cmocka_unit_test(test_blob_that_does_not_fit_is_damage),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
