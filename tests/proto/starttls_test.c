/* SPDX-License-Identifier: MIT */
/*
 * The recordings are of servers and clients of Debian 12 (Dovecot 2.3.19, Postfix 3.7,
 * vsftpd 3.0.3, OpenLDAP 2.5, Prosody 0.12, PostgreSQL 15, MariaDB 10.11, xrdp 0.9 with FreeRDP,
 * tinyproxy 1.11, HAProxy 2.6; openssl s_client where the protocol has no client of its own here),
 * cut short behind where TLS begins. SQL Server is a few lines of our own, its client FreeTDS 1.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "talks.h"

RECORDED(recorded_ftp, "tests/fuzz/corpus/starttls/ftp");
RECORDED(recorded_ftp_python, "tests/fuzz/corpus/starttls/ftp_python");
RECORDED(recorded_http_connect, "tests/fuzz/corpus/starttls/http_connect");
RECORDED(recorded_imap, "tests/fuzz/corpus/starttls/imap");
RECORDED(recorded_imap_python, "tests/fuzz/corpus/starttls/imap_python");
RECORDED(recorded_ldap, "tests/fuzz/corpus/starttls/ldap");
RECORDED(recorded_mssql, "tests/fuzz/corpus/starttls/mssql");
RECORDED(recorded_mysql, "tests/fuzz/corpus/starttls/mysql");
RECORDED(recorded_pop3, "tests/fuzz/corpus/starttls/pop3");
RECORDED(recorded_postgresql, "tests/fuzz/corpus/starttls/postgresql");
RECORDED(recorded_proxy_v1, "tests/fuzz/corpus/starttls/proxy_v1");
RECORDED(recorded_proxy_v2, "tests/fuzz/corpus/starttls/proxy_v2");
RECORDED(recorded_rdp, "tests/fuzz/corpus/starttls/rdp");
RECORDED(recorded_sieve, "tests/fuzz/corpus/starttls/sieve");
RECORDED(recorded_smtp, "tests/fuzz/corpus/starttls/smtp");
RECORDED(recorded_xmpp, "tests/fuzz/corpus/starttls/xmpp");
RECORDED(recorded_mysql_clear, "tests/fuzz/corpus/starttls/mysql_clear");
RECORDED(recorded_postgresql_clear, "tests/fuzz/corpus/starttls/postgresql_clear");
RECORDED(recorded_smtp_clear, "tests/fuzz/corpus/starttls/smtp_clear");

/* Offsets as a look at the recording with a hex editor gives them. */
static const struct recorded {
	const struct recording *recording;
	enum starttls_protocol protocol;
	size_t at[NR_FLOW_DIRECTIONS];
} recordeds[] = {
	{ &recorded_ftp, STARTTLS_ftp, { 10, 40 } },
	{ &recorded_ftp_python, STARTTLS_ftp, { 16, 145 } },
	{ &recorded_http_connect, STARTTLS_http_connect, { 114, 70 } },
	{ &recorded_imap, STARTTLS_imap, { 26, 318 } },
	{ &recorded_imap_python, STARTTLS_imap, { 34, 326 } },
	{ &recorded_ldap, STARTTLS_ldap, { 31, 14 } },
	{ &recorded_mssql, STARTTLS_mssql, { 58, 43 } },
	{ &recorded_mysql, STARTTLS_mysql, { 36, 104 } },
	{ &recorded_pop3, STARTTLS_pop3, { 6, 61 } },
	{ &recorded_postgresql, STARTTLS_postgresql, { 8, 1 } },
	{ &recorded_proxy_v1, STARTTLS_proxy_v1, { 44, 0 } },
	{ &recorded_proxy_v2, STARTTLS_proxy_v2, { 28, 0 } },
	{ &recorded_rdp, STARTTLS_rdp, { 39, 19 } },
	{ &recorded_sieve, STARTTLS_sieve, { 10, 417 } },
	{ &recorded_smtp, STARTTLS_smtp, { 33, 221 } },
	{ &recorded_xmpp, STARTTLS_xmpp, { 165, 350 } },
};

