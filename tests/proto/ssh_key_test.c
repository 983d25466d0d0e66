/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/ssh_key.h"
#include "support/guard.h"

#define BLOB(text) (text), sizeof(text) - 1

struct row {
	const char *blob;
	size_t size;
	const char *type; /* NULL: no key */
	uint32_t bits;
};

static const struct row rows[] = {
	/* RSA: exponent, then a modulus of 17 bits with a sign byte in front */
	{ BLOB("\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\0\4\0\1\0\1"), "ssh-rsa", 17 },
	{ BLOB("\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\0\3\0\377\1"), "ssh-rsa", 16 },
	{ BLOB("\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\0\0"), "ssh-rsa", 0 },
	{ BLOB("\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\0\2\0\0"), "ssh-rsa", 0 },
	/* its modulus is cut: the type is known all the same */
	{ BLOB("\0\0\0\7ssh-rsa\0\0\0\1\3\0\0\0\4\1"), "ssh-rsa", 0 },
	{ BLOB("\0\0\0\7ssh-rsa"), "ssh-rsa", 0 },
	/* DSA: p comes first */
	{ BLOB("\0\0\0\7ssh-dss\0\0\0\2\4\0\0\0\0\1\1"), "ssh-dss", 11 },
	/* a certificate: the nonce comes first */
	{ BLOB("\0\0\0\34ssh-rsa-cert-v01@openssh.com\0\0\0\2XY\0\0\0\1\3\0\0\0\1\5"),
	  "ssh-rsa-cert-v01@openssh.com", 3 },
	{ BLOB("\0\0\0\13ssh-ed25519"), "ssh-ed25519", 256 },
	{ BLOB("\0\0\0\23ecdsa-sha2-nistp384"), "ecdsa-sha2-nistp384", 384 },
	/* RFC 6187: certificates of X.509 follow */
	{ BLOB("\0\0\0\16x509v3-ssh-rsa\0\0\0\1\1\0\0\0\1\1"), "x509v3-ssh-rsa", 0 },
	{ BLOB("\0\0\0\3xyz"), "xyz", 0 },
	{ BLOB("\0\0\0\0"), NULL, 0 },
	{ BLOB("\0\0\0\4xyz"), NULL, 0 },
	{ BLOB("\377\377\377\377xyz"), NULL, 0 },
	{ BLOB("\0\0\0"), NULL, 0 },
	{ BLOB(""), NULL, 0 },
};

static void test_blobs_tell_type_and_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct flow_text blob = { guard_copy(row->blob, row->size), row->size };
		struct ssh_key key = { .bits = 99 };

		assert_int_equal(ssh_key_read(&blob, &key), row->type != NULL);
		if (row->type) {
			assert_int_equal(key.type.size, strlen(row->type));
			assert_memory_equal(key.type.bytes, row->type, key.type.size);
			assert_int_equal(key.bits, row->bits);
		} else {
			assert_int_equal(key.bits, 99);
		}
		guard_free(blob.bytes, blob.size);
	}
}

static void test_fingerprint_is_that_of_ssh_keygen(void **state)
{
	/* `ssh-keygen -l` of this key; what it holds does not matter */
	static const char blob[] = "\0\0\0\13ssh-ed25519\0\0\0 0123456789abcdef0123456789abcdef";
	struct flow_text text = { (const uint8_t *)blob, sizeof(blob) - 1 };
	char fingerprint[SSH_FINGERPRINT_SIZE];

	(void)state;
	assert_true(ssh_key_fingerprint(&text, fingerprint));
	assert_string_equal(fingerprint, "SHA256:r0jjAatH+rPa97KMRB4yEkCq0GlcmkYyacWqmoyiTwI");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blobs_tell_type_and_bits),
		cmocka_unit_test(test_fingerprint_is_that_of_ssh_keygen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
