/* SPDX-License-Identifier: MIT */
/*
 * The recordings are of ssh and sshd of OpenSSH 9.2p1, of Dropbear 2022.83 and of AsyncSSH 2.10.1,
 * all of Debian 12, with what `ssh -vv` said of them where there was one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "proto/ssh.h"
#include "support/guard.h"
#include "support/recorded.h"
#include "support/ssh_sessions.h"

RECORDED(recorded_default, "tests/fuzz/corpus/ssh/default");
RECORDED(recorded_oldest, "tests/fuzz/corpus/ssh/oldest");
RECORDED(recorded_gex, "tests/fuzz/corpus/ssh/gex");
RECORDED(recorded_dsa, "tests/fuzz/corpus/ssh/dsa");
RECORDED(recorded_gcm, "tests/fuzz/corpus/ssh/gcm");
RECORDED(recorded_dropbear, "tests/fuzz/corpus/ssh/dropbear");
RECORDED(recorded_guess_right, "tests/fuzz/corpus/ssh/guess_right");
RECORDED(recorded_guess_wrong, "tests/fuzz/corpus/ssh/guess_wrong");
RECORDED(recorded_rsa, "tests/fuzz/corpus/ssh/rsa");
RECORDED(recorded_no_kex, "tests/fuzz/corpus/ssh/no_kex");
RECORDED(recorded_no_host_key, "tests/fuzz/corpus/ssh/no_host_key");

#define OPENSSH	  "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"
#define DROPBEAR  "SSH-2.0-dropbear_2022.83"
#define CHACHA	  "chacha20-poly1305@openssh.com"
#define KEY_25519 "SHA256:SWDijWhl5J1wlwVucWqNHX9JW4XD9jIl4E4cqM0OnBc"

static void expect_text(const struct flow_text *text, const char *expected)
{
	if (!expected) {
		assert_null(text->bytes);
		return;
	}
	assert_int_equal(text->size, strlen(expected));
	assert_memory_equal(text->bytes, expected, text->size);
}

/* What `ssh -vv` said of a recording. */
struct said {
	const struct recording *recording;
	const char *server;
	const char *kex, *host_key, *cipher, *mac, *compression;
	const char *key_type, *fingerprint;
	const char *signature;
	uint32_t key_bits, group_bits;
	bool is_post_quantum;
};

static const struct said said[] = {
	{ &recorded_default, OPENSSH, "sntrup761x25519-sha512", "ssh-ed25519",
	  "chacha20-poly1305@openssh.com", NULL, "none", "ssh-ed25519",
	  "SHA256:SWDijWhl5J1wlwVucWqNHX9JW4XD9jIl4E4cqM0OnBc", "ssh-ed25519", 256, 0, true },
	{ &recorded_oldest, OPENSSH, "diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc",
	  "hmac-md5", "none", "ssh-rsa", "SHA256:/h16SKAdDMqvC9gqMN+rz6aKAL2ycIxhPXcMgXwdSh0",
	  "ssh-rsa", 1024, 1024, false },
	{ &recorded_gex, OPENSSH, "diffie-hellman-group-exchange-sha256", "rsa-sha2-512",
	  "aes128-ctr", "hmac-sha2-256-etm@openssh.com", "none", "ssh-rsa",
	  "SHA256:2/9quI8bplTzc7fKYQD5JYReGUYIeA7MvSGzkDcqDb0", "rsa-sha2-512", 2048, 8192, false },
	{ &recorded_dsa, OPENSSH, "ecdh-sha2-nistp256", "ssh-dss", "aes256-ctr",
	  "umac-128@openssh.com", "none", "ssh-dss",
	  "SHA256:oZW+1eIiqndrB3LRo3NamO3SksbmJfBPGiUlJTdt0so", "ssh-dss", 1024, 0, false },
	{ &recorded_gcm, OPENSSH, "curve25519-sha256", "ecdsa-sha2-nistp256",
	  "aes256-gcm@openssh.com", NULL, "zlib@openssh.com", "ecdsa-sha2-nistp256",
	  "SHA256:Fma80KZwl+OzH7N5IsTQCFx+VnhjROnAX259jtqIX0w", "ecdsa-sha2-nistp256", 256, 0,
	  false },
	{ &recorded_dropbear, DROPBEAR, "curve25519-sha256", "ssh-ed25519", CHACHA, NULL, "none",
	  "ssh-ed25519", "SHA256:jHtoYDFmoZevwsNgK84BMqqFwy7zsREj59C5JAXOrwo", "ssh-ed25519", 256,
	  0, false },
};

static void expect_said(const struct ssh_session *session, const struct said *row)
{
	char fingerprint[SSH_FINGERPRINT_SIZE];

	expect_text(&session->peer[FLOW_CLIENT].ident, OPENSSH);
	expect_text(&session->peer[FLOW_SERVER].ident, row->server);
	expect_text(&session->chosen[SSH_LIST_kex], row->kex);
	expect_text(&session->chosen[SSH_LIST_host_key], row->host_key);
	for (int i = 0; i < 2; i++) {
		expect_text(&session->chosen[SSH_LIST_cipher_c2s + i], row->cipher);
		expect_text(&session->chosen[SSH_LIST_mac_c2s + i], row->mac);
		assert_int_equal(session->is_mac_implicit[i], !row->mac);
		expect_text(&session->chosen[SSH_LIST_compression_c2s + i], row->compression);
		expect_text(&session->chosen[SSH_LIST_language_c2s + i], NULL);
		assert_true(session->peer[i].has_new_keys);
		assert_true(session->peer[i].is_strict);
		assert_false(session->peer[i].has_guessed);
	}
	expect_text(&session->host_key.type, row->key_type);
	assert_int_equal(session->host_key.bits, row->key_bits);
	assert_true(ssh_key_fingerprint(&session->host_key_blob, fingerprint));
	assert_string_equal(fingerprint, row->fingerprint);
	expect_text(&session->signature, row->signature);
	assert_int_equal(session->group.bits, row->group_bits);
	assert_int_equal(session->is_post_quantum, row->is_post_quantum);
	assert_true(session->is_strict);
	assert_int_equal(session->version, 2);
	assert_int_equal(session->outcome, SSH_ESTABLISHED);
	assert_int_equal(session->failure, SSH_FAILURE_none);
	assert_false(session->disconnect.is_there);
}

