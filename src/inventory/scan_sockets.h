/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_SCAN_SOCKETS_H
#define INVENTORY_SCAN_SOCKETS_H

/*
 * Whose TCP connections there are, from /proc: a descriptor is a link "socket:[N]", and what socket
 * N is the tables of a network namespace say. Each namespace is read once, when the first process
 * of it has a socket; one that was made since, or that a process brought along from another
 * namespace of which no process has a socket, is not found.
 */

#include "inventory/inventory.h"
#include "priv/broker.h"

/* Sockets remembered, of all network namespaces. */
#define SCAN_SOCKETS_MAX 262144

struct scan_sockets;

/* INVENTORY is told who listens; both are borrowed. Returns 0 or -ENOMEM. */
int scan_sockets_new(struct scan_sockets **ret, struct broker *broker, struct inventory *inventory);
void scan_sockets_free(struct scan_sockets *sockets);

/*
 * PROCESS has LINK, of /proc/PID/fd: enters the connection, if it is one. Returns 0, -ENOMEM,
 * -EMFILE or -ENFILE, -EPIPE: the broker is gone.
 */
int scan_sockets_take(struct scan_sockets *sockets, struct inventory_process *process,
		      const char *link);

#endif /* INVENTORY_SCAN_SOCKETS_H */
