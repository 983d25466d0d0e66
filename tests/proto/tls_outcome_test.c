/* SPDX-License-Identifier: MIT */
#include "made_flow.h"

/* A full handshake of TLS 1.2 up to the client's Finished, with static RSA. */
static void begin_12(void)
{
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	made_bytes(&made_body, "\0\0\7\0\0\4leaf", 10);
	flow_message(&made_server, TLS_MESSAGE_certificate);
	flow_message(&made_server, TLS_MESSAGE_server_hello_done);
	flow_message(&made_client, 16);
	flow_change_cipher(&made_client);
	made_encrypted(&made_client, TLS_CONTENT_handshake, 40);
}

static void expect(enum flow_state state, uint8_t outcome)
{
	assert_int_equal(flow_parse(false, false), state);
	assert_int_equal(made_session.outcome, outcome);
}

static void expect_alert(unsigned int from, bool is_encrypted, uint8_t alert)
{
	expect(FLOW_DECIDED, TLS_OUTCOME_failed);
	assert_true(made_session.has_alert);
	assert_int_equal(made_session.alert_from, from);
	assert_int_equal(made_session.alert_is_encrypted, is_encrypted);
	assert_int_equal(made_session.alert, alert);
}

static void test_both_have_to_finish(void **state)
{
	(void)state;
	begin_12();
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.resumed, TLS_ANSWER_no);
	assert_int_equal(made_session.group_known, TLS_KNOWN_no_such);
	assert_int_equal(made_session.sends_certificate, TLS_ANSWER_no);
	flow_change_cipher(&made_server);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	made_encrypted(&made_server, TLS_CONTENT_handshake, 40);
	expect(FLOW_DECIDED, TLS_OUTCOME_established);
	/* what comes then is of no interest */
	made_encrypted(&made_server, TLS_CONTENT_alert, 26);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 1000);
	expect(FLOW_DECIDED, TLS_OUTCOME_established);
}

/* In TLS 1.3 the same session id means nothing; here neither it alone does. */
static void test_resumption_is_a_handshake_without_hello_done(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0xc02f);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.resumed, TLS_ANSWER_unknown);
	assert_int_equal(made_session.group_known, TLS_KNOWN_not_seen);
	flow_change_cipher(&made_server);
	made_encrypted(&made_server, TLS_CONTENT_handshake, 40);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.resumed, TLS_ANSWER_yes);
	assert_int_equal(made_session.group_known, TLS_KNOWN_no_such);
	assert_int_equal(made_session.signature_known, TLS_KNOWN_no_such);
	assert_int_equal(made_session.server_certificates.known, TLS_KNOWN_no_such);
	flow_change_cipher(&made_client);
	made_encrypted(&made_client, TLS_CONTENT_handshake, 40);
	expect(FLOW_DECIDED, TLS_OUTCOME_established);
}

static void test_alerts_end_a_handshake(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	made_alert(&made_server, 2, TLS_ALERT_handshake_failure);
	expect_alert(FLOW_SERVER, false, TLS_ALERT_handshake_failure);
	begin_12();
	made_alert(&made_server, 2, TLS_ALERT_bad_certificate);
	expect_alert(FLOW_SERVER, false, TLS_ALERT_bad_certificate);
	/* under encryption it does not say which */
	begin_12();
	flow_change_cipher(&made_server);
	made_encrypted(&made_server, TLS_CONTENT_alert, 26);
	expect_alert(FLOW_SERVER, true, 0);
	/* a client that gives up before anything came */
	flow_begin();
	flow_client_hello();
	made_alert(&made_client, 1, TLS_ALERT_close_notify);
	expect_alert(FLOW_CLIENT, false, TLS_ALERT_close_notify);
}

/* The other side often answers with close_notify, which says nothing. */
static void test_reason_wins_over_close_notify(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	made_alert(&made_client, 2, TLS_ALERT_unknown_ca);
	made_alert(&made_server, 1, TLS_ALERT_close_notify);
	expect_alert(FLOW_CLIENT, false, TLS_ALERT_unknown_ca);
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	made_alert(&made_client, 1, TLS_ALERT_close_notify);
	made_alert(&made_server, 2, TLS_ALERT_internal_error);
	expect_alert(FLOW_SERVER, false, TLS_ALERT_internal_error);
	flow_begin();
	flow_client_hello();
	flow_server_hello(0x0303, 0x002f);
	made_alert(&made_client, 2, TLS_ALERT_bad_certificate);
	made_alert(&made_server, 2, TLS_ALERT_internal_error);
	expect_alert(FLOW_CLIENT, false, TLS_ALERT_bad_certificate);
}

