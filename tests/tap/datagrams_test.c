/* SPDX-License-Identifier: MIT */
/* What is told of datagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/traffic.h"
#include "tap/tapped.h"

/* The begin of a datagram: TEXT, and zeros behind it. */
#define HEAD(text) ((const char[20]){ text })

/* Sends SIZE bytes, zeros behind the 20 of TEXT, from one socket to another. The ports are
 * RET_PORTS. */
static void send_datagram(const struct route *route, bool is_connected, const char *text,
			  size_t size, uint16_t *ret_ports)
{
	struct sockaddr_storage address;
	char bytes[9000] = { 0 };
	int server = server_bound(route, SOCK_DGRAM, &ret_ports[1]);
	socklen_t address_size = address_make(route->server, ret_ports[1], &address);
	int client = socket_in(-1, address.ss_family, SOCK_DGRAM);
	const struct sockaddr *to = (struct sockaddr *)&address;

	watch(ret_ports[1]);
	memcpy(bytes, text, size < 20 ? size : 20);
	if (is_connected) {
		must(connect(client, to, address_size));
		must(send(client, bytes, size, 0));
	} else {
		must(sendto(client, bytes, size, 0, to, address_size));
	}
	ret_ports[0] = own_port(client);
	must(recv(server, bytes, sizeof(bytes), 0));
	close(client);
	close(server);
	catch_up();
}

/* Text of SIZE bytes, of which TOLD are told, at both ends. */
static void check_datagram(const struct route *route, const char *text, size_t size, size_t told)
{
	for (int is_connected = 0; is_connected < 2; is_connected++) {
		uint16_t ports[2];

		send_datagram(route, is_connected, text, size, ports);
		assert_int_equal(tapped.nr_records, told ? 2 : 0);
		for (size_t i = 0; i < tapped.nr_records; i++) {
			const struct tap_event *event = &tapped.records[i];
			struct in6_addr local = {
				.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }
			};

			if (route == &route_v6)
				local = in6addr_loopback;
			assert_int_equal(event->hdr.type, TAP_DATAGRAM);
			assert_int_equal(event->payload.size, told);
			assert_int_equal(event->hdr.flags, told < size ? TAP_IS_CUT : 0);
			/* Who sends is known, who gets it is not. */
			assert_int_equal(event->is_received, i);
			assert_int_equal(event->hdr.tgid, i ? 0 : getpid());
			assert_int_equal(event->local_port, ports[i]);
			assert_int_equal(event->peer_port, ports[!i]);
			assert_memory_equal(event->local, &local, 16);
			assert_memory_equal(event->peer, &local, 16);
		}
	}
}

static void test_datagrams_of_handshakes(void **state)
{
	static const struct route *const routes[] = { &route_v4, &route_v6, &route_mapped };

	(void)state;
	need_tap();
	for (size_t i = 0; i < 3; i++) {
		/* QUIC: Initial, Retry and Version Negotiation as they are, version 1 and 2. */
		check_datagram(routes[i], HEAD("\xc3\0\0\0\x01"), 1200, 1200);
		check_datagram(routes[i], HEAD("\xf0\0\0\0\x01"), 100, 100);
		check_datagram(routes[i], HEAD("\x80\0\0\0\0"), 40, 40);
		check_datagram(routes[i], HEAD("\xd3\x6b\x33\x43\xcf"), 1200, 1200);
		/* Without the fixed bit, too (RFC 9287). */
		check_datagram(routes[i], HEAD("\x83\0\0\0\x01"), 1200, 1200);
		/* Handshake: that it was there. 0-RTT: nothing. */
		check_datagram(routes[i], HEAD("\xe3\0\0\0\x01"), 1200, 64);
		check_datagram(routes[i], HEAD("\xd3\0\0\0\x01"), 1200, 0);
		check_datagram(routes[i], HEAD("\xe3\x6b\x33\x43\xcf"), 1200, 0);
		check_datagram(routes[i], HEAD("\xf3\x6b\x33\x43\xcf"), 1200, 64);
		/* DTLS: handshake, change of cipher, alert; not data. */
		check_datagram(routes[i], HEAD("\x16\xfe\xff"), 200, 200);
		check_datagram(routes[i], HEAD("\x14\xfe\xfd"), 14, 14);
		check_datagram(routes[i], HEAD("\x15\xfe\xfd"), 15, 15);
		check_datagram(routes[i], HEAD("\x17\xfe\xfd"), 200, 0);
		/* As much as there is room for in a record. */
		check_datagram(routes[i], HEAD("\xc3\0\0\0\x01"), 8000, 3928);
	}
}

