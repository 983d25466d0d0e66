/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inspect/finding.h"
#include "lib/array.h"
#include "proto/ssh_verdict.h"
#include "support/recorded.h"

RECORDED(recorded_default, "tests/fuzz/corpus/ssh/default");
RECORDED(recorded_oldest, "tests/fuzz/corpus/ssh/oldest");
RECORDED(recorded_dsa, "tests/fuzz/corpus/ssh/dsa");
RECORDED(recorded_no_host_key, "tests/fuzz/corpus/ssh/no_host_key");

#define VERDICTS_MAX 6

struct expected {
	enum ssh_rule rule;
	const char *evidence;
};

static void expect(const struct ssh_session *session, const struct expected *expected)
{
	struct ssh_verdicts verdicts;
	uint32_t nr = 0;

	ssh_verdict(session, &verdicts);
	while (nr < VERDICTS_MAX && expected[nr].evidence)
		nr++;
	for (uint32_t i = 0; i < verdicts.nr && i < nr; i++) {
		assert_string_equal(verdicts.list[i].evidence, expected[i].evidence);
		assert_ptr_equal(verdicts.list[i].rule, &ssh_rules[expected[i].rule]);
	}
	assert_int_equal(verdicts.nr, nr);
}

static void expect_recorded(const struct recording *recording, const struct expected *expected)
{
	struct flow flow = recorded_flow(recording);
	struct flow_needs needs;
	struct ssh_session session;

	assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
	expect(&session, expected);
}

static void test_recorded_sessions_are_judged(void **state)
{
	static const struct expected nothing[] = { { 0, NULL } };
	static const struct expected oldest[] = {
		{ SSH_RULE_ssh_kex_1024, "diffie-hellman-group1-sha1" },
		{ SSH_RULE_ssh_signature_sha1, "ssh-rsa" },
		{ SSH_RULE_ssh_host_key_short, "ssh-rsa, 1024 bits" },
		{ SSH_RULE_ssh_cipher_64bit, "3des-cbc" },
		{ SSH_RULE_ssh_mac_md5, "hmac-md5" },
		{ 0, NULL },
	};
	static const struct expected dsa[] = {
		{ SSH_RULE_ssh_host_key_dsa, "ssh-dss" },
		{ 0, NULL },
	};

	(void)state;
	expect_recorded(&recorded_default, nothing);
	expect_recorded(&recorded_oldest, oldest);
	expect_recorded(&recorded_dsa, dsa);
	/* nothing is in use */
	expect_recorded(&recorded_no_host_key, nothing);
}

static struct flow_text text(const char *string)
{
	return (struct flow_text){ (const uint8_t *)string, string ? strlen(string) : 0 };
}

struct made {
	const char *kex, *host_key, *ciphers[2], *macs[2];
	bool is_strict;
	uint32_t group_bits, rsa_bits;
	const char *key_type, *signature;
	uint32_t key_bits;
	struct expected expected[VERDICTS_MAX];
};

#define CHACHA "chacha20-poly1305@openssh.com"
#define CTR                                                                                        \
	{                                                                                          \
		"aes128-ctr", "aes128-ctr"                                                         \
	}
#define SHA2                                                                                       \
	{                                                                                          \
		"hmac-sha2-256", "hmac-sha2-256"                                                   \
	}

