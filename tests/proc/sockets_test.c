/* SPDX-License-Identifier: MIT */
/* Lines of /proc/net/tcp, made and real. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/sockets.h"
#include "support/guard.h"

/* Behind the addresses and the state, up to the inode. */
#define QUEUES " 00000000:00000000 00:00000000 00000000   100        0 "

static int parse(const char *line, struct proc_socket *ret)
{
	const char *copy = guard_copy(line, strlen(line));
	int err = sockets_parse(copy, strlen(line), ret);

	guard_free(copy, strlen(line));
	return err;
}

/* IP as it is written for people; v4 as it is held. */
static void assert_ip(const uint8_t ip[16], const char *text)
{
	char out[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(AF_INET6, ip, out, sizeof(out)));
	assert_string_equal(out, text);
}

static void test_line_of_ipv4_is_a_socket(void **state)
{
	struct proc_socket socket;
	uint32_t local = inet_addr("127.0.0.1");
	uint32_t peer = inet_addr("198.51.100.7");
	char line[256];

	(void)state;
	snprintf(line, sizeof(line),
		 "  12: %08X:01BB %08X:D6E5 01" QUEUES "4711 2 0000 20 4 30 10 -1", local, peer);
	assert_int_equal(parse(line, &socket), 0);
	assert_ip(socket.local, "::ffff:127.0.0.1");
	assert_ip(socket.peer, "::ffff:198.51.100.7");
	assert_int_equal(socket.local_port, 443);
	assert_int_equal(socket.peer_port, 55013);
	assert_int_equal(socket.state, SOCKETS_ESTABLISHED);
	assert_int_equal(socket.inode, 4711);
}

static void test_line_of_ipv6_is_a_socket(void **state)
{
	struct proc_socket socket;
	uint32_t words[4];
	char line[256];

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::ff00:42:8329", words), 1);
	snprintf(line, sizeof(line),
		 "   0: %08X%08X%08X%08X:0016 00000000000000000000000000000000:0000 0A" QUEUES
		 "18446744073709551615",
		 words[0], words[1], words[2], words[3]);
	assert_int_equal(parse(line, &socket), 0);
	assert_ip(socket.local, "2001:db8::ff00:42:8329");
	assert_ip(socket.peer, "::");
	assert_int_equal(socket.local_port, 22);
	assert_int_equal(socket.state, SOCKETS_LISTEN);
	assert_true(socket.inode == UINT64_MAX);
}

static void test_other_lines_are_refused(void **state)
{
	static const char whole[] = " 1: 0100007F:01BB 0100007F:D6E5 01" QUEUES "7";
	static const char *const lines[] = {
		"",
		" ",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
		" 1: 0100007:01BB 0100007F:D6E5 01" QUEUES "7 ",
		" 1: 0100007F0:01BB 0100007F:D6E5 01" QUEUES "7 ",
		" 1: 0100007FF0100007FF:01BB 0100007F:D6E5 01" QUEUES "7 ",
		" 1: 0100007g:01BB 0100007F:D6E5 01" QUEUES "7 ",
		" 1: 0100007F:01B 0100007F:D6E5 01" QUEUES "7 ",
		" 1: 0100007F:01BB 0100007F:D6E5 1" QUEUES "7 ",
		" 1: 0100007F:01BB 0100007F:D6E5 01" QUEUES "x ",
		" 1: 0100007F:01BB 0100007F:D6E5 01" QUEUES "18446744073709551616 ",
		" 1 0100007F:01BB 0100007F:D6E5 01" QUEUES "7 ",
	};
	struct proc_socket socket = { .inode = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i], &socket), -EBADMSG);
	/* Cut anywhere, down to the last digit of the inode. */
	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		const char *copy = guard_copy(whole, size);

		assert_int_equal(sockets_parse(copy, size, &socket), -EBADMSG);
		guard_free(copy, size);
	}
	assert_int_equal(socket.inode, 99);
	assert_int_equal(parse(whole, &socket), 0);
	assert_int_equal(socket.inode, 7);
}

