/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

static struct made made, body;
static struct tls_scratch scratch;

/* The first SIZE bytes of what was made; until exit. */
static struct flow_bytes first_of(size_t size, bool has_ended)
{
	return (struct flow_bytes){
		.bytes = guard_copy(made.bytes, size),
		.size = size,
		.has_ended = has_ended,
	};
}

static struct tls_stream stream_of(const struct flow_bytes *from)
{
	scratch.used = 0;
	return tls_stream_of(from, &scratch, false);
}

/* Messages of SIZE bytes that count up, in records of PIECE_SIZE. */
static void make_messages(const uint8_t *types, const size_t *sizes, size_t nr, size_t piece_size)
{
	static struct made messages;

	made.size = messages.size = 0;
	for (size_t i = 0; i < nr; i++) {
		body.size = 0;
		for (size_t k = 0; k < sizes[i]; k++)
			made_number(&body, 1, k & 0xff);
		made_message(&messages, types[i], &body);
	}
	made_records(&made, TLS_CONTENT_handshake, messages.bytes, messages.size, piece_size);
}

static void expect_message(struct tls_stream *stream, uint8_t type, size_t size, bool is_cut)
{
	struct tls_message message;

	assert_int_equal(tls_stream_message(stream, &message), TLS_STEP_found);
	assert_int_equal(message.type, type);
	assert_int_equal(message.size, size);
	assert_int_equal(message.is_cut, is_cut);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(message.bytes[i], i & 0xff);
}

static void test_several_messages_share_a_record(void **state)
{
	const uint8_t types[] = { 2, 11, 12, 14 };
	const size_t sizes[] = { 50, 300, 0, 0 };
	struct flow_bytes from;
	struct tls_stream stream;
	struct tls_message message;

	(void)state;
	make_messages(types, sizes, 4, 1 << 14);
	from = first_of(made.size, false);
	stream = stream_of(&from);
	for (size_t i = 0; i < 4; i++)
		expect_message(&stream, types[i], sizes[i], false);
	assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_more);
	assert_int_equal(stream.need, made.size + TLS_HEADER_SIZE);
	assert_int_equal(scratch.used, 0);
}

/* Down to a byte a record, and with borders at every place of the header. */
static void test_message_is_put_together_from_records(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 4, 5, 7, 100, 303, 304, 305, 600 };
	const uint8_t types[] = { 1, 11, 2 };
	const size_t sizes[] = { 300, 400, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct flow_bytes from;
		struct tls_stream stream;

		make_messages(types, sizes, 3, pieces[i]);
		from = first_of(made.size, false);
		stream = stream_of(&from);
		for (size_t k = 0; k < 3; k++)
			expect_message(&stream, types[k], sizes[k], false);
		assert_int_equal(stream.at, made.size);
		guard_free(from.bytes, from.size);
	}
}

/* Messages that nobody reads are passed over, and take no room. */
static void test_other_messages_are_passed_over(void **state)
{
	const uint8_t types[] = { 22, 4, 2 };
	const size_t sizes[] = { 1000, 2000, 40 };
	struct flow_bytes from;
	struct tls_stream stream;

	(void)state;
	make_messages(types, sizes, 3, 64);
	from = first_of(made.size, false);
	stream = stream_of(&from);
	expect_message(&stream, 22, 0, false);
	expect_message(&stream, 4, 0, false);
	assert_int_equal(scratch.used, 0);
	expect_message(&stream, 2, 40, false);
}

/* At every length: nothing until it is whole, and the need is never less than that. */
static void test_need_leads_to_the_message(void **state)
{
	const uint8_t type = 1;
	const size_t size = 100;

	(void)state;
	make_messages(&type, &size, 1, 40);
	for (size_t there = 0; there < made.size; there++) {
		struct flow_bytes from = first_of(there, false);
		struct tls_stream stream = stream_of(&from);
		struct tls_message message;

		assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_more);
		assert_in_range(stream.need, there + 1, made.size);
		assert_int_equal(stream.at, 0);
		assert_int_equal(scratch.used, 0);
		guard_free(from.bytes, from.size);
	}
}

static void test_end_gives_what_there_is(void **state)
{
	const uint8_t type = 1;
	const size_t size = 100;

	(void)state;
	make_messages(&type, &size, 1, 40);
	/* 36, 40 and 24 bytes of it in three records */
	for (size_t there = 0; there < made.size; there++) {
		struct flow_bytes from = first_of(there, true);
		struct tls_stream stream = stream_of(&from);
		struct tls_message message;
		size_t in_second = there > 50 ? there - 50 : 0;
		size_t in_third = there > 95 ? there - 95 : 0;
		size_t expected = there < 9 ? 0 : there < 45 ? there - 9 : 36;

		expected += (in_second < 40 ? in_second : 40) + in_third;
		if (there < 9) {
			assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_more);
			assert_int_equal(stream.need, SIZE_MAX);
		} else {
			expect_message(&stream, type, expected, true);
		}
		guard_free(from.bytes, from.size);
	}
}

