/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/table.h"

static void test_bytes_of_both_directions_come_together(void **state)
{
	const struct look *at;

	(void)state;
	received(5, 0, "hel");
	received(5, 3, "lo");
	sent(5, 0, "well");
	at = last();
	assert_int_equal(table.nr_looks, 3);
	assert_int_equal(at->why, TAP_LOOK_NEWS);
	assert_int_equal(at->direction, TAP_SENT);
	assert_string_equal(at->bytes[TAP_RECEIVED], "hello");
	assert_string_equal(at->bytes[TAP_SENT], "well");
	assert_int_equal(at->connection.cookie, 5);
	assert_int_equal(at->connection.role, TAP_SERVER);
	assert_int_equal(at->connection.local_port, 443);
	assert_int_equal(at->connection.peer_port, 40000);
	assert_memory_equal(at->connection.local, "local", 6);
	assert_memory_equal(at->connection.peer, "peer", 5);
	assert_int_equal(at->connection.first_ns, SECOND);
	assert_false(at->connection.is_datagram);
	assert_int_equal(count(), 1);
}

static void test_sockets_differ_though_the_ends_are_the_same(void **state)
{
	(void)state;
	received(5, 0, "one");
	received(6, 0, "two");
	assert_int_equal(count(), 2);
	assert_string_equal(last()->bytes[TAP_RECEIVED], "two");
	received(5, 3, "!");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "one!");
}

static void test_many_are_found(void **state)
{
	(void)state;
	table.is_quiet = true;
	for (uint64_t i = 1; i <= 40000; i++)
		received(i, 0, "a");
	for (uint64_t i = 1; i <= 40000; i++)
		received(i, 1, "b");
	assert_int_equal(count(), 40000);
	table.is_quiet = false;
	received(77, 2, "c");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "abc");
}

static void test_order_does_not_matter(void **state)
{
	(void)state;
	received(5, 3, "lo");
	assert_int_equal(table.nr_looks, 0);
	received(5, 0, "hel");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
	received(5, 0, "HELLO");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
	/* Before the begin there is nothing. */
	received(5, (uint32_t)-3, "xxx");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
}

static void test_sequence_numbers_may_wrap(void **state)
{
	(void)state;
	make(TAP_SEGMENT, 5);
	record.event.payload.size = 4;
	memcpy(record.bytes, "abcd", 4);
	record.event.base = (uint32_t)-2;
	record.event.sequence = (uint32_t)-2;
	assert_int_equal(take(), 0);
	record.event.sequence = 2;
	assert_int_equal(take(), 0);
	assert_string_equal(last()->bytes[TAP_SENT], "abcdabcd");
}

static void test_nothing_is_looked_at_before_it_is_enough(void **state)
{
	(void)state;
	table.needs = 6;
	received(5, 0, "a");
	assert_int_equal(table.nr_looks, 1);
	received(5, 1, "bcde");
	assert_int_equal(table.nr_looks, 1);
	/* In the other direction nothing is needed yet. */
	sent(5, 0, "x");
	assert_int_equal(table.nr_looks, 2);
	received(5, 5, "f");
	assert_int_equal(table.nr_looks, 3);
}

static void test_peers_of_a_datagram_socket_differ(void **state)
{
	(void)state;
	datagram(5, 1, true, "first");
	assert_string_equal(last()->datagram, "first");
	assert_int_equal(last()->datagram_size, 5);
	assert_int_equal(last()->direction, TAP_RECEIVED);
	assert_true(last()->connection.is_datagram);
	assert_int_equal(last()->connection.owner, 0);
	datagram(5, 2, true, "second");
	assert_int_equal(count(), 2);
	datagram(5, 1, false, "third");
	assert_int_equal(count(), 2);
	assert_int_equal(last()->connection.peer_port, 1);
	assert_int_equal(last()->direction, TAP_SENT);
	assert_int_equal(last()->connection.owner, 100);
	/* Who gets the next one is not known; the owner stays. */
	datagram(5, 1, true, "fourth");
	assert_int_equal(last()->connection.owner, 100);
	/* Neither another socket's nor TCP's of the same ends. */
	datagram(6, 1, true, "fifth");
	received(5, 0, "sixth");
	assert_int_equal(count(), 4);
}

