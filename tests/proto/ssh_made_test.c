/* SPDX-License-Identifier: MIT */
/* src/proto/ssh.h, with peers that say what those of the recordings do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "made_ssh.h"
#include "proto/ssh.h"
#include "support/recorded.h"
#include "support/ssh_sessions.h"

static void expect_text(const struct flow_text *text, const char *expected)
{
	if (!expected) {
		assert_null(text->bytes);
		return;
	}
	assert_int_equal(text->size, strlen(expected));
	assert_memory_equal(text->bytes, expected, text->size);
}

/* Two peers that are made up. */
static struct made peers[NR_FLOW_DIRECTIONS];

static void begin(void)
{
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		peers[i].size = 0;
		made_line(&peers[i], i == FLOW_CLIENT ? "SSH-2.0-c\r\n" : "SSH-2.0-s\r\n");
	}
}

static void offer(const struct made_offer *client, const struct made_offer *server)
{
	begin();
	made_kexinit(&peers[FLOW_CLIENT], client);
	made_kexinit(&peers[FLOW_SERVER], server);
}

/* Parses what both have said; the session's text is good until the next call. */
static enum flow_state parse_made(bool has_ended, struct ssh_session *ret)
{
	static struct flow last;
	struct flow flow = { 0 };
	struct flow_needs needs = { { 0, 0 } };
	enum flow_state state;
	size_t calls;

	if (last.from[0].bytes)
		flow_free(&last);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		flow.from[i] = (struct flow_bytes){ peers[i].bytes, peers[i].size, has_ended };
	last = flow_guarded(&flow);
	state = ssh_parse(&last, ret, &needs);
	for (size_t i = 0; state == FLOW_MORE && i < NR_FLOW_DIRECTIONS; i++)
		assert_true(needs.size[i] > peers[i].size);
	if (!has_ended)
		assert_int_equal(flow_check_growth(&flow, FLOW_IN_TURNS, &session_parser, &calls),
				 state);
	return state;
}

static void test_first_of_the_client_that_the_server_has_is_chosen(void **state)
{
	static const struct made_offer client = {
		.kex = "ext-info-c,kex-strict-c-v00@openssh.com,made-up,mlkem768nistp256-sha256,"
		       "mlkem768x25519-sha256",
		.host_key = "a,rsa-sha2-512,ssh-ed25519",
		.cipher = "a,AEAD_AES_256_GCM,aes128-ctr",
		.mac = "no,common,mac",
		.compression = "zlib,none",
	};
	static const struct made_offer server = {
		.kex = "mlkem768x25519-sha256,mlkem768nistp256-sha256,kex-strict-s,ext-info-c",
		.host_key = "ssh-ed25519,rsa-sha2-512",
		.cipher = "aes128-ctr,AEAD_AES_256_GCM",
		.mac = "hmac-sha2-256",
		.compression = "none,zlib",
	};
	struct ssh_session session;

	(void)state;
	offer(&client, &server);
	assert_int_equal(parse_made(false, &session), FLOW_MORE);
	assert_int_equal(session.outcome, SSH_INCOMPLETE);
	expect_text(&session.chosen[SSH_LIST_kex], "mlkem768nistp256-sha256");
	expect_text(&session.chosen[SSH_LIST_host_key], "rsa-sha2-512");
	expect_text(&session.chosen[SSH_LIST_cipher_s2c], "AEAD_AES_256_GCM");
	expect_text(&session.chosen[SSH_LIST_mac_s2c], NULL);
	assert_true(session.is_mac_implicit[FLOW_CLIENT]);
	assert_true(session.is_mac_implicit[FLOW_SERVER]);
	expect_text(&session.chosen[SSH_LIST_compression_c2s], "zlib");
	assert_true(session.is_post_quantum);
	assert_true(session.is_strict);
}

static void test_strict_kex_takes_both(void **state)
{
	static const struct {
		const char *kex[NR_FLOW_DIRECTIONS];
		bool is_strict;
	} rows[] = {
		{ { "a,kex-strict-c-v00@openssh.com", "a,kex-strict-s-v00@openssh.com" }, true },
		{ { "a,kex-strict-c-v00@openssh.com", "a" }, false },
		{ { "a", "a,kex-strict-s-v00@openssh.com" }, false },
		{ { "a,kex-strict-c-v00@openssh.com", "a,kex-strict-c-v00@openssh.com" }, false },
	};
	struct ssh_session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct made_offer client = { .kex = rows[i].kex[0] };
		struct made_offer server = { .kex = rows[i].kex[1] };

		offer(&client, &server);
		assert_int_equal(parse_made(false, &session), FLOW_MORE);
		expect_text(&session.chosen[SSH_LIST_kex], "a");
		assert_int_equal(session.is_strict, rows[i].is_strict);
		assert_false(session.is_post_quantum);
	}
}

