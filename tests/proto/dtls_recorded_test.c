/* SPDX-License-Identifier: MIT */
/*
 * Handshakes of real peers. The digests are those of the messages as another reader, which knows
 * nothing of order, put them together.
 */
#include "datagrams.h"

#include "proto/dtls.h"

RECORDING(dtls_openssl);
RECORDING(dtls_gnutls);
RECORDING(dtls_1_0);
RECORDING(dtls_lossy);
RECORDING(dtls_nss);
RECORDING(dtls_refused);

struct expected {
	const char *text;
	const char *messages[NR_FLOW_DIRECTIONS];
	const char *digests[NR_FLOW_DIRECTIONS];
	bool hello_verify, is_established, has_change;
	int alert; /* of the server, or -1 */
};

static struct dtls_flow flow;

static void take_one(const struct datagram *datagram)
{
	dtls_take(&flow, datagram->end, datagram->bytes, datagram->size);
}

static void expect_all(const struct expected *expected)
{
	struct flow streams = dtls_streams(&flow);

	assert_true(flow.is_dtls);
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.hello_verify, expected->hello_verify);
	assert_int_equal(flow.nr_bad, 0);
	assert_int_equal(flow.nr_cut, 0);
	assert_int_equal(dtls_is_established(&flow), expected->is_established);
	assert_int_equal(flow.from[FLOW_SERVER].has_alert, expected->alert >= 0);
	if (expected->alert >= 0)
		assert_int_equal(flow.from[FLOW_SERVER].alert, expected->alert);
	for (int i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		assert_string_equal(messages_text(streams.from[i]), expected->messages[i]);
		expect_digest(streams.from[i], expected->digests[i]);
		assert_true(streams.from[i].has_ended);
		assert_int_equal(flow.from[i].has_change, expected->has_change);
		assert_int_equal(flow.from[i].stream.nr_dropped, 0);
	}
}

static void expect_doubled(const struct recording *recording, const struct expected *expected)
{
	memset(&flow, 0, sizeof(flow));
	for (size_t i = 0; i < recording->count; i++) {
		take_one(&recording->list[i]);
		take_one(&recording->list[i]);
	}
	expect_all(expected);
}

static void expect_swapped(const struct recording *recording, const struct expected *expected)
{
	for (size_t i = 0; i + 1 < recording->count; i++) {
		memset(&flow, 0, sizeof(flow));
		for (size_t j = 0; j < recording->count; j++)
			take_one(&recording->list[j == i ? i + 1 : j == i + 1 ? i : j]);
		/* An alert in front of every hello is nobody's. */
		if (flow.from[FLOW_SERVER].has_alert || expected->alert < 0)
			expect_all(expected);
	}
}

/*
 * Each left out in turn: what there is are messages of the whole, from the first on where the first
 * is there.
 */
static void expect_lossy(const struct recording *recording)
{
	static struct dtls_flow whole;

	memset(&whole, 0, sizeof(whole));
	for (size_t i = 0; i < recording->count; i++)
		dtls_take(&whole, recording->list[i].end, recording->list[i].bytes,
			  recording->list[i].size);
	for (size_t i = 0; i < recording->count; i++) {
		memset(&flow, 0, sizeof(flow));
		for (size_t j = 0; j < recording->count; j++)
			if (j != i)
				take_one(&recording->list[j]);
		for (int k = 0; k < NR_FLOW_DIRECTIONS; k++) {
			struct flow_bytes all = dtls_streams(&whole).from[k];
			struct flow_bytes some = dtls_streams(&flow).from[k];

			assert_true(some.size <= all.size);
			if (some.size && memcmp(some.bytes, all.bytes, some.size) != 0)
				assert_memory_equal(some.bytes, all.bytes + all.size - some.size,
						    some.size);
		}
	}
}

static void expect(const struct expected *expected)
{
	struct recording recording;

	recording_read(&recording, expected->text);
	memset(&flow, 0, sizeof(flow));
	for (size_t i = 0; i < recording.count; i++)
		take_one(&recording.list[i]);
	expect_all(expected);
	assert_int_equal(flow.nr_starts, 1 + expected->hello_verify);
	expect_doubled(&recording, expected);
	expect_swapped(&recording, expected);
	expect_lossy(&recording);
	recording_free(&recording);
}

