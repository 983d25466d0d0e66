/* SPDX-License-Identifier: MIT */
#include "dtls_peers.h"

static void test_hellos_tell_who_is_who(void **state)
{
	(void)state;
	assert_true(take_hello(1, 0, 'a', ""));
	assert_true(flow.is_dtls);
	assert_int_equal(flow.client, 1);
	expect_hello('a', "");
	setup(NULL);
	assert_true(take_message(1, 2, 0, "server hello"));
	assert_int_equal(flow.client, 0);
	expect_messages(FLOW_SERVER, "2(12)");
	assert_true(flow.from[FLOW_SERVER].has_hello);
	assert_false(flow.from[FLOW_CLIENT].has_hello);
}

static void test_other_messages_begin_nothing(void **state)
{
	(void)state;
	assert_false(take_message(0, 11, 0, "certificate"));
	assert_false(take_message(0, 0, 0, ""));
	assert_false(take_message(0, 20, 0, "finished"));
	assert_false(flow.is_dtls);
	assert_int_equal(flow.nr_starts, 0);
}

static void test_hello_that_answers_counts(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	assert_int_equal(flow.nr_starts, 1);
	assert_true(take_message(1, 3, 0, "verify"));
	assert_true(flow.hello_verify);
	assert_int_equal(flow.nr_starts, 2);
	expect_messages(FLOW_CLIENT, "");
	expect_messages(FLOW_SERVER, "");
	assert_false(flow.from[FLOW_CLIENT].has_hello);
	/* Both again, as when they were lost on the way. */
	take_hello(0, 0, 'a', "");
	take_message(1, 3, 0, "verify");
	expect_messages(FLOW_CLIENT, "");
	assert_true(take_hello(0, 1, 'a', "cookie"));
	expect_hello('a', "cookie");
	take_message(1, 2, 1, "server hello");
	expect_messages(FLOW_SERVER, "2(12)");
	assert_int_equal(flow.nr_starts, 2);
}

static void test_cookie_tells_where_the_request_was_not_seen(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	take_hello(0, 1, 'a', "cookie");
	assert_true(flow.hello_verify);
	expect_hello('a', "cookie");
	assert_int_equal(flow.nr_starts, 2);
	take_message(1, 2, 1, "server hello");
	expect_messages(FLOW_SERVER, "2(12)");
	/* It comes late. */
	take_message(1, 3, 0, "verify");
	expect_messages(FLOW_SERVER, "2(12)");
	expect_hello('a', "cookie");
}

static void test_request_after_its_answer_changes_nothing(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	take_hello(0, 1, 'a', "cookie");
	take_message(1, 3, 0, "verify");
	expect_hello('a', "cookie");
	take_message(1, 2, 1, "server hello");
	expect_messages(FLOW_SERVER, "2(12)");
	assert_int_equal(flow.nr_starts, 2);
}

static void test_first_hello_may_be_lost(void **state)
{
	struct hello hello = hello_of('a', "");

	(void)state;
	take_fragment(0, 1, 0, hello.bytes, hello.size, 0, 20);
	take_message(1, 3, 0, "verify");
	expect_messages(FLOW_CLIENT, "");
	take_hello(0, 1, 'a', "cookie");
	expect_hello('a', "cookie");
	setup(NULL);
	take_hello(0, 1, 'a', "cookie");
	expect_hello('a', "cookie");
	take_message(1, 2, 1, "server hello");
	expect_messages(FLOW_SERVER, "2(12)");
}

/* RFC 9147 section 5.1: without a cookie the first hello counts too. */
static void test_second_hello_without_a_cookie_follows(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	take_message(1, 2, 0, "again");
	take_hello(0, 1, 'a', "");
	take_message(1, 2, 1, "server hello");
	expect_messages(FLOW_CLIENT, "1(42) 1(42)");
	expect_messages(FLOW_SERVER, "2(5) 2(12)");
	assert_false(flow.hello_verify);
	assert_int_equal(flow.nr_starts, 1);
}

static void test_request_without_a_hello_begins_once(void **state)
{
	(void)state;
	take_message(1, 3, 0, "verify");
	assert_true(flow.hello_verify);
	assert_int_equal(flow.client, 0);
	assert_int_equal(flow.nr_starts, 1);
}

