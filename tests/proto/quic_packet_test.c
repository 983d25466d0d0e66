/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include "proto/quic_packet.h"
#include "quic_samples.h"

static struct datagram datagram;
static struct reader reader;
static struct quic_packet packet;

static int teardown(void **state)
{
	(void)state;
	guard_free(datagram.bytes, datagram.size);
	return 0;
}

/* Whether the datagram begins with a packet, which is then read. */
static bool read_first(const char *hex)
{
	datagram = datagram_text(hex);
	reader = reader_of(datagram.bytes, datagram.size);
	memset(&packet, 0, sizeof(packet));
	return quic_packet_read(&reader, &packet);
}

static void expect_text(struct flow_text text, const char *hex)
{
	struct datagram wanted = datagram_text(hex);

	assert_int_equal(text.size, wanted.size);
	assert_memory_equal(text.bytes, wanted.bytes, text.size);
	guard_free(wanted.bytes, wanted.size);
}

static void test_initial_is_taken_apart(void **state)
{
	(void)state;
	/* Token of 2 bytes, number and payload of 5; then another packet. */
	assert_true(read_first("c0"
			       "00000001"
			       "0401020304"
			       "03aabbcc"
			       "02eeff"
			       "05"
			       "1112131415"
			       "40"));
	assert_int_equal(packet.type, QUIC_PACKET_INITIAL);
	assert_int_equal(packet.version, 1);
	expect_text(packet.destination, "01020304");
	expect_text(packet.source, "aabbcc");
	expect_text(packet.token, "eeff");
	assert_int_equal(packet.number_at, 18);
	assert_int_equal(packet.size, 23);
	assert_false(packet.is_cut);
	assert_true(quic_packet_read(&reader, &packet));
	assert_int_equal(packet.type, QUIC_PACKET_SHORT);
	assert_int_equal(packet.size, 1);
	assert_false(quic_packet_read(&reader, &packet));
}

static void expect_type(const char *hex, enum quic_packet_type type)
{
	assert_true(read_first(hex));
	assert_int_equal(packet.type, type);
	assert_int_equal(packet.size, datagram.size);
	assert_int_equal(reader.left, 0);
	guard_free(datagram.bytes, datagram.size);
}

static void test_types_are_told_by_version(void **state)
{
	(void)state;
	expect_type("c000000001000000011a", QUIC_PACKET_INITIAL);
	expect_type("d0000000010000011a", QUIC_PACKET_EARLY);
	expect_type("e0000000010000011a", QUIC_PACKET_HANDSHAKE);
	expect_type("f00000000100000102030405060708090a0b0c0d0e0f10", QUIC_PACKET_RETRY);
	expect_type("d06b3343cf000000011a", QUIC_PACKET_INITIAL);
	expect_type("e06b3343cf0000011a", QUIC_PACKET_EARLY);
	expect_type("f06b3343cf0000011a", QUIC_PACKET_HANDSHAKE);
	expect_type("c06b3343cf00000102030405060708090a0b0c0d0e0f10", QUIC_PACKET_RETRY);
	expect_type("800000000001aa01bb00000001", QUIC_PACKET_NEGOTIATION);
	expect_type("cf1a2a3a4a01aa01bb00000001", QUIC_PACKET_OTHER);
	expect_type("401122", QUIC_PACKET_SHORT);
	/* RFC 9287: the fixed bit may be off. */
	expect_type("80112233440000", QUIC_PACKET_OTHER);
	expect_type("8000000001000000011a", QUIC_PACKET_INITIAL);
	expect_type("1f1122", QUIC_PACKET_SHORT);
	datagram = (struct datagram){ 0 };
}

static void test_sample_retry_has_its_token(void **state)
{
	(void)state;
	assert_true(read_first(quic_sample_retry));
	assert_int_equal(packet.type, QUIC_PACKET_RETRY);
	expect_text(packet.source, "f067a5502a4262b5");
	expect_text(packet.token, "746f6b656e");
}

static void test_zeros_between_packets_are_stepped_over(void **state)
{
	(void)state;
	assert_true(read_first("e0000000010000021a1b"
			       "000000"
			       "e0000000010000011c"
			       "0000"));
	assert_int_equal(packet.size, 10);
	assert_true(quic_packet_read(&reader, &packet));
	assert_int_equal(packet.bytes[packet.size - 1], 0x1c);
	assert_false(quic_packet_read(&reader, &packet));
}