static void test_recorded_talks_lead_to_tls(void **state)
{
	static const uint8_t record[] = { 0x16, 0x03 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recordeds); i++) {
		const struct recorded *row = &recordeds[i];
		struct flow flow = recorded_flow(row->recording), guarded = flow_guarded(&flow);
		bool is_mssql = row->protocol == STARTTLS_mssql;
		struct starttls found;
		struct flow_needs needs;
		size_t calls;

		assert_int_equal(starttls_parse(&guarded, &found, &needs), FLOW_DECIDED);
		flow_free(&guarded);
		assert_int_equal(found.protocol, row->protocol);
		assert_int_equal(found.is_wrapped, is_mssql);
		for (size_t side = 0; side < NR_FLOW_DIRECTIONS; side++) {
			const uint8_t *tls = flow.from[side].bytes + found.at[side];

			assert_int_equal(found.at[side], row->at[side]);
			assert_memory_equal(is_mssql ? tls + 8 : tls, record, sizeof(record));
		}
		assert_int_equal(flow_check_growth(&flow, FLOW_SERVER_FIRST, &talk_parser, &calls),
				 FLOW_DECIDED);
	}
}

static void test_recorded_talks_in_clear_are_foreign(void **state)
{
	static const struct recording *const rows[] = { &recorded_mysql_clear,
							&recorded_postgresql_clear,
							&recorded_smtp_clear };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow flow = recorded_flow(rows[i]);
		struct starttls found;
		struct flow_needs needs;

		assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_FOREIGN);
	}
}

/* Four bytes of a record's header and what it holds tell where TLS is. */
static void test_wrapped_handshake_is_unwrapped(void **state)
{
	struct flow flow = recorded_flow(&recorded_mssql);

	(void)state;
	for (size_t side = 0; side < NR_FLOW_DIRECTIONS; side++) {
		const struct flow_bytes *from = &flow.from[side];
		size_t at = side == FLOW_CLIENT ? 58 : 43, size = from->size - at, written,
		       read = 0;
		const uint8_t *wrapped = guard_copy(from->bytes + at, size);
		uint8_t *bare = guard_alloc(size);
		int nr_records = 0;

		written = starttls_unwrap(wrapped, size, bare);
		while (read + 5 <= written) {
			assert_in_range(bare[read], 0x14, 0x17);
			assert_int_equal(bare[read + 1], 3);
			read += 5 + (size_t)(bare[read + 3] << 8 | bare[read + 4]);
			nr_records++;
		}
		assert_int_equal(read, written);
		assert_true(nr_records >= 3);
		/* of each prefix it is a prefix */
		for (size_t part = 0; part < size; part++) {
			const uint8_t *cut = guard_copy(wrapped, part);
			uint8_t *some = guard_alloc(part);
			size_t less = starttls_unwrap(cut, part, some);

			assert_true(less <= written && less <= part);
			if (less)
				assert_memory_equal(some, bare, less);
			guard_free(cut, part);
			guard_free(some, part);
		}
		guard_free(wrapped, size);
		guard_free(bare, size);
	}
}

static void test_packet_that_is_none_ends_the_unwrapping(void **state)
{
	static const uint8_t bytes[] = {
		0x12, 1, 0, 9, 0, 0, 0, 0, 'a', 0x12, 1, 0, 7, 0, 0, 0, 0
	};
	uint8_t bare[sizeof(bytes)];

	(void)state;
	assert_int_equal(starttls_unwrap(bytes, sizeof(bytes), bare), 1);
	assert_int_equal(bare[0], 'a');
}

static void test_ssh_and_reversed_tls_are_told(void **state)
{
	static const struct {
		struct words words[STEPS_MAX];
		bool is_ssh, is_reversed;
		enum starttls_protocol protocol;
		size_t at;
	} rows[] = {
		{ { CLIENT("SSH-2.0-x\r\n") }, true, false, STARTTLS_none, 0 },
		{ { CLIENT("PROXY UNKNOWN\r\n"), SERVER("SSH-2.0-x") },
		  true,
		  false,
		  STARTTLS_proxy_v1,
		  15 },
		{ { SERVER(HELLO), CLIENT("\x16\x03\3\0\5\2") }, false, true, STARTTLS_none, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flow_step steps[STEPS_MAX];
		size_t nr, calls;
		struct flow flow = talk_flow(rows[i].words, STEPS_MAX, steps, &nr);
		struct starttls found;
		struct flow_needs needs;

		/* the client may yet say something that counts more, unless it is silent */
		if (i == 1)
			flow.from[FLOW_CLIENT].has_ended = true;
		else
			flow_check_steps(&flow, steps, nr, &talk_parser, &calls);
		assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_DECIDED);
		assert_int_equal(found.is_ssh, rows[i].is_ssh);
		assert_int_equal(found.is_reversed, rows[i].is_reversed);
		assert_int_equal(found.protocol, rows[i].protocol);
		assert_int_equal(found.at[FLOW_CLIENT], rows[i].at);
		assert_int_equal(found.at[FLOW_SERVER], 0);
	}
}

