/* SPDX-License-Identifier: MIT */
/*
 * The recordings are of OpenSSH 9.2p1 of Debian 12, ssh and sshd, with what `ssh -vv` said of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "staged.h"
#include "support/recorded.h"

RECORDED(recorded_default, "tests/fuzz/corpus/ssh/default");
RECORDED(recorded_oldest, "tests/fuzz/corpus/ssh/oldest");
RECORDED(recorded_gex, "tests/fuzz/corpus/ssh/gex");
RECORDED(recorded_gcm, "tests/fuzz/corpus/ssh/gcm");
RECORDED(recorded_no_kex, "tests/fuzz/corpus/ssh/no_kex");
RECORDED(recorded_no_host_key, "tests/fuzz/corpus/ssh/no_host_key");

#define COOKIE	  22
#define OPENSSH	  "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"
#define FACTS_MAX 24

struct said {
	const char *name;
	const struct recording *recording;
	const char *facts[FACTS_MAX][2];
};

static const struct said said[] = {
	{ "default",
	  &recorded_default,
	  { { "outcome", "established" },
	    { "failure", NULL },
	    { "client_ident", OPENSSH },
	    { "server_ident", OPENSSH },
	    { "kex", "sntrup761x25519-sha512" },
	    { "host_key", "ssh-ed25519" },
	    { "cipher_c2s", "chacha20-poly1305@openssh.com" },
	    { "cipher_s2c", "chacha20-poly1305@openssh.com" },
	    { "mac_c2s", "implicit" },
	    { "mac_s2c", "implicit" },
	    { "compression_c2s", "none" },
	    { "compression_s2c", "none" },
	    { "post_quantum", "true" },
	    { "strict_kex", "true" },
	    { "group_bits", NULL },
	    { "host_key_bits", "256" },
	    { "host_key_fingerprint", "SHA256:SWDijWhl5J1wlwVucWqNHX9JW4XD9jIl4E4cqM0OnBc" },
	    { "signature", "ssh-ed25519" },
	    { "findings", NULL } } },
	{ "oldest",
	  &recorded_oldest,
	  { { "outcome", "established" },
	    { "kex", "diffie-hellman-group1-sha1" },
	    { "host_key", "ssh-rsa" },
	    { "cipher_c2s", "3des-cbc" },
	    { "cipher_s2c", "3des-cbc" },
	    { "mac_c2s", "hmac-md5" },
	    { "mac_s2c", "hmac-md5" },
	    { "post_quantum", "false" },
	    { "group_bits", "1024" },
	    { "host_key_bits", "1024" },
	    { "host_key_fingerprint", "SHA256:/h16SKAdDMqvC9gqMN+rz6aKAL2ycIxhPXcMgXwdSh0" },
	    { "signature", "ssh-rsa" },
	    { "findings.0.rule", "ssh_kex_1024" },
	    { "findings.0.evidence", "diffie-hellman-group1-sha1" },
	    { "findings.1.rule", "ssh_signature_sha1" },
	    { "findings.2.rule", "ssh_host_key_short" },
	    { "findings.2.evidence", "ssh-rsa, 1024 bits" } } },
	{ "gex",
	  &recorded_gex,
	  { { "outcome", "established" },
	    { "kex", "diffie-hellman-group-exchange-sha256" },
	    { "host_key", "rsa-sha2-512" },
	    { "cipher_c2s", "aes128-ctr" },
	    { "mac_c2s", "hmac-sha2-256-etm@openssh.com" },
	    { "mac_s2c", "hmac-sha2-256-etm@openssh.com" },
	    { "group_bits", "8192" },
	    { "host_key_bits", "2048" },
	    { "signature", "rsa-sha2-512" } } },
	{ "gcm",
	  &recorded_gcm,
	  { { "outcome", "established" },
	    { "kex", "curve25519-sha256" },
	    { "cipher_s2c", "aes256-gcm@openssh.com" },
	    { "mac_s2c", "implicit" },
	    { "compression_c2s", "zlib@openssh.com" },
	    { "host_key_bits", "256" } } },
	{ "nocommon",
	  &recorded_no_kex,
	  { { "outcome", "failed" },
	    { "failure", "no common kex" },
	    { "client_ident", OPENSSH },
	    { "server_ident", OPENSSH },
	    { "kex", NULL },
	    { "host_key", NULL },
	    { "cipher_c2s", NULL },
	    { "mac_c2s", NULL },
	    /* There is no key exchange that could be one. */
	    { "post_quantum", NULL },
	    { "host_key_fingerprint", NULL },
	    { "signature", NULL } } },
	{ "nocommonhk",
	  &recorded_no_host_key,
	  { { "outcome", "failed" }, { "failure", "no common host key" }, { "host_key", NULL } } },
};

