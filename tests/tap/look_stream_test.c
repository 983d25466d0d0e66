/* SPDX-License-Identifier: MIT */
/* How the bytes of a connection come must not matter, nor what is said before TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replayed.h"

#define COOKIE 77

static size_t nr_checked;

/* The event of RECORDING, that was said at an end that IS_SERVER of TLS, has the facts. */
static void expect_told(const char *name, const struct recording *recording, bool is_server)
{
	const char *text = the_event(name);

	expect(name, text, "role", is_server ? "server" : "client");
	expect_facts(name, text, recording);
	expect_forgotten();
	nr_checked++;
}

static void check_bytes(const char *name, struct recording *recording)
{
	for (int is_server = 0; is_server < 2; is_server++) {
		begin(false);
		talk_begin(COOKIE, is_server, 1);
		replay(recording, false);
		expect_told(name, recording, is_server);
		end();
	}
}

static void test_byte_by_byte_tells_the_same(void **state)
{
	size_t nr;

	(void)state;
	nr_checked = 0;
	nr = streams_each(check_bytes);
	assert_true(nr >= 40);
	assert_int_equal(nr_checked, 2 * nr);
}

#define SHUFFLED 4 /* segments that are sent in the wrong order */

/* Says SIZE BYTES of FROM, AT its stream: each segment twice, and the last of each few first. */
static void say_shuffled(enum flow_direction from, uint32_t at, const uint8_t *bytes, size_t size,
			 size_t segment, bool is_server)
{
	size_t nr = (size + segment - 1) / segment;

	for (size_t few = 0; few < nr; few += SHUFFLED) {
		size_t end_few = few + SHUFFLED < nr ? few + SHUFFLED : nr;

		for (size_t i = end_few; i-- > few;)
			for (int copy = 0; copy < 2; copy++) {
				size_t part =
					size - i * segment < segment ? size - i * segment : segment;

				send(COOKIE, is_server, (from == FLOW_CLIENT) == is_server,
				     at + (uint32_t)(i * segment), bytes + i * segment, part);
			}
	}
}

static void check_shuffled(const char *name, struct recording *recording)
{
	for (int is_server = 0; is_server < 2; is_server++) {
		size_t at[NR_FLOW_DIRECTIONS] = { 0, 0 };

		begin(false);
		for (size_t i = 0; i < recording->nr_pieces; i++) {
			const struct recording_piece *piece = &recording->pieces[i];
			unsigned int from = piece->from;

			say_shuffled((enum flow_direction)from, (uint32_t)at[from],
				     recording->bytes[from] + at[from], piece->size - at[from], 60,
				     is_server);
			at[from] = piece->size;
		}
		if (recording->has_ended)
			close_it(COOKIE);
		finish();
		expect_told(name, recording, is_server);
		end();
	}
}

static void test_order_and_copies_of_segments_do_not_matter(void **state)
{
	size_t nr;

	(void)state;
	nr_checked = 0;
	nr = streams_each(check_shuffled);
	assert_true(nr >= 40);
	assert_int_equal(nr_checked, 2 * nr);
}

/* The client's half of a handshake, alone, tells what it asked for. */
static void test_one_direction_alone_is_not_an_answer(void **state)
{
	struct recording *recording = recording_read("tls13");
	const char *text;

	(void)state;
	begin(false);
	send(COOKIE, true, true, 0, recording->bytes[0], recording->size[0]);
	close_it(COOKIE);
	text = the_event("client only");
	expect("client only", text, "outcome", "reset");
	expect("client only", text, "server_name", "localhost");
	expect("client only", text, "version", NULL);
	end();
	begin(false);
	send(COOKIE, true, false, 0, recording->bytes[1], recording->size[1]);
	close_it(COOKIE);
	expect_nothing("server only");
	expect_forgotten();
	end();
	free(recording);
}

/* The server of TCP is the client of TLS: data of FTP after PORT. */
static void test_server_that_begins_tls_is_its_client(void **state)
{
	static const char *const names[] = { "tls12", "tls13", "tls13_retry", "tls12_no_cipher" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int j = 0; j < 4; j++) {
			struct recording *recording = recording_read(names[i]);

			begin(false);
			talk_begin(COOKIE, j & 1, j & 2 ? 7 : SIZE_MAX);
			replay(recording, true);
			expect_told(names[i], recording, !(j & 1));
			end();
			free(recording);
		}
}

