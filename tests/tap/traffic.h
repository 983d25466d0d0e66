/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_TRAFFIC_H
#define TESTS_TAP_TRAFFIC_H

/*
 * Connections that do what the tap must tell. What each side of a connection sends follows from the
 * client's port, so that everybody knows it: sizes from a byte to 64 KiB, in pieces of any size.
 * For tests of one program, after cmocka.h.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ends the test program: what is not the tap's fault proves nothing. */
#define must(call)                                                                                 \
	({                                                                                         \
		long must_ = (long)(call);                                                         \
		if (must_ < 0) {                                                                   \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,              \
				strerror(errno));                                                  \
			abort();                                                                   \
		}                                                                                  \
		must_;                                                                             \
	})

#define STREAM_SIZE_MAX 65536
#define TALK_MS		60000

/* Which side's bytes. */
enum side {
	SIDE_CLIENT,
	SIDE_SERVER
};

static size_t stream_size_max = STREAM_SIZE_MAX;
/* What each begins with: a record of a handshake. */
#define HELLO "\x16\x03\x01\x02\x00\x01"
#define SIZE  6

/* Called with each client's socket before it is closed. */
static void (*on_talked)(int fd);

static inline uint32_t hash_of(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t h = a * 0x9e3779b1U + b * 0x85ebca77U + c * 0xc2b2ae3dU;

	h = (h ^ h >> 15) * 0x2c1b3c6dU;
	h = (h ^ h >> 12) * 0x297a2d39U;
	return h ^ h >> 15;
}

/* How many bytes SIDE sends when the client has PORT. */
static inline size_t stream_size(uint16_t port, enum side side)
{
	static const size_t sizes[] = {
		1,    2,     3,	    64,	   517,	  1448,	 1449,	3928, 3929,
		4096, 32767, 32768, 32769, 19640, 40000, 65536, 9000, 30000
	};
	uint32_t hash = hash_of(port, side, UINT32_MAX);
	size_t size = hash % 2 ? sizes[hash / 2 % (sizeof(sizes) / sizeof(sizes[0]))]
			       : 1 + hash / 2 % STREAM_SIZE_MAX;

	return size < stream_size_max ? size : 1 + size % stream_size_max;
}

/* Fills BYTES with the first SIZE of them. */
static inline void stream_fill(uint8_t *bytes, size_t size, uint16_t port, enum side side)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)hash_of(port, side, (uint32_t)i);
	memcpy(bytes, HELLO, size < SIZE ? size : SIZE);
}

/* How many bytes go into one write. */
static inline size_t piece_size(uint16_t port, enum side side, uint32_t number)
{
	uint32_t hash = hash_of(port, (uint32_t)side + 2, number);

	switch (hash_of(port, (uint32_t)side + 4, 0) % 4) {
	case 0:
		return STREAM_SIZE_MAX;
	case 1:
		return 1 + hash % 64;
	case 2:
		return 1 + hash % 3000;
	default:
		return 1 + hash % 20000;
	}
}

/* What one side of a connection has to do, and has done. */
struct talk {
	int fd;
	uint16_t port;
	enum side side;
	size_t sent;
	size_t received;
	uint32_t nr_pieces;
	bool is_shut;
	bool has_ended; /* the other side */
	int err;
	uint8_t out[STREAM_SIZE_MAX];
	uint8_t in[STREAM_SIZE_MAX + 1];
};

/* Ends, once that is possible, what has sent SIZE bytes: not before it is connected. */
static inline bool talk_send(struct talk *talk, size_t size)
{
	size_t piece = piece_size(talk->port, talk->side, talk->nr_pieces++);
	ssize_t n;

	if (talk->sent == size) {
		talk->is_shut = true;
		return shutdown(talk->fd, SHUT_WR) == 0;
	}
	if (piece > size - talk->sent)
		piece = size - talk->sent;
	n = send(talk->fd, talk->out + talk->sent, piece, MSG_NOSIGNAL);
	if (n < 0)
		return (talk->err = errno) == EAGAIN;
	talk->sent += (size_t)n;
	return true;
}

static inline bool talk_receive(struct talk *talk)
{
	ssize_t n = recv(talk->fd, talk->in + talk->received, sizeof(talk->in) - talk->received, 0);

	if (n < 0)
		return (talk->err = errno) == EAGAIN;
	talk->received += (size_t)n;
	talk->has_ended = n == 0;
	return true;
}

/* Sends what SIDE has to and takes what the other has, until both have ended. Closes FD. */
static inline bool talk_run(int fd, uint16_t port, enum side side)
{
	struct talk *talk = calloc(1, sizeof(*talk));
	size_t size = stream_size(port, side);
	size_t other = stream_size(port, !side);
	bool is_good;
	int one = 1;

	*talk = (struct talk){ .fd = fd, .port = port, .side = side };
	stream_fill(talk->out, size, port, side);
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	while (!talk->is_shut || !talk->has_ended) {
		struct pollfd pollfd = { .fd = fd, .events = talk->has_ended ? 0 : POLLIN };

		pollfd.events |= talk->is_shut ? 0 : POLLOUT;
		if (poll(&pollfd, 1, TALK_MS) != 1)
			break;
		if (pollfd.revents & POLLOUT && !talk_send(talk, size))
			break;
		if (pollfd.revents & ~POLLOUT && !talk_receive(talk))
			break;
	}
	is_good = talk->sent == size && talk->received == other;
	stream_fill(talk->out, other, port, !side);
	is_good = is_good && memcmp(talk->in, talk->out, other) == 0;
	if (!is_good)
		fprintf(stderr, "port %u, side %d: sent %zu of %zu, received %zu of %zu: %s\n",
			port, side, talk->sent, size, talk->received, other, strerror(talk->err));
	free(talk);
	if (on_talked && side == SIDE_CLIENT)
		on_talked(fd);
	close(fd);
	return is_good;
}