#define NR_SAID (sizeof(said) / sizeof(said[0]))

/* Says all of RECORDING: the client first, the server first, or in turns of SEGMENT bytes. */
static void replay(const struct recording *recording, enum flow_order order, size_t segment)
{
	struct flow flow = recorded_flow(recording);
	size_t at[NR_FLOW_DIRECTIONS] = { 0, 0 };
	enum flow_direction from = order == FLOW_SERVER_FIRST ? FLOW_SERVER : FLOW_CLIENT;

	for (;;) {
		const struct flow_bytes *bytes = &flow.from[from];
		size_t part = bytes->size - at[from];

		if (order == FLOW_IN_TURNS && part > segment)
			part = segment;
		say(from, bytes->bytes + at[from], part);
		at[from] += part;
		if (at[FLOW_CLIENT] == flow.from[FLOW_CLIENT].size &&
		    at[FLOW_SERVER] == flow.from[FLOW_SERVER].size)
			break;
		from = !from;
	}
	close_it(COOKIE);
	finish();
}

static void expect_said(const struct said *row, bool is_server)
{
	const char *text = the_event(row->name);

	expect(row->name, text, "event_type", "ssh_handshake");
	expect(row->name, text, "pid", "100");
	expect(row->name, text, "process", "nginx");
	expect(row->name, text, "role", is_server ? "server" : "client");
	expect(row->name, text, "local", "127.0.0.1:4433");
	expect(row->name, text, "peer", "127.0.0.1:50000");
	for (size_t i = 0; i < FACTS_MAX && row->facts[i][0]; i++)
		expect(row->name, text, row->facts[i][0], row->facts[i][1]);
	expect_forgotten();
	assert_int_equal(decided.cookies[COOKIE], COOKIE);
}

static void test_recordings_are_told_as_ssh_saw_them(void **state)
{
	static const size_t segments[] = { SIZE_MAX, 100, 1 };

	(void)state;
	for (size_t i = 0; i < NR_SAID; i++)
		for (int order = 0; order < NR_FLOW_ORDERS; order++)
			for (int j = 0; j < 6; j++) {
				begin(false);
				talk_begin(COOKIE, j & 1, segments[j / 2]);
				replay(said[i].recording, (enum flow_order)order, segments[j / 2]);
				expect_said(&said[i], j & 1);
				end();
			}
}

static void test_connection_that_breaks_off_was_reset(void **state)
{
	struct flow flow = recorded_flow(&recorded_default);
	const char *text;

	(void)state;
	for (int is_closed = 0; is_closed < 2; is_closed++) {
		begin(false);
		talk_begin(COOKIE, true, SIZE_MAX);
		say(FLOW_SERVER, flow.from[FLOW_SERVER].bytes, 100);
		say(FLOW_CLIENT, flow.from[FLOW_CLIENT].bytes, 100);
		if (is_closed)
			close_it(COOKIE);
		finish();
		text = the_event("broken off");
		expect("broken off", text, "outcome", is_closed ? "reset" : "incomplete");
		expect("broken off", text, "server_ident", OPENSSH);
		expect("broken off", text, "kex", NULL);
		/* What was not offered is not refused either. */
		expect("broken off", text, "post_quantum", NULL);
		expect("broken off", text, "strict_kex", NULL);
		end();
	}
}

/* Where records were lost nobody knows how it ended. */
static void test_connection_with_a_hole_was_not_reset(void **state)
{
	struct flow flow = recorded_flow(&recorded_default);

	(void)state;
	begin(false);
	talk_begin(COOKIE, true, SIZE_MAX);
	say(FLOW_SERVER, flow.from[FLOW_SERVER].bytes, 100);
	say(FLOW_CLIENT, flow.from[FLOW_CLIENT].bytes, 100);
	send(COOKIE, true, true, 200, flow.from[FLOW_CLIENT].bytes + 200, 100);
	close_it(COOKIE);
	expect("hole", the_event("hole"), "outcome", "incomplete");
	end();
}

/* A scan: one side says who it is, and nothing follows. */
static void test_greeting_alone_is_no_handshake(void **state)
{
	(void)state;
	begin(false);
	talk_begin(COOKIE, true, SIZE_MAX);
	say_text(FLOW_SERVER, OPENSSH "\r\n");
	close_it(COOKIE);
	expect_nothing("greeting");
	expect_forgotten();
	end();
}

