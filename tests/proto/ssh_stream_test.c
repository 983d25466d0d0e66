/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/array.h"
#include "made_ssh.h"
#include "support/guard.h"

static struct made made;

/* Reads what is in MADE; the stream's text is good until the next call. */
static struct ssh_stream read_made(bool is_server, bool has_ended)
{
	static const void *last;
	static size_t last_size;
	struct ssh_stream stream;
	struct flow_bytes from = { guard_copy(made.bytes, made.size), made.size, has_ended };

	if (last)
		guard_free(last, last_size);
	last = from.bytes;
	last_size = made.size;
	ssh_stream_read(&from, is_server, &stream);
	return stream;
}

struct line {
	const char *text;
	enum ssh_stream_state state;
	uint32_t versions;
	const char *ident;
};

static void expect_line(const struct line *line, bool is_server)
{
	struct ssh_stream stream;

	made.size = 0;
	made_line(&made, line->text);
	stream = read_made(is_server, false);
	assert_int_equal(stream.state, line->state);
	assert_int_equal(stream.versions, line->versions);
	if (line->ident) {
		assert_int_equal(stream.ident.size, strlen(line->ident));
		assert_memory_equal(stream.ident.bytes, line->ident, stream.ident.size);
	} else {
		assert_null(stream.ident.bytes);
	}
	if (stream.state == SSH_STREAM_WAITS)
		assert_true(stream.need > made.size);
}

