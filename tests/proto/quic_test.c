/* SPDX-License-Identifier: MIT */
#include "quic_peers.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "priv/sandbox.h"
#include "quic_samples.h"
#include "support/below_valgrind.h"

static void expect_sample(uint32_t version, const char *client, const char *server)
{
	assert_true(take(0, client));
	assert_true(flow.is_quic);
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.version, version);
	assert_int_equal(flow.version_asked, version);
	expect_stream(FLOW_CLIENT, quic_sample_hello, 4);
	assert_int_equal(flow.from[FLOW_CLIENT].next, 3);
	assert_false(flow.from[FLOW_SERVER].has_initial);
	assert_true(take(1, server));
	expect_stream(FLOW_SERVER, quic_sample_answer, 9);
	assert_int_equal(flow.from[FLOW_SERVER].next, 2);
	assert_false(take(0, client));
	assert_false(take(1, server));
	expect_nothing_odd();
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

static void test_either_end_may_be_the_client(void **state)
{
	(void)state;
	assert_true(take(1, quic_sample_client));
	assert_int_equal(flow.client, 1);
	assert_true(take(0, quic_sample_server));
	expect_stream(FLOW_CLIENT, quic_sample_hello, 4);
	expect_stream(FLOW_SERVER, quic_sample_answer, 9);
}

/* RFC 9369 section 4.1: keys of the other version come from the same connection ID. */
static void test_server_may_answer_in_the_other_version(void **state)
{
	(void)state;
	take(0, quic_sample_client);
	assert_true(take(1, quic_sample_server_2));
	assert_int_equal(flow.version, QUIC_VERSION_2);
	assert_int_equal(flow.version_asked, QUIC_VERSION_1);
	expect_stream(FLOW_SERVER, quic_sample_answer, 9);
	assert_false(take(0, quic_sample_client_2));
	assert_int_equal(flow.nr_starts, 1);
	expect_nothing_odd();
	/* A client's packets do not change it. */
	setup(NULL);
	take(0, quic_sample_client);
	take(0, quic_sample_client_2);
	assert_int_equal(flow.version, QUIC_VERSION_1);
}

static void test_server_before_its_client_means_nothing(void **state)
{
	(void)state;
	assert_false(take(1, quic_sample_server));
	assert_false(flow.is_quic);
	assert_int_equal(flow.nr_bad, 1);
	assert_true(take(0, quic_sample_client));
	assert_int_equal(flow.client, 0);
}

/* Every byte is under the tag, as itself or as part of what keys and nonce are made of. */
static void test_changed_packet_is_not_believed(void **state)
{
	struct datagram datagram = datagram_text(quic_sample_client);
	uint8_t *bytes = malloc(datagram.size);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < datagram.size; i++) {
		memcpy(bytes, datagram.bytes, datagram.size);
		bytes[i] ^= (uint8_t)(1U << i % 8);
		setup(NULL);
		assert_false(quic_take(&flow, 0, bytes, datagram.size, 0));
		assert_false(flow.is_quic);
		assert_int_equal(quic_streams(&flow).from[FLOW_CLIENT].size, 0);
	}
	for (size_t size = 0; size < datagram.size; size++) {
		const uint8_t *part = guard_copy(datagram.bytes, size);

		setup(NULL);
		assert_false(quic_take(&flow, 0, part, size, 0));
		assert_false(flow.is_quic);
		assert_int_equal(flow.nr_cut, size >= 18);
		guard_free(part, size);
	}
	free(bytes);
	guard_free(datagram.bytes, datagram.size);
}

static void test_other_bytes_mean_nothing(void **state)
{
	uint8_t bytes[200];
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t size = (seed >> 8) % sizeof(bytes);

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (uint8_t)(seed >> 16);
		}
		/* Some that are told to be of a known version, or of none. */
		if (round % 3 == 0 && size > 6)
			memcpy(bytes, "\xc3\x00\x00\x00\x01\x08", 6);
		if (round % 3 == 1 && size > 6)
			memcpy(bytes, "\xc3\x00\x00\x00\x00\x08", 6);
		assert_false(take_bytes((unsigned)round & 1, bytes, size));
		seed++;
	}
	assert_false(flow.is_quic);
	assert_false(flow.has_negotiation);
	assert_int_equal(flow.nr_starts, 0);
}

