/* SPDX-License-Identifier: MIT */
#include "proc/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/lines.h"

/* What is left of a line. */
struct rest {
	const char *at;
	size_t size;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void skip_spaces(struct rest *rest)
{
	while (rest->size > 0 && *rest->at == ' ') {
		rest->at++;
		rest->size--;
	}
}

/* Takes exactly DIGITS hexadecimal digits, at most 8, as the kernel's %08X writes them. */
static bool take_hex(struct rest *rest, size_t digits, uint32_t *ret)
{
	uint32_t value = 0;

	if (rest->size < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		int digit = digit_value(rest->at[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	rest->at += digits;
	rest->size -= digits;
	*ret = value;
	return true;
}

static bool take_byte(struct rest *rest, char byte)
{
	if (!rest->size || *rest->at != byte)
		return false;
	rest->at++;
	rest->size--;
	return true;
}

/* A decimal number and the end of its word. */
static bool take_decimal(struct rest *rest, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < rest->size && rest->at[n] != ' ' && rest->at[n] != ':'; n++) {
		unsigned int digit = (unsigned int)digit_value(rest->at[n]);

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (!n)
		return false;
	rest->at += n;
	rest->size -= n;
	*ret = value;
	return true;
}

/* "0100007F:1F90", or four words for IPv6: each is printed as the machine has it in memory. */
static bool take_address(struct rest *rest, uint8_t ip[16], uint16_t *ret_port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *colon = memchr(rest->at, ':', rest->size);
	size_t nr_words = colon ? (size_t)(colon - rest->at) / 8 : 0;
	uint32_t words[4];
	uint32_t port;

	if (nr_words != 1 && nr_words != 4)
		return false;
	for (size_t i = 0; i < nr_words; i++)
		if (!take_hex(rest, 8, &words[i]))
			return false;
	if (!take_byte(rest, ':') || !take_hex(rest, 4, &port) || !take_byte(rest, ' '))
		return false;
	memcpy(ip, mapped, sizeof(mapped));
	memcpy(ip + (nr_words == 1 ? sizeof(mapped) : 0), words, nr_words * sizeof(words[0]));
	*ret_port = (uint16_t)port;
	return true;
}

/* Passes over NR words. */
static bool skip_words(struct rest *rest, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		skip_spaces(rest);
		if (!rest->size)
			return false;
		while (rest->size > 0 && *rest->at != ' ') {
			rest->at++;
			rest->size--;
		}
	}
	skip_spaces(rest);
	return true;
}

int sockets_parse(const char *line, size_t size, struct proc_socket *ret)
{
	struct rest rest = { line, size };
	struct proc_socket socket = { 0 };
	uint64_t number;
	uint32_t state;

	skip_spaces(&rest);
	if (!take_decimal(&rest, &number) || !take_byte(&rest, ':') || !take_byte(&rest, ' ') ||
	    !take_address(&rest, socket.local, &socket.local_port) ||
	    !take_address(&rest, socket.peer, &socket.peer_port) || !take_hex(&rest, 2, &state) ||
	    !take_byte(&rest, ' '))
		return -EBADMSG;
	/* Queues, timer, retransmissions, uid, probes. */
	if (!skip_words(&rest, 5) || !take_decimal(&rest, &socket.inode) ||
	    (rest.size && *rest.at != ' '))
		return -EBADMSG;
	socket.state = (uint8_t)state;
	*ret = socket;
	return 0;
}

int sockets_each(int fd, int (*take)(void *ctx, const struct proc_socket *socket), void *ctx)
{
	_cleanup_(cleanup_free) struct lines *lines = malloc(sizeof(*lines));
	struct proc_socket socket;
	const char *line;
	size_t size;
	int err;

	if (!lines)
		return -ENOMEM;
	/* No limit: how many sockets there may be is for the kernel to say. */
	lines_begin(lines, fd, UINT64_MAX);
	while ((err = lines_next(lines, &line, &size)) > 0) {
		if (sockets_parse(line, size, &socket))
			continue;
		err = take(ctx, &socket);
		if (err)
			break;
	}
	return err;
}

bool sockets_link(const char *link, const char *prefix, uint64_t *ret)
{
	size_t size = strlen(prefix);
	struct rest rest = { link + size, 0 };
	uint64_t number;

	if (strncmp(link, prefix, size) != 0 || !strchr(rest.at, ']'))
		return false;
	rest.size = (size_t)(strchr(rest.at, ']') - rest.at);
	if (!take_decimal(&rest, &number) || rest.size || rest.at[1])
		return false;
	*ret = number;
	return true;
}