static void test_recorded_sessions_are_what_ssh_said_of_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		struct flow recorded = recorded_flow(said[i].recording);
		struct flow flow = flow_guarded(&recorded);
		struct flow_needs needs;
		struct ssh_session session;

		assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
		expect_said(&session, &said[i]);
		flow_free(&flow);
	}
}

static void test_group_exchange_tells_what_was_asked_for(void **state)
{
	struct flow flow = recorded_flow(&recorded_gex);
	struct flow_needs needs;
	struct ssh_session session;

	(void)state;
	assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
	/* "SSH2_MSG_KEX_DH_GEX_REQUEST(2048<8192<8192) sent" */
	assert_int_equal(session.group.min_bits, 2048);
	assert_int_equal(session.group.preferred_bits, 8192);
	assert_int_equal(session.group.max_bits, 8192);
}

static void test_nothing_in_common_is_a_failure_at_once(void **state)
{
	static const struct {
		const struct recording *recording;
		enum ssh_list list;
	} rows[] = {
		{ &recorded_no_kex, SSH_LIST_kex },
		{ &recorded_no_host_key, SSH_LIST_host_key },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow flow = recorded_flow(rows[i].recording);
		struct flow_needs needs;
		struct ssh_session session;

		flow.from[FLOW_CLIENT].has_ended = flow.from[FLOW_SERVER].has_ended = false;
		assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
		assert_int_equal(session.outcome, SSH_FAILED);
		assert_int_equal(session.failure, SSH_FAILURE_no_common);
		assert_int_equal(session.failed_list, rows[i].list);
	}
}

/* What dbclient sends with its offer is for Curve25519, and sshd wants P-256 in one of them. */
static void test_recorded_guess_is_passed_over_where_it_is_wrong(void **state)
{
	static const struct {
		const struct recording *recording;
		const char *kex;
		bool is_wrong;
	} rows[] = {
		{ &recorded_guess_right, "curve25519-sha256", false },
		{ &recorded_guess_wrong, "ecdh-sha2-nistp256", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow flow = recorded_flow(rows[i].recording);
		struct flow_needs needs;
		struct ssh_session session;
		char fingerprint[SSH_FINGERPRINT_SIZE];

		assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
		assert_int_equal(session.outcome, SSH_ESTABLISHED);
		expect_text(&session.peer[FLOW_CLIENT].ident, DROPBEAR);
		expect_text(&session.chosen[SSH_LIST_kex], rows[i].kex);
		assert_true(session.peer[FLOW_CLIENT].has_guessed);
		assert_false(session.peer[FLOW_SERVER].has_guessed);
		assert_int_equal(session.peer[FLOW_CLIENT].is_guess_wrong, rows[i].is_wrong);
		assert_true(ssh_key_fingerprint(&session.host_key_blob, fingerprint));
		assert_string_equal(fingerprint, KEY_25519);
	}
}

static void test_recorded_rsa_kex_tells_both_keys(void **state)
{
	struct flow flow = recorded_flow(&recorded_rsa);
	struct flow_needs needs;
	struct ssh_session session;

	(void)state;
	assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_ESTABLISHED);
	expect_text(&session.chosen[SSH_LIST_kex], "rsa1024-sha1");
	expect_text(&session.chosen[SSH_LIST_cipher_c2s], "arcfour");
	expect_text(&session.chosen[SSH_LIST_mac_s2c], "hmac-sha1-96");
	expect_text(&session.host_key.type, "ssh-rsa");
	assert_int_equal(session.host_key.bits, 2048);
	expect_text(&session.signature, "rsa-sha2-256");
	assert_int_equal(session.rsa_bits, 1024);
	assert_int_equal(session.group.bits, 0);
}

static void test_each_prefix_is_parsed_as_promised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		struct flow flow = recorded_flow(said[i].recording);

		for (enum flow_order order = 0; order < NR_FLOW_ORDERS; order++) {
			size_t calls;

			assert_int_equal(flow_check_growth(&flow, order, &session_parser, &calls),
					 FLOW_DECIDED);
			/* the identification is called for by the byte, packets as wholes */
			assert_in_range(calls, 10, 200);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_sessions_are_what_ssh_said_of_them),
		cmocka_unit_test(test_group_exchange_tells_what_was_asked_for),
		cmocka_unit_test(test_nothing_in_common_is_a_failure_at_once),
		cmocka_unit_test(test_recorded_guess_is_passed_over_where_it_is_wrong),
		cmocka_unit_test(test_recorded_rsa_kex_tells_both_keys),
		cmocka_unit_test(test_each_prefix_is_parsed_as_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
