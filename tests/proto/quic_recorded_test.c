/* SPDX-License-Identifier: MIT */
/*
 * Handshakes of real peers. That the streams are right is known from another reader: the digests
 * are those of what tshark 4.4 decrypted, but for the server after the two Retry packets, of which
 * it takes the second as the one that counts.
 */
#include "datagrams.h"

#include "proto/quic.h"

RECORDING(quic_openssl);
RECORDING(quic_retry);
RECORDING(quic_hello_retry);
RECORDING(quic_negotiation);
RECORDING(quic_upgrade);
RECORDING(quic_refused);
RECORDING(quic_resumed);

struct expected {
	const char *text;
	const char *messages[NR_FLOW_DIRECTIONS];
	const char *digests[NR_FLOW_DIRECTIONS];
	uint32_t version, version_asked, nr_starts, nr_others;
	uint64_t close_code;
	bool has_retry, has_negotiation, has_early, is_established;
};

static struct quic_flow flow;

static void take_one(const struct datagram *datagram)
{
	quic_take(&flow, datagram->end, datagram->bytes, datagram->size, 0);
}

static void expect_streams(const struct expected *expected)
{
	struct flow streams = quic_streams(&flow);

	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		assert_string_equal(messages_text(streams.from[i]), expected->messages[i]);
		expect_digest(streams.from[i], expected->digests[i]);
	}
}

static void expect_facts(const struct expected *expected)
{
	assert_true(flow.is_quic);
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.version, expected->version);
	assert_int_equal(flow.version_asked, expected->version_asked);
	assert_int_equal(flow.has_retry, expected->has_retry);
	assert_int_equal(flow.has_negotiation, expected->has_negotiation);
	assert_int_equal(flow.from[FLOW_CLIENT].has_early, expected->has_early);
	assert_int_equal(quic_is_established(&flow), expected->is_established);
	assert_int_equal(flow.from[FLOW_CLIENT].has_handshake, expected->is_established);
	assert_int_equal(flow.from[FLOW_SERVER].has_handshake, expected->is_established);
	assert_int_equal(flow.from[FLOW_SERVER].has_close, expected->close_code != 0);
	assert_int_equal(flow.from[FLOW_SERVER].close_code, expected->close_code);
	assert_false(flow.from[FLOW_CLIENT].has_close);
	assert_int_equal(flow.nr_cut, 0);
	assert_int_equal(flow.nr_odd, 0);
	assert_int_equal(flow.nr_dropped, 0);
}

static void expect_whole(const struct recording *recording, const struct expected *expected)
{
	memset(&flow, 0, sizeof(flow));
	for (size_t i = 0; i < recording->count; i++)
		take_one(&recording->list[i]);
	expect_facts(expected);
	expect_streams(expected);
	assert_int_equal(flow.nr_starts, expected->nr_starts);
	assert_int_equal(flow.nr_others, expected->nr_others);
	assert_int_equal(flow.nr_bad, 0);
}

static void expect_doubled(const struct recording *recording, const struct expected *expected)
{
	memset(&flow, 0, sizeof(flow));
	for (size_t i = 0; i < recording->count; i++) {
		take_one(&recording->list[i]);
		take_one(&recording->list[i]);
	}
	expect_facts(expected);
	expect_streams(expected);
	assert_int_equal(flow.nr_starts, expected->nr_starts);
}

/* Each two neighbours swapped in turn; an answer in front of all questions cannot be read. */
static void expect_swapped(const struct recording *recording, const struct expected *expected)
{
	for (size_t i = 0; i + 1 < recording->count; i++) {
		if (i == 0 && recording->list[1].end == 1)
			continue;
		memset(&flow, 0, sizeof(flow));
		for (size_t j = 0; j < recording->count; j++)
			take_one(&recording->list[j == i ? i + 1 : j == i + 1 ? i : j]);
		expect_streams(expected);
		assert_int_equal(quic_is_established(&flow), expected->is_established);
	}
}

/* Each left out in turn: what is read is the beginning of what there was, and nothing else. */
static void expect_lossy(const struct recording *recording)
{
	static struct quic_flow whole;

	/* The latest swap left all of it. */
	whole = flow;
	for (size_t i = 0; i < recording->count; i++) {
		memset(&flow, 0, sizeof(flow));
		for (size_t j = 0; j < recording->count; j++)
			if (j != i)
				take_one(&recording->list[j]);
		for (int k = 0; k < NR_FLOW_DIRECTIONS; k++) {
			struct flow_bytes all = quic_streams(&whole).from[k];
			struct flow_bytes some = quic_streams(&flow).from[k];

			assert_true(some.size <= all.size);
			assert_memory_equal(some.bytes, all.bytes, some.size);
		}
	}
}

static void expect(const struct expected *expected)
{
	struct recording recording;

	recording_read(&recording, expected->text);
	expect_whole(&recording, expected);
	expect_doubled(&recording, expected);
	if (expected->nr_starts == 1) {
		expect_swapped(&recording, expected);
		expect_lossy(&recording);
	}
	recording_free(&recording);
}