static void test_data_in_any_order_become_a_stream(void **state)
{
	static const uint8_t frames[] = {
		0x00, 0x01, 0x06, 0x08, 0x03, 'r',  'l',  'd',	0x01, 0x00, /* at 8 */
		0x06, 0x00, 0x02, 'h',	'e',  0x02, 0x00, 0x00, 0x00, 0x00, /* at 0, ACK */
		0x06, 0x05, 0x04, '-',	'w',  'o',  'R', /* at 5 and into what is known */
	};

	(void)state;
	take_made(FLOW_CLIENT, 1, frames, sizeof(frames));
	expect_text(FLOW_CLIENT, "he");
	assert_true(take_data(FLOW_CLIENT, 1, "Ello", 4));
	expect_text(FLOW_CLIENT, "hello-world");
	expect_nothing_odd();
	assert_false(take_data(FLOW_CLIENT, 0, "HELLO-WORLD", 11));
	expect_text(FLOW_CLIENT, "hello-world");
}

static void test_later_packet_may_come_first(void **state)
{
	(void)state;
	take_made(FLOW_CLIENT, 5, "\x06\x03\x03lo!", 6);
	assert_true(flow.is_quic);
	expect_text(FLOW_CLIENT, "");
	assert_true(take_made(FLOW_CLIENT, 4, "\x06\x00\x03hel", 6));
	expect_text(FLOW_CLIENT, "hello!");
	assert_int_equal(flow.from[FLOW_CLIENT].next, 6);
	expect_nothing_odd();
}

static void test_stream_ends_where_no_more_is_kept(void **state)
{
	char data[1024];

	(void)state;
	memset(data, 'x', sizeof(data));
	for (uint32_t at = 0; at < 15 * 1024; at += sizeof(data))
		take_data(FLOW_CLIENT, at, data, sizeof(data));
	assert_int_equal(quic_streams(&flow).from[FLOW_CLIENT].size, 15 * 1024);
	take_data(FLOW_CLIENT, 15 * 1024, data, 1023);
	assert_false(quic_streams(&flow).from[FLOW_CLIENT].has_ended);
	assert_false(flow.from[FLOW_CLIENT].is_truncated);
	take_data(FLOW_CLIENT, 16383, data, 600);
	assert_true(flow.from[FLOW_CLIENT].is_truncated);
	assert_true(quic_streams(&flow).from[FLOW_CLIENT].has_ended);
	assert_int_equal(quic_streams(&flow).from[FLOW_CLIENT].size, QUIC_CLIENT_MAX);
	for (uint32_t at = 0; at < QUIC_SERVER_MAX; at += sizeof(data))
		take_data(FLOW_SERVER, at, data, sizeof(data));
	assert_false(flow.from[FLOW_SERVER].is_truncated);
	assert_true(quic_streams(&flow).from[FLOW_SERVER].has_ended);
	/* Far behind the end, with offsets of eight bytes. */
	take_made(FLOW_SERVER, 9, "\x06\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 11);
	assert_true(flow.from[FLOW_SERVER].is_truncated);
	expect_nothing_odd();
}

static void test_too_many_holes_are_counted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i <= PIECES_MAX; i++)
		take_data(FLOW_CLIENT, 1 + 2 * i, "x", 1);
	assert_int_equal(flow.nr_dropped, 1);
	take_data(FLOW_CLIENT, 0, "x", 1);
	expect_text(FLOW_CLIENT, "xx");
}

static void test_close_tells_the_alert(void **state)
{
	(void)state;
	take_data(FLOW_CLIENT, 0, "hello", 5);
	take_made(FLOW_SERVER, 0, "\x01", 1);
	assert_true(take_made(FLOW_SERVER, 0, "\x1c\x41\x78\x06\x00", 5));
	assert_true(flow.from[FLOW_SERVER].has_close);
	assert_int_equal(flow.from[FLOW_SERVER].close_code, 0x178);
	assert_int_equal(quic_alert(0x178), 120);
	assert_true(quic_streams(&flow).from[FLOW_CLIENT].has_ended);
	assert_true(quic_streams(&flow).from[FLOW_SERVER].has_ended);
	assert_false(take_made(FLOW_SERVER, 1, "\x1c\x41\x28\x06\x00", 5));
	assert_int_equal(flow.from[FLOW_SERVER].close_code, 0x178);
	assert_int_equal(quic_alert(0x0a), -1);
	assert_int_equal(quic_alert(0x200), -1);
	assert_int_equal(quic_alert(0x100000178), -1);
}

static void test_frame_out_of_place_ends_a_payload(void **state)
{
	(void)state;
	take_made(FLOW_CLIENT, 0, "\x06\x00\x02he\x1e\x06\x02\x02ll", 11);
	expect_text(FLOW_CLIENT, "he");
	assert_int_equal(flow.nr_odd, 1);
}

