/* SPDX-License-Identifier: MIT */
#include "samples.h"

#include "catalogue/files.h"
#include "inspect/ssh.h"

static void test_private_keys_are_told_by_their_public_part(void **state)
{
	static const struct {
		const char *options, *type, *curve;
		uint32_t bits;
	} rows[] = {
		{ "-t rsa -b 2048", "RSA", NULL, 2048 },
		{ "-t ecdsa -b 384", "EC", "P-384", 384 },
		{ "-t ed25519", "Ed25519", NULL, 256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char script[256];
		struct content *content;

		snprintf(
			script, sizeof(script),
			"rm -f k* e*; ssh-keygen -q %s -N '' -f k; ssh-keygen -q %s -N secret -f e",
			rows[i].options, rows[i].options);
		content = sample_make("k", script);
		assert_int_equal(content->kind, FILE_KIND_ssh_private_key);
		assert_int_equal(content->type, FILE_TYPE_private_key);
		assert_string_equal(content->format, "OpenSSH");
		sample_expect_key(content, rows[i].type, "OpenSSH", rows[i].curve, rows[i].bits, 1,
				  0);
		content_free(content);
		content = sample_inspect("e");
		sample_expect_key(content, rows[i].type, "OpenSSH", rows[i].curve, rows[i].bits, 1,
				  1);
		content_free(content);
	}
}

static void test_host_key_is_known_by_its_name(void **state)
{
	struct content *content = sample_make(
		"ssh_host_ed25519_key", "ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key");

	(void)state;
	assert_int_equal(content->kind, FILE_KIND_ssh_host_key);
	content_free(content);
}

static void test_putty_key_is_told(void **state)
{
	struct content *content;
	char text[1024], *blob;
	int size;

	(void)state;
	assert_int_equal(sample_run("rm -f p*; ssh-keygen -q -t ed25519 -N '' -f p"), 0);
	blob = sample_output("cut -d' ' -f2 p.pub");
	for (int is_encrypted = 0; is_encrypted < 2; is_encrypted++) {
		size = snprintf(
			text, sizeof(text),
			"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: %s\r\n"
			"Comment: x\r\nPublic-Lines: 1\r\n%s\r\nPrivate-Lines: 1\r\nAAAA\r\n",
			is_encrypted ? "aes256-cbc" : "none", blob);
		content = sample_judge(text, (size_t)size, "k.ppk");
		assert_int_equal(content->kind, FILE_KIND_ssh_private_key);
		assert_string_equal(content->format, "PuTTY");
		sample_expect_key(content, "Ed25519", "PuTTY", NULL, 256, 1, is_encrypted);
		content_free(content);
	}
	free(blob);
}

static void test_types_of_keys_and_certificates_are_known(void **state)
{
	static const char *const certificates[] = {
		"ssh-rsa-cert-v01@openssh.com",
		"ssh-ed25519-cert-v01@openssh.com",
		"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	};
	static const char *const keys[] = { "ssh-rsa", "ssh-dss", "sk-ssh-ed25519@openssh.com" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(ssh_type_is_known(certificates[i], strlen(certificates[i])));
		assert_true(ssh_type_is_certificate(certificates[i], strlen(certificates[i])));
		assert_true(ssh_type_is_known(keys[i], strlen(keys[i])));
		assert_false(ssh_type_is_certificate(keys[i], strlen(keys[i])));
	}
	assert_false(ssh_type_is_known("ssh-rs", 6));
	assert_false(ssh_type_is_known("", 0));
}

static void test_length_beyond_the_blob_is_no_key(void **state)
{
	static const uint8_t blob[] = { 0, 0, 0, 7, 's', 's',  'h',  '-',  'r',	 's', 'a',
					0, 0, 0, 1, 3,	 0xff, 0xff, 0xff, 0xff, 1 };
	const void *guarded = guard_copy(blob, sizeof(blob));
	struct octets octets;
	struct key key;

	(void)state;
	octets_raw(&octets, guarded, sizeof(blob));
	assert_false(ssh_read_blob(&octets, 0, &key));
	guard_free(guarded, sizeof(blob));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_keys_are_told_by_their_public_part),
		cmocka_unit_test(test_host_key_is_known_by_its_name),
		cmocka_unit_test(test_putty_key_is_told),
		cmocka_unit_test(test_types_of_keys_and_certificates_are_known),
		cmocka_unit_test(test_length_beyond_the_blob_is_no_key),
	};

	return cmocka_run_group_tests(tests, samples_setup, NULL);
}
