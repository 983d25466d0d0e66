/* SPDX-License-Identifier: MIT */
/*
 * traffic CONNECTIONS: makes so many connections over the loopback, one after the other, each with
 * bytes of a handshake's kind in both directions, and checks that all of them arrive. Prints how
 * many microseconds one of them took on average; the status is 1 when anything failed.
 */
#include "../support/trigger.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define SIZE 4000
/* A record of TLS with a ClientHello: RFC 8446 5.1 and 4. */
#define HELLO_BEGIN "\x16\x03\x01\x02\x00\x01"

static void say(int from, int to, uint32_t seed)
{
	uint8_t out[SIZE];
	uint8_t in[SIZE];

	for (size_t i = 0; i < SIZE; i++)
		out[i] = (uint8_t)((seed + i) * 2654435761U >> 24);
	memcpy(out, HELLO_BEGIN, sizeof(HELLO_BEGIN) - 1);
	if (must(send(from, out, SIZE, 0)) != SIZE || must(recv(to, in, SIZE, MSG_WAITALL)) != SIZE)
		die("not all bytes");
	if (memcmp(in, out, SIZE) != 0)
		die("other bytes");
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	uint32_t nr = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
	int listener = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	socklen_t size = sizeof(address);
	uint64_t begin = now_ns(CLOCK_MONOTONIC);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(getsockname(listener, (struct sockaddr *)&address, &size));
	must(listen(listener, 16));
	for (uint32_t i = 0; i < nr; i++) {
		int client = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		int server;

		must(connect(client, (struct sockaddr *)&address, sizeof(address)));
		server = (int)must(accept(listener, NULL, NULL));
		say(client, server, 2 * i);
		say(server, client, 2 * i + 1);
		must(close(server));
		must(close(client));
	}
	printf("%llu\n",
	       (unsigned long long)((now_ns(CLOCK_MONOTONIC) - begin) / 1000 / (nr ? nr : 1)));
	return 0;
}
