/* SPDX-License-Identifier: MIT */
/* Connections where there is no time or no memory for them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/short_memory.h"
#include "tap/table.h"

static void test_deadline_is_for_the_first_byte(void **state)
{
	(void)state;
	received(5, 0, "hello");
	make(TAP_SEGMENT, 6);
	record.event.hdr.ts_ns = 2 * SECOND;
	assert_int_equal(take_at(0, "a"), 0);
	make(TAP_SEGMENT, 5);
	record.event.hdr.ts_ns = 30 * SECOND;
	assert_int_equal(take_at(0, "b"), 0);
	tap_connections_expire(table.connections, SECOND + TAP_DEADLINE_NS);
	assert_int_equal(count(), 2);
	tap_connections_expire(table.connections, SECOND + TAP_DEADLINE_NS + 1);
	assert_int_equal(count(), 1);
	assert_int_equal(last()->why, TAP_LOOK_OVERDUE);
	assert_int_equal(last()->connection.cookie, 5);
	assert_int_equal(last()->connection.last_ns, 30 * SECOND);
	assert_true(is_told_to_kernel(5));
	assert_false(is_told_to_kernel(6));
	assert_int_equal(counts()->overdue, 1);
	table.is_decided = true;
	tap_connections_expire(table.connections, 100 * SECOND);
	assert_int_equal(count(), 0);
	assert_int_equal(counts()->overdue, 1);
}

/* Bytes of this process that are in memory: proc_pid_statm(5). */
static size_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void test_memory_of_a_flood_is_given_back(void **state)
{
	size_t before = resident();
	size_t most;

	(void)state;
	if (!CAN_FAIL) {
		print_message("the sanitizer has an allocator of its own\n");
		skip();
	}
	table.is_quiet = true;
	for (uint64_t i = 1; i <= 60000; i++)
		received(i, 0, "a");
	most = resident();
	assert_true(most > before + (10U << 20));
	/* One that is still there, behind all others. */
	make(TAP_SEGMENT, 100000);
	record.event.hdr.ts_ns = 2 * SECOND;
	assert_int_equal(take_at(0, "a"), 0);
	tap_connections_expire(table.connections, SECOND + TAP_DEADLINE_NS + 1);
	assert_int_equal(count(), 1);
	assert_true(resident() < before + (most - before) / 4);
}

static void test_end_looks_at_all_that_are_left(void **state)
{
	(void)state;
	received(5, 0, "a");
	datagram(6, 1, true, "b");
	early(0, "c");
	tap_connections_end(table.connections);
	/* What came before a socket that never was is none of them. */
	assert_int_equal(table.nr_last[TAP_LOOK_ENDED], 2);
	assert_int_equal(count(), 0);
	assert_int_equal(counts()->left, 2);
	assert_int_equal(counts()->overdue, 0);
	assert_int_equal(tap_connections_held(table.connections), 0);
}

static void test_freeing_looks_at_nothing(void **state)
{
	(void)state;
	table.holds = 1;
	datagram(6, 1, true, "b");
	tap_connections_free(table.connections);
	assert_int_equal(table.nr_looks, 1);
	table.connections = NULL;
}

/* The budget is held whatever comes; the oldest are given up, and only those. */
static void test_oldest_are_given_up_for_want_of_room(void **state)
{
	uint64_t cookie = 1;

	(void)state;
	table.is_quiet = true;
	while (!table.nr_last[TAP_LOOK_GIVEN_UP]) {
		make(TAP_SEGMENT, cookie++);
		record.event.payload.size = TAP_BYTES_MAX;
		assert_int_equal(take(), 0);
		assert_true(tap_connections_held(table.connections) <
			    TAP_BUDGET + TAP_BYTES_MAX + 1024);
	}
	/* As many as fit, with what they take besides. */
	assert_in_range(count(), TAP_BUDGET / (TAP_BYTES_MAX + 1024), TAP_BUDGET / TAP_BYTES_MAX);
	assert_int_equal(counts()->given_up, 1);
	assert_true(is_told_to_kernel(1));
	assert_false(is_told_to_kernel(2));
	table.is_quiet = false;
	make(TAP_SEGMENT, cookie++);
	record.event.payload.size = TAP_BYTES_MAX;
	assert_int_equal(take(), 0);
	assert_int_equal(table.looks[0].why, TAP_LOOK_GIVEN_UP);
	assert_int_equal(table.looks[0].connection.cookie, 2);
	/* What is decided at the last look is not counted. */
	table.is_decided = true;
	sent(cookie, 0, "x");
	assert_int_equal(counts()->given_up, 2);
}

