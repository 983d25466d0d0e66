/* SPDX-License-Identifier: MIT */
/* The connections of an inventory: each socket once, who is the server, how many are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inventory/made_inventory.h"

static void test_socket_of_two_descriptors_is_one_connection(void **state)
{
	struct inventory_process *process = made_process(7, "web");
	struct inventory_process *child = made_process(8, "web");

	(void)state;
	made_connection(process, 5, 443, 1, 50000);
	made_connection(process, 6, 443, 1, 50001);
	made_connection(process, 5, 443, 1, 50000);
	made_connection(child, 5, 443, 1, 50000);
	assert_int_equal(process->nr_connections, 2);
	assert_int_equal(process->nr_more_connections, 0);
	assert_int_equal(child->nr_connections, 1);
}

static void test_listened_port_makes_a_server(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_connection(process, 5, 50000, 1, 443);
	made_connection(process, 6, 443, 2, 50000);
	made_connection(process, 7, 8443, 2, 50001);
	/* Known only afterwards, also more than once; of another namespace it is nobody's. */
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 443), 0);
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 443), 0);
	assert_int_equal(connections_listen(inventory, MADE_NETNS, 22), 0);
	assert_int_equal(connections_listen(inventory, MADE_NETNS + 1, 8443), 0);
	assert_int_equal(inventory->nr_listeners, 3);
	inventory_sort(inventory);
	/* By the local port here. */
	assert_int_equal(process->connections[0].inode, 6);
	assert_true(process->connections[0].is_server);
	assert_int_equal(process->connections[1].inode, 7);
	assert_false(process->connections[1].is_server);
	assert_int_equal(process->connections[2].inode, 5);
	assert_false(process->connections[2].is_server);
}

static void test_order_is_that_of_the_addresses(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	made_connection(process, 9, 443, 2, 10);
	made_connection(process, 8, 443, 1, 50000);
	made_connection(process, 7, 443, 1, 700);
	made_connection(process, 6, 443, 1, 700);
	made_connection(process, 5, 22, 200, 50000);
	inventory_sort(inventory);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(process->connections[i].inode, 5 + i);
}

static void test_connections_beyond_the_limit_are_counted(void **state)
{
	struct inventory_process *process = made_process(7, "web");

	(void)state;
	for (uint32_t i = 0; i < INVENTORY_CONNECTIONS_MAX + 3; i++)
		made_connection(process, 1 + i, 443, 1, (uint16_t)(1 + i));
	/* One that is kept is known again, one that is not counts anew. */
	made_connection(process, INVENTORY_CONNECTIONS_MAX, 443, 1, 1);
	made_connection(process, INVENTORY_CONNECTIONS_MAX + 3, 443, 1, 1);
	assert_int_equal(process->nr_connections, INVENTORY_CONNECTIONS_MAX);
	assert_int_equal(process->nr_more_connections, 4);
	inventory_sort(inventory);
	for (uint32_t i = 0; i < INVENTORY_CONNECTIONS_MAX; i++)
		assert_int_equal(process->connections[i].inode, 1 + i);
}

static void test_listeners_beyond_the_limit_are_counted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < INVENTORY_LISTENERS_MAX + 1; i++)
		assert_int_equal(connections_listen(inventory, 1 + (i & 1), (uint16_t)(i / 2)), 0);
	assert_int_equal(connections_listen(inventory, 9, 1), 0);
	assert_int_equal(connections_listen(inventory, 1, 7), 0);
	assert_int_equal(inventory->nr_listeners, INVENTORY_LISTENERS_MAX);
	assert_int_equal(inventory->nr_refused, 2);
}

static void test_removed_processes_take_theirs_along(void **state)
{
	struct inventory_process *kept = made_process(9, "web");

	(void)state;
	made_connection(made_process(7, "a"), 5, 443, 1, 1);
	made_connection(made_process(8, "b"), 6, 443, 1, 2);
	made_connection(kept, 7, 443, 1, 3);
	kept->is_wanted = true;
	inventory_remove(inventory, 7);
	inventory_keep_wanted(inventory);
	assert_int_equal(inventory->nr_processes, 1);
	assert_int_equal(kept->nr_connections, 1);
	connections_free(kept);
	assert_int_equal(kept->nr_connections, 0);
	made_connection(kept, 7, 443, 1, 3);
	assert_int_equal(kept->nr_connections, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, made_begin, made_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_socket_of_two_descriptors_is_one_connection),
		TEST(test_listened_port_makes_a_server),
		TEST(test_order_is_that_of_the_addresses),
		TEST(test_connections_beyond_the_limit_are_counted),
		TEST(test_listeners_beyond_the_limit_are_counted),
		TEST(test_removed_processes_take_theirs_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
