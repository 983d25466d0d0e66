/* SPDX-License-Identifier: MIT */
/* That a connection is told to be of the process that has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/traffic.h"
#include "tap/tapped.h"
#include "tap/path.h"
#include "tap/server.h"

/* The first record of a server's end says that the owner is only LISTENS. */
static void check_begin(uint64_t cookie, pid_t listens)
{
	for (size_t i = 0; i < tapped.nr_records; i++) {
		const struct tap_event *event = &tapped.records[i];

		if (event->cookie != cookie)
			continue;
		assert_int_equal(event->hdr.tgid, listens);
		assert_int_equal(event->hdr.flags, TAP_IS_LISTENERS);
		return;
	}
	fail();
}

static void listen_and_fork(int listener)
{
	be_server(listener);
	for (int i = 0; i < 2; i++) {
		if (must(fork()))
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int fd = (int)must(accept(listener, NULL, NULL));

			take(fd, SIZE);
			answer(fd);
			close(fd);
		}
	}
	pause();
}

/* Asks the server at PORT, SERVER, NR times; those who answered have the connections. */
static void check_answers(const struct route *route, uint16_t port, pid_t server, size_t nr,
			  bool is_bound)
{
	pid_t pids[16];
	uint16_t ports[16];

	watch(port);
	for (size_t i = 0; i < nr; i++) {
		int fd = client_connect(route, port);

		ports[i] = own_port(fd);
		pids[i] = ask(fd);
	}
	collect(2 * nr, 20000);
	assert_int_equal(tapped.nr_ends, 2 * nr);
	for (size_t i = 0; i < tapped.nr_ends; i++) {
		const struct tap_connection *end = &tapped.ends[i].connection;
		size_t n = 0;

		if (end->role == TAP_CLIENT) {
			check_owner(end, getpid(), start_of(getpid()));
			continue;
		}
		while (n < nr && ports[n] != end->peer_port)
			n++;
		assert_true(n < nr);
		assert_true(pids[n] != server || !is_bound);
		check_owner(end, pids[n], is_bound ? 0 : start_of(pids[n]));
		check_begin(end->cookie, server);
	}
}

static void test_workers_that_accept(void **state)
{
	uint16_t port;
	int listener;
	pid_t server;

	(void)state;
	need_tap();
	listener = server_bound(&route_v4, SOCK_STREAM, &port);
	server = start(listen_and_fork, listener);
	check_answers(&route_v4, port, server, 8, true);
	stop(server);
	close(listener);
}

static void serve_alone(int listener)
{
	be_server(listener);
	for (;;) {
		int fd = (int)must(accept(listener, NULL, NULL));

		take(fd, SIZE);
		answer(fd);
		close(fd);
	}
}

static void test_server_that_is_one_process(void **state)
{
	uint16_t port;
	int listener;
	pid_t server;

	(void)state;
	need_tap();
	listener = server_bound(&route_v4, SOCK_STREAM, &port);
	server = start(serve_alone, listener);
	check_answers(&route_v4, port, server, 4, false);
	stop(server);
	close(listener);
}

/* Reads IS_FIRST bytes itself, the child the rest. */
static void serve_by_children(int listener, size_t size)
{
	signal(SIGCHLD, SIG_IGN);
	be_server(listener);
	for (;;) {
		int fd = (int)must(accept(listener, NULL, NULL));

		if (size)
			take(fd, size);
		if (!must(fork())) {
			take(fd, SIZE - size);
			answer(fd);
			_exit(0);
		}
		close(fd);
	}
}

static void serve_child_reads(int listener)
{
	serve_by_children(listener, 0);
}

static void serve_both_read(int listener)
{
	serve_by_children(listener, 1);
}

static void test_child_for_each_connection(void **state)
{
	void (*const serves[])(int) = { serve_child_reads, serve_both_read };

	(void)state;
	need_tap();
	for (size_t i = 0; i < 2; i++) {
		uint16_t port;
		int listener = server_bound(&route_v4, SOCK_STREAM, &port);
		pid_t server = start(serves[i], listener);

		check_answers(&route_v4, port, server, 8, true);
		stop(server);
		close(listener);
	}
}

/* The child speaks first and reads later, as sshd's does. */
static void serve_speaking_first(int listener)
{
	signal(SIGCHLD, SIG_IGN);
	be_server(listener);
	for (;;) {
		int fd = (int)must(accept(listener, NULL, NULL));

		if (!must(fork())) {
			answer(fd);
			take(fd, SIZE);
			_exit(0);
		}
		close(fd);
	}
}

static void test_child_that_speaks_first(void **state)
{
	uint16_t port;
	int listener;
	pid_t server;

	(void)state;
	need_tap();
	listener = server_bound(&route_v4, SOCK_STREAM, &port);
	server = start(serve_speaking_first, listener);
	check_answers(&route_v4, port, server, 8, true);
	stop(server);
	close(listener);
}

/* Accepts, reads a byte, and hands the connection to another process that was there before. */
static void serve_handing_over(int listener)
{
	int ends[2];

	be_server(listener);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	for (bool is_worker = !must(fork());;) {
		union {
			struct cmsghdr head;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control = { 0 };
		struct iovec part = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		int fd;

		if (is_worker) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			must(recvmsg(ends[1], &message, 0));
			memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
			take(fd, SIZE - 1);
			answer(fd);
		} else {
			fd = (int)must(accept(listener, NULL, NULL));
			take(fd, 1);
			control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
							 .cmsg_level = SOL_SOCKET,
							 .cmsg_type = SCM_RIGHTS };
			memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
			must(sendmsg(ends[0], &message, 0));
		}
		close(fd);
	}
}

