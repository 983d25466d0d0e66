/* SPDX-License-Identifier: MIT */
#include "made_tls.h"

#include "proto/tls_sslv2.h"

static struct made made;
static struct tls_scratch scratch;
static struct tls_session session;
static struct flow_needs needs;

/* RFC 5246 appendix E.2: a suite of SSL 2.0, and two that have a place in TLS. */
static void make_hello(uint16_t version)
{
	size_t begin;

	made.size = 0;
	begin = made_begin(&made, 2);
	made_number(&made, 1, 1);
	made_number(&made, 2, version);
	made_number(&made, 2, 9);
	made_number(&made, 2, 0);
	made_number(&made, 2, 16);
	made_bytes(&made, "\x01\x00\x80\x00\x00\x2f\x00\x00\xff", 9);
	made_fill(&made, 0xcc, 16);
	made_end(&made, begin, 2);
	made.bytes[0] |= 0x80;
}

static enum flow_state parse(const struct made *server, bool has_ended)
{
	struct flow flow = { .from = {
				     { .bytes = guard_copy(made.bytes, made.size),
				       .size = made.size,
				       .has_ended = has_ended },
				     { .bytes = guard_copy(server->bytes, server->size),
				       .size = server->size,
				       .has_ended = has_ended },
			     } };

	return tls_parse(&flow, NULL, &scratch, &session, &needs);
}

static void test_form_is_told_by_its_sizes(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = { { 1, 0xff }, { 2, 2 },  { 3, 2 },	  { 4, 4 },
		      { 6, 8 },	   { 8, 33 }, { 10, 15 }, { 10, 33 } };

	(void)state;
	make_hello(0x0301);
	assert_true(tls_sslv2_begins(made.bytes));
	assert_int_equal(tls_begins(made.bytes, made.size), FLOW_DECIDED);
	assert_int_equal(tls_begins(made.bytes, TLS_BEGIN_SIZE - 1), FLOW_MORE);
	assert_int_equal(tls_sslv2_size(made.bytes), made.size);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		make_hello(0x0301);
		made.bytes[wrong[i].at] = wrong[i].byte;
		if (tls_sslv2_begins(made.bytes))
			fail_msg("case %zu is taken for a hello", i);
		assert_int_equal(tls_begins(made.bytes, made.size), FLOW_FOREIGN);
	}
	make_hello(0x0002);
	assert_true(tls_sslv2_begins(made.bytes));
}

static void test_hello_is_read(void **state)
{
	struct tls_client_hello hello;
	const uint8_t *bytes;

	(void)state;
	make_hello(0x0301);
	bytes = guard_copy(made.bytes, made.size);
	tls_sslv2_client_hello_read(bytes, made.size, &hello);
	assert_true(hello.is_there && hello.is_sslv2 && hello.has_renegotiation_info);
	assert_false(hello.is_cut || hello.is_malformed || hello.has_extensions);
	assert_int_equal(hello.legacy_version, 0x0301);
	EXPECT_CODES(&hello.ciphers, 0x002f, 0x00ff);
	assert_int_equal(hello.random.size, 16);
	bytes = guard_copy(made.bytes, 20);
	tls_sslv2_client_hello_read(bytes, 20, &hello);
	assert_true(hello.is_there && hello.is_cut);
}

/* Most servers that understand the form answer as if it had been the usual one. */
static void test_answer_may_be_one_of_tls(void **state)
{
	static struct made server, body;

	(void)state;
	make_hello(0x0301);
	assert_int_equal(parse(&server, false), FLOW_MORE);
	assert_true(session.client.is_sslv2);
	assert_int_equal(needs.size[FLOW_SERVER], TLS_HEADER_SIZE);
	made_server_hello(&body, 0x0301, 0x002f);
	made_record_of(&server, TLS_MESSAGE_server_hello, &body);
	assert_int_equal(parse(&server, false), FLOW_MORE);
	assert_int_equal(session.version, 0x0301);
	assert_int_equal(session.cipher, 0x002f);
	assert_int_equal(session.nr_client_hellos, 1);
	assert_int_equal(parse(&server, true), FLOW_DECIDED);
	assert_int_equal(session.outcome, TLS_OUTCOME_incomplete);
}

static void test_answer_in_kind_is_sslv2(void **state)
{
	static const uint8_t answer[] = { 0x80, 0x0b, 4, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0 };
	static struct made server;

	(void)state;
	make_hello(0x0002);
	for (size_t size = 1; size < sizeof(answer); size++) {
		server.size = 0;
		made_bytes(&server, answer, size);
		assert_int_equal(parse(&server, false),
				 size < TLS_SSLV2_ANSWER_SIZE ? FLOW_MORE : FLOW_DECIDED);
		assert_int_equal(session.server.is_there, size >= TLS_SSLV2_ANSWER_SIZE);
	}
	assert_int_equal(session.version, TLS_VERSION_SSL2);
	assert_int_equal(session.group_known, TLS_KNOWN_no_such);
	assert_int_equal(session.outcome, TLS_OUTCOME_incomplete);
	/* an error of SSL 2.0 is no answer */
	server.size = 0;
	made_bytes(&server, "\x80\x03\0\0\1\0\0", 7);
	assert_int_equal(parse(&server, false), FLOW_DECIDED);
	assert_int_equal(session.outcome, TLS_OUTCOME_failed);
	assert_true(session.is_broken[FLOW_SERVER]);
}

static void test_hello_comes_in_pieces(void **state)
{
	static const struct made nothing;
	size_t whole;

	(void)state;
	make_hello(0x0301);
	whole = made.size;
	for (made.size = TLS_BEGIN_SIZE; made.size < whole; made.size++) {
		assert_int_equal(parse(&nothing, false), FLOW_MORE);
		assert_int_equal(needs.size[FLOW_CLIENT], whole);
		assert_false(session.client.is_there);
	}
	made.size = whole - 1;
	assert_int_equal(parse(&nothing, true), FLOW_DECIDED);
	assert_true(session.client.is_cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_is_told_by_its_sizes),
		cmocka_unit_test(test_hello_is_read),
		cmocka_unit_test(test_answer_may_be_one_of_tls),
		cmocka_unit_test(test_answer_in_kind_is_sslv2),
		cmocka_unit_test(test_hello_comes_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