static void test_only_whole_messages_are_news(void **state)
{
	struct hello hello = hello_of('a', "");

	(void)state;
	assert_false(take_fragment(0, 1, 0, hello.bytes, hello.size, 0, 40));
	assert_false(take_fragment(0, 1, 0, hello.bytes, hello.size, 0, 40));
	assert_true(take_fragment(0, 1, 0, hello.bytes, hello.size, 36, hello.size - 36));
	assert_false(take_hello(0, 0, 'a', ""));
	/* A later part is not compared with the beginning. */
	assert_false(take_fragment(0, 1, 0, hello.bytes, hello.size, 7, 35));
	assert_int_equal(flow.nr_starts, 1);
	assert_true(take_message(1, 11, 0, "certificate"));
	assert_false(flow.from[FLOW_SERVER].has_hello);
}

static void test_cookie_that_is_longer_than_its_hello_is_none(void **state)
{
	struct hello hello = hello_of('a', "cookie");

	(void)state;
	hello.bytes[37] = 200;
	take_fragment(0, 1, 1, hello.bytes, hello.size, 0, hello.size);
	expect_messages(FLOW_CLIENT, "1(48)");
	assert_false(flow.hello_verify);
	setup(NULL);
	take_message(0, 1, 0, "");
	expect_messages(FLOW_CLIENT, "1(0)");
}

static void test_other_random_value_begins_anew(void **state)
{
	struct hello hello = hello_of('c', "");

	(void)state;
	take_hello(0, 0, 'a', "");
	take_message(1, 2, 0, "server hello");
	take(0, "15fefd0000000000000000"
		"0002"
		"0228");
	assert_true(take_hello(0, 0, 'b', ""));
	expect_hello('b', "");
	expect_messages(FLOW_SERVER, "");
	assert_int_equal(flow.nr_starts, 2);
	assert_false(flow.from[FLOW_CLIENT].has_alert);
	/* Also where the hello before it never came whole. */
	take_fragment(0, 1, 0, hello.bytes, hello.size, 0, 40);
	assert_int_equal(flow.nr_starts, 3);
	take_hello(0, 0, 'd', "");
	expect_hello('d', "");
	assert_int_equal(flow.nr_starts, 4);
	/* Not from the end that is the server. */
	take_hello(1, 0, 'e', "");
	assert_int_equal(flow.nr_starts, 4);
	expect_hello('d', "");
}

static void test_many_fragments_in_one_record_are_read(void **state)
{
	uint8_t body[256], bytes[512];
	size_t size = fragment(body, 2, 0, "server hello", 12, 0, 12);

	(void)state;
	size += fragment(body + size, 11, 1, "certificate", 11, 0, 3);
	size += fragment(body + size, 11, 1, "certificate", 11, 3, 8);
	size += fragment(body + size, 14, 2, "", 0, 0, 0);
	size = record(bytes, 22, 0, body, size);
	size += record(bytes + size, 20, 0, "\x01", 1);
	size += record(bytes + size, 22, 1, "finished", 8);
	assert_true(take_bytes(1, bytes, size));
	expect_messages(FLOW_SERVER, "2(12) 11(11) 14(0)");
	assert_true(flow.from[FLOW_SERVER].has_change);
	assert_true(flow.from[FLOW_SERVER].has_encrypted);
	assert_true(flow.from[FLOW_SERVER].has_final);
	assert_true(dtls_streams(&flow).from[FLOW_SERVER].has_ended);
	assert_false(dtls_is_established(&flow));
	assert_int_equal(flow.nr_bad, 0);
}

static void test_cut_record_gives_what_is_there(void **state)
{
	struct hello hello = hello_of('a', "");
	uint8_t body[256], bytes[512];
	size_t size = record(bytes, 22, 0, body,
			     fragment(body, 1, 0, hello.bytes, hello.size, 0, hello.size));

	(void)state;
	take_bytes(0, bytes, size - 10);
	assert_int_equal(flow.nr_cut, 1);
	expect_messages(FLOW_CLIENT, "");
	take_fragment(0, 1, 0, hello.bytes, hello.size, hello.size - 10, 10);
	expect_hello('a', "");
	assert_int_equal(flow.nr_bad, 0);
}

static void expect_bad(const char *hex)
{
	uint32_t nr_bad = flow.nr_bad;

	assert_false(take(0, hex));
	assert_int_equal(flow.nr_bad, nr_bad + 1);
}

