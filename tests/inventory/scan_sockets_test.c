/* SPDX-License-Identifier: MIT */
/* Connections of processes that are made for it: from /proc, and that iterators tell the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "inventory/connections.h"
#include "inventory/iterate.h"
#include "inventory/scan.h"
#include "inventory/scan_sockets.h"
#include "priv/opened.h"

static struct inventory *inventory;

static int begin(void **state)
{
	return opened_begin(state) || inventory_new(&inventory, 65536);
}

static int end(void **state)
{
	inventory_free(inventory);
	return opened_end(state);
}

/* Two ends of a connection and who listens. */
struct ends {
	int listener;
	int client;
	int server;
};

/* Returns 0 or 1: there is no such address here. */
static int connect_v6(struct ends *ends)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t size = sizeof(address);

	ends->listener = socket(AF_INET6, SOCK_STREAM, 0);
	ends->client = socket(AF_INET6, SOCK_STREAM, 0);
	if (bind(ends->listener, (void *)&address, size) || listen(ends->listener, 1) ||
	    getsockname(ends->listener, (void *)&address, &size) ||
	    connect(ends->client, (void *)&address, size))
		return 1;
	ends->server = accept(ends->listener, NULL, NULL);
	return ends->server < 0;
}

static int connect_v4(struct ends *ends)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);

	ends->listener = socket(AF_INET, SOCK_STREAM, 0);
	ends->client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(ends->listener, (void *)&address, size) || listen(ends->listener, 1) ||
	    getsockname(ends->listener, (void *)&address, &size) ||
	    connect(ends->client, (void *)&address, size))
		return 1;
	ends->server = accept(ends->listener, NULL, NULL);
	return ends->server < 0;
}

/*
 * In the child: what is a connection and what looks like one. Two are established, one of IPv4,
 * whose client has two descriptors, and one of IPv6; half of a third is over.
 */
static int hold(void *arg)
{
	struct ends v4, v6, closed;

	(void)arg;
	if (connect_v4(&v4) || connect_v4(&closed) || connect_v6(&v6))
		return 1;
	if (dup(v4.client) < 0 || socket(AF_INET, SOCK_STREAM, 0) < 0 ||
	    socket(AF_INET, SOCK_DGRAM, 0) < 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 1;
	return shutdown(closed.client, SHUT_WR);
}

/* The same in a network namespace of its own, whose loopback has to be brought up. */
static int hold_apart(void *arg)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		return 1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		return 1;
	return hold(arg);
}

/* After inventory_sort() nothing can be looked up. */
static const struct inventory_process *process_in(const struct inventory *in, pid_t pid)
{
	for (size_t i = 0; i < in->nr_processes; i++)
		if (in->processes[i]->pid == (uint32_t)pid)
			return in->processes[i];
	fail_msg("no process %d", pid);
	return NULL;
}

/* Exactly the four ends that hold() has made, of whom two are servers. */
static void check_ends(const struct inventory_process *process)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	static const uint8_t loopback4[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	size_t nr_servers = 0;
	size_t nr_v6 = 0;

	assert_int_equal(process->nr_connections, 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct inventory_connection *connection = &process->connections[i];
		bool is_v6 = memcmp(connection->local.ip, &loopback, 16) == 0;

		assert_memory_equal(connection->local.ip,
				    is_v6 ? (const void *)&loopback : loopback4, 16);
		assert_memory_equal(connection->peer.ip, connection->local.ip, 16);
		assert_int_not_equal(connection->local.port, connection->peer.port);
		assert_int_not_equal(connection->netns, 0);
		nr_servers += connection->is_server;
		nr_v6 += is_v6;
		/* Its other end is there, and in the other role. */
		for (uint32_t j = 0; j < 4; j++)
			if (process->connections[j].local.port == connection->peer.port)
				assert_int_not_equal(process->connections[j].is_server,
						     connection->is_server);
	}
	assert_int_equal(nr_servers, 2);
	assert_int_equal(nr_v6, 2);
}

static pid_t holder_start(int (*how)(void *arg))
{
	struct ends ends;

	if (connect_v6(&ends)) {
		print_message("no IPv6\n");
		skip();
	}
	close(ends.listener);
	close(ends.client);
	close(ends.server);
	return child_start(how, NULL);
}

static void test_established_connections_are_told_each_once(void **state)
{
	pid_t pid = holder_start(hold);

	(void)state;
	assert_int_equal(scan_run(&broker, inventory), 0);
	child_end(pid);
	inventory_sort(inventory);
	check_ends(process_in(inventory, pid));
}

/* The same addresses may be used in both: whose they are the namespace says. */
static void test_other_network_namespaces_are_looked_into(void **state)
{
	const struct inventory_process *apart;
	const struct inventory_process *here;
	pid_t pids[2];

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	pids[0] = holder_start(hold);
	pids[1] = holder_start(hold_apart);
	assert_int_equal(scan_run(&broker, inventory), 0);
	child_end(pids[0]);
	child_end(pids[1]);
	inventory_sort(inventory);
	here = process_in(inventory, pids[0]);
	apart = process_in(inventory, pids[1]);
	check_ends(here);
	check_ends(apart);
	assert_int_not_equal(here->connections[0].netns, apart->connections[0].netns);
}

