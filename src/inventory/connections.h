/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_CONNECTIONS_H
#define INVENTORY_CONNECTIONS_H

/*
 * The TCP connections of an inventory: those that were established when it was taken. Their
 * handshakes are over, and what these agreed on cannot be found out any more. Bounded: of one
 * process the first by descriptor are kept, the others counted.
 */

#include "inventory/inventory.h"

/*
 * PROCESS has CONNECTION, under one descriptor more; its is_server is of no interest yet. Returns 0
 * or -ENOMEM.
 */
int connections_add(struct inventory_process *process,
		    const struct inventory_connection *connection);

/* Somebody listens on PORT in network namespace NETNS. Returns 0 or -ENOMEM. */
int connections_listen(struct inventory *inventory, uint32_t netns, uint16_t port);

/*
 * Puts those of all processes into order, once everybody who listens is known: a connection whose
 * local port is listened on in its network namespace is a server's.
 */
void connections_sort(struct inventory *inventory);

/* Frees those of PROCESS. */
void connections_free(struct inventory_process *process);

#endif /* INVENTORY_CONNECTIONS_H */
