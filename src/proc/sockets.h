/* SPDX-License-Identifier: MIT */
#ifndef PROC_SOCKETS_H
#define PROC_SOCKETS_H

/*
 * /proc/PID/net/tcp and tcp6: the TCP sockets of a network namespace, as the kernel's
 * net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c write them. Nothing is allocated or kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* include/net/tcp_states.h */
#define SOCKETS_ESTABLISHED 1
#define SOCKETS_LISTEN	    10

struct proc_socket {
	uint64_t inode;	   /* as in the link "socket:[N]"; 0: it has none any more, or not yet */
	uint8_t local[16]; /* IPv6; IPv4 as ::ffff:0:0/96 */
	uint8_t peer[16];
	uint16_t local_port;
	uint16_t peer_port;
	uint8_t state;
};

/* Parses LINE, without its newline. Returns 0 or -EBADMSG: the heading is no socket. */
int sockets_parse(const char *line, size_t size, struct proc_socket *ret);

/*
 * Reads FD, borrowed, from where it stands, and calls TAKE for each socket until that returns other
 * than 0. Returns what TAKE returned, 0, -ENOMEM or a negative errno of read(2).
 */
int sockets_each(int fd, int (*take)(void *ctx, const struct proc_socket *socket), void *ctx);

/*
 * The number in LINK, "socket:[123]" or "net:[123]", behind PREFIX, "socket:[". Returns false when
 * it is no such link.
 */
bool sockets_link(const char *link, const char *prefix, uint64_t *ret);

#endif /* PROC_SOCKETS_H */
