/* SPDX-License-Identifier: MIT */
/* What is not told, and where telling ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/traffic.h"
#include "tap/tapped.h"

/* The two ends of a connection, and what listens. */
struct pair {
	int listener;
	int client;
	int server;
	uint16_t port;
};

static void pair_accept(struct pair *pair)
{
	pair->client = client_connect(&route_v4, pair->port);
	pair->server = (int)must(accept(pair->listener, NULL, NULL));
}

static void pair_open(struct pair *pair)
{
	pair->listener = server_listen(&route_v4, &pair->port);
	watch(pair->port);
	pair_accept(pair);
}

static void pair_close(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static void say(int from, int to, const char *text, size_t size)
{
	char bytes[256];

	must(send(from, text, size, MSG_NOSIGNAL));
	assert_int_equal(recv(to, bytes, size, MSG_WAITALL), size);
}

static uint64_t rejected(void)
{
	return counted(offsetof(struct source_counters, rejected));
}

static void test_connection_without_bytes_is_not_told(void **state)
{
	struct pair pair;

	(void)state;
	need_tap();
	pair_open(&pair);
	pair_close(&pair);
	collect(0, 0);
	assert_int_equal(tapped.nr_records, 0);
	assert_int_equal(tapped.nr_ends, 0);
}

static const char request[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/* What begins as no handshake does is told nothing of, at neither end. */
static void test_http_is_not_told(void **state)
{
	struct pair pair;
	uint64_t before;

	(void)state;
	need_tap();
	pair_open(&pair);
	before = rejected();
	for (int i = 0; i < 3; i++) {
		say(pair.client, pair.server, request, sizeof(request) - 1);
		say(pair.client, pair.server, HELLO, 6);
		say(pair.server, pair.client, response, sizeof(response) - 1);
	}
	pair_close(&pair);
	collect(0, 0);
	assert_int_equal(tapped.nr_records, 0);
	assert_true(rejected() >= before + 2);
}

static void pair_listen_deferred(struct pair *pair)
{
	int seconds = 10;

	pair->listener = server_listen(&route_v4, &pair->port);
	must(setsockopt(pair->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)));
	watch(pair->port);
}

/* The client's first bytes, TEXT, make the server's socket. */
static void pair_accept_deferred(struct pair *pair, const char *text, size_t size)
{
	pair->client = client_connect(&route_v4, pair->port);
	must(send(pair->client, text, size, 0));
	pair->server = (int)must(accept(pair->listener, NULL, NULL));
}

static void pair_open_deferred(struct pair *pair, const char *text, size_t size)
{
	pair_listen_deferred(pair);
	pair_accept_deferred(pair, text, size);
}

/* Where the request makes the server's socket. */
static void test_http_at_a_listener_is_not_told(void **state)
{
	struct pair pair;

	(void)state;
	need_tap();
	pair_open_deferred(&pair, request, sizeof(request) - 1);
	say(pair.client, pair.server, HELLO, 6);
	say(pair.client, pair.server, HELLO, 6);
	say(pair.server, pair.client, response, sizeof(response) - 1);
	pair_close(&pair);
	collect(0, 0);
	assert_int_equal(tapped.nr_records, 0);
}

/* What a server may answer is more than what it may greet with. */
static void test_answer_to_what_came_to_a_listener_is_told(void **state)
{
	/* RDP: X.224 connection request and confirm. */
	static const char begin[] = "\x03\0\0\x0b\x06\xe0\0\0\0\0\0";
	static const char answer[] = "\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0";
	const struct tap_connection *end;
	struct pair pair;

	(void)state;
	need_tap();
	pair_open_deferred(&pair, begin, 11);
	say(pair.server, pair.client, answer, 11);
	say(pair.client, pair.server, HELLO, 6);
	pair_close(&pair);
	collect(2, 20000);
	end = end_of(TAP_SERVER);
	assert_int_equal(tap_stream_size(&end->streams[TAP_SENT]), 11);
	assert_int_equal(tap_stream_size(&end->streams[TAP_RECEIVED]), 17);
}

/* All that there is came before the server's socket: who reads it does not answer. */
static void test_end_without_an_answer_is_told(void **state)
{
	const struct tap_connection *end;
	struct pair pair = { 0 };
	int seconds = 10;
	char bytes[6];

	(void)state;
	need_tap();
	pair.listener = server_listen(&route_v6, &pair.port);
	must(setsockopt(pair.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)));
	watch(pair.port);
	pair.client = client_connect(&route_v6, pair.port);
	must(send(pair.client, HELLO, 6, 0));
	pair.server = (int)must(accept(pair.listener, NULL, NULL));
	must(recv(pair.server, bytes, sizeof(bytes), 0));
	pair_close(&pair);
	collect(2, 20000);
	end = end_of(TAP_SERVER);
	assert_int_equal(tapped.ends[0].why, TAP_LOOK_CLOSED);
	assert_int_equal(tapped.ends[1].why, TAP_LOOK_CLOSED);
	assert_int_equal(tap_stream_size(&end->streams[TAP_RECEIVED]), 6);
	assert_memory_equal(end->streams[TAP_RECEIVED].bytes, HELLO, 6);
	assert_int_equal(end->owner, getpid());
	assert_false(end->is_listeners);
}