static void test_nothing_is_no_bytes(void **state)
{
	const struct flow flow = { { { NULL, 0, false }, { NULL, 0, false } } };
	const struct flow ended = { { { NULL, 0, true }, { NULL, 0, true } } };
	struct starttls found;
	struct flow_needs needs;

	(void)state;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_MORE);
	assert_int_equal(needs.size[FLOW_CLIENT], 1);
	assert_int_equal(needs.size[FLOW_SERVER], 1);
	assert_int_equal(starttls_parse(&ended, &found, &needs), FLOW_FOREIGN);
	assert_true(starttls_may_begin(NULL, 0, false));
	assert_int_equal(starttls_unwrap(NULL, 0, NULL), 0);
}

static void test_search_is_bounded(void **state)
{
	static uint8_t noops[STARTTLS_SEARCH_MAX + 64], answers[STARTTLS_SEARCH_MAX + 64];
	struct flow flow = { { { noops, STARTTLS_SEARCH_MAX, false },
			       { answers, STARTTLS_SEARCH_MAX, false } } };
	struct starttls found;
	struct flow_needs needs;

	(void)state;
	for (size_t i = 0; i + 8 <= sizeof(noops); i += 8) {
		memcpy(noops + i, "NOOP  \r\n", 8);
		memcpy(answers + i, "250 ok\r\n", 8);
	}
	memcpy(answers, "220 mx\r\n", 8);
	flow.from[FLOW_SERVER].size = 0;
	flow.from[FLOW_CLIENT].size = 0;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_MORE);
	flow.from[FLOW_SERVER].size = STARTTLS_SEARCH_MAX;
	flow.from[FLOW_CLIENT].size = STARTTLS_SEARCH_MAX - 8;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_MORE);
	assert_int_equal(needs.size[FLOW_CLIENT], STARTTLS_SEARCH_MAX - 7);
	/* nothing that the server says is waited for, but it must not go on for ever */
	assert_int_equal(needs.size[FLOW_SERVER], STARTTLS_SEARCH_MAX + 1);
	flow.from[FLOW_SERVER].size++;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_FOREIGN);
}

static void test_end_of_who_must_speak_is_the_end(void **state)
{
	static const char greeting[] = "220 mx\r\n", command[] = "STARTTLS\r\n";
	struct flow flow = { { { (const uint8_t *)command, 0, false },
			       { (const uint8_t *)greeting, 8, false } } };
	struct starttls found;
	struct flow_needs needs;

	(void)state;
	flow.from[FLOW_SERVER].has_ended = true;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_MORE);
	flow.from[FLOW_CLIENT].has_ended = true;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_FOREIGN);
	flow.from[FLOW_CLIENT].size = 10;
	flow.from[FLOW_SERVER].has_ended = false;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_MORE);
	assert_int_equal(needs.size[FLOW_SERVER], 9);
	flow.from[FLOW_SERVER].has_ended = true;
	assert_int_equal(starttls_parse(&flow, &found, &needs), FLOW_FOREIGN);
}

