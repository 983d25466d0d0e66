/* SPDX-License-Identifier: MIT */
#include "made_flow.h"

/* A key share of X25519MLKEM768 makes a hello longer than a segment, and here than a record. */
static void test_hello_may_be_longer_than_a_record(void **state)
{
	static struct made message;
	size_t block, extension, list;

	(void)state;
	flow_begin();
	made_body.size = message.size = 0;
	made_client_hello(&made_body, 0x0303);
	block = made_begin(&made_body, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_key_share);
	list = made_begin(&made_body, 2);
	made_number(&made_body, 2, 0x11ec);
	made_number(&made_body, 2, 1216);
	made_fill(&made_body, 0xaa, 1216);
	made_end(&made_body, list, 2);
	made_end(&made_body, extension, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_padding);
	made_fill(&made_body, 0, 16000);
	made_end(&made_body, extension, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_server_name);
	made_bytes(&made_body, "\0\6\0\0\3a.b", 8);
	made_end(&made_body, extension, 2);
	made_end(&made_body, block, 2);
	made_message(&message, TLS_MESSAGE_client_hello, &made_body);
	made_records(&made_client, TLS_CONTENT_handshake, message.bytes, message.size, 1 << 14);
	/* again and again in the same scratch, which it fills by a quarter */
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(flow_parse(false, false), FLOW_MORE);
		assert_true(made_session.client.is_there && !made_session.client.is_malformed);
		assert_false(made_session.client.is_cut);
	}
	assert_int_equal(made_session.client.key_shares[0].group, 0x11ec);
	assert_int_equal(made_session.client.key_shares[0].size, 1216);
	made_expect_text(made_session.client.server_name, "a.b");
	/* the second record is missing */
	made_client.size = (1 << 14) + TLS_HEADER_SIZE;
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_false(made_session.client.is_there);
	assert_int_equal(made_needs.size[FLOW_CLIENT], made_client.size + TLS_HEADER_SIZE);
	assert_int_equal(flow_parse(true, false), FLOW_DECIDED);
	assert_true(made_session.client.is_cut);
}

static void test_others_are_foreign(void **state)
{
	static const struct {
		const char *client;
		size_t size;
		enum flow_state expected;
	} cases[] = {
		{ "", 0, FLOW_MORE },
		{ "G", 1, FLOW_FOREIGN },
		{ "GET / HTTP/1.1", 14, FLOW_FOREIGN },
		{ "SSH-2.0-x", 9, FLOW_FOREIGN },
		{ "\x16", 1, FLOW_MORE },
		{ "\x16\3\1\2\0\1\0\1\xfc\3", 10, FLOW_MORE },
		{ "\x16\3\1\2\0\1\0\1\xfc\3\3", 11, FLOW_MORE },
		{ "\x16\3\1\2\0\2\0\1\xfc\3\3", 11, FLOW_FOREIGN },	/* a ServerHello */
		{ "\x16\3\0\0\0\1\0\1\xfc\3\3", 11, FLOW_FOREIGN },	/* no record of 0 */
		{ "\x16\3\1\x41\0\1\0\1\xfc\3\3", 11, FLOW_FOREIGN },	/* too long a record */
		{ "\x16\3\1\2\0\1\xff\1\xfc\3\3", 11, FLOW_FOREIGN },	/* too long a message */
		{ "\x16\3\1\2\0\1\0\0\x10\3\3", 11, FLOW_FOREIGN },	/* too short a message */
		{ "\x16\3\1\2\0\1\0\1\xfc\xfe\xfd", 11, FLOW_FOREIGN }, /* DTLS in TLS */
		{ "\x16\2\1\2\0\1\0\1\xfc\3\3", 11, FLOW_FOREIGN },
		{ "\x15\3\1\0\2\2\x28\0\0\0\0", 11, FLOW_FOREIGN },
		{ "\x16\3\1\0\1\1\x16\3\1\0\1", 11, FLOW_MORE }, /* very small records */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum flow_state state_of;

		flow_begin();
		made_bytes(&made_client, cases[i].client, cases[i].size);
		state_of = flow_parse(false, false);
		if (state_of != cases[i].expected)
			fail_msg("case %zu is %d", i, state_of);
	}
}

/* Servers that speak first speak another protocol. */
static void test_server_does_not_begin(void **state)
{
	(void)state;
	flow_begin();
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_needs.size[FLOW_CLIENT], 1);
	assert_int_equal(made_needs.size[FLOW_SERVER], 1);
	made_bytes(&made_server, "220 mail", 8);
	assert_int_equal(flow_parse(false, false), FLOW_FOREIGN);
	made_client.size = 0;
	made_bytes(&made_client, "\x16\3", 2);
	assert_int_equal(flow_parse(false, false), FLOW_FOREIGN);
	flow_begin();
	assert_int_equal(flow_parse(true, true), FLOW_FOREIGN);
}