static void test_identification_is_read(void **state)
{
	static const struct line lines[] = {
		{ "", SSH_STREAM_WAITS, 0, NULL },
		{ "S", SSH_STREAM_WAITS, 0, NULL },
		{ "SSH-2.0-x y\r", SSH_STREAM_WAITS, 0, NULL },
		{ "SSH-2.0-x y\r\n", SSH_STREAM_WAITS, SSH_SPEAKS_2, "SSH-2.0-x y" },
		{ "SSH-2.0-x\n", SSH_STREAM_WAITS, SSH_SPEAKS_2, "SSH-2.0-x" },
		{ "SSH-2.0-\n", SSH_STREAM_WAITS, SSH_SPEAKS_2, "SSH-2.0-" },
		{ "SSH-1.99-x\n", SSH_STREAM_WAITS, SSH_SPEAKS_1 | SSH_SPEAKS_2, "SSH-1.99-x" },
		{ "SSH-1.5-x\n", SSH_STREAM_OLD, SSH_SPEAKS_1, "SSH-1.5-x" },
		{ "SSH-2.0\n", SSH_STREAM_BAD, 0, NULL },
		{ "SSH-3.0-x\n", SSH_STREAM_BAD, 0, NULL },
		{ "SSH-\n", SSH_STREAM_BAD, 0, NULL },
		{ "SSH-\r\n", SSH_STREAM_BAD, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		expect_line(&lines[i], false);
		expect_line(&lines[i], true);
	}
}

/* RFC 4253 section 4.2: only the server may say something else first. */
static void test_lines_before_it_are_the_servers(void **state)
{
	static const struct line lines[] = {
		{ "Welcome\r\nSSHD\r\n\r\nSSH-2.0-x\r\n", SSH_STREAM_WAITS, SSH_SPEAKS_2,
		  "SSH-2.0-x" },
		{ "Welcome", SSH_STREAM_WAITS, 0, NULL },
		{ "Welcome\nSSH-1.5-y\n", SSH_STREAM_OLD, SSH_SPEAKS_1, "SSH-1.5-y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct line bad = { lines[i].text, SSH_STREAM_BAD, 0, NULL };

		expect_line(&lines[i], true);
		expect_line(&bad, false);
	}
}

static void test_lines_are_bounded(void **state)
{
	char text[SSH_PREAMBLE_MAX + 300];

	(void)state;
	for (size_t size = SSH_IDENT_MAX - 1; size <= SSH_IDENT_MAX + 1; size++) {
		struct ssh_stream stream;
		bool is_good = size <= SSH_IDENT_MAX;

		memset(text, 'x', sizeof(text));
		memcpy(text, "SSH-2.0-", 8);
		memcpy(text + size - 2, "\r\n", 2);
		made.size = 0;
		made_add(&made, text, size);
		stream = read_made(false, false);
		assert_int_equal(stream.state, is_good ? SSH_STREAM_WAITS : SSH_STREAM_BAD);
		assert_int_equal(stream.ident.size, is_good ? size - 2 : 0);
		/* without its end it is as long as it may be before it is too long */
		made.size -= 2;
		stream = read_made(false, false);
		assert_int_equal(stream.state,
				 size - 2 < SSH_IDENT_MAX ? SSH_STREAM_WAITS : SSH_STREAM_BAD);
	}
	memset(text, '\n', sizeof(text));
	for (size_t size = SSH_PREAMBLE_MAX; size <= SSH_PREAMBLE_MAX + 1; size++) {
		made.size = 0;
		made_add(&made, text, size);
		assert_int_equal(read_made(true, false).state,
				 size == SSH_PREAMBLE_MAX ? SSH_STREAM_WAITS : SSH_STREAM_BAD);
	}
	memset(text, 'x', sizeof(text));
	made.size = 0;
	made_add(&made, text, SSH_PREAMBLE_MAX);
	assert_int_equal(read_made(true, false).state, SSH_STREAM_BAD);
	made.size--;
	assert_int_equal(read_made(true, false).state, SSH_STREAM_WAITS);
}

static void test_nul_is_in_no_line(void **state)
{
	static const char *const lines[] = { "SSH-2.0-\0x\n", "SSH-2.0\0-x\n", "welcom\0e\nSSH" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		made.size = 0;
		made_add(&made, lines[i], 11);
		assert_int_equal(read_made(true, false).state, SSH_STREAM_BAD);
	}
}

static void begin(void)
{
	made.size = 0;
	made_line(&made, "SSH-2.0-x\r\n");
}

static void test_messages_are_taken_until_the_keys_are_new(void **state)
{
	static const struct made_offer offer = { 0 };
	struct ssh_stream stream;

	(void)state;
	begin();
	made_packet(&made, SSH_MSG_IGNORE, "....", 4);
	made_kexinit(&made, &offer);
	made_packet(&made, SSH_MSG_DEBUG, "", 0);
	made_packet(&made, 30, "abc", 3);
	made_packet(&made, 200, "local", 5);
	made_packet(&made, 49, "de", 2);
	stream = read_made(false, false);
	assert_int_equal(stream.state, SSH_STREAM_WAITS);
	assert_int_equal(stream.need, made.size + 5);
	made_newkeys(&made);
	made_line(&made, "what is encrypted is not read");
	stream = read_made(false, true);
	assert_int_equal(stream.state, SSH_STREAM_KEYED);
	assert_int_equal(stream.nr_kex, 2);
	assert_int_equal(stream.kex[0].number, 30);
	assert_int_equal(stream.kex[0].body.size, 3);
	assert_memory_equal(stream.kex[0].body.bytes, "abc", 3);
	assert_int_equal(stream.kex[1].number, 49);
	assert_memory_equal(stream.kex[1].body.bytes, "de", 2);
	assert_memory_equal(stream.offer.bytes, "0123456789abcdef", 16);
	assert_null(stream.disconnect.bytes);
}

static void test_messages_of_the_kex_are_bounded(void **state)
{
	static const struct made_offer offer = { 0 };
	struct ssh_stream stream;

	(void)state;
	begin();
	made_kexinit(&made, &offer);
	for (int i = 0; i < SSH_KEX_MESSAGES_MAX + 2; i++)
		made_packet(&made, (uint8_t)(30 + i), "a", 1);
	made_newkeys(&made);
	stream = read_made(false, false);
	assert_int_equal(stream.state, SSH_STREAM_KEYED);
	assert_int_equal(stream.nr_kex, SSH_KEX_MESSAGES_MAX);
	assert_int_equal(stream.kex[SSH_KEX_MESSAGES_MAX - 1].number,
			 30 + SSH_KEX_MESSAGES_MAX - 1);
}

static void test_disconnect_stops_it(void **state)
{
	struct ssh_stream stream;

	(void)state;
	begin();
	made_packet(&made, SSH_MSG_DISCONNECT, "why", 3);
	made_packet(&made, 99, "", 0);
	stream = read_made(true, false);
	assert_int_equal(stream.state, SSH_STREAM_LEFT);
	assert_int_equal(stream.disconnect.size, 3);
	assert_memory_equal(stream.disconnect.bytes, "why", 3);
}

static void test_end_is_told(void **state)
{
	static const struct made_offer offer = { 0 };

	(void)state;
	made.size = 0;
	assert_int_equal(read_made(false, true).state, SSH_STREAM_ENDED);
	begin();
	assert_int_equal(read_made(false, true).state, SSH_STREAM_ENDED);
	made_kexinit(&made, &offer);
	made.size--;
	assert_int_equal(read_made(false, true).state, SSH_STREAM_ENDED);
}

/* RFC 4253 section 7.1: only the transport and the kex speak before the keys are new. */
static void test_other_messages_are_not_ssh(void **state)
{
	static const struct made_offer offer = { 0 };
	static const uint8_t early[] = { 0, 5, 6, 7, 19, 21, 22, 29, 30, 49, 50, 191 };
	static const uint8_t late[] = { 0, 5, 6, 7, 19, 20, 22, 29, 50, 80, 191 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(early); i++) {
		begin();
		made_packet(&made, early[i], "abc", 3);
		assert_int_equal(read_made(false, false).state, SSH_STREAM_BAD);
	}
	for (size_t i = 0; i < ARRAY_SIZE(late); i++) {
		begin();
		made_kexinit(&made, &offer);
		made_packet(&made, late[i], "abc", 3);
		assert_int_equal(read_made(false, false).state, SSH_STREAM_BAD);
	}
}

/* RFC 4253 section 6: a multiple of 8, 16 bytes at least, 35000 at most, 4 bytes of padding. */
static void test_packets_are_as_they_must_be(void **state)
{
	static const struct {
		uint32_t size;
		uint8_t padding;
		enum ssh_stream_state state;
	} rows[] = {
		{ 12, 4, SSH_STREAM_WAITS },
		{ 12, 10, SSH_STREAM_WAITS },
		{ 12, 11, SSH_STREAM_BAD }, /* no byte for the message */
		{ 12, 3, SSH_STREAM_BAD },
		{ 4, 4, SSH_STREAM_BAD },
		{ 13, 4, SSH_STREAM_BAD },
		{ 0, 0, SSH_STREAM_BAD },
		{ 260, 255, SSH_STREAM_WAITS },
		{ SSH_PACKET_MAX - 4, 4, SSH_STREAM_WAITS },
		{ SSH_PACKET_MAX + 4, 4, SSH_STREAM_BAD },
		{ 0xfffffffc, 4, SSH_STREAM_BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ssh_stream stream;
		size_t before;

		begin();
		before = made.size;
		made_number(&made, rows[i].size);
		stream = read_made(false, false);
		assert_int_equal(stream.state, SSH_STREAM_WAITS);
		assert_int_equal(stream.need, before + 5);
		made_add(&made, &rows[i].padding, 1);
		stream = read_made(false, false);
		assert_int_equal(stream.state, rows[i].state);
		if (stream.state == SSH_STREAM_WAITS)
			assert_int_equal(stream.need, before + 4 + rows[i].size);
	}
}

static void test_largest_packet_is_read(void **state)
{
	static uint8_t body[SSH_PACKET_MAX];
	struct ssh_stream stream;

	(void)state;
	begin();
	made_packet(&made, SSH_MSG_KEXINIT, body, SSH_PACKET_MAX - 4 - 2 - 4);
	stream = read_made(false, false);
	assert_int_equal(stream.state, SSH_STREAM_WAITS);
	assert_int_equal(stream.offer.size, SSH_PACKET_MAX - 4 - 2 - 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identification_is_read),
		cmocka_unit_test(test_lines_before_it_are_the_servers),
		cmocka_unit_test(test_lines_are_bounded),
		cmocka_unit_test(test_nul_is_in_no_line),
		cmocka_unit_test(test_messages_are_taken_until_the_keys_are_new),
		cmocka_unit_test(test_messages_of_the_kex_are_bounded),
		cmocka_unit_test(test_disconnect_stops_it),
		cmocka_unit_test(test_end_is_told),
		cmocka_unit_test(test_other_messages_are_not_ssh),
		cmocka_unit_test(test_packets_are_as_they_must_be),
		cmocka_unit_test(test_largest_packet_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
