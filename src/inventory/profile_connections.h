/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_CONNECTIONS_H
#define INVENTORY_PROFILE_CONNECTIONS_H

/*
 * The connections that processes of a profile had before the run, and over which they may speak TLS
 * or SSH: nobody has seen what they agreed on. Each socket once, whoever has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"

#define PROFILE_CONNECTIONS_MAX 1024

/* What a process may speak, judged by the code that it has. */
enum profile_protocol {
	PROFILE_PROTOCOL_none,
	PROFILE_PROTOCOL_tls,
	PROFILE_PROTOCOL_ssh,
	NR_PROFILE_PROTOCOLS
};

struct profile_connection {
	uint64_t inode;
	struct address local;
	struct address peer;
	uint8_t protocol; /* enum profile_protocol */
	bool is_server;
	bool is_ktls;
};

struct profile_connections {
	struct profile_connection *items;
	size_t nr_items;
	uint64_t nr_more[NR_PROFILE_PROTOCOLS]; /* that are not kept */
};

enum profile_protocol profile_protocol_of(const struct inventory_process *process);

/* Takes those of PROCESS. Returns 0 or -ENOMEM. */
int profile_connections_take(struct profile_connections *connections,
			     const struct inventory_process *process);

/*
 * A handshake between LOCAL and PEER began at BEGAN_NS: forgets the connection that it is of, if it
 * was found by the look at SCAN_NS. Later the same ports may be those of another connection.
 */
void profile_connections_forget(struct profile_connections *connections,
				const struct address *local, const struct address *peer,
				uint64_t began_ns, uint64_t scan_ns);

/* How many there are, kept or not. */
uint64_t profile_connections_count(const struct profile_connections *connections);

/* Frees what CONNECTIONS owns, not CONNECTIONS. */
void profile_connections_free(struct profile_connections *connections);

#endif /* INVENTORY_PROFILE_CONNECTIONS_H */