static void test_each_list_must_have_something_in_common(void **state)
{
	static const struct {
		struct made_offer offer;
		enum ssh_list list;
	} rows[] = {
		{ { .kex = "a,ext-info-c" }, SSH_LIST_kex },
		{ { .host_key = "a" }, SSH_LIST_host_key },
		{ { .cipher = "a" }, SSH_LIST_cipher_c2s },
		{ { .mac = "a" }, SSH_LIST_mac_c2s },
		{ { .mac = "" }, SSH_LIST_mac_c2s },
		{ { .compression = "a" }, SSH_LIST_compression_c2s },
	};
	static const struct made_offer server = { .kex = "curve25519-sha256,ext-info-c" };
	struct ssh_session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		offer(&rows[i].offer, &server);
		assert_int_equal(parse_made(false, &session), FLOW_DECIDED);
		assert_int_equal(session.outcome, SSH_FAILED);
		assert_int_equal(session.failure, SSH_FAILURE_no_common);
		assert_int_equal(session.failed_list, rows[i].list);
	}
}

/* Says of the group exchange what the client asks for, P of BITS, and the reply to it. */
static void exchange(struct made *client, struct made *server, size_t p_size)
{
	static struct made body;
	uint8_t prime[2048] = { 0x80 };

	body.size = 0;
	made_number(&body, 1024);
	made_number(&body, 2048);
	made_number(&body, 4096);
	made_message(client, 34, &body);
	body.size = 0;
	made_bytes(&body, prime, p_size);
	made_string(&body, "\2");
	made_message(server, 31, &body);
	made_packet(client, 32, "\0\0\0\1e", 5);
	body.size = 0;
	made_bytes(&body, "\0\0\0\13ssh-ed25519\0\0\0\1k", 20);
	made_string(&body, "f");
	made_bytes(&body, "\0\0\0\13ssh-ed25519\0\0\0\1s", 20);
	made_message(server, 33, &body);
	made_newkeys(client);
	made_newkeys(server);
}

/* The guess is message 30, which in a group exchange asks for a group, as old clients did. */
static void test_guess_is_passed_over_where_it_is_wrong(void **state)
{
	static const char gex[] = "diffie-hellman-group-exchange-sha256,x";
	static const char guess2[] =
		"diffie-hellman-group-exchange-sha256,x,kexguess2@matt.ucc.asn.au";
	static const char other2[] =
		"x,diffie-hellman-group-exchange-sha256,kexguess2@matt.ucc.asn.au";
	static const struct {
		struct made_offer client, server;
		bool is_wrong;
	} rows[] = {
		{ { .kex = gex, .has_guessed = true }, { .kex = gex }, false },
		{ { .kex = gex, .has_guessed = true }, { .kex = other2 }, true },
		{ { .kex = gex, .has_guessed = true },
		  { .kex = gex, .host_key = "a,ssh-ed25519" },
		  true },
		/* Dropbear's rule, where both have it */
		{ { .kex = guess2, .has_guessed = true }, { .kex = other2 }, false },
		{ { .kex = guess2, .host_key = "b,ssh-ed25519", .has_guessed = true },
		  { .kex = other2 },
		  true },
	};
	struct ssh_session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		offer(&rows[i].client, &rows[i].server);
		made_packet(&peers[FLOW_CLIENT], 30, "\0\0\7\xff", 4);
		exchange(&peers[FLOW_CLIENT], &peers[FLOW_SERVER], 256);
		assert_int_equal(parse_made(false, &session), FLOW_DECIDED);
		assert_int_equal(session.outcome, SSH_ESTABLISHED);
		assert_int_equal(session.peer[FLOW_CLIENT].is_guess_wrong, rows[i].is_wrong);
		assert_int_equal(session.group.preferred_bits, rows[i].is_wrong ? 2048 : 2047);
		assert_int_equal(session.group.min_bits, 1024);
		assert_int_equal(session.group.max_bits, 4096);
		assert_int_equal(session.group.bits, 2048);
		expect_text(&session.signature, "ssh-ed25519");
	}
}