static struct flow_text text_of(const char *text)
{
	return (struct flow_text){ (const uint8_t *)text, strlen(text) };
}

static struct ssh_session session;
static struct tap_connection connection;

/* What is told of SESSION. */
static const char *told(bool is_closed)
{
	connection = (struct tap_connection){
		.owner = OWNER, .owner_ns = OWNER_NS, .first_ns = 1000000, .last_ns = 3500000
	};
	tap.now_ns = now_ns;
	tell_ssh(&tap, &connection, &session, is_closed);
	return the_event("session");
}

static void expect_failure(const char *expected)
{
	const char *text = told(false);

	expect(expected, text, "outcome", "failed");
	expect(expected, text, "failure", expected);
}

static void test_every_failure_has_a_reason(void **state)
{
	static const struct {
		enum ssh_list list;
		const char *text;
	} lists[] = {
		{ SSH_LIST_kex, "no common kex" },
		{ SSH_LIST_host_key, "no common host key" },
		{ SSH_LIST_cipher_c2s, "no common cipher" },
		{ SSH_LIST_cipher_s2c, "no common cipher" },
		{ SSH_LIST_mac_c2s, "no common MAC" },
		{ SSH_LIST_mac_s2c, "no common MAC" },
		{ SSH_LIST_compression_c2s, "no common compression" },
		{ SSH_LIST_compression_s2c, "no common compression" },
		{ SSH_LIST_language_c2s, "no common language" },
	};

	(void)state;
	begin(false);
	session = (struct ssh_session){ .outcome = SSH_FAILED, .failure = SSH_FAILURE_version };
	expect_failure("no common version");
	session.failure = SSH_FAILURE_malformed;
	expect_failure("malformed");
	session.failure = SSH_FAILURE_no_common;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		session.failed_list = lists[i].list;
		expect_failure(lists[i].text);
	}
	session.failure = SSH_FAILURE_disconnect;
	session.disconnect.reason = 4294967295;
	expect_failure("disconnect 4294967295: ");
	session.disconnect.reason = 11;
	session.disconnect.description = text_of("Bye \"now\"\n");
	expect_failure("disconnect 11: Bye \"now\"\n");
	end();
}

/* A peer's words may be as long as a packet, and have any bytes. */
static void test_long_words_are_cut(void **state)
{
	static char words[40000];
	const char *text;

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	begin(false);
	session = (struct ssh_session){ .outcome = SSH_FAILED,
					.failure = SSH_FAILURE_disconnect,
					.disconnect = { .reason = 2,
							.description = text_of(words) } };
	session.peer[FLOW_CLIENT].ident = text_of(words);
	session.chosen[SSH_LIST_kex] = text_of(words);
	text = told(false);
	assert_int_equal(strlen(parsed_value(text, "failure")), 255);
	assert_int_equal(strlen(parsed_value(text, "client_ident")), 255);
	assert_int_equal(strlen(parsed_value(text, "kex")), 255);
	end();
}

static void test_outcome_is_reset_only_where_nothing_was_said(void **state)
{
	(void)state;
	begin(false);
	session = (struct ssh_session){ .outcome = SSH_ESTABLISHED };
	expect("established", told(true), "outcome", "established");
	session.outcome = SSH_FAILED;
	expect("failed", told(true), "outcome", "failed");
	session.outcome = SSH_INCOMPLETE;
	expect("reset", told(true), "outcome", "reset");
	expect("incomplete", told(false), "outcome", "incomplete");
	expect("incomplete", told(false), "duration_us", "2500");
	end();
}

/* Records of two CPUs may come a little out of order. */
static void test_duration_is_never_negative(void **state)
{
	(void)state;
	begin(false);
	session = (struct ssh_session){ .outcome = SSH_ESTABLISHED };
	connection = (struct tap_connection){ .first_ns = 2000, .last_ns = 1000 };
	tell_ssh(&tap, &connection, &session, false);
	expect("backwards", the_event("backwards"), "duration_us", "0");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings_are_told_as_ssh_saw_them),
		cmocka_unit_test(test_connection_that_breaks_off_was_reset),
		cmocka_unit_test(test_connection_with_a_hole_was_not_reset),
		cmocka_unit_test(test_greeting_alone_is_no_handshake),
		cmocka_unit_test(test_every_failure_has_a_reason),
		cmocka_unit_test(test_long_words_are_cut),
		cmocka_unit_test(test_outcome_is_reset_only_where_nothing_was_said),
		cmocka_unit_test(test_duration_is_never_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