static void test_what_is_held_for_a_connection_counts(void **state)
{
	size_t before;

	(void)state;
	datagram(5, 1, true, "a");
	before = tap_connections_held(table.connections);
	table.holds = TAP_BUDGET;
	datagram(5, 1, true, "b");
	assert_int_equal(tap_connections_held(table.connections), before + TAP_BUDGET);
	table.holds = 0;
	/* It is the only one, and stays for that. */
	datagram(5, 1, true, "c");
	assert_int_equal(count(), 1);
	datagram(6, 1, true, "d");
	assert_int_equal(table.nr_last[TAP_LOOK_GIVEN_UP], 1);
	assert_int_equal(tap_connections_held(table.connections), before);
	assert_int_equal(last()->connection.cookie, 6);
}

static void test_without_memory_there_is_no_table(void **state)
{
	struct tap_connections *none = (void *)&table;

	(void)state;
	need_failures();
	fails_on = true;
	fails_at = 1;
	assert_int_equal(tap_connections_new(&none, NULL, look, &table), -ENOMEM);
	fails_at = 0;
	assert_ptr_equal(none, &table);
}

/* Whichever allocation it is that fails: the bytes are lost, that is known, and nothing leaks. */
static void test_without_memory_bytes_are_lost(void **state)
{
	(void)state;
	need_failures();
	fails_on = true;
	for (unsigned int i = 1; i <= 3; i++) {
		make(TAP_SEGMENT, i);
		fails_at = i;
		assert_int_equal(take_at(0, "abc"), -ENOMEM);
		fails_at = 0;
		assert_int_equal(count(), i - 1);
		assert_int_equal(table.nr_looks, 0);
	}
	sent(3, 0, "abc");
	assert_string_equal(last()->bytes[TAP_SENT], "abc");
	assert_true(last()->connection.has_hole);
	tap_connections_end(table.connections);
	assert_int_equal(counts()->holes, 2);
	/* For the first there was not even an entry. */
	assert_int_equal(counts()->given_up, 1);
	assert_int_equal(tap_connections_held(table.connections), 0);
}

/* When the buffer can not grow, what is there stays. */
static void test_without_memory_for_more_the_bytes_so_far_stay(void **state)
{
	static char text[1000];

	(void)state;
	need_failures();
	fails_on = true;
	memset(text, 'x', sizeof(text) - 1);
	received(5, 0, "abc");
	make(TAP_SEGMENT, 5);
	record.event.is_received = true;
	fails_at = 1;
	assert_int_equal(take_at(3, text), -ENOMEM);
	fails_at = 0;
	received(5, 3, "d");
	assert_string_equal(last()->bytes[TAP_RECEIVED], "abcd");
	assert_true(last()->connection.has_hole);
}

/* When what came before the socket can not be moved. */
static void test_without_memory_what_came_before_is_lost(void **state)
{
	(void)state;
	need_failures();
	fails_on = true;
	for (unsigned int i = 1; i <= 2; i++) {
		early(3, "lo");
		make(TAP_SEGMENT, i);
		record.event.is_received = true;
		fails_at = i;
		assert_int_equal(take_at(0, "hel"), -ENOMEM);
		fails_at = 0;
		received(i, 0, "hel");
		assert_string_equal(last()->bytes[TAP_RECEIVED], "hel");
		assert_true(last()->connection.has_hole);
	}
	tap_connections_end(table.connections);
	assert_int_equal(tap_connections_held(table.connections), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deadline_is_for_the_first_byte),
		TEST(test_memory_of_a_flood_is_given_back),
		TEST(test_end_looks_at_all_that_are_left),
		TEST(test_freeing_looks_at_nothing),
		TEST(test_oldest_are_given_up_for_want_of_room),
		TEST(test_what_is_held_for_a_connection_counts),
		TEST(test_without_memory_there_is_no_table),
		TEST(test_without_memory_bytes_are_lost),
		TEST(test_without_memory_for_more_the_bytes_so_far_stay),
		TEST(test_without_memory_what_came_before_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
