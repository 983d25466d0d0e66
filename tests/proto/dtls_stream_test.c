/* SPDX-License-Identifier: MIT */
#include "datagrams.h"

#include "proto/dtls_stream.h"

static struct dtls_stream stream;

static int setup(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	return 0;
}

/* Puts the part of TEXT, which is a message, from OFFSET on. */
static void put(uint8_t type, uint16_t number, const char *text, uint32_t offset, uint32_t size)
{
	const struct dtls_fragment fragment = {
		.type = type,
		.number = number,
		.length = (uint32_t)strlen(text),
		.offset = offset,
		.size = size,
		.bytes = guard_copy(text + offset, size),
	};

	dtls_stream_put(&stream, &fragment);
	guard_free(fragment.bytes, size);
}

static void put_whole(uint8_t type, uint16_t number, const char *text)
{
	put(type, number, text, 0, (uint32_t)strlen(text));
}

static bool advance(void)
{
	uint32_t at;

	return dtls_stream_advance(&stream, &at);
}

/* That advancing gives the messages of WANTED and no more: "11abc 12d". */
static void expect(const char *wanted)
{
	char text[256] = "";
	size_t size = 0;

	while (advance())
		continue;
	for (uint32_t at = 0; at < stream.size;) {
		const uint8_t *header = stream.bytes + at;
		int length = header[1] << 16 | header[2] << 8 | header[3];

		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%u%.*s",
					 at ? " " : "", header[0], length,
					 (const char *)header + DTLS_HEADER_SIZE);
		at += DTLS_HEADER_SIZE + (uint32_t)length;
	}
	assert_string_equal(text, wanted);
}

static void test_messages_follow_each_other(void **state)
{
	(void)state;
	put_whole(2, 0, "hello");
	put_whole(11, 1, "certificate");
	put_whole(14, 2, "");
	assert_int_equal(stream.size, 0);
	expect("2hello 11certificate 14");
	assert_int_equal(stream.next, 3);
	assert_int_equal(stream.nr_ahead, 0);
	assert_int_equal(stream.nr_dropped, 0);
}

static void test_fragments_in_any_order_make_a_message(void **state)
{
	(void)state;
	put(11, 0, "certificate", 7, 4);
	put(11, 0, "certificate", 2, 3);
	assert_false(advance());
	put(11, 0, "certificate", 0, 3);
	put(11, 0, "certificate", 7, 4);
	assert_false(advance());
	put(11, 0, "certificate", 3, 5);
	expect("11certificate");
}

static void test_later_messages_wait_for_earlier_ones(void **state)
{
	(void)state;
	put_whole(14, 3, "done");
	put(12, 2, "exchange", 4, 4);
	put_whole(11, 1, "certificate");
	expect("");
	put_whole(2, 0, "hello");
	expect("2hello 11certificate");
	assert_int_equal(stream.nr_ahead, 2);
	put(12, 2, "exchange", 0, 4);
	expect("2hello 11certificate 12exchange 14done");
}

static void test_messages_sent_again_are_left_out(void **state)
{
	(void)state;
	put_whole(2, 0, "hello");
	put_whole(11, 1, "certificate");
	expect("2hello 11certificate");
	put_whole(2, 0, "HELLO");
	put_whole(11, 1, "CERTIFICATE");
	put(14, 2, "done", 0, 2);
	put(14, 2, "DONE", 0, 4);
	expect("2hello 11certificate 14doNE");
	assert_int_equal(stream.nr_dropped, 0);
}

static void test_contradictions_are_dropped(void **state)
{
	(void)state;
	put(11, 0, "certificate", 0, 4);
	put_whole(11, 0, "longer certificate");
	put_whole(12, 0, "certificate");
	assert_int_equal(stream.nr_dropped, 2);
	put(11, 0, "certificate", 4, 7);
	expect("11certificate");
}

static void test_messages_too_far_ahead_are_dropped(void **state)
{
	(void)state;
	put_whole(14, DTLS_AHEAD_MAX, "far");
	assert_int_equal(stream.nr_dropped, 1);
	for (uint16_t i = DTLS_AHEAD_MAX - 1; i > 0; i--)
		put_whole(11, i, "x");
	assert_int_equal(stream.nr_dropped, 1);
	put_whole(11, 0, "first");
	expect("11first 11x 11x 11x 11x 11x 11x 11x");
}

static void test_hello_begins_the_stream(void **state)
{
	(void)state;
	put(1, 0, "lost in part", 0, 4);
	put_whole(11, 3, "later");
	put_whole(1, 2, "hello");
	expect("1hello 11later");
	assert_int_equal(stream.next, 4);
	/* Only the first one. */
	setup(NULL);
	put_whole(1, 0, "hello");
	expect("1hello");
	put_whole(1, 2, "again");
	expect("1hello");
}

static void test_far_hello_begins_nothing(void **state)
{
	(void)state;
	put_whole(1, 60000, "hello");
	assert_int_equal(stream.next, 0);
	assert_int_equal(stream.nr_dropped, 1);
}