#define NOTHING_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_post_quantum_hello_in_two_datagrams_is_read(void **state)
{
	const struct expected expected = {
		.text = quic_openssl,
		.messages = { "1(1499)", "2(1174)" },
		.digests = { "8da1756dc883f5373147dc04245819bdf88fc74f84afa4ee599f96ece2f02444",
			     "9590c2bdbc3f0c5b75368394e440fe73e55d664b020ac1cf851fcea6d6335198" },
		.version = QUIC_VERSION_1,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 1,
		.is_established = true,
	};

	(void)state;
	expect(&expected);
}

static void test_first_of_two_retry_packets_counts(void **state)
{
	const struct expected expected = {
		.text = quic_retry,
		.messages = { "1(1499)", "2(86)" },
		.digests = { "d554f0cd457975c76b288f4c2f56a3dbae08c211507d07e5cc60f76b0cfc7353",
			     "1bbb33c3fb8c5eba1dfeb80a8a2988dc3db5df6cbbc7266ff259d1bf5fe6e38d" },
		.version = QUIC_VERSION_1,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 1,
		.has_retry = true,
		.is_established = true,
	};

	(void)state;
	expect(&expected);
}

static void test_second_hello_follows_the_first(void **state)
{
	const struct expected expected = {
		.text = quic_hello_retry,
		.messages = { "1(1499) 1(344)", "2(52) 2(151)" },
		.digests = { "eca86ba298b99dd0a66b59acd2b815ab934f9d9877dbc40464c39b99dbc50c49",
			     "80c06c2609f7ed9fb0ee1b1ec40152d255646b622c785771795cf9917c24421c" },
		.version = QUIC_VERSION_1,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 1,
		.is_established = true,
	};

	(void)state;
	expect(&expected);
}

static void test_negotiation_of_versions_is_noticed(void **state)
{
	const struct expected expected = {
		.text = quic_negotiation,
		.messages = { "1(362)", "2(86)" },
		.digests = { "e92e406f4890a7eef155584601b4f5429a9b0f00b4b26d9843f5da8f09f6a5a8",
			     "402d2c951f4a4c5516a5adbf026f0ff2913a921ba54fbda222b9fe575cd76774" },
		.version = QUIC_VERSION_1,
		.version_asked = 0x1a2a3a4a,
		.nr_starts = 1,
		.nr_others = 1,
		.has_negotiation = true,
		.is_established = true,
	};
	struct recording recording;

	(void)state;
	recording_read(&recording, expected.text);
	expect_whole(&recording, &expected);
	expect_lossy(&recording);
	recording_free(&recording);
}

/* RFC 9369 section 4.1: the server answers in version 2, and the client goes on in it. */
static void test_server_may_change_the_version(void **state)
{
	const struct expected expected = {
		.text = quic_upgrade,
		.messages = { "1(362)", "2(86)" },
		.digests = { "55b05b4f726ccb05e4f541296cd396fe615b69eac2a1f6e959c5523729e67038",
			     "c3ec85c42fa479b293a374ebe77c92b55fdefb48941fa4a26908e663833e8319" },
		.version = QUIC_VERSION_2,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 1,
		.is_established = true,
	};

	(void)state;
	expect(&expected);
}

/* no_application_protocol, 120. */
static void test_refused_handshake_tells_its_alert(void **state)
{
	const struct expected expected = {
		.text = quic_refused,
		.messages = { "1(1500)", "" },
		.digests = { "b12e8c185009c3f99a90a0338e141d06c0d3995947a0feeb82ed757e0bc89e01",
			     NOTHING_DIGEST },
		.version = QUIC_VERSION_1,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 1,
		.close_code = 0x100 + 120,
	};

	(void)state;
	expect(&expected);
	assert_int_equal(quic_alert(expected.close_code), 120);
}

static void test_second_connection_has_early_data(void **state)
{
	const struct expected expected = {
		.text = quic_resumed,
		.messages = { "1(623)", "2(92)" },
		.digests = { "1293700b711df076f40b69a5c058dbf85c857ab9f99f97cdd738be0f24bc6040",
			     "1e273ef2de5a167c3c31b64229ce469ef742a78df263d6f7f70639aee231923f" },
		.version = QUIC_VERSION_1,
		.version_asked = QUIC_VERSION_1,
		.nr_starts = 2,
		.has_early = true,
		.is_established = true,
	};

	(void)state;
	expect(&expected);
}

static int prepare(void **state)
{
	(void)state;
	return quic_prepare();
}

static int release(void **state)
{
	(void)state;
	quic_release();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_post_quantum_hello_in_two_datagrams_is_read),
		cmocka_unit_test(test_first_of_two_retry_packets_counts),
		cmocka_unit_test(test_second_hello_follows_the_first),
		cmocka_unit_test(test_negotiation_of_versions_is_noticed),
		cmocka_unit_test(test_server_may_change_the_version),
		cmocka_unit_test(test_refused_handshake_tells_its_alert),
		cmocka_unit_test(test_second_connection_has_early_data),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}