static void test_what_may_begin_a_handshake_is_told(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		bool from_server;
	} begins[] = {
		{ "\x16\x03\x01", 3, false },	/* TLS */
		{ "\x80\x2e\x01", 3, false },	/* SSL 2 */
		{ "SSH-2.0-x", 9, false },	/* SSH */
		{ "220 smtp", 8, true },	/* SMTP, FTP */
		{ "* OK", 4, true },		/* IMAP */
		{ "+OK", 3, true },		/* POP3 */
		{ "<stream", 7, false },	/* XMPP */
		{ "\x30\x0c\x02", 3, false },	/* LDAP */
		{ "\0\0\0\x08\x04", 5, false }, /* PostgreSQL */
		{ "\x03\0\0\x13", 4, false },	/* RDP */
		{ "CONNECT x", 9, false },	/* of a proxy */
		{ "PROXY TCP4", 10, false },	/* HAProxy */
		{ "\r\n\r\n\0\r\n", 7, false }, /* HAProxy, version 2 */
		{ "J\0\0\0\x0a"
		  "5.5",
		  8, true }, /* MySQL */
	};

	(void)state;
	need_tap();
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		struct pair pair;

		pair_open(&pair);
		say(begins[i].from_server ? pair.server : pair.client,
		    begins[i].from_server ? pair.client : pair.server, begins[i].text,
		    begins[i].size);
		pair_close(&pair);
		collect(2, 20000);
		assert_int_equal(tapped.nr_ends, 2);
		assert_int_equal(tapped.nr_bytes, 2 * begins[i].size);
	}
}

/* The Internet checksum of SIZE bytes, an even number (RFC 1071). */
static uint16_t checksum(const void *bytes, size_t size)
{
	const uint16_t *words = bytes;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* Puts a segment on the way from PAIR's client to its server that the client has not sent. */
static void inject(const struct pair *pair, uint8_t flags, uint32_t sequence, uint32_t acknowledged)
{
	static const char text[] = "POISONPOISON";
	struct {
		struct in_addr from;
		struct in_addr to;
		uint8_t zero;
		uint8_t protocol;
		uint16_t size;
		struct tcphdr tcp;
		char text[sizeof(text) - 1];
	} __attribute__((packed)) segment = {
		.from.s_addr = htonl(INADDR_LOOPBACK),
		.to.s_addr = htonl(INADDR_LOOPBACK),
		.protocol = IPPROTO_TCP,
		.size = htons(sizeof(struct tcphdr) + sizeof(text) - 1),
		.tcp = { .th_sport = htons(own_port(pair->client)),
			 .th_dport = htons(pair->port),
			 .th_seq = htonl(sequence),
			 .th_ack = htonl(acknowledged),
			 .th_off = 5,
			 .th_flags = flags,
			 .th_win = htons(1000) },
	};
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = segment.to };
	int raw = (int)must(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));

	memcpy(segment.text, text, sizeof(segment.text));
	segment.tcp.th_sum = checksum(&segment, sizeof(segment));
	must(sendto(raw, &segment.tcp, sizeof(segment.tcp) + sizeof(segment.text), 0,
		    (struct sockaddr *)&to, sizeof(to)));
	close(raw);
}

/* Where the stream begins that the server gets, or sends. */
static uint32_t base_at_server(bool is_received)
{
	for (size_t i = 0; i < tapped.nr_records; i++)
		if (tapped.records[i].role == TAP_SERVER &&
		    tapped.records[i].is_received == is_received)
			return tapped.records[i].base;
	fail_msg("the server was not told of");
	return 0;
}