struct words {
	enum flow_direction from;
	const char *bytes;
	size_t size;
};

#define CLIENT(text)                                                                               \
	{                                                                                          \
		FLOW_CLIENT, text, sizeof(text) - 1                                                \
	}
#define SERVER(text)                                                                               \
	{                                                                                          \
		FLOW_SERVER, text, sizeof(text) - 1                                                \
	}
#define WORDS_MAX 8

struct before {
	const char *protocol;
	struct words words[WORDS_MAX];
};

/* What programs say before TLS, and the name it has in events. */
static const struct before befores[] = {
	{ "smtp",
	  { SERVER("220 mx ESMTP\r\n"), CLIENT("EHLO a\r\n"), SERVER("250-mx\r\n250 STARTTLS\r\n"),
	    CLIENT("STARTTLS\r\n"), SERVER("220 go\r\n") } },
	{ "imap", { SERVER("* OK ready\r\n"), CLIENT("a1 STARTTLS\r\n"), SERVER("a1 OK go\r\n") } },
	{ "pop3", { SERVER("+OK ready\r\n"), CLIENT("STLS\r\n"), SERVER("+OK go\r\n") } },
	{ "ftp", { SERVER("220 ftpd\r\n"), CLIENT("AUTH TLS\r\n"), SERVER("234 go\r\n") } },
	{ "nntp", { SERVER("200 news\r\n"), CLIENT("STARTTLS\r\n"), SERVER("382 go\r\n") } },
	{ "postgresql", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("S") } },
	{ "ldap",
	  { CLIENT("\x30\x1d\x02\x01\1\x77\x18\x80\x16"
		   "1.3.6.1.4.1.1466.20037"),
	    SERVER("\x30\x0c\x02\x01\1\x78\7\x0a\1\0\4\0\4\0") } },
	{ "xmpp",
	  { CLIENT("<stream:stream><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
	    SERVER("<stream:stream><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") } },
	{ "http_connect",
	  { CLIENT("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"),
	    SERVER("HTTP/1.1 200 Connection established\r\n\r\n") } },
	{ "proxy_v1", { CLIENT("PROXY TCP4 127.0.0.1 127.0.0.1 4711 443\r\n") } },
	{ "smtp",
	  { CLIENT("PROXY TCP4 127.0.0.1 127.0.0.1 4711 25\r\n"), SERVER("220 mx\r\n"),
	    CLIENT("STARTTLS\r\n"), SERVER("454 no\r\n"), CLIENT("STARTTLS\r\n"),
	    SERVER("220 go\r\n") } },
};

static void say_before(const struct before *before)
{
	for (size_t i = 0; i < WORDS_MAX && before->words[i].bytes; i++)
		say(before->words[i].from, before->words[i].bytes, before->words[i].size);
}

static void test_what_is_said_before_is_named_and_passed_over(void **state)
{
	static const char *const names[] = { "tls12", "tls13", "tls12_no_cipher" };

	(void)state;
	for (size_t i = 0; i < sizeof(befores) / sizeof(befores[0]); i++)
		for (int j = 0; j < 12; j++) {
			const char *name = names[j / 4];
			struct recording *recording = recording_read(name);
			const char *text;

			begin(false);
			talk_begin(COOKIE, j & 1, j & 2 ? 1 : SIZE_MAX);
			say_before(&befores[i]);
			replay(recording, false);
			text = the_event(befores[i].protocol);
			expect(name, text, "starttls", befores[i].protocol);
			expect(name, text, "role", j & 1 ? "server" : "client");
			expect_facts(name, text, recording);
			expect_forgotten();
			end();
			free(recording);
		}
}

static void test_without_it_there_is_no_starttls(void **state)
{
	struct recording *recording = recording_read("tls13");

	(void)state;
	begin(false);
	talk_begin(COOKIE, true, SIZE_MAX);
	replay(recording, false);
	expect("tls13", the_event("tls13"), "starttls", NULL);
	end();
	free(recording);
}