static void test_packets_of_one_datagram_are_all_taken(void **state)
{
	uint8_t bytes[3 * QUIC_MADE_MAX];
	size_t size = make(bytes, FLOW_CLIENT, first_cid, 0, "\x06\x00\x02he", 5);

	(void)state;
	size += make(bytes + size, FLOW_CLIENT, first_cid, 1, "\x06\x02\x03llo", 6);
	assert_true(take_bytes(0, bytes, size));
	expect_text(FLOW_CLIENT, "hello");
	/* The server: Initial, Handshake, 1-RTT. */
	size = make(bytes, FLOW_SERVER, first_cid, 0, "\x06\x00\x02hi", 5);
	memcpy(bytes + size,
	       "\xe0\x00\x00\x00\x01\x06"
	       "client"
	       "\x06"
	       "server"
	       "\x02"
	       "xx",
	       22);
	size += 22;
	memcpy(bytes + size,
	       "\x40"
	       "client"
	       "0123456789abcdefgh",
	       25);
	size += 25;
	assert_true(take_bytes(1, bytes, size));
	assert_true(flow.from[FLOW_SERVER].has_handshake);
	assert_true(flow.from[FLOW_SERVER].has_short);
	assert_false(quic_is_established(&flow));
	expect_nothing_odd();
}

static void test_gathered_datagrams_are_cut_apart(void **state)
{
	uint8_t bytes[3 * QUIC_MADE_MAX] = { 0 };
	size_t size = make(bytes, FLOW_CLIENT, first_cid, 0, "\x06\x00\x02he", 5), segment = 600;

	(void)state;
	/* What is behind the first packet looks like a 1-RTT packet up to the end. */
	bytes[size] = 0x40;
	size = segment + make(bytes + segment, FLOW_CLIENT, first_cid, 1, "\x06\x02\x03llo", 6);
	quic_take(&flow, 0, bytes, size, 0);
	expect_text(FLOW_CLIENT, "he");
	quic_take(&flow, 0, bytes, size, segment);
	expect_text(FLOW_CLIENT, "hello");
	expect_nothing_odd();
}

static void expect_initial(const char *hex, bool is_initial, uint32_t version)
{
	struct datagram datagram = datagram_text(hex);
	uint32_t found = 0;

	assert_int_equal(quic_is_initial(datagram.bytes, datagram.size, &found), is_initial);
	assert_int_equal(found, version);
	guard_free(datagram.bytes, datagram.size);
}

static void test_initial_packets_are_told_by_their_first_bytes(void **state)
{
	(void)state;
	expect_initial(quic_sample_client, true, QUIC_VERSION_1);
	expect_initial(quic_sample_server, true, QUIC_VERSION_1);
	expect_initial(quic_sample_client_2, true, QUIC_VERSION_2);
	expect_initial(quic_sample_retry, false, 0);
	expect_initial(quic_sample_retry_2, false, 0);
	expect_initial("c0000000010800", true, QUIC_VERSION_1);
	expect_initial("c00000000108", false, 0);
	expect_initial("c0000000011400", true, QUIC_VERSION_1);
	expect_initial("c0000000011500", false, 0);
	expect_initial("80000000010800", false, 0);
	expect_initial("40000000010800", false, 0);
	expect_initial("d0000000010800", false, 0);
	expect_initial("c06b3343cf0800", false, 0);
	expect_initial("c0000000000800", false, 0);
	expect_initial("", false, 0);
}

/* In the sandbox of the process that decodes, which opens nothing. */
static void test_packets_are_read_in_the_sandbox(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	not_below_valgrind("valgrind does not know seccomp(2)");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct datagram client = datagram_text(quic_sample_client);
		struct datagram server = datagram_text(quic_sample_server);
		bool is_read;

		if (sandbox_enter_reader())
			_exit(2);
		is_read = quic_take(&flow, 0, client.bytes, client.size, 0) &&
			  quic_take(&flow, 1, server.bytes, server.size, 0) &&
			  !quic_take(&flow, 0, server.bytes, server.size, 0);
		/* A sanitizer would do more at the end than the sandbox lets it. */
		syscall(SYS_exit_group, is_read && flow.nr_bad == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(samples_of_rfc_9001_are_read),
		TEST(samples_of_rfc_9369_are_read),
		TEST(either_end_may_be_the_client),
		TEST(server_may_answer_in_the_other_version),
		TEST(server_before_its_client_means_nothing),
		TEST(changed_packet_is_not_believed),
		TEST(other_bytes_mean_nothing),
		TEST(data_in_any_order_become_a_stream),
		TEST(later_packet_may_come_first),
		TEST(stream_ends_where_no_more_is_kept),
		TEST(too_many_holes_are_counted),
		TEST(close_tells_the_alert),
		TEST(frame_out_of_place_ends_a_payload),
		TEST(packets_of_one_datagram_are_all_taken),
		TEST(gathered_datagrams_are_cut_apart),
		TEST(initial_packets_are_told_by_their_first_bytes),
		TEST(packets_are_read_in_the_sandbox),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}
