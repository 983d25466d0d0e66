/* SPDX-License-Identifier: MIT */
/* How a handshake goes on around the streams of its Initial packets. */
#include "quic_peers.h"

#include "quic_samples.h"

static void test_packets_after_the_handshake_are_noticed(void **state)
{
	static const char handshake[] = "\xe0\x00\x00\x00\x01\x06"
					"server"
					"\x06"
					"client"
					"\x02"
					"xx";
	static const char other_handshake[] = "\xe0\x00\x00\x00\x01\x05"
					      "serve"
					      "\x06"
					      "client"
					      "\x02"
					      "xx";
	static const char early[] = "\xd0\x00\x00\x00\x01\x09"
				    "asked-for"
				    "\x06"
				    "client"
				    "\x02"
				    "xx";

	(void)state;
	/* Before the hello, and before the server's answer, nobody knows whose they are. */
	assert_false(take_bytes(0, (const uint8_t *)early, sizeof(early) - 1));
	take_data(FLOW_CLIENT, 0, "hello", 5);
	assert_true(take_bytes(0, (const uint8_t *)early, sizeof(early) - 1));
	assert_true(flow.from[FLOW_CLIENT].has_early);
	assert_false(take_bytes(1, (const uint8_t *)early, sizeof(early) - 1));
	assert_false(take_bytes(0, (const uint8_t *)handshake, sizeof(handshake) - 1));
	take_data(FLOW_SERVER, 0, "hi", 2);
	assert_false(take_bytes(0, (const uint8_t *)other_handshake, sizeof(other_handshake) - 1));
	assert_true(take_bytes(0, (const uint8_t *)handshake, sizeof(handshake) - 1));
	assert_false(take_bytes(0, (const uint8_t *)handshake, sizeof(handshake) - 1));
	assert_true(flow.from[FLOW_CLIENT].has_handshake);
}

static void expect_short(unsigned end, const char *bytes, bool is_one)
{
	assert_int_equal(take_bytes(end, (const uint8_t *)bytes, strlen(bytes)), is_one);
}

static void test_1_rtt_packets_are_told_from_others(void **state)
{
	(void)state;
	expect_short(0, "@server0123456789abcdefgh", false);
	take_data(FLOW_CLIENT, 0, "hello", 5);
	expect_short(0, "@server0123456789abcdefgh", false);
	take_data(FLOW_SERVER, 0, "hi", 2);
	/* Too short for a tag; without the fixed bit and for nobody. */
	expect_short(0, "@server0123456789abcdef", false);
	expect_short(0, "\x01nobody0123456789abcdefgh", false);
	expect_short(0, "\x01server0123456789abcdefgh", true);
	/* With another connection ID, which was told encrypted. */
	expect_short(1, "@nobody0123456789abcdefgh", true);
	assert_true(quic_is_established(&flow));
}

static void test_rest_of_a_datagram_is_no_1_rtt_packet(void **state)
{
	uint8_t bytes[QUIC_MADE_MAX];
	size_t size;

	(void)state;
	take_data(FLOW_CLIENT, 0, "hello", 5);
	size = make(bytes, FLOW_SERVER, first_cid, 0, "\x06\x00\x02hi", 5);
	memset(bytes + size, 0x55, 100);
	take_bytes(1, bytes, size + 100);
	expect_text(FLOW_SERVER, "hi");
	assert_false(flow.from[FLOW_SERVER].has_short);
}

static void test_next_connection_on_the_same_ports_begins_anew(void **state)
{
	uint8_t packet[QUIC_MADE_MAX];
	size_t size;

	(void)state;
	take_data(FLOW_CLIENT, 0, "hello", 5);
	take_data(FLOW_SERVER, 0, "hi", 2);
	take_made(FLOW_SERVER, 3, "\x1c\x00\x00\x00", 4);
	size = make(packet, FLOW_CLIENT, other_cid, 0, "\x06\x00\x02yo", 5);
	/* Not from the end that was the server. */
	assert_false(take_bytes(1, packet, size));
	assert_true(take_bytes(0, packet, size));
	assert_int_equal(flow.nr_starts, 2);
	expect_text(FLOW_CLIENT, "yo");
	expect_text(FLOW_SERVER, "");
	assert_false(flow.from[FLOW_SERVER].has_initial);
	assert_false(flow.from[FLOW_SERVER].has_close);
	assert_int_equal(flow.from[FLOW_CLIENT].next, 1);
	/* What is left of the former one is late. */
	assert_false(take_made(FLOW_CLIENT, 9, "\x06\x00\x02oh", 5));
	expect_text(FLOW_CLIENT, "yo");
	assert_int_equal(flow.nr_starts, 2);
}

static void test_short_connection_id_begins_nothing(void **state)
{
	static const struct flow_text short_cid = { (const uint8_t *)"1234567", 7 };
	uint8_t packet[QUIC_MADE_MAX];

	(void)state;
	assert_false(take_bytes(0, packet,
				make(packet, FLOW_CLIENT, short_cid, 0, "\x06\x00\x02he", 5)));
	assert_false(flow.is_quic);
}