static const struct made mades[] = {
	{ .ciphers = CTR, .macs = SHA2 },
	/* Terrapin: ChaCha20, or CBC with a MAC of what is encrypted, unless kex is strict */
	{ .ciphers = { CHACHA, CHACHA },
	  .expected = { { SSH_RULE_ssh_terrapin, CHACHA " without strict key exchange" } } },
	{ .ciphers = { CHACHA, CHACHA }, .is_strict = true },
	{ .ciphers = { "aes256-cbc", "aes128-ctr" },
	  .macs = { "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com" },
	  .expected = { { SSH_RULE_ssh_cipher_cbc, "aes256-cbc" },
			{ SSH_RULE_ssh_terrapin, "aes256-cbc and hmac-sha2-256-etm@openssh.com "
						 "without strict key exchange" } } },
	{ .ciphers = { "aes256-cbc", "aes256-cbc" },
	  .macs = SHA2,
	  .expected = { { SSH_RULE_ssh_cipher_cbc, "aes256-cbc" } } },
	{ .ciphers = { "aes256-gcm@openssh.com", "aes256-gcm@openssh.com" } },
	/* each direction has its own */
	{ .ciphers = { "arcfour256", "des-cbc" },
	  .macs = { "hmac-sha1-96", "hmac-md5-etm@openssh.com" },
	  .is_strict = true,
	  .expected = { { SSH_RULE_ssh_cipher_rc4, "arcfour256" },
			{ SSH_RULE_ssh_mac_sha1, "hmac-sha1-96" },
			{ SSH_RULE_ssh_cipher_des, "des-cbc" },
			{ SSH_RULE_ssh_mac_md5, "hmac-md5-etm@openssh.com" } } },
	{ .ciphers = { "none", "none" },
	  .macs = { "none", "none" },
	  .expected = { { SSH_RULE_ssh_cipher_none, "none" }, { SSH_RULE_ssh_mac_none, "none" } } },
	/* groups */
	{ .kex = "diffie-hellman-group14-sha1",
	  .group_bits = 2048,
	  .expected = { { SSH_RULE_ssh_kex_sha1, "diffie-hellman-group14-sha1" } } },
	{ .kex = "diffie-hellman-group-exchange-sha1",
	  .group_bits = 1536,
	  .expected = { { SSH_RULE_ssh_kex_sha1, "diffie-hellman-group-exchange-sha1" },
			{ SSH_RULE_ssh_group_short,
			  "diffie-hellman-group-exchange-sha1, 1536 bits" } } },
	{ .kex = "diffie-hellman-group-exchange-sha256", .group_bits = 2048 },
	{ .kex = "rsa1024-sha1",
	  .rsa_bits = 1024,
	  .expected = { { SSH_RULE_ssh_kex_1024, "rsa1024-sha1" } } },
	{ .kex = "rsa2048-sha256",
	  .rsa_bits = 1024,
	  .expected = { { SSH_RULE_ssh_group_short, "rsa2048-sha256, 1024 bits" } } },
	/* what a peer calls a mechanism of GSS-API is not printed */
	{ .kex = "gss-group1-sha1-\x1b[2J",
	  .expected = { { SSH_RULE_ssh_kex_1024, "gss-group1-sha1-" } } },
	{ .kex = "mlkem768x25519-sha256" },
	{ .kex = "made-up@example.com" },
	/* the signature counts, the choice where there is none */
	{ .host_key = "ssh-rsa", .expected = { { SSH_RULE_ssh_signature_sha1, "ssh-rsa" } } },
	{ .host_key = "ssh-rsa",
	  .signature = "rsa-sha2-256",
	  .key_type = "ssh-rsa",
	  .key_bits = 2048 },
	{ .host_key = "rsa-sha2-512",
	  .signature = "ssh-rsa",
	  .key_type = "ssh-rsa",
	  .key_bits = 2047,
	  .expected = { { SSH_RULE_ssh_signature_sha1, "ssh-rsa" },
			{ SSH_RULE_ssh_host_key_short, "ssh-rsa, 2047 bits" } } },
	{ .host_key = "rsa-sha2-512",
	  .signature = "rsa-sha2-512",
	  .key_type = "ssh-rsa",
	  .key_bits = 1023,
	  .expected = { { SSH_RULE_ssh_host_key_broken, "ssh-rsa, 1023 bits" } } },
	{ .host_key = "ssh-ed25519",
	  .signature = "ssh-ed25519",
	  .key_type = "ssh-ed25519",
	  .key_bits = 256 },
};

static void test_each_weakness_is_told_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mades); i++) {
		const struct made *made = &mades[i];
		struct ssh_session session = { .version = 2, .is_strict = made->is_strict };

		session.chosen[SSH_LIST_kex] = text(made->kex);
		session.chosen[SSH_LIST_host_key] = text(made->host_key);
		for (int side = 0; side < 2; side++) {
			session.chosen[SSH_LIST_cipher_c2s + side] = text(made->ciphers[side]);
			session.chosen[SSH_LIST_mac_c2s + side] = text(made->macs[side]);
		}
		session.group.bits = made->group_bits;
		session.rsa_bits = made->rsa_bits;
		session.host_key.type = text(made->key_type);
		session.host_key.bits = made->key_bits;
		session.signature = text(made->signature);
		expect(&session, made->expected);
	}
}

static void test_version_1_is_told(void **state)
{
	static const struct expected expected[] = { { SSH_RULE_ssh_protocol_1, "SSH 1" },
						    { 0, NULL } };
	struct ssh_session session = { .version = 1 };

	(void)state;
	expect(&session, expected);
}

static void test_rules_say_why_and_who_says_so(void **state)
{
	(void)state;
	assert_null(ssh_rules[SSH_RULE_none].name);
	for (size_t i = 1; i < NR_SSH_RULES; i++) {
		assert_memory_equal(ssh_rules[i].name, "ssh_", 4);
		assert_true(strlen(ssh_rules[i].why) > 10);
		assert_true(strlen(ssh_rules[i].policy) > 6);
		assert_in_range(ssh_rules[i].severity, SEVERITY_low, SEVERITY_critical);
	}
	assert_int_equal(ssh_rules[SSH_RULE_ssh_mac_sha1].severity, SEVERITY_low);
	assert_int_equal(ssh_rules[SSH_RULE_ssh_cipher_none].severity, SEVERITY_critical);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_sessions_are_judged),
		cmocka_unit_test(test_each_weakness_is_told_once),
		cmocka_unit_test(test_version_1_is_told),
		cmocka_unit_test(test_rules_say_why_and_who_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
