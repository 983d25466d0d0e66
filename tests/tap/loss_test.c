/* SPDX-License-Identifier: MIT */
/* That the bytes are the right ones where packets are lost, overtake each other or come twice. */
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

#define CONNECTIONS 200
#define AT_ONCE	    50

/* Connections over PATH; each byte at each end. */
static void check_path(struct path *path, bool is_v6)
{
	struct route route = path_route(path, is_v6);
	uint64_t lost = counted(offsetof(struct source_counters, ring_full));
	uint16_t port;
	int listener = server_listen(&route, &port);

	stream_size_max = 24000;
	watch(port);
	assert_int_equal(crowd_run(&route, listener, CONNECTIONS, AT_ONCE), 2 * CONNECTIONS);
	collect(2 * CONNECTIONS, 20000);
	close(listener);
	assert_int_equal(counted(offsetof(struct source_counters, ring_full)), lost);
	check_ends(CONNECTIONS);
}

static void test_all_bytes_over_a_path_that_loses_packets(void **state)
{
	static struct path path;

	(void)state;
	need_path();
	path_open(&path, &(struct path_way){ .lost = 12 });
	check_path(&path, false);
	assert_true(path.nr_lost > CONNECTIONS);
	path_close(&path);
}

static void test_all_bytes_over_a_path_that_does_all_there_is(void **state)
{
	static struct path path;

	(void)state;
	need_path();
	path_open(&path, &(struct path_way){ .lost = 5, .doubled = 10, .late = 20, .delay_ms = 1 });
	check_path(&path, true);
	assert_true(path.nr_late > CONNECTIONS && path.nr_doubled > CONNECTIONS);
	path_close(&path);
}

/* Has what NET sends and gets be dropped, 6 of 100 packets each. Returns whether that is possible.
 */
static bool drop_in(int net)
{
	static const char *const rules[] = {
		"table inet lossy {",
		"chain in { type filter hook input priority 0;",
		"meta l4proto tcp numgen random mod 100 < 6 drop; };",
		"chain out { type filter hook output priority 0;",
		"meta l4proto tcp numgen random mod 100 < 6 drop; }; }",
	};
	char text[512] = "";
	size_t size = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s ", rules[i]);
	return run_in(net, (const char *const[]){ "nft", text, NULL });
}

/*
 * What a host itself drops on its way out was never at the tap, and what it drops on its way in
 * neither. Without offloading each packet is one of the wire's.
 */
static void test_all_bytes_where_the_host_drops_packets(void **state)
{
	static struct path path;

	(void)state;
	need_path();
	path_open(&path, &(struct path_way){ 0 });
	for (int i = 0; i < 2; i++) {
		const char *const segments[] = { "ip",	 "link",	 "set", "dev",
						 "path", "gso_max_segs", "1",	NULL };

		if (run_in(path.nets[i], segments) && drop_in(path.nets[i]))
			continue;
		path_close(&path);
		print_message("no ip, or no nft\n");
		skip();
	}
	check_path(&path, false);
	path_close(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_bytes_over_a_path_that_loses_packets),
		cmocka_unit_test(test_all_bytes_over_a_path_that_does_all_there_is),
		cmocka_unit_test(test_all_bytes_where_the_host_drops_packets),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