static void test_flow_of_bad_packets_is_given_up(void **state)
{
	(void)state;
	/* Good ones in between make up for them. */
	for (int i = 0; i < 2 * QUIC_VAIN_MAX; i++) {
		if (i % (QUIC_VAIN_MAX - 1) == 0)
			take_data(FLOW_CLIENT, 0, "hello", 5);
		assert_false(take(1, quic_sample_server));
	}
	assert_int_equal(flow.nr_bad, 2 * QUIC_VAIN_MAX);
	assert_true(take(0, quic_sample_client));
	assert_int_equal(flow.nr_starts, 2);
	setup(NULL);
	for (int i = 0; i < QUIC_VAIN_MAX; i++)
		assert_false(take(1, quic_sample_server));
	assert_int_equal(flow.nr_bad, QUIC_VAIN_MAX);
	assert_false(take(0, quic_sample_client));
	assert_false(flow.is_quic);
}

static void test_negotiation_has_to_say_back_what_was_asked(void **state)
{
	static const char *const answers[] = {
		/* Another source, another destination, the same in the wrong places. */
		"8000000000"
		"0401020304"
		"081112131415161719"
		"00000001",
		"8000000000"
		"0401020305"
		"081112131415161718"
		"00000001",
		"8000000000"
		"081112131415161718"
		"0401020304"
		"00000001",
	};
	static const char asked[] = "c01a2a3a4a"
				    "081112131415161718"
				    "0401020304"
				    "00";
	static const char answer[] = "8000000000"
				     "0401020304"
				     "081112131415161718"
				     "00000001";

	(void)state;
	assert_false(take(1, answer));
	assert_false(take(0, asked));
	assert_int_equal(flow.nr_others, 1);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_false(take(1, answers[i]));
	assert_false(take(0, answer));
	assert_false(flow.has_negotiation);
	assert_true(take(1, answer));
	assert_true(flow.has_negotiation);
	assert_false(flow.is_quic);
	assert_true(take(0, quic_sample_client));
	assert_true(flow.has_negotiation);
	assert_int_equal(flow.version_asked, 0x1a2a3a4a);
	assert_int_equal(flow.version, QUIC_VERSION_1);
	/* Packets of other versions are of no more interest. */
	assert_false(take(1, asked));
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.nr_others, 2);
	/* The next connection was not asked for in vain. */
	take(1, quic_sample_server);
	take_data(FLOW_CLIENT, 0, "hello", 5);
	assert_int_equal(flow.nr_starts, 2);
	assert_false(flow.has_negotiation);
	assert_int_equal(flow.version_asked, QUIC_VERSION_1);
}

static void test_new_keys_follow_a_retry(void **state)
{
	static const struct flow_text retry_cid = {
		(const uint8_t *)"\xf0\x67\xa5\x50\x2a\x42\x62\xb5", 8
	};
	uint8_t packet[QUIC_MADE_MAX];
	size_t size;

	(void)state;
	take(0, quic_sample_client);
	assert_true(take(1, quic_sample_retry));
	assert_true(flow.has_retry);
	size = make(packet, FLOW_CLIENT, retry_cid, 3, "\x06\x40\xf1\x01!", 5);
	assert_true(take_bytes(0, packet, size));
	assert_int_equal(flow.nr_starts, 1);
	assert_int_equal(flow.from[FLOW_CLIENT].next, 4);
	assert_int_equal(quic_streams(&flow).from[FLOW_CLIENT].size, 242);
	/* One counts, and one that was meant for another client does not. */
	assert_false(take(1, quic_sample_retry));
	/* The first packet comes once more: it is late and begins nothing. */
	assert_false(take(0, quic_sample_client));
	assert_int_equal(flow.nr_starts, 1);
	size = make(packet, FLOW_SERVER, retry_cid, 0, "\x06\x00\x01?", 4);
	assert_true(take_bytes(1, packet, size));
	expect_text(FLOW_SERVER, "?");
}

static void test_retry_of_others_is_not_believed(void **state)
{
	(void)state;
	assert_false(take(1, quic_sample_retry));
	take_data(FLOW_CLIENT, 0, "hello", 5);
	assert_false(take(1, quic_sample_retry));
	assert_false(flow.has_retry);
	assert_int_equal(flow.nr_bad, 1);
	/* Nor of the client itself, nor after a server's answer. */
	setup(NULL);
	take(0, quic_sample_client);
	assert_false(take(0, quic_sample_retry));
	take(1, quic_sample_server);
	assert_false(take(1, quic_sample_retry));
	assert_false(flow.has_retry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_after_the_handshake_are_noticed),
		TEST(1_rtt_packets_are_told_from_others),
		TEST(rest_of_a_datagram_is_no_1_rtt_packet),
		TEST(next_connection_on_the_same_ports_begins_anew),
		TEST(short_connection_id_begins_nothing),
		TEST(flow_of_bad_packets_is_given_up),
		TEST(negotiation_has_to_say_back_what_was_asked),
		TEST(new_keys_follow_a_retry),
		TEST(retry_of_others_is_not_believed),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}