static void test_decided_datagrams_are_not_told_to_the_kernel(void **state)
{
	(void)state;
	table.is_decided = true;
	datagram(5, 1, true, "first");
	assert_int_equal(count(), 0);
	assert_false(is_told_to_kernel(5));
	datagram(5, 1, true, "again");
	assert_int_equal(table.nr_looks, 2);
}

static void test_segment_before_the_socket_belongs_to_it(void **state)
{
	const struct look *at;

	(void)state;
	early(0, "hel");
	assert_int_equal(count(), 1);
	assert_int_equal(table.nr_looks, 0);
	received(5, 3, "lo");
	at = last();
	assert_int_equal(count(), 1);
	assert_string_equal(at->bytes[TAP_RECEIVED], "hello");
	assert_int_equal(at->connection.cookie, 5);
	assert_int_equal(at->connection.owner, 100);
	assert_false(at->connection.is_listeners);
	/* By its number from now on. */
	received(5, 5, "!");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello!");
	assert_int_equal(count(), 1);
}

/* All that the client sends came before, and the server answers. */
static void test_answer_finds_what_came_before_the_socket(void **state)
{
	(void)state;
	early(0, "hello");
	sent(5, 0, "well");
	assert_int_equal(count(), 1);
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
	assert_string_equal(last()->bytes[TAP_SENT], "well");
}

/* The first one was lost and comes again when there is a socket. */
static void test_segment_before_the_socket_need_not_be_the_first(void **state)
{
	(void)state;
	early(3, "lo");
	received(5, 5, "!");
	assert_int_equal(table.nr_looks, 0);
	received(5, 0, "hel");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello!");
	assert_int_equal(table.nr_looks, 1);
}

static void test_segments_before_the_socket_come_in_any_order(void **state)
{
	(void)state;
	early(3, "lo");
	early(0, "hel");
	early(5, "!");
	early(3, "lo");
	received(5, 6, "!");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello!!");
	assert_int_equal(count(), 1);
}

static void test_segment_of_an_earlier_connection_is_dropped(void **state)
{
	size_t held;

	(void)state;
	early((uint32_t)-500, "old");
	held = tap_connections_held(table.connections);
	make(TAP_SEGMENT, 5);
	record.event.is_received = true;
	record.event.hdr.ts_ns = 20 * SECOND;
	assert_int_equal(take_at(0, "hello"), 0);
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
	assert_int_equal(tap_connections_held(table.connections), held);
	/* This one has all the time there is. */
	assert_int_equal(last()->connection.first_ns, 20 * SECOND);
	assert_int_equal(count(), 1);
	/* Where its answer is told first. */
	early((uint32_t)-500, "old");
	sent(6, 0, "well");
	received(6, 0, "hello");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
}

static void test_segment_before_the_socket_of_other_ends_is_not_its(void **state)
{
	(void)state;
	early(0, "hel");
	make(TAP_SEGMENT, 5);
	record.event.is_received = true;
	record.event.peer_port++;
	assert_int_equal(take_at(3, "lo"), 0);
	assert_int_equal(count(), 2);
	assert_int_equal(table.nr_looks, 0);
}

/* A packet that comes when the connection is over goes to the listener, too, and so does a flood.
 */
static void test_segment_without_a_socket_is_nothing(void **state)
{
	(void)state;
	early(0, "hello");
	tap_connections_expire(table.connections, 100 * SECOND);
	early(0, "hello");
	tap_connections_end(table.connections);
	assert_int_equal(table.nr_looks, 0);
	assert_int_equal(count(), 0);
	assert_int_equal(counts()->overdue, 0);
	assert_int_equal(tap_connections_held(table.connections), 0);
}