static void test_refused_starttls_is_no_handshake(void **state)
{
	static const struct before refused[] = {
		{ "smtp",
		  { SERVER("220 mx\r\n"), CLIENT("STARTTLS\r\n"), SERVER("454 no\r\n"),
		    CLIENT("QUIT\r\n"), SERVER("221 bye\r\n") } },
		{ "postgresql", { CLIENT("\0\0\0\x08\4\xd2\x16\x2f"), SERVER("N") } },
		{ "http_connect",
		  { CLIENT("CONNECT x:443 HTTP/1.1\r\n\r\n"), SERVER("HTTP/1.1 403 No\r\n\r\n") } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin(false);
		talk_begin(COOKIE, true, SIZE_MAX);
		say_before(&refused[i]);
		close_it(COOKIE);
		expect_nothing(refused[i].protocol);
		expect_forgotten();
		end();
	}
}

#define TDS_HEADER 8

/* A TDS packet of TYPE, the last of its message. */
static void say_tds(enum flow_direction from, uint8_t type, const void *bytes, size_t size)
{
	static uint8_t packet[RECORDING_SIZE_MAX];
	size_t whole = TDS_HEADER + size;

	memset(packet, 0, TDS_HEADER);
	packet[0] = type;
	packet[1] = 1;
	packet[2] = (uint8_t)(whole >> 8);
	packet[3] = (uint8_t)whole;
	memcpy(packet + TDS_HEADER, bytes, size);
	say(from, packet, whole);
}

/*
 * SQL Server puts each flight of the handshake into packets of its own, here of at most PACKET
 * bytes; what is sent with the keys is bare again.
 */
static void replay_wrapped(const struct recording *recording, size_t packet)
{
	size_t at[NR_FLOW_DIRECTIONS] = { 0, 0 };

	say_tds(FLOW_CLIENT, 0x12, "\1\0\6\0\1\xff\0x", 8);
	say_tds(FLOW_SERVER, 4, "\1\0\6\0\1\xff\1", 7);
	for (size_t i = 0; i < recording->nr_pieces; i++) {
		const struct recording_piece *piece = &recording->pieces[i];
		enum flow_direction from = (enum flow_direction)piece->from;
		const uint8_t *bytes = recording->bytes[from];

		while (at[from] < piece->size && i < 4) {
			size_t part = piece->size - at[from];

			part = part < packet ? part : packet;
			say_tds(from, 0x12, bytes + at[from], part);
			at[from] += part;
		}
		say(from, bytes + at[from], piece->size - at[from]);
		at[from] = piece->size;
	}
	if (recording->has_ended)
		close_it(COOKIE);
	finish();
}

static void test_handshake_in_packets_of_sql_server_is_read(void **state)
{
	static const char *const names[] = { "tls12", "tls12_client_cert", "tls12_no_cipher" };
	static const size_t packets[] = { 4096, 512, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int j = 0; j < 6; j++) {
			struct recording *recording = recording_read(names[i]);
			const char *text;

			begin(false);
			talk_begin(COOKIE, j & 1, j == 1 ? 1 : SIZE_MAX);
			replay_wrapped(recording, packets[j / 2]);
			text = the_event(names[i]);
			expect(names[i], text, "starttls", "mssql");
			expect_facts(names[i], text, recording);
			expect_forgotten();
			end();
			free(recording);
		}
}

static void test_what_is_no_handshake_is_let_go_of(void **state)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff",
					     "SSH", "\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		begin(false);
		send(5, true, true, 0, texts[i], strlen(texts[i]));
		close_it(5);
		expect_nothing(texts[i]);
		expect_forgotten();
		end();
	}
}

