/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "catalogue/ssh.h"
#include "lib/array.h"
#include "support/guard.h"

static const struct ssh_algorithm *find(enum ssh_kind kind, const char *name)
{
	const void *guarded = guard_copy(name, strlen(name));
	const struct ssh_algorithm *found = ssh_algorithm_find(kind, guarded, strlen(name));

	guard_free(guarded, strlen(name));
	return found;
}

static void test_each_name_is_found_once_and_is_itself(void **state)
{
	static const struct {
		enum ssh_kind kind;
		const char *name;
	} rows[] = {
#define SSH_ALGORITHM(kind, name, trait, bits, rule, source) { SSH_KIND_##kind, name },
#include "catalogue/ssh_algorithms.def"
	};
	char longer[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = rows[i].name;
		size_t size = strlen(name);

		/* RFC 4251 section 6: at most 64 letters of US-ASCII, no comma */
		assert_in_range(size, 1, 64);
		for (size_t at = 0; at < size; at++)
			assert_true(name[at] > ' ' && name[at] < 0x7f && name[at] != ',');
		snprintf(longer, sizeof(longer), "%sx", name);
		if (name[size - 1] == '-') {
			assert_null(find(rows[i].kind, name));
			assert_string_equal(find(rows[i].kind, longer)->name, name);
			continue;
		}
		assert_string_equal(find(rows[i].kind, name)->name, name);
		/* "ecdh-sha2-" takes what it does not have a row of its own for */
		if (strncmp(name, "ecdh-sha2-", 10) != 0)
			assert_null(find(rows[i].kind, longer));
	}
}

static void test_kinds_are_apart(void **state)
{
	(void)state;
	assert_int_equal(find(SSH_KIND_cipher, "none")->rule, SSH_RULE_ssh_cipher_none);
	assert_int_equal(find(SSH_KIND_mac, "none")->rule, SSH_RULE_ssh_mac_none);
	assert_int_equal(find(SSH_KIND_compression, "none")->rule, SSH_RULE_none);
	assert_null(find(SSH_KIND_kex, "none"));
	assert_null(find(SSH_KIND_kex, ""));
	assert_null(find(SSH_KIND_kex, "ext-info-c"));
	assert_null(find(SSH_KIND_kex, "Curve25519-sha256"));
}

static void test_facts_are_those_of_the_documents(void **state)
{
	static const struct {
		enum ssh_kind kind;
		const char *name;
		enum ssh_trait trait;
		enum ssh_rule rule;
		unsigned int bits;
	} rows[] = {
		{ SSH_KIND_kex, "mlkem768x25519-sha256", SSH_TRAIT_hybrid, SSH_RULE_none, 0 },
		{ SSH_KIND_kex, "diffie-hellman-group1-sha1", SSH_TRAIT_dh, SSH_RULE_ssh_kex_1024,
		  1024 },
		{ SSH_KIND_kex, "diffie-hellman-group16-sha512", SSH_TRAIT_dh, SSH_RULE_none,
		  4096 },
		{ SSH_KIND_kex, "gss-group14-sha1-toWM5Slw5Ew8Mqkay+al2g==", SSH_TRAIT_gss,
		  SSH_RULE_ssh_kex_sha1, 2048 },
		{ SSH_KIND_cipher, "3des-cbc", SSH_TRAIT_cbc, SSH_RULE_ssh_cipher_64bit, 192 },
		{ SSH_KIND_cipher, "chacha20-poly1305@openssh.com", SSH_TRAIT_chacha, SSH_RULE_none,
		  256 },
		{ SSH_KIND_mac, "hmac-sha1-96-etm@openssh.com", SSH_TRAIT_etm,
		  SSH_RULE_ssh_mac_sha1, 96 },
		{ SSH_KIND_host_key, "ssh-rsa", SSH_TRAIT_rsa, SSH_RULE_ssh_signature_sha1, 0 },
		{ SSH_KIND_host_key, "rsa-sha2-512", SSH_TRAIT_rsa, SSH_RULE_none, 0 },
		{ SSH_KIND_host_key, "ecdsa-sha2-nistp521", SSH_TRAIT_ecdsa, SSH_RULE_none, 521 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct ssh_algorithm *found = find(rows[i].kind, rows[i].name);

		assert_non_null(found);
		assert_int_equal(found->trait, rows[i].trait);
		assert_int_equal(found->rule, rows[i].rule);
		assert_int_equal(found->bits, rows[i].bits);
		assert_non_null(found->source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_name_is_found_once_and_is_itself),
		cmocka_unit_test(test_kinds_are_apart),
		cmocka_unit_test(test_facts_are_those_of_the_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