/* A short header begins with one, too, where its other bits happen to be encrypted so. */
static void test_zero_may_be_a_short_header(void **state)
{
	(void)state;
	expect_type("001122", QUIC_PACKET_SHORT);
	expect_type("008011223344", QUIC_PACKET_SHORT);
	expect_type("000001", QUIC_PACKET_SHORT);
	datagram = (struct datagram){ 0 };
	assert_true(read_first("e0000000010000021a1b"
			       "00c1020304"));
	assert_true(quic_packet_read(&reader, &packet));
	assert_int_equal(packet.type, QUIC_PACKET_SHORT);
	assert_int_equal(packet.size, 5);
	assert_false(quic_packet_read(&reader, &packet));
}

static void test_packet_longer_than_the_datagram_is_cut(void **state)
{
	(void)state;
	assert_true(read_first("c00000000100000040201a1b"));
	assert_true(packet.is_cut);
	assert_int_equal(packet.number_at, 10);
	assert_int_equal(packet.size, 12);
	assert_false(quic_packet_read(&reader, &packet));
}

static void test_numbers_have_four_sizes(void **state)
{
	/* RFC 9000 appendix A.1. */
	static const struct {
		const char *hex;
		uint64_t number;
	} numbers[] = { { "c2197c5eff14e88c", 151288809941952652 },
			{ "9d7f3e7d", 494878333 },
			{ "7bbd", 15293 },
			{ "25", 37 },
			{ "4025", 37 },
			{ "ffffffffffffffff", (1ULL << 62) - 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		datagram = datagram_text(numbers[i].hex);
		reader = reader_of(datagram.bytes, datagram.size);
		assert_int_equal(quic_number(&reader), numbers[i].number);
		assert_false(reader.is_short);
		assert_int_equal(reader.left, 0);
		reader = reader_of(datagram.bytes, datagram.size - 1);
		assert_int_equal(quic_number(&reader), 0);
		assert_true(reader.is_short);
		guard_free(datagram.bytes, datagram.size);
	}
	datagram = (struct datagram){ 0 };
}

static void test_connection_ids_are_bounded_where_the_version_is_known(void **state)
{
	(void)state;
	/* 20 bytes each, then 21 of either. */
	expect_type(
		"c0000000011400000000000000000000000000000000000000001400000000000000000000000000"
		"0000000000000000011a",
		QUIC_PACKET_INITIAL);
	assert_false(read_first("c000000001001500000000000000000000000000000000000000000000011a"));
	guard_free(datagram.bytes, datagram.size);
	assert_false(read_first("c00000000115000000000000000000000000000000000000000000"
				"000000011a"));
	guard_free(datagram.bytes, datagram.size);
	expect_type("c01a2a3a4a1500000000000000000000000000000000000000000000", QUIC_PACKET_OTHER);
	datagram = (struct datagram){ 0 };
}

/* Of every sample every beginning: nothing is read behind it, and no more is said than is there. */
static void test_beginnings_of_packets_are_cut_or_none(void **state)
{
	static const char *const samples[] = { quic_sample_server, quic_sample_server_2,
					       quic_sample_retry, quic_sample_retry_2 };

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t size = 0; size < strlen(samples[i]) / 2; size++) {
			datagram = datagram_hex(samples[i], 2 * size);
			reader = reader_of(datagram.bytes, datagram.size);
			if (quic_packet_read(&reader, &packet)) {
				assert_true(packet.is_cut || packet.type == QUIC_PACKET_RETRY);
				assert_int_equal(packet.size, size);
			}
			guard_free(datagram.bytes, datagram.size);
		}
	datagram = (struct datagram){ 0 };
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_initial_is_taken_apart, teardown),
		cmocka_unit_test(test_types_are_told_by_version),
		cmocka_unit_test_teardown(test_sample_retry_has_its_token, teardown),
		cmocka_unit_test_teardown(test_zeros_between_packets_are_stepped_over, teardown),
		cmocka_unit_test_teardown(test_zero_may_be_a_short_header, teardown),
		cmocka_unit_test_teardown(test_packet_longer_than_the_datagram_is_cut, teardown),
		cmocka_unit_test(test_numbers_have_four_sizes),
		cmocka_unit_test(test_connection_ids_are_bounded_where_the_version_is_known),
		cmocka_unit_test(test_beginnings_of_packets_are_cut_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