/* At the first byte, before anything is over. */
static void test_http_is_let_go_of_at_once(void **state)
{
	(void)state;
	begin(false);
	send(5, true, true, 0, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(decided.cookies[5], 5);
	expect_forgotten();
	end();
}

static void test_hole_is_not_parsed_across(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;
	const char *text;

	(void)state;
	begin(false);
	send(5, true, true, 0, recording->bytes[0], hello);
	send(5, true, false, 100, recording->bytes[1] + 100, recording->size[1] - 100);
	close_it(5);
	text = the_event("hole");
	expect("hole", text, "server_name", "localhost");
	expect("hole", text, "version", NULL);
	end();
	free(recording);
}

/* What was lost may have been an answer: that nobody said a word is not known. */
static void test_connection_with_a_hole_was_not_reset(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;

	(void)state;
	for (int is_flagged = 0; is_flagged < 2; is_flagged++) {
		begin(false);
		send(5, true, true, 0, recording->bytes[0], hello);
		if (is_flagged)
			send_with(TAP_HAS_HOLE, 5, true, true, (uint32_t)hello, "\x14", 1);
		else
			send(5, true, false, 100, recording->bytes[1] + 100, 100);
		close_it(5);
		expect("hole", the_event("hole"), "outcome", "incomplete");
		end();
	}
	free(recording);
}

/* As much as is kept is not all there was. */
static void test_connection_that_is_longer_than_what_is_kept_was_not_reset(void **state)
{
	static uint8_t bytes[2 * TAP_STREAM_MAX];
	struct recording *recording = recording_read("tls12");
	size_t at = recording->pieces[1].size;

	(void)state;
	begin(false);
	send(5, true, true, 0, recording->bytes[0], recording->pieces[0].size);
	send(5, true, false, 0, recording->bytes[1], at);
	/* A record of the handshake as large as may be, and another. */
	for (size_t i = 0; i < sizeof(bytes); i += 16389 - 5)
		memcpy(bytes + i, "\x16\x03\x03\x3f\xfb\x16\x00\x3f\xf0", 9);
	send(5, true, false, (uint32_t)at, bytes, sizeof(bytes) - 1000);
	close_it(5);
	expect("long", the_event("long"), "outcome", "incomplete");
	end();
	free(recording);
}

/* A first record that was lost is a handshake that was: nothing else says so. */
static void test_lost_begin_is_counted(void **state)
{
	struct recording *recording = recording_read("tls13");
	size_t hello = recording->pieces[0].size;

	(void)state;
	for (int is_closed = 0; is_closed < 2; is_closed++) {
		begin(false);
		send_with(TAP_HAS_HOLE, 5, true, true, 100, recording->bytes[0] + 100, hello - 100);
		if (is_closed)
			close_it(5);
		else
			finish();
		expect_nothing("lost begin");
		assert_int_equal(tap_connections_counts(tap.connections)->holes, 1);
		end();
	}
	free(recording);
}

/* It may ask for TLS later, and nobody will look any more. */
static void test_what_may_begin_later_is_counted_when_it_is_given_up(void **state)
{
	(void)state;
	begin(false);
	talk_begin(5, true, SIZE_MAX);
	say_text(FLOW_SERVER, "220 mx ESMTP\r\n");
	say_text(FLOW_CLIENT, "EHLO a\r\n");
	assert_int_equal(tap_tick(&tap, now_ns + TAP_DEADLINE_NS + 1), 0);
	expect_nothing("smtp");
	assert_int_equal(tap_connections_counts(tap.connections)->overdue, 1);
	expect_forgotten();
	end();
	begin(false);
	talk_begin(5, true, SIZE_MAX);
	say_text(FLOW_SERVER, "220 mx ESMTP\r\n");
	say_text(FLOW_CLIENT, "EHLO a\r\n");
	close_it(5);
	expect_nothing("smtp");
	assert_int_equal(tap_connections_counts(tap.connections)->overdue, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_by_byte_tells_the_same),
		cmocka_unit_test(test_order_and_copies_of_segments_do_not_matter),
		cmocka_unit_test(test_one_direction_alone_is_not_an_answer),
		cmocka_unit_test(test_server_that_begins_tls_is_its_client),
		cmocka_unit_test(test_what_is_said_before_is_named_and_passed_over),
		cmocka_unit_test(test_without_it_there_is_no_starttls),
		cmocka_unit_test(test_refused_starttls_is_no_handshake),
		cmocka_unit_test(test_handshake_in_packets_of_sql_server_is_read),
		cmocka_unit_test(test_what_is_no_handshake_is_let_go_of),
		cmocka_unit_test(test_http_is_let_go_of_at_once),
		cmocka_unit_test(test_hole_is_not_parsed_across),
		cmocka_unit_test(test_connection_with_a_hole_was_not_reset),
		cmocka_unit_test(test_connection_that_is_longer_than_what_is_kept_was_not_reset),
		cmocka_unit_test(test_lost_begin_is_counted),
		cmocka_unit_test(test_what_may_begin_later_is_counted_when_it_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