static void test_small_fragments_of_openssl_are_put_together(void **state)
{
	const struct expected expected = {
		.text = dtls_openssl,
		.messages = { "1(200) 11(787) 16(33) 15(260)",
			      "2(61) 11(787) 12(296) 13(48) 14(0) 4(966)" },
		.digests = { "f4a1940ddc40cffcb7825739da7a4ec1c661fc3a265d3583ecae60e9f6107122",
			     "357d302b53201dfd2287325359958f431d022938b91c56d91547b5dc97812afc" },
		.hello_verify = true,
		.is_established = true,
		.has_change = true,
		.alert = -1,
	};

	(void)state;
	expect(&expected);
}

static void test_gnutls_is_read(void **state)
{
	const struct expected expected = {
		.text = dtls_gnutls,
		.messages = { "1(210) 11(3) 16(66)", "2(97) 11(787) 12(329) 13(39) 14(0) 4(396)" },
		.digests = { "1214a5ef3bf73fc4ae267198e8b54ffc53ec75aa55547e1bb7d0778c58a8e76d",
			     "5d60a0428d87a1a1d8f203f4ffada6666c0028d943375cea230c1093d650ee8a" },
		.hello_verify = true,
		.is_established = true,
		.has_change = true,
		.alert = -1,
	};

	(void)state;
	expect(&expected);
}

static void test_version_1_0_is_read(void **state)
{
	const struct expected expected = {
		.text = dtls_1_0,
		.messages = { "1(144) 16(33)", "2(65) 11(787) 12(294) 14(0) 4(182)" },
		.digests = { "631b8c1029dab05217837379a6dcfa4a0bc74cdbc3e8d81d1c6ed50b8a43956d",
			     "1254208b8ba5231037a35f3917cd042b2a0a40701b8919734a1dbf9a432c0106" },
		.hello_verify = true,
		.is_established = true,
		.has_change = true,
		.alert = -1,
	};

	(void)state;
	expect(&expected);
}

static void test_flights_that_were_sent_again_are_read_once(void **state)
{
	const struct expected expected = {
		.text = dtls_lossy,
		.messages = { "1(200) 11(787) 16(33) 15(260)",
			      "2(61) 11(787) 12(296) 13(48) 14(0) 4(966)" },
		.digests = { "4c81f33a3bb266ac754bd15ffdf35cb5239284f1548eaee92b32123aabdf109b",
			     "c3e609b103578b884524d66b70773e7fbd1573461cdd603ed8bc7f898ae540e7" },
		.hello_verify = true,
		.is_established = true,
		.has_change = true,
		.alert = -1,
	};

	(void)state;
	expect(&expected);
}

static void test_hellos_of_version_1_3_are_read(void **state)
{
	const struct expected expected = {
		.text = dtls_nss,
		.messages = { "1(156) 1(341)", "2(172) 2(151)" },
		.digests = { "da08bc041a5124e61a60bf04879754fea80152349a10dc0e3a8e91e94529ea7c",
			     "d49ba809cdd78155eab7a6de664f321d7ef9f391ea2f76f8a7d6922b2b295dee" },
		.is_established = true,
		.alert = -1,
	};

	(void)state;
	expect(&expected);
}

/* protocol_version, 70. */
static void test_refused_handshake_tells_its_alert(void **state)
{
	const struct expected expected = {
		.text = dtls_refused,
		.messages = { "1(173)", "" },
		.digests = { "70bcfb81f3468dfe4b405aa4c6b72c2dd3749578ebc2f23b4137a910898ac852",
			     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		.alert = 70,
	};

	(void)state;
	expect(&expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_fragments_of_openssl_are_put_together),
		cmocka_unit_test(test_gnutls_is_read),
		cmocka_unit_test(test_version_1_0_is_read),
		cmocka_unit_test(test_flights_that_were_sent_again_are_read_once),
		cmocka_unit_test(test_hellos_of_version_1_3_are_read),
		cmocka_unit_test(test_refused_handshake_tells_its_alert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