static void test_other_datagrams_are_not_told(void **state)
{
	(void)state;
	need_tap();
	check_datagram(&route_v4, HEAD("\x40\0\0\0\x01"), 1200, 0);	/* QUIC, short header */
	check_datagram(&route_v4, HEAD("\xc3\0\0\0\x05"), 1200, 0);	/* another version */
	check_datagram(&route_v4, HEAD("\x12\x34\x01\0\0\x01"), 40, 0); /* DNS */
	check_datagram(&route_v4, HEAD("\x16\x03\x01"), 200, 0);
	check_datagram(&route_v4, HEAD("\x16"), 1, 0);
	check_datagram(&route_v4, HEAD("\xc3\0\0\0"), 4, 0);
	check_datagram(&route_v6, HEAD("text"), 4, 0);
}

static void send_bytes(int from, int to, const struct sockaddr_in *address, uint8_t first,
		       size_t size)
{
	uint8_t bytes[1200] = { first, 0, 0, 0, 1 };

	must(sendto(from, bytes, size, 0, (const struct sockaddr *)address, sizeof(*address)));
	must(recv(to, bytes, sizeof(bytes), 0));
}

/* The sizes of the records so far, both ends' alike. */
static void expect_sizes(const size_t *sizes, size_t nr)
{
	catch_up();
	assert_int_equal(tapped.nr_records, 2 * nr);
	for (size_t i = 0; i < 2 * nr; i++)
		assert_int_equal(tapped.records[i].payload.size, sizes[i / 2]);
}

/* QUIC goes on with packets of which one in each direction shows that it does. */
static void test_first_short_packets_of_quic_are_told(void **state)
{
	static const size_t begin[] = { 1200, 64, 30 };
	static const size_t again[] = { 1200, 64, 30, 1200, 64 };
	struct sockaddr_in server_address, client_address;
	struct sockaddr_storage address;
	uint16_t port;
	int client, server;

	(void)state;
	need_tap();
	server = server_bound(&route_v4, SOCK_DGRAM, &port);
	address_make(route_v4.server, port, &address);
	memcpy(&server_address, &address, sizeof(server_address));
	client = server_bound(&route_v4, SOCK_DGRAM, &port);
	address_make(route_v4.server, port, &address);
	memcpy(&client_address, &address, sizeof(client_address));
	watch(ntohs(server_address.sin_port));
	/* Before there is a connection nothing is one of QUIC. */
	send_bytes(client, server, &server_address, 0x40, 1200);
	send_bytes(client, server, &server_address, 0xc3, 1200);
	/* With the fixed bit or without. */
	send_bytes(client, server, &server_address, 0x40, 1200);
	send_bytes(client, server, &server_address, 0x40, 1200);
	send_bytes(server, client, &client_address, 0x11, 30);
	send_bytes(server, client, &client_address, 0x51, 1200);
	expect_sizes(begin, 3);
	/* Another connection of the two. */
	send_bytes(client, server, &server_address, 0xc3, 1200);
	send_bytes(client, server, &server_address, 0x40, 1200);
	send_bytes(client, server, &server_address, 0x40, 1200);
	expect_sizes(again, 5);
	close(client);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams_of_handshakes),
		cmocka_unit_test(test_other_datagrams_are_not_told),
		cmocka_unit_test(test_first_short_packets_of_quic_are_told),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
