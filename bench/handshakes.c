/* SPDX-License-Identifier: MIT */
/*
 * A closed loop of TLS handshakes, both ends in this process, over the loopback:
 *
 *	handshakes CPU MS		as fast as it can: "NS", of one, lower quartile of blocks
 *	handshakes CPU MS PER_SECOND	evenly, so many a second: "NR", how many there were
 *
 * Each is a full handshake of TLS 1.3 on a connection of its own, with a P-256 certificate.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define MAX_MS	      (7ULL * 24 * 60 * 60 * 1000)
#define MAX_RATE      100000ULL
#define MAX_STEPS     64
#define BLOCK	      16 /* handshakes */

#define VALID_SECONDS (24L * 60 * 60)

static _Noreturn void die_tls(const char *what)
{
	char reason[256];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	fprintf(stderr, "bench: %s: %s\n", what, reason);
	exit(1);
}

static void certificate_make(SSL_CTX *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;

	if (!key || !name || !X509_set_version(certificate, X509_VERSION_3) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1,
					-1, 0) ||
	    !X509_set_issuer_name(certificate, name) || !X509_set_pubkey(certificate, key) ||
	    !X509_sign(certificate, key, EVP_sha256()) ||
	    !SSL_CTX_use_certificate(server, certificate) || !SSL_CTX_use_PrivateKey(server, key))
		die_tls("certificate");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static int listener_make(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, size) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &size) < 0)
		die("listen", errno);
	return fd;
}

static SSL *end_make(SSL_CTX *context, int fd)
{
	SSL *end = SSL_new(context);

	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl", errno);
	if (!end || !SSL_set_fd(end, fd))
		die_tls("SSL_new");
	return end;
}

/* One step of the handshake of END. Returns whether it is complete. */
static bool step(SSL *end)
{
	int status = SSL_do_handshake(end);

	if (status == 1)
		return true;
	if (SSL_get_error(end, status) != SSL_ERROR_WANT_READ)
		die_tls("handshake");
	return false;
}

static void end_free(SSL *end)
{
	int fd = SSL_get_fd(end);

	SSL_free(end);
	close(fd);
}

static void handshake(SSL_CTX *clients, SSL_CTX *servers, int listener,
		      const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_open = false, is_known = false;
	SSL *client, *server;

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		die("connect", errno);
	client = end_make(clients, fd);
	SSL_set_connect_state(client);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		die("accept", errno);
	server = end_make(servers, fd);
	SSL_set_accept_state(server);
	for (int i = 0; !is_open || !is_known; i++) {
		if (i == MAX_STEPS)
			die("handshake", ETIMEDOUT);
		is_open = is_open || step(client);
		is_known = is_known || step(server);
	}
	end_free(client);
	end_free(server);
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
	SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
	SSL_CTX *servers = SSL_CTX_new(TLS_server_method());
	uint64_t begin_ns, end_ns, nr = 0, nr_blocks = 0, rate = 0, *blocks;
	struct sockaddr_in address;
	int listener;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: handshakes CPU MS [PER_SECOND]\n");
		return 2;
	}
	if (!clients || !servers)
		die_tls("SSL_CTX_new");
	cpu_pin(argv[1]);
	if (argc == 4)
		rate = number_parse(argv[3], MAX_RATE);
	certificate_make(servers);
	listener = listener_make(&address);
	begin_ns = clock_ns(CLOCK_MONOTONIC);
	end_ns = begin_ns + number_parse(argv[2], MAX_MS) * NS_PER_MS;
	blocks = calloc(rate ? 1 : (end_ns - begin_ns) / NS_PER_MS + 1, sizeof(*blocks));
	if (!blocks)
		die("calloc", ENOMEM);
	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		uint64_t block_ns = clock_ns(CLOCK_MONOTONIC);

		if (rate) {
			uint64_t due_ns = begin_ns + nr * NS_PER_SEC / rate;
			struct timespec due = { (time_t)(due_ns / NS_PER_SEC),
						(long)(due_ns % NS_PER_SEC) };

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
			handshake(clients, servers, listener, &address);
			nr++;
			continue;
		}
		for (int i = 0; i < BLOCK; i++)
			handshake(clients, servers, listener, &address);
		/* A block of 16 takes more than 1 ms. */
		if (nr_blocks <= (end_ns - begin_ns) / NS_PER_MS)
			blocks[nr_blocks++] = (clock_ns(CLOCK_MONOTONIC) - block_ns) / BLOCK;
	}
	qsort(blocks, nr_blocks, sizeof(*blocks), compare);
	printf("%llu\n", (unsigned long long)(rate ? nr : blocks[nr_blocks / 4]));
	free(blocks);
	close(listener);
	SSL_CTX_free(clients);
	SSL_CTX_free(servers);
	return 0;
}
