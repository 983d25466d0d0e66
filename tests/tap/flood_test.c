/* SPDX-License-Identifier: MIT */
/* That memory stays bounded, and what is given up is counted, whatever comes over the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <netinet/ip.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "tap/traffic.h"
#include "tap/tapped.h"
#include "tap/path.h"

#define MANY  100000
#define PARTS 20
/* The budget, as much again for what malloc(3) leaves between pieces, and the program itself. */
#define RSS_MAX (72U << 20)
/* Left to tests that run beside this one in namespaces of their own. */
#define HITS_MAX 20000

/* The most memory that this program has had, bytes. */
static size_t memory_peak(void)
{
	char text[4096] = "";
	int fd = (int)must(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
	const char *at;

	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	at = strstr(text, "VmHWM:");
	return at ? strtoul(at + 6, NULL, 10) * 1024 : SIZE_MAX;
}

static void check_memory(void)
{
	size_t held = tap_connections_held(tapped.connections);

	print_message("at most %zu MiB of memory, %zu connections, %zu KiB of the budget\n",
		      memory_peak() >> 20, tap_connections_count(tapped.connections), held >> 10);
#ifndef __SANITIZE_ADDRESS__ /* most would be its own */
	assert_true(memory_peak() < RSS_MAX);
#endif
	assert_true(held <= TAP_BUDGET + 4096);
}

/*
 * Packets that passed the interfaces of this program's namespace, in both directions: what others
 * do there meanwhile costs no more hits.
 */
static uint64_t packets_passed(void)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	uint64_t received, sent;
	uint64_t sum = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *numbers = strchr(line, ':');

		/* proc_pid_net(5): bytes, packets and six more of each direction */
		if (numbers &&
		    sscanf(numbers + 1, "%*u %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   &received, &sent) == 2)
			sum += received + sent;
	}
	fclose(file);
	return sum;
}

struct cost {
	uint64_t hits;
	uint64_t packets; /* of others */
};

static struct cost cost_now(void)
{
	return (struct cost){ counted(offsetof(struct source_counters, hit)), packets_passed() };
}

/* Hits since BEFORE that were not of others; others in namespaces of their own aside. */
static uint64_t cost_since(const struct cost *before)
{
	struct cost now = cost_now();
	uint64_t hits = now.hits - before->hits;
	uint64_t packets = now.packets - before->packets;

	return hits > packets ? hits - packets : 0;
}

/* From now on nothing is kept but what the table of connections keeps. */
static void watch_nothing(void)
{
	watch(0);
	tapped.nr_ports = 0;
}

/* Opens NR connections within NET, each of which says a byte. They end with this process. */
static void open_many(int net, size_t nr)
{
	static const struct linger none = { .l_onoff = 1 };
	struct route route = { { net, net }, "127.0.0.1", NULL };
	uint16_t port;
	int listener = server_listen(&route, &port);

	for (size_t i = 0; i < nr; i++) {
		int client = client_connect(&route, port);

		must(accept(listener, NULL, NULL));
		must(send(client, "\x16", 1, 0));
		must(setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
	}
}

/* All of them are open at the same time, and each may become a handshake. */
static void test_connections_that_say_one_byte(void **state)
{
	uint64_t told, lost;
	pid_t pids[PARTS];
	int ready[2];
	int net;

	(void)state;
	need_tap();
	net = net_make();
	watch_nothing();
	lost = counted(offsetof(struct source_counters, ring_full));
	told = counted(offsetof(struct source_counters, sent)) + lost;
	must(pipe2(ready, O_CLOEXEC));
	for (size_t i = 0; i < PARTS; i++) {
		char byte;

		/* As many files as a process may have open are not enough. */
		pids[i] = (pid_t)must(fork());
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			open_many(net, MANY / PARTS);
			must(write(ready[1], "", 1));
			pause();
		}
		assert_int_equal(read(ready[0], &byte, 1), 1);
	}
	catch_up();
	told = counted(offsetof(struct source_counters, sent)) +
	       counted(offsetof(struct source_counters, ring_full)) - told;
	assert_true(told >= 2 * MANY - MANY / 100);
	check_memory();
	/* What this process was too late for could not be given up. */
	lost = counted(offsetof(struct source_counters, ring_full)) - lost;
	assert_true(tap_connections_counts(tapped.connections)->given_up + lost > MANY / 10);
	for (size_t i = 0; i < PARTS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
	close(net);
	catch_up();
	check_memory();
}

static void test_scan_of_all_ports_costs_nothing(void **state)
{
	struct sockaddr_storage address;
	struct route route = route_v4;
	size_t nr_open = 0;
	struct cost before;
	uint16_t port;
	int listener;
	int net;

	(void)state;
	need_tap();
	net = net_make();
	route.nets[0] = route.nets[1] = net;
	listener = server_listen(&route, &port);
	watch_nothing();
	before = cost_now();
	for (uint32_t i = 1; i < 65536; i++) {
		int fd = socket_in(net, AF_INET, SOCK_STREAM);
		socklen_t size = address_make("127.0.0.1", (uint16_t)i, &address);

		/* Refused, but for the listener, and for a port that connects to itself. */
		nr_open += connect(fd, (struct sockaddr *)&address, size) == 0;
		close(fd);
	}
	catch_up();
	assert_in_range(nr_open, 1, 10);
	assert_true(cost_since(&before) < HITS_MAX);
	check_memory();
	close(listener);
	close(net);
}

static uint32_t add_up(uint32_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t payload;
};

/* A SYN from any address and port to PORT, which may bring a byte with it. */
static size_t syn_make(struct syn *syn, uint32_t number, uint16_t port, bool has_payload)
{
	uint16_t size = (uint16_t)(sizeof(struct tcphdr) + has_payload);
	uint32_t sum;

	*syn = (struct syn){ .payload = 0x16 };
	syn->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP };
	syn->ip.saddr = htonl(0x7f000000 | (hash_of(number, 1, 0) & 0xffffff));
	syn->ip.daddr = htonl(INADDR_LOOPBACK);
	syn->ip.tot_len = htons((uint16_t)(sizeof(syn->ip) + size));
	syn->tcp.th_sport = htons((uint16_t)(1024 + number % 60000));
	syn->tcp.th_dport = htons(port);
	syn->tcp.th_seq = hash_of(number, 2, 0);
	syn->tcp.th_off = 5;
	syn->tcp.th_flags = TH_SYN;
	syn->tcp.th_win = 0xffff;
	sum = add_up(IPPROTO_TCP + size, &syn->ip.saddr, 8);
	sum = add_up(sum, &syn->tcp, size);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	syn->tcp.th_sum = htons((uint16_t)~sum);
	return sizeof(syn->ip) + size;
}

static void test_flood_of_syns(void **state)
{
	struct route route = route_v4;
	struct sockaddr_storage address;
	uint16_t port;
	int listener;
	int raw;
	int net;

	(void)state;
	need_tap();
	net = net_make();
	route.nets[0] = route.nets[1] = net;
	listener = server_listen(&route, &port);
	net_enter(net);
	raw = (int)must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
	net_enter(-1);
	address_make("127.0.0.1", 0, &address);
	for (int has_payload = 0; has_payload < 2; has_payload++) {
		struct cost before;

		watch_nothing();
		before = cost_now();
		for (uint32_t i = 0; i < MANY; i++) {
			struct syn syn;
			size_t size = syn_make(&syn, i, port, has_payload);

			must(sendto(raw, &syn, size, 0, (struct sockaddr *)&address,
				    sizeof(struct sockaddr_in)));
		}
		catch_up();
		if (has_payload)
			assert_true(cost_now().hits - before.hits >= MANY);
		else
			assert_true(cost_since(&before) < HITS_MAX);
		check_memory();
	}
	close(raw);
	close(listener);
	close(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections_that_say_one_byte),
		cmocka_unit_test(test_scan_of_all_ports_costs_nothing),
		cmocka_unit_test(test_flood_of_syns),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