/* What TCP does not take (RFC 9293 section 3.10.7.4, RFC 5961) is nothing of the stream. */
static void test_segments_that_are_not_the_peer_s_are_not_told(void **state)
{
	static const char text[] = "what the client says itself";
	static const struct {
		uint8_t flags;
		uint32_t acknowledged; /* behind what the server has sent */
	} segments[] = {
		{ TH_PUSH, 0 },
		{ TH_SYN, 0 },
		{ TH_RST, 0 },
		{ TH_ACK | TH_PUSH, 1U << 30 },
		{ TH_ACK | TH_PUSH, -(1U << 30) },
	};
	const struct tap_stream *stream;
	struct pair pair;

	(void)state;
	need_tap();
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		pair_open(&pair);
		say(pair.client, pair.server, HELLO, 6);
		say(pair.server, pair.client, HELLO, 6);
		catch_up();
		inject(&pair, segments[i].flags, base_at_server(true) + 10,
		       base_at_server(false) + 6 + segments[i].acknowledged);
		say(pair.client, pair.server, text, sizeof(text) - 1);
		pair_close(&pair);
		collect(2, 20000);
		stream = &end_of(TAP_SERVER)->streams[TAP_RECEIVED];
		assert_int_equal(tap_stream_size(stream), 6 + sizeof(text) - 1);
		assert_memory_equal(stream->bytes + 6, text, sizeof(text) - 1);
	}
}

#define BULK (512U << 20)

static void *pour(void *ctx)
{
	static char bytes[1U << 20];
	size_t left = BULK;

	memcpy(bytes, HELLO, 6);
	while (left) {
		ssize_t n = send(*(int *)ctx, bytes, left < sizeof(bytes) ? left : sizeof(bytes),
				 MSG_NOSIGNAL);

		left -= (size_t)must(n);
	}
	return NULL;
}

static void *drain(void *ctx)
{
	char *bytes = malloc(1U << 20);
	size_t left = BULK;

	while (left)
		left -= (size_t)must(recv(*(int *)ctx, bytes, 1U << 20, 0));
	free(bytes);
	return NULL;
}

/* A gigabyte, half of it in each direction. */
static void test_no_more_than_the_first_bytes_are_told(void **state)
{
	struct pair pair;
	pthread_t threads[4];

	(void)state;
	need_tap();
	pair_open(&pair);
	must(-pthread_create(&threads[0], NULL, pour, &pair.client));
	must(-pthread_create(&threads[1], NULL, pour, &pair.server));
	must(-pthread_create(&threads[2], NULL, drain, &pair.client));
	must(-pthread_create(&threads[3], NULL, drain, &pair.server));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	pair_close(&pair);
	collect(2, 20000);
	/* Of what came twice, or before it was missed, a few packets more. */
	assert_in_range(tapped.nr_bytes, 4 * TAP_BYTES_MAX, 6 * TAP_BYTES_MAX);
	assert_int_equal(tapped.nr_ends, 2);
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			assert_int_equal(tap_stream_size(&tapped.ends[i].connection.streams[j]),
					 TAP_BYTES_MAX);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size));
	return cookie;
}

static void decide(int fd)
{
	uint64_t cookie = cookie_of(fd);

	__atomic_store_n(&tapped.decided->cookies[cookie & (TAP_DECIDED_MAX - 1)], cookie,
			 __ATOMIC_RELAXED);
}

static void test_what_is_decided_is_told_no_more(void **state)
{
	struct pair pair;
	size_t nr;

	(void)state;
	need_tap();
	pair_open(&pair);
	say(pair.client, pair.server, HELLO, 6);
	catch_up();
	assert_int_equal(tapped.nr_bytes, 12);
	decide(pair.client);
	say(pair.client, pair.server, HELLO, 6);
	catch_up();
	/* The other end is another connection. */
	assert_int_equal(tapped.nr_bytes, 18);
	decide(pair.server);
	say(pair.server, pair.client, HELLO, 6);
	catch_up();
	nr = tapped.nr_records;
	pair_close(&pair);
	collect(0, 0);
	assert_int_equal(tapped.nr_records, nr);
	assert_int_equal(tapped.nr_bytes, 18);
}

/* The number of a socket stays when it is connected again: what was decided does not. */
static void test_socket_that_connects_again_is_told(void **state)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage address;
	struct pair pair;
	socklen_t size;

	(void)state;
	need_tap();
	pair_open(&pair);
	say(pair.client, pair.server, HELLO, 6);
	decide(pair.client);
	say(pair.client, pair.server, HELLO, 6);
	must(connect(pair.client, &none, sizeof(none)));
	close(pair.server);
	collect(0, 0);
	watch(pair.port);
	size = address_make("127.0.0.1", pair.port, &address);
	must(connect(pair.client, (struct sockaddr *)&address, size));
	pair.server = (int)must(accept(pair.listener, NULL, NULL));
	say(pair.client, pair.server, HELLO, 6);
	pair_close(&pair);
	collect(2, 20000);
	assert_int_equal(tapped.nr_ends, 2);
	assert_int_equal(tap_stream_size(&end_of(TAP_CLIENT)->streams[TAP_SENT]), 6);
}

