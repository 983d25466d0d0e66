/* SPDX-License-Identifier: MIT */
/* How a handshake goes on behind its messages in clear. */
#include "dtls_peers.h"

static void test_stream_with_a_hole_has_not_ended(void **state)
{
	(void)state;
	take_message(1, 2, 0, "server hello");
	take_message(1, 14, 2, "");
	take(1, "16fefd0001000000000000"
		"0003"
		"aabbcc");
	assert_false(dtls_streams(&flow).from[FLOW_SERVER].has_ended);
	take_message(1, 11, 1, "certificate");
	assert_true(dtls_streams(&flow).from[FLOW_SERVER].has_ended);
}

/* Acknowledgements (RFC 9147 section 7) and heartbeats in clear. */
static void test_records_that_say_nothing_are_stepped_over(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	assert_false(take(1, "1afefd0000000000000000"
			     "0002"
			     "0000"
			     "18fefd0000000000000000"
			     "0001"
			     "01"));
	assert_int_equal(flow.nr_bad, 0);
}

static void test_fatal_alert_counts_more_than_a_warning(void **state)
{
	(void)state;
	/* Before a hello nobody knows whose it is. */
	assert_false(take(1, "15fefd0000000000000000"
			     "0002"
			     "0228"));
	take_hello(0, 0, 'a', "");
	assert_false(take(1, "15fefd0000000000000000"
			     "0001"
			     "02"));
	assert_false(take(1, "15fefd0000000000000000"
			     "0002"
			     "0328"));
	assert_true(take(1, "15fefd0000000000000000"
			    "0002"
			    "015a"));
	assert_int_equal(flow.from[FLOW_SERVER].alert, 90);
	assert_false(dtls_streams(&flow).from[FLOW_SERVER].has_ended);
	assert_true(take(1, "15fefd0000000000000000"
			    "0002"
			    "0228"));
	assert_int_equal(flow.from[FLOW_SERVER].alert, 40);
	assert_false(take(1, "15fefd0000000000000000"
			     "0002"
			     "0229"));
	assert_false(take(1, "15fefd0000000000000000"
			     "0002"
			     "0100"));
	assert_int_equal(flow.from[FLOW_SERVER].alert, 40);
	assert_int_equal(flow.from[FLOW_SERVER].alert_level, 2);
	assert_true(dtls_streams(&flow).from[FLOW_CLIENT].has_ended);
	/* An encrypted one shows that there are keys, not that the handshake was finished. */
	assert_true(take(0, "15fefd0001000000000000"
			    "0003"
			    "aabbcc"));
	assert_true(flow.from[FLOW_CLIENT].has_encrypted);
	assert_false(flow.from[FLOW_CLIENT].has_final);
}

static void test_records_of_version_1_3_are_noticed(void **state)
{
	(void)state;
	assert_false(take(0, "2e00010003aabbcc"));
	take_hello(0, 0, 'a', "");
	/* Epoch 2 is of the handshake, 3 is of what was agreed on; one after the other. */
	assert_true(take(1, "2e00010003aabbcc"));
	assert_true(flow.from[FLOW_SERVER].has_encrypted);
	assert_false(flow.from[FLOW_SERVER].has_final);
	assert_true(take(1, "2e00010003aabbcc"
			    "270003aabb"
			    "dd"
			    "2f00020001aa"));
	assert_true(flow.from[FLOW_SERVER].has_final);
	/* Without a length, and with a connection ID, it has the rest of the datagram. */
	assert_true(take(0, "2a0001aabbcc2f00020001aa"));
	assert_false(flow.from[FLOW_CLIENT].has_final);
	assert_true(take(0, "3faabb0001cc0102"));
	assert_true(dtls_is_established(&flow));
	assert_int_equal(flow.nr_bad, 0);
}

/* RFC 9146: how long the connection ID in front of the length is nobody else knows. */
static void test_record_with_a_connection_id_has_the_rest(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	assert_true(take(0, "19fefd0001000000000001"
			    "aabbccdd"
			    "0003"
			    "112233"));
	assert_true(flow.from[FLOW_CLIENT].has_final);
	assert_int_equal(flow.nr_bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stream_with_a_hole_has_not_ended),
		TEST(records_that_say_nothing_are_stepped_over),
		TEST(fatal_alert_counts_more_than_a_warning),
		TEST(records_of_version_1_3_are_noticed),
		TEST(record_with_a_connection_id_has_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