static void test_message_beyond_the_scratch_is_cut(void **state)
{
	const uint8_t types[] = { 11, 2 };
	const size_t sizes[] = { 80000, 20 };
	struct flow_bytes from;
	struct tls_stream stream;

	(void)state;
	make_messages(types, sizes, 2, 1 << 14);
	from = first_of(made.size, false);
	stream = stream_of(&from);
	expect_message(&stream, 11, sizeof(scratch.bytes), true);
	/* the next one is whole: its bytes lie together */
	expect_message(&stream, 2, 20, false);
}

static void expect_broken(void)
{
	struct flow_bytes from = first_of(made.size, false);
	struct tls_stream stream = stream_of(&from);
	struct tls_message message;

	assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_broken);
	guard_free(from.bytes, from.size);
}

static void test_what_no_peer_sends_is_broken(void **state)
{
	(void)state;
	/* nothing in a record of messages */
	made.size = 0;
	made_records(&made, TLS_CONTENT_handshake, "", 0, 1);
	expect_broken();
	/* an alert within a message (RFC 8446 section 5.1) */
	made.size = 0;
	made_records(&made, TLS_CONTENT_handshake, "\1\0\0\x20half", 8, 8);
	made_alert(&made, 2, 40);
	expect_broken();
	/* more than 2^14 bytes in clear */
	made.size = 0;
	made_encrypted(&made, TLS_CONTENT_handshake, (1 << 14) + 1);
	expect_broken();
	/* of no type, no version */
	made.size = 0;
	made_number(&made, 8, 0x1903030004000000);
	expect_broken();
	made.size = 0;
	made_number(&made, 8, 0x1602000004000000);
	expect_broken();
	made.size = 0;
	made_number(&made, 8, 0x1603050004000000);
	expect_broken();
}

static void test_records_have_their_limit(void **state)
{
	struct flow_bytes from;
	struct tls_stream stream;
	struct tls_record record;

	(void)state;
	made.size = 0;
	made_encrypted(&made, TLS_CONTENT_application_data, (1 << 14) + 2048);
	from = first_of(made.size, false);
	stream = stream_of(&from);
	assert_int_equal(tls_stream_record(&stream, &record), TLS_STEP_found);
	assert_true(tls_stream_is_whole(&stream, &record));
	tls_stream_pass(&stream, &record);
	assert_int_equal(tls_stream_record(&stream, &record), TLS_STEP_more);
	made.size = 0;
	made_encrypted(&made, TLS_CONTENT_application_data, (1 << 14) + 2049);
	from = first_of(made.size, false);
	stream = stream_of(&from);
	assert_int_equal(tls_stream_record(&stream, &record), TLS_STEP_broken);
}

/* The header alone tells of an encrypted record. */
static void test_record_is_told_by_its_header(void **state)
{
	struct flow_bytes from;
	struct tls_stream stream;
	struct tls_record record;

	(void)state;
	made.size = 0;
	made_encrypted(&made, TLS_CONTENT_application_data, 100);
	from = first_of(TLS_HEADER_SIZE, false);
	stream = stream_of(&from);
	assert_int_equal(tls_stream_record(&stream, &record), TLS_STEP_found);
	assert_int_equal(record.size, 100);
	assert_int_equal(record.there, 0);
	assert_false(tls_stream_is_whole(&stream, &record));
	assert_int_equal(stream.need, TLS_HEADER_SIZE + 100);
	tls_stream_pass(&stream, &record);
	assert_int_equal(tls_stream_record(&stream, &record), TLS_STEP_more);
	assert_int_equal(stream.need, 2 * TLS_HEADER_SIZE + 100);
}

static void test_messages_need_no_records(void **state)
{
	struct flow_bytes from;
	struct tls_stream stream;
	struct tls_message message;

	(void)state;
	made.size = body.size = 0;
	for (size_t i = 0; i < 200; i++)
		made_number(&body, 1, i);
	made_message(&made, 1, &body);
	made_message(&made, 2, &body);
	from = first_of(made.size, false);
	stream = tls_stream_of(&from, &scratch, true);
	expect_message(&stream, 1, 200, false);
	expect_message(&stream, 2, 200, false);
	assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_more);
	assert_int_equal(stream.need, made.size + 4);
	from = first_of(300, false);
	stream = tls_stream_of(&from, &scratch, true);
	expect_message(&stream, 1, 200, false);
	assert_int_equal(tls_stream_message(&stream, &message), TLS_STEP_more);
	assert_int_equal(stream.need, 408);
	from.has_ended = true;
	stream = tls_stream_of(&from, &scratch, true);
	expect_message(&stream, 1, 200, false);
	expect_message(&stream, 2, 92, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_messages_share_a_record),
		cmocka_unit_test(test_message_is_put_together_from_records),
		cmocka_unit_test(test_other_messages_are_passed_over),
		cmocka_unit_test(test_need_leads_to_the_message),
		cmocka_unit_test(test_end_gives_what_there_is),
		cmocka_unit_test(test_message_beyond_the_scratch_is_cut),
		cmocka_unit_test(test_what_no_peer_sends_is_broken),
		cmocka_unit_test(test_records_have_their_limit),
		cmocka_unit_test(test_record_is_told_by_its_header),
		cmocka_unit_test(test_messages_need_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