/* A server that does not know the name says so and goes on (RFC 6066 section 3). */
static void test_warnings_do_not_end_it(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	made_alert(&made_server, 1, TLS_ALERT_unrecognized_name);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_true(made_session.has_warning && !made_session.has_alert);
	assert_int_equal(made_session.warning, TLS_ALERT_unrecognized_name);
	flow_server_hello(0x0303, 0x002f);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.cipher, 0x002f);
	/* in TLS 1.3 there is one (RFC 8446 section 6) */
	flow_begin();
	flow_client_hello();
	flow_server_hello_13();
	made_alert(&made_client, 1, TLS_ALERT_user_canceled);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.warning, TLS_ALERT_user_canceled);
	flow_begin();
	flow_client_hello();
	flow_server_hello_13();
	made_alert(&made_client, 1, TLS_ALERT_certificate_unknown);
	expect_alert(FLOW_CLIENT, false, TLS_ALERT_certificate_unknown);
}

static void test_answer_of_another_protocol_is_a_failure(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	made_bytes(&made_server, "HTTP/1.1 400 Bad Request\r\n", 26);
	expect(FLOW_DECIDED, TLS_OUTCOME_failed);
	assert_false(made_session.has_alert);
	assert_true(made_session.is_broken[FLOW_SERVER]);
}

static void test_end_is_told_from_silence(void **state)
{
	(void)state;
	begin_12();
	assert_int_equal(flow_parse(true, false), FLOW_DECIDED);
	assert_int_equal(made_session.outcome, TLS_OUTCOME_incomplete);
	assert_int_equal(flow_parse(true, true), FLOW_DECIDED);
	assert_int_equal(made_session.outcome, TLS_OUTCOME_reset);
	/* closed, but there is more to be read */
	assert_int_equal(flow_parse(false, true), FLOW_MORE);
	assert_int_equal(made_session.outcome, TLS_OUTCOME_incomplete);
}

static void test_tls13_hides_how_it_ended(void **state)
{
	(void)state;
	flow_begin();
	flow_client_hello();
	flow_server_hello_13();
	flow_change_cipher(&made_server);
	made_encrypted(&made_server, TLS_CONTENT_application_data, 900);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	flow_change_cipher(&made_client);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	assert_int_equal(made_session.signature_known, TLS_KNOWN_encrypted);
	assert_int_equal(made_session.server_certificates.known, TLS_KNOWN_encrypted);
	assert_int_equal(made_session.resumed, TLS_ANSWER_no);
	/* the header of the record is enough */
	made_encrypted(&made_client, TLS_CONTENT_application_data, 53);
	made_client.size -= 53;
	expect(FLOW_DECIDED, TLS_OUTCOME_established);
	made_client.size -= TLS_HEADER_SIZE;
	made_encrypted(&made_client, TLS_CONTENT_application_data, 19);
	expect_alert(FLOW_CLIENT, true, 0);
}

/* A hello after which early data follows, which may look like anything. */
static void early_client_hello(void)
{
	size_t block, extension;

	made_body.size = 0;
	made_client_hello(&made_body, 0x0303);
	block = made_begin(&made_body, 2);
	extension = made_extension(&made_body, TLS_EXTENSION_early_data);
	made_end(&made_body, extension, 2);
	made_end(&made_body, block, 2);
	flow_message(&made_client, TLS_MESSAGE_client_hello);
	flow_change_cipher(&made_client);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 19);
}

static void test_early_data_is_no_evidence(void **state)
{
	(void)state;
	flow_begin();
	early_client_hello();
	flow_server_hello_13();
	made_encrypted(&made_server, TLS_CONTENT_application_data, 900);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 21);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 53);
	expect(FLOW_DECIDED, TLS_OUTCOME_established);
}

/* HelloRetryRequest refuses it: what follows the second hello is evidence as ever. */
static void test_early_data_that_is_refused_is_passed_over(void **state)
{
	(void)state;
	flow_begin();
	early_client_hello();
	flow_hello_retry(0x0017);
	flow_client_hello();
	flow_server_hello_13();
	made_encrypted(&made_server, TLS_CONTENT_application_data, 900);
	expect(FLOW_MORE, TLS_OUTCOME_incomplete);
	made_encrypted(&made_client, TLS_CONTENT_application_data, 19);
	expect_alert(FLOW_CLIENT, true, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_have_to_finish),
		cmocka_unit_test(test_resumption_is_a_handshake_without_hello_done),
		cmocka_unit_test(test_alerts_end_a_handshake),
		cmocka_unit_test(test_reason_wins_over_close_notify),
		cmocka_unit_test(test_warnings_do_not_end_it),
		cmocka_unit_test(test_answer_of_another_protocol_is_a_failure),
		cmocka_unit_test(test_end_is_told_from_silence),
		cmocka_unit_test(test_tls13_hides_how_it_ended),
		cmocka_unit_test(test_early_data_is_no_evidence),
		cmocka_unit_test(test_early_data_that_is_refused_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