/* What begins, whose it is, and how many bytes of it tell that it does. */
static void test_first_bytes_tell_what_may_begin(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool by_client, by_server;
	} rows[] = {
#define FIRST(text, client, server) { text, sizeof(text) - 1, client, server }
		FIRST("", true, true),
		FIRST(HELLO, true, true),
		FIRST("\x16\3\3\0\x7a\2\0", false, false),
		FIRST("\x15\3\3", false, false),
		FIRST("\x16\xfe\xff", false, false),
		FIRST("\x80\x2e\1\3\1\0", true, false),
		FIRST("\x80\x2e\1\0\2\0", true, false),
		FIRST("\x80\x2e\2\0\2\0", false, false),
		FIRST("SSH-2.0-OpenSSH", true, true),
		FIRST("SSL", false, false),
		FIRST("220 mx.example ESMTP", false, true),
		FIRST("220-mx", false, true),
		FIRST("2205", false, false),
		FIRST("EHLO a", true, false),
		FIRST("* OK IMAP4", false, true),
		FIRST("* PREAUTH", false, false),
		FIRST("* BYE", false, false),
		FIRST("+OK POP3", false, true),
		FIRST("-ERR", false, false),
		FIRST("200 news", false, true),
		FIRST("201 news", false, true),
		FIRST("\"IMPLEMENTATION\"", false, true),
		FIRST("<?xml version", true, false),
		FIRST("<stream:stream", true, false),
		FIRST("<html>", false, false),
		FIRST(LDAP_REQUEST, true, false),
		FIRST("\x30\x84\0\0\0\x1d\2\1", true, false),
		FIRST("\x30\x81\x80\2\1\1", true, false),
		FIRST("\x30\x82\1\x80\2\1\1", true, false),
		FIRST("\x30\x83\1\x80\2\1\1", false, false),
		FIRST("\x30\x0c\4\1", false, false),
		FIRST("\0\0\0\x08\4\xd2\x16\x2f", true, false),
		FIRST("\0\0\0\x08\4\xd2\x16\x30", true, false),
		/* CancelRequest, and a start in clear */
		FIRST("\0\0\0\x10\4\xd2\x16\x2e", false, false),
		FIRST("\0\0\0\x54\0\3\0\0", false, false),
		FIRST(MY_GREETING("\xff"), false, true),
		FIRST("\x4a\0\1\0\x0a"
		      "8.0",
		      false, false),
		FIRST("\x4a\0\0\1\x0a"
		      "8.0",
		      false, false),
		FIRST("\x17\0\0\0\xff\x10\4", false, false),
		FIRST(TDS_PRELOGIN("\0"), true, false),
		FIRST("\x10\1\0\x90\0\0\1\0", false, false),
		FIRST(RDP_REQUEST, true, false),
		FIRST("\3\0\0\x0b\6\xd0", false, false),
		FIRST("CONNECT x:443 HTTP/1.1", true, false),
		FIRST("PROXY TCP4", true, false),
		FIRST(PROXY_V2, true, false),
		FIRST("GET / HTTP/1.1", false, false),
		FIRST("POST / HTTP/1.1", false, false),
		FIRST("PUT /", false, false),
		FIRST("HTTP/1.1 200 OK", false, false),
		FIRST("*1\r\n$4\r\nPING", false, false),
		FIRST("\0\0\0\0\0\0\0\0", false, false),
#undef FIRST
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* what may begin may, however little of it is there */
		for (size_t size = 0; size <= rows[i].size; size++) {
			const uint8_t *bytes = guard_copy(rows[i].bytes, size);
			bool is_whole = size == rows[i].size;

			if (is_whole || rows[i].by_client)
				assert_int_equal(starttls_may_begin(bytes, size, false),
						 rows[i].by_client);
			if (is_whole || rows[i].by_server)
				assert_int_equal(starttls_may_begin(bytes, size, true),
						 rows[i].by_server);
			guard_free(bytes, size);
		}
	}
	/* a client's HTTP is told by its first byte, a server's by its third */
	assert_false(starttls_may_begin((const uint8_t *)"G", 1, false));
	assert_false(starttls_may_begin((const uint8_t *)"HTT", 3, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_talks_lead_to_tls),
		cmocka_unit_test(test_recorded_talks_in_clear_are_foreign),
		cmocka_unit_test(test_wrapped_handshake_is_unwrapped),
		cmocka_unit_test(test_packet_that_is_none_ends_the_unwrapping),
		cmocka_unit_test(test_ssh_and_reversed_tls_are_told),
		cmocka_unit_test(test_nothing_is_no_bytes),
		cmocka_unit_test(test_search_is_bounded),
		cmocka_unit_test(test_end_of_who_must_speak_is_the_end),
		cmocka_unit_test(test_first_bytes_tell_what_may_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