/* RFC 4462 section 2.1 and 2.5: what the server calls its key comes in a message of its own. */
static void test_gssapi_tells_the_host_key_and_the_group(void **state)
{
	static const struct made_offer any = { .kex = "gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g==" };
	static struct made body;
	static const uint8_t prime[257] = { 0, 0x80 };
	struct ssh_session session;

	(void)state;
	offer(&any, &any);
	body.size = 0;
	made_number(&body, 1024);
	made_number(&body, 3072);
	made_number(&body, 8192);
	made_message(&peers[FLOW_CLIENT], 40, &body);
	body.size = 0;
	made_bytes(&body, prime, sizeof(prime));
	made_string(&body, "\2");
	made_message(&peers[FLOW_SERVER], 41, &body);
	body.size = 0;
	made_bytes(&body, "\0\0\0\13ssh-ed25519\0\0\0\1k", 20);
	made_message(&peers[FLOW_SERVER], 33, &body);
	assert_int_equal(parse_made(false, &session), FLOW_MORE);
	assert_int_equal(session.group.bits, 2048);
	assert_int_equal(session.group.preferred_bits, 3072);
	expect_text(&session.host_key.type, "ssh-ed25519");
	expect_text(&session.signature, NULL);
	/* "null": no key at all, and the key of others is not waited for */
	offer(&(struct made_offer){ .kex = "gss-group14-sha256-x", .host_key = "null" },
	      &(struct made_offer){ .kex = "gss-group14-sha256-x", .host_key = "null" });
	made_newkeys(&peers[FLOW_CLIENT]);
	made_newkeys(&peers[FLOW_SERVER]);
	assert_int_equal(parse_made(false, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_ESTABLISHED);
	expect_text(&session.chosen[SSH_LIST_host_key], "null");
	expect_text(&session.host_key.type, NULL);
	assert_int_equal(session.group.bits, 2048);
}

/* What it says is for people: a kex, a host key or a signature that cannot be read is no failure.
 */
static void test_reply_that_cannot_be_read_is_left_out(void **state)
{
	static const struct made_offer any = { 0 };
	struct ssh_session session;

	(void)state;
	offer(&any, &any);
	made_packet(&peers[FLOW_SERVER], 31, "\0\0\0\1k\0\0\0\1f\0\0\0\5s", 16);
	made_newkeys(&peers[FLOW_CLIENT]);
	made_newkeys(&peers[FLOW_SERVER]);
	assert_int_equal(parse_made(false, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_ESTABLISHED);
	expect_text(&session.host_key_blob, NULL);
	expect_text(&session.host_key.type, NULL);
	expect_text(&session.signature, NULL);
}

static void test_disconnect_in_clear_is_a_failure(void **state)
{
	static const struct made_offer any = { 0 };
	static struct made body;
	struct ssh_session session;

	(void)state;
	offer(&any, &any);
	body.size = 0;
	made_number(&body, 3); /* SSH_DISCONNECT_KEY_EXCHANGE_FAILED */
	made_string(&body, "no");
	made_string(&body, "en");
	made_message(&peers[FLOW_SERVER], SSH_MSG_DISCONNECT, &body);
	/* the client may have been about to say something */
	assert_int_equal(parse_made(false, &session), FLOW_MORE);
	assert_int_equal(parse_made(true, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_FAILED);
	assert_int_equal(session.failure, SSH_FAILURE_disconnect);
	assert_true(session.disconnect.is_there);
	assert_int_equal(session.disconnect.from, FLOW_SERVER);
	assert_int_equal(session.disconnect.reason, 3);
	expect_text(&session.disconnect.description, "no");
}

static void test_end_before_the_keys_are_new_is_incomplete(void **state)
{
	static const struct made_offer any = { 0 };
	struct ssh_session session;

	(void)state;
	begin();
	assert_int_equal(parse_made(true, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_INCOMPLETE);
	expect_text(&session.peer[FLOW_SERVER].ident, "SSH-2.0-s");
	expect_text(&session.chosen[SSH_LIST_kex], NULL);
	offer(&any, &any);
	made_newkeys(&peers[FLOW_CLIENT]);
	assert_int_equal(parse_made(true, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_INCOMPLETE);
	expect_text(&session.chosen[SSH_LIST_kex], "curve25519-sha256");
	assert_true(session.peer[FLOW_CLIENT].has_new_keys);
	/* whoever asks for the server's name only */
	peers[FLOW_CLIENT].size = 0;
	assert_int_equal(parse_made(true, &session), FLOW_DECIDED);
	expect_text(&session.peer[FLOW_SERVER].ident, "SSH-2.0-s");
	expect_text(&session.peer[FLOW_CLIENT].ident, NULL);
	peers[FLOW_SERVER].size = 0;
	assert_int_equal(parse_made(true, &session), FLOW_FOREIGN);
}

static void test_nothing_is_no_bytes(void **state)
{
	const struct flow flow = { { { NULL, 0, false }, { NULL, 0, false } } };
	struct ssh_session session;
	struct flow_needs needs;

	(void)state;
	assert_int_equal(ssh_parse(&flow, &session, &needs), FLOW_MORE);
	assert_int_equal(needs.size[FLOW_CLIENT], 1);
	assert_int_equal(needs.size[FLOW_SERVER], 1);
}

static void test_what_is_not_ssh_is_foreign(void **state)
{
	static const char *const rows[][NR_FLOW_DIRECTIONS] = {
		{ "GET / HTTP/1.1\r\n", "" },
		{ "GET / HTTP/1.1\r\n", "SSH-2.0-s\r\n" },
		{ "EHLO x\r\n", "220 mx\r\n" },
		{ "\x16\3\1", "" },
		{ "SSH-2.0-c\r\nSSH-2.0-c\r\n", "SSH-2.0-s\r\n" },
		{ "SSH-2.0-c\r\n", "SSH-2.0-s\r\nInvalid" },
	};
	struct ssh_session session = { .version = 99 };
	uint8_t body[16 + NR_SSH_LISTS * 4 + 1 + 3];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t side = 0; side < NR_FLOW_DIRECTIONS; side++) {
			peers[side].size = 0;
			made_line(&peers[side], rows[i][side]);
		}
		assert_int_equal(parse_made(false, &session), FLOW_FOREIGN);
		assert_int_equal(session.version, 99);
	}
	/* an offer without what is reserved at its end */
	begin();
	memset(body, 0, sizeof(body));
	made_packet(&peers[FLOW_CLIENT], SSH_MSG_KEXINIT, body, sizeof(body));
	assert_int_equal(parse_made(false, &session), FLOW_FOREIGN);
	/* an offer that ends in its lists */
	begin();
	made_packet(&peers[FLOW_CLIENT], SSH_MSG_KEXINIT, "0123456789abcdef\0\0\0\1a", 21);
	assert_int_equal(parse_made(false, &session), FLOW_FOREIGN);
}

static void test_what_is_no_ssh_behind_the_offers_is_malformed(void **state)
{
	static const struct made_offer any = { 0 };
	struct ssh_session session;

	(void)state;
	offer(&any, &any);
	made_packet(&peers[FLOW_CLIENT], 99, "", 0);
	assert_int_equal(parse_made(false, &session), FLOW_MORE);
	made_newkeys(&peers[FLOW_SERVER]);
	assert_int_equal(parse_made(false, &session), FLOW_DECIDED);
	assert_int_equal(session.outcome, SSH_FAILED);
	assert_int_equal(session.failure, SSH_FAILURE_malformed);
}

static void test_versions_must_agree(void **state)
{
	static const struct {
		const char *lines[NR_FLOW_DIRECTIONS];
		enum ssh_outcome outcome;
		uint32_t version;
		enum flow_state state;
	} rows[] = {
		{ { "SSH-1.5-c\n", "SSH-1.99-s\n" }, SSH_INCOMPLETE, 1, FLOW_DECIDED },
		{ { "SSH-1.99-c\n", "SSH-1.5-s\n" }, SSH_INCOMPLETE, 1, FLOW_DECIDED },
		{ { "SSH-2.0-c\n", "SSH-1.5-s\n" }, SSH_FAILED, 0, FLOW_DECIDED },
		{ { "SSH-1.5-c\n", "SSH-2.0-s\n" }, SSH_FAILED, 0, FLOW_DECIDED },
		{ { "SSH-1.99-c\n", "SSH-1.99-s\n" }, SSH_INCOMPLETE, 2, FLOW_MORE },
		{ { "", "SSH-1.5-s\n" }, SSH_INCOMPLETE, 0, FLOW_MORE },
		/* its packets may be those of version 1, until it is known which one is spoken */
		{ { "", "SSH-1.99-s\nwhatever" }, SSH_INCOMPLETE, 0, FLOW_MORE },
		{ { "SSH-1.5-c\n", "SSH-1.99-s\nwhatever" }, SSH_INCOMPLETE, 1, FLOW_DECIDED },
	};
	struct ssh_session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t side = 0; side < NR_FLOW_DIRECTIONS; side++) {
			peers[side].size = 0;
			made_line(&peers[side], rows[i].lines[side]);
		}
		assert_int_equal(parse_made(false, &session), rows[i].state);
		assert_int_equal(session.outcome, rows[i].outcome);
		assert_int_equal(session.version, rows[i].version);
		assert_int_equal(session.failure, rows[i].outcome == SSH_FAILED
							  ? SSH_FAILURE_version
							  : SSH_FAILURE_none);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_of_the_client_that_the_server_has_is_chosen),
		cmocka_unit_test(test_strict_kex_takes_both),
		cmocka_unit_test(test_each_list_must_have_something_in_common),
		cmocka_unit_test(test_guess_is_passed_over_where_it_is_wrong),
		cmocka_unit_test(test_gssapi_tells_the_host_key_and_the_group),
		cmocka_unit_test(test_reply_that_cannot_be_read_is_left_out),
		cmocka_unit_test(test_disconnect_in_clear_is_a_failure),
		cmocka_unit_test(test_end_before_the_keys_are_new_is_incomplete),
		cmocka_unit_test(test_nothing_is_no_bytes),
		cmocka_unit_test(test_what_is_not_ssh_is_foreign),
		cmocka_unit_test(test_what_is_no_ssh_behind_the_offers_is_malformed),
		cmocka_unit_test(test_versions_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