static void assert_same(const struct inventory_process *a, const struct inventory_process *b)
{
	assert_int_equal(a->nr_connections, b->nr_connections);
	assert_int_equal(a->nr_more_connections, b->nr_more_connections);
	for (uint32_t i = 0; i < a->nr_connections; i++) {
		const struct inventory_connection *left = &a->connections[i];
		const struct inventory_connection *right = &b->connections[i];

		assert_int_equal(left->inode, right->inode);
		assert_int_equal(left->netns, right->netns);
		assert_int_equal(left->is_server, right->is_server);
		assert_memory_equal(left->local.ip, right->local.ip, 16);
		assert_memory_equal(left->peer.ip, right->peer.ip, 16);
		assert_int_equal(left->local.port, right->local.port);
		assert_int_equal(left->peer.port, right->peer.port);
	}
}

static void test_iterators_tell_the_same(void **state)
{
	struct iterate iterate;
	struct inventory *other;
	pid_t pids[2];
	int err = iterate_open(&iterate, -1);

	(void)state;
	if (err == -EPERM || err == -EACCES) {
		print_message("no permission for bpf(2)\n");
		skip();
	}
	assert_int_equal(err, 0);
	pids[0] = holder_start(hold);
	pids[1] = holder_start(hold_apart);
	assert_int_equal(inventory_new(&other, 65536), 0);
	assert_int_equal(iterate_run(&iterate, other), 0);
	assert_int_equal(scan_run(&broker, inventory), 0);
	iterate_close(&iterate);
	child_end(pids[0]);
	child_end(pids[1]);
	inventory_sort(inventory);
	inventory_sort(other);
	for (size_t i = 0; i < 2; i++) {
		check_ends(process_in(other, pids[i]));
		assert_same(process_in(inventory, pids[i]), process_in(other, pids[i]));
	}
	inventory_free(other);
}

/* More than are kept: both keep the same ones and count the others. */
static int hold_many(void *arg)
{
	struct ends ends;

	(void)arg;
	for (size_t i = 0; i < INVENTORY_CONNECTIONS_MAX / 2 + 10; i++)
		if (connect_v4(&ends) || close(ends.listener))
			return 1;
	return 0;
}

static void test_iterators_keep_the_same_of_many(void **state)
{
	struct rlimit limit = { 8192, 8192 };
	struct iterate iterate;
	struct inventory *other;
	pid_t pid;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &limit) || iterate_open(&iterate, -1)) {
		print_message("needs root\n");
		skip();
	}
	pid = child_start(hold_many, NULL);
	assert_int_equal(inventory_new(&other, 65536), 0);
	assert_int_equal(iterate_run(&iterate, other), 0);
	assert_int_equal(scan_run(&broker, inventory), 0);
	iterate_close(&iterate);
	child_end(pid);
	inventory_sort(inventory);
	inventory_sort(other);
	assert_int_equal(process_in(other, pid)->nr_connections, INVENTORY_CONNECTIONS_MAX);
	assert_int_equal(process_in(other, pid)->nr_more_connections, 20);
	assert_same(process_in(inventory, pid), process_in(other, pid));
	inventory_free(other);
}

static void test_links_to_other_things_are_passed_over(void **state)
{
	struct inventory_process *process = inventory_add(inventory, (uint32_t)getpid(), 1);
	struct scan_sockets *sockets;

	(void)state;
	assert_int_equal(scan_sockets_new(&sockets, &broker, inventory), 0);
	assert_int_equal(scan_sockets_take(sockets, process, "pipe:[1]"), 0);
	assert_int_equal(scan_sockets_take(sockets, process, "socket:[]"), 0);
	assert_int_equal(scan_sockets_take(sockets, process, "socket:[0]"), 0);
	assert_int_equal(scan_sockets_take(sockets, process, "socket:[1]"), 0);
	assert_int_equal(process->nr_connections, 0);
	/* Of a process that is gone nothing can be found out. */
	process = inventory_add(inventory, (uint32_t)ended_pid(), 1);
	assert_int_equal(scan_sockets_take(sockets, process, "socket:[1]"), 0);
	scan_sockets_free(sockets);
	scan_sockets_free(NULL);
}

static void test_without_broker_it_fails(void **state)
{
	struct inventory_process *process = inventory_add(inventory, (uint32_t)getpid(), 1);
	struct scan_sockets *sockets;

	(void)state;
	assert_int_equal(scan_sockets_new(&sockets, &broker, inventory), 0);
	kill(broker.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)broker.pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(scan_sockets_take(sockets, process, "socket:[1]"), -EPIPE);
	scan_sockets_free(sockets);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_established_connections_are_told_each_once),
		TEST(test_other_network_namespaces_are_looked_into),
		TEST(test_iterators_tell_the_same),
		TEST(test_iterators_keep_the_same_of_many),
		TEST(test_links_to_other_things_are_passed_over),
		TEST(test_without_broker_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