static void test_connection_that_is_handed_over(void **state)
{
	uint16_t port;
	int listener;
	pid_t server;

	(void)state;
	need_tap();
	listener = server_bound(&route_v4, SOCK_STREAM, &port);
	server = start(serve_handing_over, listener);
	check_answers(&route_v4, port, server, 8, true);
	stop(server);
	close(listener);
}

/* The other side is this process, which connects and has a child go on. */
static void test_client_that_goes_on_as_a_child(void **state)
{
	const struct tap_connection *end;
	uint16_t port;
	int listener;
	int client;
	int server;
	pid_t child;

	(void)state;
	need_tap();
	listener = server_listen(&route_v4, &port);
	watch(port);
	client = client_connect(&route_v4, port);
	server = (int)must(accept(listener, NULL, NULL));
	child = (pid_t)must(fork());
	if (!child)
		_exit(ask(client) != getppid());
	close(client);
	take(server, SIZE);
	answer(server);
	waitpid(child, NULL, 0);
	close(server);
	close(listener);
	collect(2, 20000);
	end = end_of(TAP_CLIENT);
	assert_int_equal(end->owner, child);
	assert_int_equal(end_of(TAP_SERVER)->owner, getpid());
}

static void test_other_network_namespace(void **state)
{
	struct route route = route_v6;
	uint16_t port;
	int listener;
	int client;
	int server;
	int net;

	(void)state;
	need_tap();
	net = net_make();
	route.nets[0] = net;
	route.nets[1] = net;
	listener = server_listen(&route, &port);
	watch(port);
	client = client_connect(&route, port);
	server = (int)must(accept(listener, NULL, NULL));
	must(send(client, HELLO, SIZE, 0));
	take(server, SIZE);
	close(client);
	close(server);
	close(listener);
	close(net);
	collect(2, 20000);
	assert_int_equal(tapped.nr_ends, 2);
	check_owner(end_of(TAP_CLIENT), getpid(), 0);
	check_owner(end_of(TAP_SERVER), getpid(), 0);
}

/* A connection of which tap_state sees nothing, as where it would interrupt itself. */
static void connect_unseen(int listener, uint16_t port, int *ret_client, int *ret_server)
{
	struct source_state *tap = &tapped.session.states[SOURCE_tap];

	bpf_link__destroy(tap->links[0]);
	*ret_client = client_connect(&route_v4, port);
	*ret_server = (int)must(accept(listener, NULL, NULL));
}

static void see_again(void)
{
	struct source_state *tap = &tapped.session.states[SOURCE_tap];

	struct bpf_program *program = bpf_object__find_program_by_name(tap->object, "tap_state");

	assert_int_equal(program_attach(program, NULL, &tapped.session.places, &tap->links[0]), 0);
}

static void test_connection_whose_begin_was_missed(void **state)
{
	const struct tap_connection *end;
	uint16_t port;
	int listener;
	int client;
	int server;

	(void)state;
	need_tap();
	listener = server_listen(&route_v4, &port);
	watch(port);
	connect_unseen(listener, port, &client, &server);
	must(send(client, HELLO, SIZE, 0));
	take(server, SIZE);
	answer(server);
	take(client, 5);
	close(client);
	close(server);
	close(listener);
	collect(0, 0);
	see_again();
	assert_int_equal(tapped.nr_ends, 2);
	for (int i = 0; i < 2; i++) {
		end = end_of(i ? TAP_CLIENT : TAP_SERVER);
		check_owner(end, getpid(), 0);
		assert_int_equal(tap_stream_size(&end->streams[i ? TAP_SENT : TAP_RECEIVED]), SIZE);
		assert_int_equal(tap_stream_size(&end->streams[i ? TAP_RECEIVED : TAP_SENT]), 5);
	}
}

/* Before Linux 6.9 a server that has got bytes with the SYN could get there without that, too. */
static void test_server_that_has_ended_before_the_first_byte(void **state)
{
	const struct tap_connection *end;
	uint16_t port;
	int listener;
	int client;
	int server;

	(void)state;
	need_tap();
	listener = server_listen(&route_v4, &port);
	watch(port);
	connect_unseen(listener, port, &client, &server);
	must(shutdown(server, SHUT_WR));
	must(send(client, HELLO, SIZE, 0));
	take(server, SIZE);
	close(client);
	close(server);
	close(listener);
	collect(0, 0);
	see_again();
	end = end_of(TAP_SERVER);
	assert_int_equal(tap_stream_size(&end->streams[TAP_RECEIVED]), SIZE);
	assert_int_equal(tap_stream_size(&end_of(TAP_CLIENT)->streams[TAP_SENT]), SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_that_is_one_process),
		cmocka_unit_test(test_workers_that_accept),
		cmocka_unit_test(test_child_for_each_connection),
		cmocka_unit_test(test_child_that_speaks_first),
		cmocka_unit_test(test_connection_that_is_handed_over),
		cmocka_unit_test(test_client_that_goes_on_as_a_child),
		cmocka_unit_test(test_other_network_namespace),
		cmocka_unit_test(test_connection_whose_begin_was_missed),
		cmocka_unit_test(test_server_that_has_ended_before_the_first_byte),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