static void test_beginning_forgets_what_was_before(void **state)
{
	(void)state;
	put_whole(1, 0, "hello");
	expect("1hello");
	put(1, 1, "again", 0, 2);
	put_whole(16, 2, "key");
	dtls_stream_begin(&stream, 1);
	expect("");
	put(1, 1, "again", 2, 3);
	expect("1again 16key");
	dtls_stream_begin(&stream, 1);
	expect("1again 16key");
	dtls_stream_begin(&stream, 3);
	expect("");
}

static void test_cut_closes_the_gap(void **state)
{
	(void)state;
	put_whole(1, 0, "hello");
	put_whole(16, 1, "key");
	put(15, 3, "verify", 3, 3);
	expect("1hello 16key");
	dtls_stream_cut(&stream, 0, DTLS_HEADER_SIZE + 5);
	expect("16key");
	put(15, 3, "verify", 0, 3);
	put_whole(20, 2, "");
	expect("16key 20 15verify");
}

static void put_long(uint16_t number, uint32_t length, uint32_t offset, uint32_t size)
{
	const struct dtls_fragment fragment = {
		.type = 11,
		.number = number,
		.length = length,
		.offset = offset,
		.size = size,
		.bytes = guard_alloc(size),
	};

	dtls_stream_put(&stream, &fragment);
	guard_free(fragment.bytes, size);
}

static void test_room_ends_where_it_is_said(void **state)
{
	(void)state;
	put_long(0, DTLS_STREAM_MAX - DTLS_HEADER_SIZE, 0, DTLS_STREAM_MAX - DTLS_HEADER_SIZE);
	assert_true(advance());
	assert_int_equal(stream.size, DTLS_STREAM_MAX);
	assert_false(stream.is_full);
	put_long(1, 0, 0, 0);
	assert_true(stream.is_full);
	assert_false(advance());
	assert_int_equal(stream.nr_dropped, 1);
}

static void test_message_that_has_no_room_fills_the_stream(void **state)
{
	(void)state;
	put_long(0, DTLS_STREAM_MAX - DTLS_HEADER_SIZE + 1, 0, 1);
	assert_true(stream.is_full);
	assert_int_equal(stream.nr_ahead, 0);
	dtls_stream_begin(&stream, 1);
	assert_false(stream.is_full);
	setup(NULL);
	put_long(0, 0xffffff, 0xfffffe, 1);
	assert_true(stream.is_full);
	/* One that is not next yet may find room later. */
	setup(NULL);
	put_long(1, 10000, 0, 100);
	put_long(2, 10000, 0, 100);
	assert_false(stream.is_full);
	assert_int_equal(stream.nr_ahead, 1);
	assert_int_equal(stream.nr_dropped, 1);
}

static void test_waiting_message_can_be_looked_at(void **state)
{
	const uint8_t *bytes;
	uint32_t size = 99;

	(void)state;
	assert_null(dtls_stream_waiting(&stream, 0, &size));
	put(1, 0, "hello", 2, 3);
	assert_non_null(dtls_stream_waiting(&stream, 0, &size));
	assert_int_equal(size, 0);
	put(1, 0, "hello", 0, 1);
	bytes = dtls_stream_waiting(&stream, 0, &size);
	assert_int_equal(size, 1);
	assert_int_equal(bytes[0], 'h');
	assert_null(dtls_stream_waiting(&stream, 1, &size));
}

/* Eight messages in fragments of any order and size, many of them twice. */
static void test_shuffled_fragments_make_the_same_stream(void **state)
{
	static const char *const texts[] = {
		"hello", "a longer certificate", "key exchange", "", "request",
		"d",	 "0123456789abcdefghij", "end"
	};
	uint32_t seed = 3;

	(void)state;
	for (int round = 0; round < 300; round++) {
		setup(NULL);
		for (int i = 0; i < 2000; i++) {
			uint32_t length, offset, size;
			uint16_t number;

			seed = seed * 1103515245 + 12345;
			number = (uint16_t)(seed >> 10 & 7);
			length = (uint32_t)strlen(texts[number]);
			offset = (seed >> 14) % (length + 1);
			size = (seed >> 20) % (length - offset + 1);
			put((uint8_t)(100 + number), number, texts[number], offset, size);
			if (i % 7 == 0)
				advance();
		}
		expect("100hello 101a longer certificate 102key exchange 103 104request 105d "
		       "1060123456789abcdefghij 107end");
		assert_int_equal(stream.nr_dropped, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_follow_each_other),
		TEST(fragments_in_any_order_make_a_message),
		TEST(later_messages_wait_for_earlier_ones),
		TEST(messages_sent_again_are_left_out),
		TEST(contradictions_are_dropped),
		TEST(messages_too_far_ahead_are_dropped),
		TEST(hello_begins_the_stream),
		TEST(far_hello_begins_nothing),
		TEST(beginning_forgets_what_was_before),
		TEST(cut_closes_the_gap),
		TEST(room_ends_where_it_is_said),
		TEST(message_that_has_no_room_fills_the_stream),
		TEST(waiting_message_can_be_looked_at),
		TEST(shuffled_fragments_make_the_same_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
