/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include "proto/quic.h"
#include "quic_samples.h"

static struct quic_flow flow;

static bool take(unsigned end, const char *hex)
{
	struct datagram datagram = datagram_text(hex);
	bool is_new = quic_take(&flow, end, datagram.bytes, datagram.size, 0);

	guard_free(datagram.bytes, datagram.size);
	return is_new;
}

static int setup(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof(flow));
	return 0;
}

/* That the stream of DIRECTION is the bytes of HEX from byte AT on. */
static void expect_stream(enum flow_direction direction, const char *hex, size_t at)
{
	struct datagram wanted = datagram_text(hex);
	struct flow_bytes stream = quic_streams(&flow).from[direction];

	assert_int_equal(stream.size, wanted.size - at);
	assert_memory_equal(stream.bytes, wanted.bytes + at, stream.size);
	guard_free(wanted.bytes, wanted.size);
}

static void expect_sample(uint32_t version, const char *client, const char *server)
{
	assert_true(take(0, client));
	assert_true(flow.is_quic);
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.version, version);
	expect_stream(FLOW_CLIENT, quic_sample_hello, 4);
	assert_int_equal(flow.from[FLOW_CLIENT].next, 3);
	assert_false(flow.from[FLOW_SERVER].has_initial);
	assert_true(take(1, server));
	expect_stream(FLOW_SERVER, quic_sample_answer, 9);
	assert_int_equal(flow.from[FLOW_SERVER].next, 2);
	assert_int_equal(flow.nr_bad + flow.nr_odd + flow.nr_cut + flow.nr_dropped, 0);
	assert_int_equal(flow.nr_starts, 1);
}

static void test_samples_of_rfc_9001_are_read(void **state)
{
	(void)state;
	expect_sample(QUIC_VERSION_1, quic_sample_client, quic_sample_server);
}

static void test_samples_of_rfc_9369_are_read(void **state)
{
	(void)state;
	expect_sample(QUIC_VERSION_2, quic_sample_client_2, quic_sample_server_2);
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
		cmocka_unit_test_setup(test_samples_of_rfc_9001_are_read, setup),
		cmocka_unit_test_setup(test_samples_of_rfc_9369_are_read, setup),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}
