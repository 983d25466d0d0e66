/* SPDX-License-Identifier: MIT */
/* That the first bytes of a connection are told as its ends have sent and received them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Nothing is lost, however seldom the thread that takes the records runs. */
#define TAPPED_RING (64U << 20)

#include "tap/traffic.h"
#include "tap/tapped.h"
#include "tap/path.h"
#include "tap/changes.h"

#define SYN_DATA 0x20 /* include/uapi/linux/tcp.h: TCPI_OPT_SYN_DATA */

/* NR connections over ROUTE to LISTENER: each byte at each end, and nothing lost. */
static void check_crowd(const struct route *route, int listener, size_t nr)
{
	uint64_t lost = counted(offsetof(struct source_counters, ring_full));
	struct sockaddr_storage address;
	struct in6_addr expected = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	struct changes changes;
	size_t nr_not_closed = 0;

	if (address_make(route->server, 0, &address) == sizeof(struct sockaddr_in))
		memcpy(&expected.s6_addr[12], &((struct sockaddr_in *)&address)->sin_addr, 4);
	else
		expected = ((struct sockaddr_in6 *)&address)->sin6_addr;
	watch(own_port(listener));
	changes_begin(&changes);
	assert_int_equal(crowd_run(route, listener, nr, 8), 2 * nr);
	collect(2 * nr, 5000);
	assert_int_equal(counted(offsetof(struct source_counters, ring_full)), lost);
	check_ends(nr);
	assert_int_equal(count_flags(TAP_HAS_HOLE), 0);
	for (size_t i = 0; i < tapped.nr_ends; i++) {
		const struct tap_connection *end = &tapped.ends[i].connection;
		bool is_client = end->role == TAP_CLIENT;

		nr_not_closed += tapped.ends[i].why != TAP_LOOK_CLOSED;
		assert_int_equal(end->owner, getpid());
		assert_memory_equal(is_client ? end->peer : end->local, &expected, 16);
		assert_int_equal(is_client ? end->peer_port : end->local_port, own_port(listener));
	}
	assert_in_range(nr_not_closed, 0, changes_unseen(&changes));
	close(listener);
}

static void test_v4(void **state)
{
	uint16_t port;

	(void)state;
	need_tap();
	check_crowd(&route_v4, server_listen(&route_v4, &port), 200);
}

static void test_v6(void **state)
{
	uint16_t port;

	(void)state;
	need_tap();
	check_crowd(&route_v6, server_listen(&route_v6, &port), 200);
}

static void test_v4_in_v6_sockets(void **state)
{
	uint16_t port;

	(void)state;
	need_tap();
	check_crowd(&route_mapped, server_listen(&route_mapped, &port), 200);
}

/* Destination options and hop-by-hop options of one padding each (RFC 8200 section 4.2). */
static void add_headers(int fd)
{
	static const uint8_t options[8] = { 0, 0, 1, 4 };

	must(setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, options, sizeof(options)));
	must(setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, options, sizeof(options)));
}

static void test_v6_with_extension_headers(void **state)
{
	struct route route = route_v6;
	uint16_t port;
	int listener;

	(void)state;
	need_tap();
	listener = server_listen(&route, &port);
	route.prepare = add_headers;
	add_headers(listener);
	check_crowd(&route, listener, 50);
}

/* The client's first bytes make the server's socket: they come to the listener. */
static void test_accept_that_waits_for_bytes(void **state)
{
	static const struct route *const routes[] = { &route_v4, &route_v6, &route_mapped };
	int seconds = 10;
	uint16_t port;

	(void)state;
	need_tap();
	for (size_t i = 0; i < 3; i++) {
		int listener = server_listen(routes[i], &port);

		must(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
				sizeof(seconds)));
		check_crowd(routes[i], listener, 50);
		assert_true(count_flags(TAP_AT_LISTENER) >= 50);
	}
}

static size_t nr_with_data; /* clients whose SYN's data was taken */

static void note_syn_data(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	if (info.tcpi_options & SYN_DATA)
		__atomic_add_fetch(&nr_with_data, 1, __ATOMIC_SEQ_CST);
}

static void open_fast(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = address_make(path_v4[SIDE_CLIENT], 0, &address);
	int one = 1;

	must(bind(fd, (struct sockaddr *)&address, size));
	must(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)));
}

/* A namespace in which the first bytes are sent and taken without asking before (RFC 7413). */
static void allow_fast_open(int net)
{
	net_enter(net);
	assert_true(sysctl_set("/proc/sys/net/ipv4/tcp_fastopen", "519")); /* 0x207 */
	net_enter(-1);
}

/* The server's answer is on its way before the handshake has ended. */
static void test_bytes_with_the_syn(void **state)
{
	static struct path path;
	struct route route;
	int queue = 100;
	uint16_t port;
	int listener;

	(void)state;
	need_path();
	path_open(&path, &(struct path_way){ .delay_ms = 2 });
	allow_fast_open(path.nets[0]);
	allow_fast_open(path.nets[1]);
	route = path_route(&path, false);
	route.prepare = open_fast;
	listener = server_listen(&route, &port);
	must(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)));
	nr_with_data = 0;
	on_talked = note_syn_data;
	check_crowd(&route, listener, 100);
	on_talked = NULL;
	assert_true(nr_with_data >= 100);
	path_close(&path);
}

/* As in SSH and SMTP; the client answers. */
static void test_server_that_speaks_first(void **state)
{
	const struct tap_connection *end;
	char text[64];
	uint16_t port;
	int listener;
	int client;
	int server;

	(void)state;
	need_tap();
	listener = server_listen(&route_v4, &port);
	watch(port);
	client = client_connect(&route_v4, port);
	server = (int)must(accept(listener, NULL, NULL));
	must(send(server, "220 mail ESMTP\r\n", 16, 0));
	assert_int_equal(recv(client, text, sizeof(text), 0), 16);
	must(send(client, "EHLO me\r\n", 9, 0));
	assert_int_equal(recv(server, text, sizeof(text), 0), 9);
	close(client);
	close(server);
	close(listener);
	collect(2, 2000);
	assert_int_equal(tapped.nr_ends, 2);
	for (int i = 0; i < 2; i++) {
		end = end_of(i ? TAP_CLIENT : TAP_SERVER);
		assert_int_equal(tap_stream_size(&end->streams[i ? TAP_RECEIVED : TAP_SENT]), 16);
		assert_memory_equal(end->streams[i ? TAP_RECEIVED : TAP_SENT].bytes,
				    "220 mail ESMTP\r\n", 16);
		assert_int_equal(tap_stream_size(&end->streams[i ? TAP_SENT : TAP_RECEIVED]), 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_v4_in_v6_sockets),
		cmocka_unit_test(test_v6_with_extension_headers),
		cmocka_unit_test(test_accept_that_waits_for_bytes),
		cmocka_unit_test(test_bytes_with_the_syn),
		cmocka_unit_test(test_server_that_speaks_first),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