static int count(void *ctx, const struct proc_socket *socket)
{
	uint64_t *sum = ctx;

	*sum += socket->inode;
	return socket->inode == 4 ? -ENOSPC : 0;
}

static void test_all_lines_are_told_until_one_is_refused(void **state)
{
	static const char text[] = "  sl  local_address\n"
				   " 0: 0100007F:01BB 0100007F:D6E5 01" QUEUES "1 \n"
				   "nothing\n"
				   " 1: 0100007F:01BB 0100007F:D6E5 01" QUEUES "2 \n"
				   " 2: 0100007F:01BB 0100007F:D6E5 01" QUEUES "4 \n"
				   " 3: 0100007F:01BB 0100007F:D6E5 01" QUEUES "8 ";
	uint64_t sum = 0;
	int fd = memfd_create("tcp", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(sockets_each(fd, count, &sum), -ENOSPC);
	assert_int_equal(sum, 7);
	close(fd);
	assert_int_equal(sockets_each(-1, count, &sum), -EBADF);
}

struct wanted {
	uint64_t inode;
	struct proc_socket found;
	int nr_found;
};

static int look_for(void *ctx, const struct proc_socket *socket)
{
	struct wanted *wanted = ctx;

	if (socket->inode != wanted->inode)
		return 0;
	wanted->found = *socket;
	wanted->nr_found++;
	return 0;
}

/* As the kernel tells of FD in PATH. */
static struct wanted find(int fd, const char *path)
{
	struct wanted wanted = { 0 };
	struct stat st;
	int table = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(table >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	wanted.inode = st.st_ino;
	assert_int_equal(sockets_each(table, look_for, &wanted), 0);
	assert_int_equal(wanted.nr_found, 1);
	close(table);
	return wanted;
}

static void test_own_sockets_are_told_by_the_kernel(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t size = sizeof(address);
	struct wanted wanted;
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (listener < 0 || bind(listener, (void *)&address, size)) {
		print_message("no IPv6\n");
		skip();
	}
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&address, &size), 0);
	assert_int_equal(connect(client, (void *)&address, size), 0);
	wanted = find(listener, "/proc/self/net/tcp6");
	assert_int_equal(wanted.found.state, SOCKETS_LISTEN);
	assert_int_equal(wanted.found.local_port, ntohs(address.sin6_port));
	wanted = find(client, "/proc/self/net/tcp6");
	assert_int_equal(wanted.found.state, SOCKETS_ESTABLISHED);
	assert_int_equal(wanted.found.peer_port, ntohs(address.sin6_port));
	assert_ip(wanted.found.peer, "::1");
	assert_ip(wanted.found.local, "::1");
	close(listener);
	close(client);
}

static void test_links_of_proc_have_numbers(void **state)
{
	uint64_t number = 1;

	(void)state;
	assert_true(sockets_link("socket:[123]", "socket:[", &number));
	assert_int_equal(number, 123);
	assert_true(sockets_link("net:[4026531840]", "net:[", &number));
	assert_true(number == 4026531840U);
	assert_false(sockets_link("socket:[123]", "net:[", &number));
	assert_false(sockets_link("socket:[]", "socket:[", &number));
	assert_false(sockets_link("socket:[123", "socket:[", &number));
	assert_false(sockets_link("socket:[12a]", "socket:[", &number));
	assert_false(sockets_link("socket:[12]x", "socket:[", &number));
	assert_false(sockets_link("socket:[1 2]", "socket:[", &number));
	assert_false(sockets_link("", "socket:[", &number));
	assert_true(number == 4026531840U);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_of_ipv4_is_a_socket),
		cmocka_unit_test(test_line_of_ipv6_is_a_socket),
		cmocka_unit_test(test_other_lines_are_refused),
		cmocka_unit_test(test_all_lines_are_told_until_one_is_refused),
		cmocka_unit_test(test_own_sockets_are_told_by_the_kernel),
		cmocka_unit_test(test_links_of_proc_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
