/* SPDX-License-Identifier: MIT */
/* Which connections are told: new ones, and of clients those that are selected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/traffic.h"
#include "tap/tapped.h"
#include "tap/server.h"

/* What was there before the tap. */
static struct {
	int listener;
	uint16_t port;
	int client;
	int server;
} before;

static int old_begin(void **state)
{
	if (geteuid() == 0) {
		before.listener = server_listen(&route_v4, &before.port);
		before.client = client_connect(&route_v4, before.port);
		before.server = (int)must(accept(before.listener, NULL, NULL));
	}
	return group_begin(state);
}

static int old_end(void **state)
{
	if (!why_not) {
		close(before.client);
		close(before.server);
		close(before.listener);
	}
	return group_end(state);
}

static void test_connection_older_than_the_tap_is_not_told(void **state)
{
	(void)state;
	need_tap();
	watch(before.port);
	must(send(before.client, HELLO, SIZE, 0));
	take(before.server, SIZE);
	answer(before.server);
	take(before.client, 5);
	shutdown(before.client, SHUT_WR);
	collect(0, 0);
	assert_int_equal(tapped.nr_records, 0);
}

static void test_listener_older_than_the_tap(void **state)
{
	const struct tap_connection *end;
	int client;
	int server;

	(void)state;
	need_tap();
	watch(before.port);
	client = client_connect(&route_v4, before.port);
	server = (int)must(accept(before.listener, NULL, NULL));
	must(send(client, HELLO, SIZE, 0));
	catch_up();
	/* Nobody is known to have it until somebody reads. */
	for (size_t i = 0; i < tapped.nr_records; i++)
		if (tapped.records[i].role == TAP_SERVER)
			assert_int_equal(tapped.records[i].hdr.tgid, 0);
	take(server, SIZE);
	answer(server);
	take(client, 5);
	close(client);
	close(server);
	collect(2, 20000);
	end = end_of(TAP_SERVER);
	check_owner(end, getpid(), start_of(getpid()));
	assert_int_equal(tap_stream_size(&end->streams[TAP_RECEIVED]), SIZE);
	assert_int_equal(tap_stream_size(&end->streams[TAP_SENT]), 5);
	check_owner(end_of(TAP_CLIENT), getpid(), 0);
}

static pid_t root;
static int root_ends[2];

/* Connects to each port that it is told. */
static void connect_on_demand(int fd)
{
	uint16_t port;

	close(ready[1]);
	while (recv(fd, &port, sizeof(port), 0) == sizeof(port)) {
		pid_t child = (pid_t)must(fork());

		if (!child) {
			ask(client_connect(&route_v4, port));
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static int chosen_begin(void **state)
{
	(void)state;
	why_not = geteuid() ? "needs root" : NULL;
	if (why_not)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, root_ends));
	root = start(connect_on_demand, root_ends[1]);
	return tapped_open(SELECT_TREE | SELECT_INHERIT, (uint32_t)root);
}

static int chosen_end(void **state)
{
	if (!why_not)
		stop(root);
	return group_end(state);
}

/* Accepts a connection of LISTENER and answers. */
static void *serve_once(void *ctx)
{
	int fd = (int)must(accept(*(int *)ctx, NULL, NULL));

	take(fd, SIZE);
	answer(fd);
	close(fd);
	return NULL;
}

/* Of clients those that are selected, and their children; of servers, whoever it may be, all. */
static void test_clients_that_are_selected(void **state)
{
	uint16_t port;
	int listener;

	(void)state;
	need_tap();
	listener = server_listen(&route_v4, &port);
	for (int is_chosen = 0; is_chosen < 2; is_chosen++) {
		pthread_t server;

		watch(port);
		must(-pthread_create(&server, NULL, serve_once, &listener));
		if (is_chosen)
			must(send(root_ends[0], &port, sizeof(port), 0));
		else
			ask(client_connect(&route_v4, port));
		pthread_join(server, NULL);
		collect((size_t)(1 + is_chosen), 2000);
		assert_int_equal(tapped.nr_ends, 1 + is_chosen);
		check_owner(end_of(TAP_SERVER), getpid(), 0);
		if (is_chosen)
			assert_int_not_equal(end_of(TAP_CLIENT)->owner, getpid());
	}
	close(listener);
}

int main(void)
{
	const struct CMUnitTest old[] = {
		cmocka_unit_test(test_connection_older_than_the_tap_is_not_told),
		cmocka_unit_test(test_listener_older_than_the_tap),
	};
	const struct CMUnitTest chosen[] = {
		cmocka_unit_test(test_clients_that_are_selected),
	};

	return cmocka_run_group_tests_name("older than the tap", old, old_begin, old_end) +
	       cmocka_run_group_tests_name("selected", chosen, chosen_begin, chosen_end);
}
