/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"

#define GPG "gpg --batch --quiet --pinentry-mode loopback --passphrase '' "

/* A key of each kind in the armored and the binary form; "p" has a passphrase. */
static int setup(void **state)
{
	if (samples_setup(state))
		return -1;
	if (!sample_has("gpg"))
		return 0;
	return sample_run(GPG "--quick-gen-key rsa@x rsa2048 default never;" GPG
			      "--quick-gen-key ed@x ed25519 default never;" GPG
			      "--quick-gen-key nist@x nistp384 default never;" GPG
			      "--quick-gen-key dsa@x dsa2048 default never;"
			      "gpg --batch --quiet --pinentry-mode loopback --passphrase secret"
			      " --quick-gen-key p@x rsa1024 default never;"
			      "gpgconf --kill gpg-agent");
}

static void expect(const char *script, uint32_t kind, const char *type, const char *curve,
		   uint32_t bits, int is_private, int is_encrypted)
{
	char whole[512];
	struct content *content;

	snprintf(whole, sizeof(whole), "%s > file; gpgconf --kill gpg-agent", script);
	content = sample_make("file", whole);
	assert_int_equal(content->kind, kind);
	assert_int_equal(content->type, is_private ? FILE_TYPE_private_key : FILE_TYPE_unknown);
	assert_string_equal(content->format, "OpenPGP");
	sample_expect_key(content, type, "OpenPGP", curve, bits, is_private, is_encrypted);
	assert_null(content->note);
	content_free(content);
}

static void test_public_keys_are_told(void **state)
{
	(void)state;
	if (!sample_has("gpg"))
		skip();
	expect("gpg --export rsa@x", FILE_KIND_pgp_keyring, "RSA", NULL, 2048, 0, 0);
	expect("gpg --export --armor rsa@x", FILE_KIND_pgp_keyring, "RSA", NULL, 2048, 0, 0);
	expect("gpg --export --armor ed@x", FILE_KIND_pgp_keyring, "Ed25519", NULL, 256, 0, 0);
	expect("gpg --export nist@x", FILE_KIND_pgp_keyring, "EC", "P-384", 384, 0, 0);
	expect("gpg --export dsa@x", FILE_KIND_pgp_keyring, "DSA", NULL, 2048, 0, 0);
}

static void test_private_keys_are_told(void **state)
{
	(void)state;
	if (!sample_has("gpg"))
		skip();
	expect(GPG "--export-secret-keys rsa@x", FILE_KIND_pgp_private_key, "RSA", NULL, 2048, 1,
	       0);
	expect(GPG "--export-secret-keys --armor ed@x", FILE_KIND_pgp_private_key, "Ed25519", NULL,
	       256, 1, 0);
	expect("gpg --batch --pinentry-mode loopback --passphrase secret --export-secret-keys p@x",
	       FILE_KIND_pgp_private_key, "RSA", NULL, 1024, 1, 1);
}

/* The secret of the primary key is replaced by a stub of GnuPG. */
static void test_stub_is_no_private_key(void **state)
{
	struct content *content;

	(void)state;
	if (!sample_has("gpg"))
		skip();
	content = sample_make("file",
			      GPG "--quick-add-key $(gpg --list-keys --with-colons rsa@x |"
				  " sed -n 's/^fpr:*\\([^:]*\\):$/\\1/p' | head -n 1) rsa1024;" GPG
				  "--export-secret-subkeys rsa@x > file;"
				  "gpgconf --kill gpg-agent");
	assert_int_equal(content->keys.count, 2);
	assert_false(sample_key(content, 0)->is_private);
	assert_int_equal(sample_key(content, 0)->bits, 2048);
	assert_true(sample_key(content, 1)->is_private);
	assert_int_equal(sample_key(content, 1)->bits, 1024);
	assert_int_equal(content->kind, FILE_KIND_pgp_private_key);
	content_free(content);
}

static void test_messages_and_signatures_are_data(void **state)
{
	static const char *const scripts[] = {
		GPG "--passphrase x --symmetric --output - err > file",
		GPG "--armor --local-user ed@x --detach-sign --output - err > file",
		GPG "--local-user ed@x --detach-sign --output - err > file",
		GPG "--local-user ed@x --clear-sign --output - err > file",
	};

	(void)state;
	if (!sample_has("gpg"))
		skip();
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct content *content = sample_make("file", scripts[i]);

		assert_int_equal(content->kind, FILE_KIND_pgp_data);
		assert_int_equal(content->keys.count, 0);
		content_free(content);
	}
	sample_run("gpgconf --kill gpg-agent");
}

static void test_other_binary_files_are_not_packets(void **state)
{
	/* A compressed packet by its first byte, as many files begin. */
	static const uint8_t bytes[] = { 0xa3, 0x01, 0x02, 0x03, 0x04 };
	struct content *content = sample_judge(bytes, sizeof(bytes), "image.raw");

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_unknown);
	content_free(content);
	content = sample_judge(bytes, sizeof(bytes), "message.gpg");
	assert_int_equal(content->kind, FILE_KIND_pgp_data);
	content_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_keys_are_told),
		cmocka_unit_test(test_private_keys_are_told),
		cmocka_unit_test(test_stub_is_no_private_key),
		cmocka_unit_test(test_messages_and_signatures_are_data),
		cmocka_unit_test(test_other_binary_files_are_not_packets),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