/* All there is came before the socket: nobody answers. */
static void test_socket_that_only_closes_has_what_came_before(void **state)
{
	(void)state;
	early(0, "hello");
	make(TAP_OWNER, 5);
	assert_int_equal(take(), 0);
	make(TAP_CLOSE, 5);
	assert_int_equal(take(), 0);
	assert_int_equal(table.nr_looks, 1);
	assert_int_equal(last()->why, TAP_LOOK_CLOSED);
	assert_int_equal(last()->connection.cookie, 5);
	assert_int_equal(last()->connection.owner, 100);
	assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
	assert_int_equal(count(), 0);
}

static void test_owner_is_who_had_it_last(void **state)
{
	(void)state;
	make(TAP_SEGMENT, 5);
	record.event.hdr.flags = TAP_IS_LISTENERS;
	assert_int_equal(take_at(0, "a"), 0);
	assert_int_equal(last()->connection.owner, 100);
	assert_int_equal(last()->connection.owner_ns, 7);
	assert_true(last()->connection.is_listeners);
	change(TAP_OWNER, 5, 101, 0);
	assert_int_equal(table.nr_looks, 1);
	make(TAP_SEGMENT, 5);
	record.event.hdr.tgid = 0;
	assert_int_equal(take_at(1, "b"), 0);
	assert_int_equal(last()->connection.owner, 101);
	assert_int_equal(last()->connection.owner_ns, 102);
	assert_false(last()->connection.is_listeners);
	change(TAP_CLOSE, 5, 103, 0);
	assert_int_equal(last()->connection.owner, 103);
}

/* A record of before the first read that another CPU has put into the ring behind it. */
static void test_owner_who_has_read_does_not_become_the_listener(void **state)
{
	(void)state;
	received(5, 0, "a");
	make(TAP_SEGMENT, 5);
	record.event.is_received = true;
	record.event.hdr.flags = TAP_IS_LISTENERS;
	record.event.hdr.tgid = 50;
	assert_int_equal(take_at(1, "b"), 0);
	assert_int_equal(last()->connection.owner, 100);
	assert_false(last()->connection.is_listeners);
	assert_string_equal(last()->bytes[TAP_RECEIVED], "ab");
}

static void test_changes_of_unknown_connections_are_nothing(void **state)
{
	(void)state;
	change(TAP_OWNER, 5, 100, 0);
	change(TAP_CLOSE, 5, 100, 0);
	change(TAP_OWNER, 0, 100, 0);
	assert_int_equal(count(), 0);
	assert_int_equal(table.nr_looks, 0);
}

static void test_closed_connection_is_looked_at_a_last_time(void **state)
{
	(void)state;
	for (int is_reset = 0; is_reset < 2; is_reset++) {
		received(5, 0, "hello");
		change(TAP_CLOSE, 5, 100, is_reset ? TAP_IS_RESET : 0);
		assert_int_equal(last()->why, TAP_LOOK_CLOSED);
		assert_int_equal(last()->connection.is_reset, is_reset);
		assert_string_equal(last()->bytes[TAP_RECEIVED], "hello");
		assert_int_equal(count(), 0);
		assert_int_equal(tap_connections_held(table.connections), 0);
		memset(&table.decided, 0, sizeof(table.decided));
	}
	assert_int_equal(counts()->holes + counts()->given_up + counts()->overdue, 0);
}

static void test_decided_connection_is_forgotten(void **state)
{
	(void)state;
	table.is_decided = true;
	received(5, 0, "hello");
	assert_int_equal(count(), 0);
	assert_int_equal(tap_connections_held(table.connections), 0);
	assert_true(is_told_to_kernel(5));
	/* What the kernel had sent before it was told. */
	received(5, 5, "more");
	change(TAP_CLOSE, 5, 100, 0);
	assert_int_equal(table.nr_looks, 1);
	assert_int_equal(count(), 0);
	/* Another one of the same slot takes its place. */
	received(5 + TAP_DECIDED_MAX, 0, "hello");
	assert_int_equal(table.nr_looks, 2);
	assert_true(is_told_to_kernel(5 + TAP_DECIDED_MAX));
	received(5, 5, "more");
	assert_int_equal(count(), 1);
}

