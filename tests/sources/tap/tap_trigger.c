/* SPDX-License-Identifier: MIT */
/* A connection between two sockets of one process, and a datagram. */
#include "../../support/trigger.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* A record of TLS with a ClientHello: RFC 8446 5.1 and 4. */
#define HELLO_BEGIN "\x16\x03\x01\x02\x00\x01"

static uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size));
	return cookie;
}

/* Of the process a program for packets knows no more than the number. */
static void expect_record(const char *record, int fd, size_t size)
{
	line.size = 0;
	line_add("{\"case\":\"%s\",\"event_type\":\"tap\",\"pid\":%d,\"process\":\"\"", case_name,
		 getpid());
	line_str("record", record);
	line_u64("cookie", cookie_of(fd));
	line_u64("size_bytes", size);
	line_end();
}

/* A socket at an address of the loopback, which is put into RET. */
static int bound(int type, struct sockaddr_in *ret)
{
	int fd = (int)must(socket(AF_INET, type, 0));
	socklen_t size = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (struct sockaddr *)ret, sizeof(*ret)));
	must(getsockname(fd, (struct sockaddr *)ret, &size));
	return fd;
}

static void say(int from, int to, size_t size)
{
	char bytes[128] = HELLO_BEGIN;

	must(send(from, bytes, size, 0));
	if (must(recv(to, bytes, size, MSG_WAITALL)) != (long)size)
		die("recv");
}

static void run_connection(void)
{
	struct sockaddr_in address;
	int listener = bound(SOCK_STREAM, &address);
	int client;
	int server;

	must(listen(listener, 1));
	client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	server = (int)must(accept(listener, NULL, NULL));
	say(client, server, 6);
	expect_record("segment", client, 6);
	expect_record("segment", server, 6);
	say(server, client, 100);
	expect_record("segment", server, 100);
	expect_record("segment", client, 100);
	/* The end of the client comes first: its last packet makes that of the server. */
	expect_record("close", client, 0);
	expect_record("close", server, 0);
	must(close(client));
	must(close(server));
}

/* Who gets it is not known. */
static void run_datagram(void)
{
	const char bytes[] = { '\xc3', 0, 0, 0, 1, 0, 0, 0 };
	struct sockaddr_in address;
	int server = bound(SOCK_DGRAM, &address);
	int client = (int)must(socket(AF_INET, SOCK_DGRAM, 0));

	must(sendto(client, bytes, sizeof(bytes), 0, (struct sockaddr *)&address, sizeof(address)));
	expect_record("datagram", client, sizeof(bytes));
	must(close(client));
	must(close(server));
}

/* Neither a connection without bytes nor one that begins otherwise. */
static void run_nothing(void)
{
	struct sockaddr_in address;
	int listener = bound(SOCK_STREAM, &address);
	char text[8];

	must(listen(listener, 1));
	for (int i = 0; i < 2; i++) {
		int client = (int)must(socket(AF_INET, SOCK_STREAM, 0));

		must(connect(client, (struct sockaddr *)&address, sizeof(address)));
		if (i) {
			int server = (int)must(accept(listener, NULL, NULL));

			must(send(client, "GET /", 5, 0));
			must(recv(server, text, sizeof(text), 0));
			must(close(server));
		}
		must(close(client));
	}
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "connection", run_connection },
		{ "datagram", run_datagram },
		{ "nothing", run_nothing },
	};

	(void)argc;
	cases_run(cases, ARRAY_SIZE(cases), argv + 1);
	return 0;
}
