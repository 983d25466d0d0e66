/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include "proto/quic_frame.h"

static struct datagram payload;
static struct reader reader;
static struct quic_frame frame;

static void begin(const char *hex)
{
	payload = datagram_text(hex);
	reader = reader_of(payload.bytes, payload.size);
}

static bool next(void)
{
	return quic_frame_read(&reader, &frame);
}

static int teardown(void **state)
{
	(void)state;
	guard_free(payload.bytes, payload.size);
	return 0;
}

static void expect_crypto(uint64_t offset, const char *data)
{
	assert_true(next());
	assert_int_equal(frame.type, QUIC_FRAME_CRYPTO);
	assert_int_equal(frame.offset, offset);
	assert_int_equal(frame.data.size, strlen(data));
	assert_memory_equal(frame.data.bytes, data, frame.data.size);
}

static void test_frames_that_say_nothing_are_stepped_over(void **state)
{
	(void)state;
	/* PADDING, PING; ACK of 9, delay 1, two further ranges; CRYPTO; ACK with ECN counts. */
	begin("000001"
	      "0209010201"
	      "02030405"
	      "06000161"
	      "030000000005064007"
	      "06408002626300");
	expect_crypto(0, "a");
	expect_crypto(128, "bc");
	assert_false(next());
	assert_false(next());
}

static void test_close_has_its_code(void **state)
{
	(void)state;
	begin("1c4178060362616406000161");
	assert_true(next());
	assert_int_equal(frame.type, QUIC_FRAME_CLOSE);
	assert_int_equal(frame.close_code, 0x178);
	expect_crypto(0, "a");
	assert_false(next());
}

static void expect_odd(const char *hex)
{
	begin(hex);
	assert_true(next());
	assert_int_equal(frame.type, QUIC_FRAME_ODD);
	assert_false(next());
	guard_free(payload.bytes, payload.size);
	payload = (struct datagram){ 0 };
}

static void test_frames_of_other_packets_are_odd(void **state)
{
	(void)state;
	/* STREAM, HANDSHAKE_DONE, the CONNECTION_CLOSE of an application, a PING in two bytes. */
	expect_odd("08000161");
	expect_odd("1e");
	expect_odd("1d0000");
	expect_odd("4001");
}

static void test_broken_frames_are_odd(void **state)
{
	(void)state;
	expect_odd("06");
	expect_odd("0600");
	expect_odd("06000261");
	expect_odd("0600ffffffffffffffff61");
	expect_odd("02");
	expect_odd("020901");
	expect_odd("0209010201020304");
	expect_odd("02ffffffffffffffff00ffffffffffffffff00");
	expect_odd("0300000000");
	expect_odd("1c4178");
	expect_odd("1c4178060461");
}

static void test_data_may_be_empty_or_at_the_end_of_numbers(void **state)
{
	(void)state;
	begin("0600000"
	      "6ffffffffffffffff0161");
	expect_crypto(0, "");
	expect_crypto((1ULL << 62) - 1, "a");
	assert_false(next());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_frames_that_say_nothing_are_stepped_over, teardown),
		cmocka_unit_test_teardown(test_close_has_its_code, teardown),
		cmocka_unit_test(test_frames_of_other_packets_are_odd),
		cmocka_unit_test(test_broken_frames_are_odd),
		cmocka_unit_test_teardown(test_data_may_be_empty_or_at_the_end_of_numbers,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