static void test_end_is_told(void **state)
{
	const struct linger none = { .l_onoff = 1 };
	struct pair pair;

	(void)state;
	need_tap();
	for (int is_reset = 0; is_reset < 2; is_reset++) {
		pair_open(&pair);
		say(pair.client, pair.server, HELLO, 6);
		if (is_reset)
			must(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
		pair_close(&pair);
		collect(2, 20000);
		assert_int_equal(count_records(TAP_CLOSE), 2);
		assert_int_equal(tapped.ends[0].why, TAP_LOOK_CLOSED);
		assert_int_equal(end_of(TAP_SERVER)->is_reset, is_reset);
	}
}

#define MANY 300

/* Makes MANY connections to PORT that together say more than there is room for. */
static void fill_ring(uint16_t port, int many[static MANY])
{
	uint8_t *bytes = calloc(1, TAP_BYTES_MAX);

	memcpy(bytes, HELLO, 6);
	for (size_t i = 0; i < MANY; i++) {
		many[i] = client_connect(&route_v4, port);
		must(send(many[i], bytes, TAP_BYTES_MAX, 0));
	}
	free(bytes);
}

static void close_many(int many[static MANY])
{
	for (size_t i = 0; i < MANY; i++)
		close(many[i]);
}

/* Nobody takes the records: what is lost is counted, and marks the connection from then on. */
static void test_lost_records_are_counted_and_marked(void **state)
{
	uint64_t lost = 0;
	struct pair pair;
	int many[MANY];

	(void)state;
	need_tap();
	pair_open(&pair);
	say(pair.client, pair.server, HELLO, 6);
	pthread_mutex_lock(&tapped.lock);
	fill_ring(pair.port, many);
	say(pair.client, pair.server, HELLO, 6);
	lost = counted(offsetof(struct source_counters, ring_full));
	pthread_mutex_unlock(&tapped.lock);
	catch_up();
	assert_true(lost > 100);
	say(pair.client, pair.server, HELLO, 6);
	pair_close(&pair);
	close_many(many);
	collect(602, 2000);
	for (size_t i = 0, nr = 0; i < tapped.nr_ends; i++) {
		const struct tap_connection *end = &tapped.ends[i].connection;

		if (end->cookie != tapped.records[0].cookie)
			continue;
		assert_true(end->has_hole);
		assert_int_equal(tap_stream_size(&end->streams[TAP_SENT]), 6);
		assert_int_equal(nr++, 0);
	}
	assert_int_equal(counted(offsetof(struct source_counters, hit)),
			 rejected() + counted(offsetof(struct source_counters, sent)) +
				 counted(offsetof(struct source_counters, ring_full)));
}

/* What is lost at the listener marks the connection that it makes. */
static void test_record_lost_at_a_listener_marks_its_connection(void **state)
{
	const struct tap_connection *end;
	struct pair other;
	struct pair pair;
	int many[MANY];

	(void)state;
	need_tap();
	pair_open(&other);
	pair_listen_deferred(&pair);
	pthread_mutex_lock(&tapped.lock);
	fill_ring(other.port, many);
	pair_accept_deferred(&pair, HELLO, 6);
	pthread_mutex_unlock(&tapped.lock);
	catch_up();
	say(pair.client, pair.server, HELLO, 6);
	pair_close(&pair);
	collect(2, 20000);
	end = end_of(TAP_SERVER);
	assert_true(end->has_hole);
	pair_close(&other);
	close_many(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection_without_bytes_is_not_told),
		cmocka_unit_test(test_http_is_not_told),
		cmocka_unit_test(test_http_at_a_listener_is_not_told),
		cmocka_unit_test(test_answer_to_what_came_to_a_listener_is_told),
		cmocka_unit_test(test_end_without_an_answer_is_told),
		cmocka_unit_test(test_what_may_begin_a_handshake_is_told),
		cmocka_unit_test(test_segments_that_are_not_the_peer_s_are_not_told),
		cmocka_unit_test(test_no_more_than_the_first_bytes_are_told),
		cmocka_unit_test(test_what_is_decided_is_told_no_more),
		cmocka_unit_test(test_socket_that_connects_again_is_told),
		cmocka_unit_test(test_end_is_told),
		cmocka_unit_test(test_lost_records_are_counted_and_marked),
		cmocka_unit_test(test_record_lost_at_a_listener_marks_its_connection),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