/* Until the server has chosen, what a client sends behind its hello has no meaning yet. */
static void test_client_waits_for_the_choice(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_change_cipher(&made_client);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 100);
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_needs.size[FLOW_CLIENT], SIZE_MAX);
	assert_int_equal(made_needs.size[FLOW_SERVER], TLS_HEADER_SIZE);
	assert_false(made_session.is_broken[FLOW_CLIENT]);
}

static void test_retry_keeps_the_group_alone(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_hello_retry(0x11ec);
	flow_change_cipher(&made_server);
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_true(made_session.has_hello_retry && !made_session.server.is_there);
	assert_int_equal(made_session.hello_retry_group, 0x11ec);
	assert_int_equal(made_session.hello_retry_cipher, 0x1301);
	assert_int_equal(made_session.group_known, TLS_KNOWN_not_seen);
	flow_change_cipher(&made_client);
	flow_client_hello();
	flow_server_hello_13();
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_session.nr_client_hellos, 2);
	assert_int_equal(made_session.group, 0x001d);
	assert_int_equal(made_session.version, 0x0304);
	assert_false(made_session.is_broken[0] || made_session.is_broken[1]);
	/* a second one is against RFC 8446 section 4.1.4 */
	made_server.size = 0;
	flow_hello_retry(0x11ec);
	flow_hello_retry(0x001d);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
}

/* Where the flow says nothing more of its own. */
static void test_records_out_of_place_are_broken(void **state)
{
	(void)state;
	/* a second hello that nobody asked for */
	flow_begin();
	flow_client_hello();
	flow_client_hello();
	flow_server_hello_13();
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_CLIENT]);
	/* data before the server's hello */
	flow_begin();
	flow_client_hello();
	made_encrypted(&made_server, TLS_CONTENT_application_data, 100);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
	/* a message in clear after that of TLS 1.3 */
	flow_begin();
	flow_client_hello();
	flow_server_hello_13();
	flow_message(&made_server, TLS_MESSAGE_certificate);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
	/* data before ChangeCipherSpec */
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0xc02f);
	made_encrypted(&made_server, TLS_CONTENT_application_data, 100);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
	/* two server hellos */
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0xc02f);
	flow_server_hello(0x0303, 0xc02f);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
	/* HelloVerifyRequest is of DTLS alone */
	flow_begin();
	flow_client_hello();
	flow_message(&made_server, TLS_MESSAGE_hello_verify_request);
	flow_parse(false, false);
	assert_true(made_session.is_broken[FLOW_SERVER]);
	assert_int_equal(made_session.outcome, TLS_OUTCOME_failed);
}

static void test_heartbeats_and_requests_are_passed_over(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	made_body.size = 0;
	flow_message(&made_server, TLS_MESSAGE_hello_request);
	made_encrypted(&made_server, TLS_CONTENT_heartbeat, 19);
	flow_server_hello(0x0303, 0x002f);
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_session.cipher, 0x002f);
}

/* Certificates of both sides, asked for. */
static void test_certificates_of_both_are_kept(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	made_bytes(&made_body, "\0\0\7\0\0\4leaf", 10);
	flow_message(&made_server, TLS_MESSAGE_certificate);
	flow_message(&made_server, TLS_MESSAGE_certificate_request);
	flow_message(&made_server, TLS_MESSAGE_server_hello_done);
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_session.asks_certificate, TLS_ANSWER_yes);
	assert_int_equal(made_session.sends_certificate, TLS_ANSWER_unknown);
	made_expect_text(made_session.server_certificates.der[0], "leaf");
	made_bytes(&made_body, "\0\0\7\0\0\4mine", 10);
	flow_message(&made_client, TLS_MESSAGE_certificate);
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_session.sends_certificate, TLS_ANSWER_yes);
	made_expect_text(made_session.client_certificates.der[0], "mine");
}

static void test_certificates_have_their_limits(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	for (size_t side = 0; side < NR_FLOW_DIRECTIONS; side++) {
		size_t list = made_begin(&made_body, 3);

		for (size_t i = 0; i < TLS_SERVER_CERTIFICATES_MAX + 1; i++)
			made_vector(&made_body, 3, "der", 3);
		made_end(&made_body, list, 3);
		flow_message(side ? &made_server : &made_client, TLS_MESSAGE_certificate);
	}
	assert_int_equal(flow_parse(false, false), FLOW_MORE);
	assert_int_equal(made_session.server_certificates.nr, TLS_SERVER_CERTIFICATES_MAX);
	assert_int_equal(made_session.client_certificates.nr, TLS_CLIENT_CERTIFICATES_MAX);
	assert_true(made_session.server_certificates.is_cut);
	assert_true(made_session.client_certificates.is_cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_may_be_longer_than_a_record),
		cmocka_unit_test(test_others_are_foreign),
		cmocka_unit_test(test_server_does_not_begin),
		cmocka_unit_test(test_client_waits_for_the_choice),
		cmocka_unit_test(test_retry_keeps_the_group_alone),
		cmocka_unit_test(test_records_out_of_place_are_broken),
		cmocka_unit_test(test_heartbeats_and_requests_are_passed_over),
		cmocka_unit_test(test_certificates_of_both_are_kept),
		cmocka_unit_test(test_certificates_have_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