/* Where two sides are: network namespaces, -1 for the test's own, and the server's address. */
struct route {
	int nets[2];
	const char *server;
	void (*prepare)(int fd); /* of a client's socket before it connects, or NULL */
};

static const struct route route_v4 = { { -1, -1 }, "127.0.0.1", NULL };
static const struct route route_v6 = { { -1, -1 }, "::1", NULL };
/* IPv4 in IPv6 sockets. */
static const struct route route_mapped = { { -1, -1 }, "::ffff:127.0.0.1", NULL };

static int home_net = -1;

/* This thread goes to NET. */
static inline void net_enter(int net)
{
	if (home_net < 0)
		home_net = (int)must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	must(setns(net < 0 ? home_net : net, CLONE_NEWNET));
}

/* A socket in NET. */
static inline int socket_in(int net, int family, int type)
{
	int fd;

	net_enter(net);
	fd = (int)must(socket(family, type | SOCK_CLOEXEC, 0));
	net_enter(-1);
	return fd;
}

/* Puts ADDRESS and PORT into RET. Returns its size. */
static inline socklen_t address_make(const char *address, uint16_t port,
				     struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		abort();
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

static inline uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static inline uint16_t own_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	must(getsockname(fd, (struct sockaddr *)&address, &size));
	return port_of(&address);
}

static inline uint16_t peer_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	must(getpeername(fd, (struct sockaddr *)&address, &size));
	return port_of(&address);
}

/* A socket bound to ROUTE's server, at a port that nobody has. */
static inline int server_bound(const struct route *route, int type, uint16_t *ret_port)
{
	struct sockaddr_storage address;
	socklen_t size = address_make(route->server, 0, &address);
	int fd = socket_in(route->nets[SIDE_SERVER], address.ss_family, type);
	int zero = 0;

	if (address.ss_family == AF_INET6) {
		must(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)));
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_any;
	}
	must(bind(fd, (struct sockaddr *)&address, size));
	*ret_port = own_port(fd);
	return fd;
}

static inline int server_listen(const struct route *route, uint16_t *ret_port)
{
	int fd = server_bound(route, SOCK_STREAM, ret_port);

	must(listen(fd, 4096));
	return fd;
}

/* Connects to ROUTE's server at PORT. */
static inline int client_connect(const struct route *route, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = address_make(route->server, port, &address);
	int fd = socket_in(route->nets[SIDE_CLIENT], address.ss_family, SOCK_STREAM);

	if (route->prepare)
		route->prepare(fd);
	must(connect(fd, (struct sockaddr *)&address, size));
	return fd;
}

/* NR connections over ROUTE, NR_AT_ONCE of them at a time. */
struct crowd {
	const struct route *route;
	size_t nr;
	size_t nr_at_once;
	int listener;
	uint16_t port;
	size_t nr_begun;
	size_t nr_good; /* sides */
};

struct accepted {
	struct crowd *crowd;
	int fd;
};

static inline void *crowd_server(void *ctx)
{
	struct accepted *accepted = ctx;

	if (talk_run(accepted->fd, peer_port(accepted->fd), SIDE_SERVER))
		__atomic_add_fetch(&accepted->crowd->nr_good, 1, __ATOMIC_SEQ_CST);
	free(accepted);
	return NULL;
}

static inline void *crowd_accept(void *ctx)
{
	struct crowd *crowd = ctx;
	pthread_t *threads = calloc(crowd->nr, sizeof(*threads));

	for (size_t i = 0; i < crowd->nr; i++) {
		struct accepted *accepted = malloc(sizeof(*accepted));

		accepted->crowd = crowd;
		accepted->fd = (int)must(accept4(crowd->listener, NULL, NULL, SOCK_CLOEXEC));
		must(-pthread_create(&threads[i], NULL, crowd_server, accepted));
	}
	for (size_t i = 0; i < crowd->nr; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return NULL;
}

static inline void *crowd_clients(void *ctx)
{
	struct crowd *crowd = ctx;

	while (__atomic_fetch_add(&crowd->nr_begun, 1, __ATOMIC_SEQ_CST) < crowd->nr) {
		int fd = client_connect(crowd->route, crowd->port);

		if (talk_run(fd, own_port(fd), SIDE_CLIENT))
			__atomic_add_fetch(&crowd->nr_good, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Runs them against LISTENER. Returns how many sides sent and received all they had to. */
static inline size_t crowd_run(const struct route *route, int listener, size_t nr,
			       size_t nr_at_once)
{
	struct crowd crowd = { .route = route, .nr = nr, .listener = listener };
	pthread_t clients[64];
	pthread_t server;

	crowd.port = own_port(listener);
	must(-pthread_create(&server, NULL, crowd_accept, &crowd));
	for (size_t i = 0; i < nr_at_once; i++)
		must(-pthread_create(&clients[i], NULL, crowd_clients, &crowd));
	for (size_t i = 0; i < nr_at_once; i++)
		pthread_join(clients[i], NULL);
	pthread_join(server, NULL);
	return crowd.nr_good;
}

#endif /* TESTS_TAP_TRAFFIC_H */