static void test_bytes_that_make_no_sense_are_counted(void **state)
{
	(void)state;
	take_hello(0, 0, 'a', "");
	/* Type, version, nothing but a header's beginning. */
	expect_bad("13fefd0000000000000000"
		   "0001"
		   "00");
	expect_bad("1bfefd0000000000000000"
		   "0001"
		   "00");
	expect_bad("1603030000000000000000"
		   "0001"
		   "00");
	expect_bad("16fefd00000000000000");
	expect_bad("00");
	/* Fragments behind the message, longer than the record, broken off. */
	expect_bad("16fefd0000000000000000"
		   "000d"
		   "0b000001"
		   "0001"
		   "000001"
		   "000001"
		   "aa");
	expect_bad("16fefd0000000000000000"
		   "000d"
		   "0b000001"
		   "0001"
		   "000000"
		   "000002"
		   "aa");
	expect_bad("16fefd0000000000000000"
		   "000d"
		   "0b000002"
		   "0001"
		   "000000"
		   "000002"
		   "aa");
	expect_bad("16fefd0000000000000000"
		   "000d"
		   "0bffffff"
		   "0001"
		   "ffffff"
		   "000001"
		   "aa");
	expect_bad("16fefd0000000000000000"
		   "0004"
		   "0b000001");
	expect_hello('a', "");
}

/* Anything at all, also with the beginning of a record. */
static void test_other_bytes_mean_nothing(void **state)
{
	uint8_t bytes[200];
	uint32_t seed = 5;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t size = (seed >> 8) % sizeof(bytes);

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (uint8_t)(seed >> 16);
		}
		if (round & 1 && size > 13)
			memcpy(bytes, "\x16\xfe\xfd\0\0\0\0\0\0\0\0", 11);
		take_bytes((unsigned)round >> 1 & 1, bytes, size);
		seed++;
	}
	messages_text(dtls_streams(&flow).from[FLOW_CLIENT]);
	messages_text(dtls_streams(&flow).from[FLOW_SERVER]);
}

static bool is_hello(const char *hex)
{
	struct datagram datagram = datagram_text(hex);
	bool is = dtls_is_hello(datagram.bytes, datagram.size);

	guard_free(datagram.bytes, datagram.size);
	return is;
}

static void test_hellos_are_told_by_their_first_bytes(void **state)
{
	(void)state;
	/* Type and version, epoch, number, length; message, length, number, offset, size. */
	assert_true(is_hello("16feff"
			     "0000"
			     "000000000000"
			     "0040"
			     "01000034"
			     "0000"
			     "000000"
			     "000034"));
	assert_true(is_hello("16fefd"
			     "0000"
			     "000000000000"
			     "0040"
			     "02000034"
			     "0001"
			     "000000"
			     "000034"));
	assert_true(is_hello("16fefd"
			     "0000"
			     "000000000000"
			     "0040"
			     "03000034"
			     "0000"
			     "000000"
			     "000034"));
	assert_true(is_hello("16fefd"
			     "0000"
			     "000000000005"
			     "0040"
			     "01000100"
			     "0001"
			     "000040"
			     "000034"));
	assert_true(is_hello("16fefd"
			     "0000"
			     "000000000000"
			     "0040"
			     "01000034"
			     "0007"
			     "000000"
			     "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0008"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "0b000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("17fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefe"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("160303"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0001"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "003f"
			      "01000034"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000033"
			      "0000"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000001"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0100"
			      "000000"
			      "000034"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "000000"));
	assert_false(is_hello("16fefd"
			      "0000"
			      "000000000000"
			      "0040"
			      "01000034"
			      "0000"
			      "000000"
			      "0000"));
	assert_false(is_hello(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hellos_tell_who_is_who),
		TEST(other_messages_begin_nothing),
		TEST(hello_that_answers_counts),
		TEST(cookie_tells_where_the_request_was_not_seen),
		TEST(request_after_its_answer_changes_nothing),
		TEST(first_hello_may_be_lost),
		TEST(second_hello_without_a_cookie_follows),
		TEST(request_without_a_hello_begins_once),
		TEST(only_whole_messages_are_news),
		TEST(cookie_that_is_longer_than_its_hello_is_none),
		TEST(other_random_value_begins_anew),
		TEST(many_fragments_in_one_record_are_read),
		TEST(cut_record_gives_what_is_there),
		TEST(bytes_that_make_no_sense_are_counted),
		TEST(other_bytes_mean_nothing),
		TEST(hellos_are_told_by_their_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