static void test_table_does_without_a_kernel(void **state)
{
	(void)state;
	tap_connections_free(table.connections);
	assert_int_equal(tap_connections_new(&table.connections, NULL, look, &table), 0);
	table.is_decided = true;
	received(5, 0, "hello");
	received(5, 0, "hello");
	assert_int_equal(table.nr_looks, 2);
	assert_int_equal(count(), 0);
}

static void test_lost_records_make_a_hole(void **state)
{
	(void)state;
	received(5, 0, "hello");
	make(TAP_SEGMENT, 5);
	record.event.hdr.flags = TAP_HAS_HOLE;
	assert_int_equal(take_at(0, "x"), 0);
	assert_true(last()->connection.has_hole);
	sent(5, 1, "y");
	assert_true(last()->connection.has_hole);
	change(TAP_CLOSE, 5, 100, 0);
	assert_int_equal(counts()->holes, 1);
	/* Decided nevertheless: nothing is missing. */
	received(6, 0, "hello");
	change(TAP_OWNER, 6, 100, TAP_HAS_HOLE);
	table.is_decided = true;
	change(TAP_CLOSE, 6, 100, 0);
	assert_int_equal(counts()->holes, 1);
	assert_int_equal(counts()->overdue, 0);
}

/* No record with bytes came through: its end says that there were some. */
static void test_connection_of_which_all_was_lost_is_counted(void **state)
{
	(void)state;
	change(TAP_CLOSE, 5, 100, TAP_HAS_HOLE);
	assert_int_equal(last()->why, TAP_LOOK_CLOSED);
	assert_int_equal(last()->connection.owner, 100);
	assert_int_equal(counts()->holes, 1);
	assert_int_equal(count(), 0);
	assert_int_equal(tap_connections_held(table.connections), 0);
}

/* What the stream has left out does not come again. */
static void test_more_holes_than_are_remembered_are_a_hole(void **state)
{
	(void)state;
	for (uint32_t nr = TAP_STREAM_GAPS; nr <= TAP_STREAM_GAPS + 1; nr++) {
		table.is_quiet = true;
		for (uint32_t i = 0; i <= nr; i++)
			received(nr, 2 * i, "a");
		table.is_quiet = false;
		received(nr, 1, "a");
		assert_int_equal(last()->sizes[TAP_RECEIVED], 3);
		assert_int_equal(last()->connection.has_hole, nr > TAP_STREAM_GAPS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes_of_both_directions_come_together),
		TEST(test_sockets_differ_though_the_ends_are_the_same),
		TEST(test_many_are_found),
		TEST(test_order_does_not_matter),
		TEST(test_sequence_numbers_may_wrap),
		TEST(test_nothing_is_looked_at_before_it_is_enough),
		TEST(test_peers_of_a_datagram_socket_differ),
		TEST(test_decided_datagrams_are_not_told_to_the_kernel),
		TEST(test_segment_before_the_socket_belongs_to_it),
		TEST(test_answer_finds_what_came_before_the_socket),
		TEST(test_segment_before_the_socket_need_not_be_the_first),
		TEST(test_segments_before_the_socket_come_in_any_order),
		TEST(test_segment_of_an_earlier_connection_is_dropped),
		TEST(test_segment_before_the_socket_of_other_ends_is_not_its),
		TEST(test_segment_without_a_socket_is_nothing),
		TEST(test_socket_that_only_closes_has_what_came_before),
		TEST(test_owner_is_who_had_it_last),
		TEST(test_owner_who_has_read_does_not_become_the_listener),
		TEST(test_changes_of_unknown_connections_are_nothing),
		TEST(test_closed_connection_is_looked_at_a_last_time),
		TEST(test_decided_connection_is_forgotten),
		TEST(test_table_does_without_a_kernel),
		TEST(test_lost_records_make_a_hole),
		TEST(test_connection_of_which_all_was_lost_is_counted),
		TEST(test_more_holes_than_are_remembered_are_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
