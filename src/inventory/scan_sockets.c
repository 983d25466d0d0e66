/* SPDX-License-Identifier: MIT */
#include "inventory/scan_sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/connections.h"
#include "inventory/scan.h"
#include "lib/cleanup.h"
#include "proc/sockets.h"

#define NETNS_MAX   4096
#define SLOTS_FIRST 1024U /* a power of two */

struct scan_sockets {
	struct broker *broker;
	struct inventory *inventory;
	/* The process that was asked about last, and its network namespace, 0: not known. */
	const struct inventory_process *process;
	uint32_t netns;
	uint32_t read[NETNS_MAX]; /* namespaces */
	size_t nr_read;
	/* Established ones by inode: open addressing, at most half full. */
	struct inventory_connection *slots; /* inode 0: empty */
	size_t nr_slots;
	size_t nr_sockets;
};

int scan_sockets_new(struct scan_sockets **ret, struct broker *broker, struct inventory *inventory)
{
	struct scan_sockets *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return -ENOMEM;
	sockets->broker = broker;
	sockets->inventory = inventory;
	*ret = sockets;
	return 0;
}

void scan_sockets_free(struct scan_sockets *sockets)
{
	if (!sockets)
		return;
	free(sockets->slots);
	free(sockets);
}

/* The slot of INODE, or the empty one where it belongs. */
static struct inventory_connection *slot_of(struct inventory_connection *slots, size_t nr_slots,
					    uint64_t inode)
{
	size_t at = (size_t)(inode * 0x9e3779b97f4a7c15ULL >> 32) & (nr_slots - 1);

	while (slots[at].inode && slots[at].inode != inode)
		at = (at + 1) & (nr_slots - 1);
	return &slots[at];
}

/* Returns 0 or -ENOMEM. */
static int grow(struct scan_sockets *sockets)
{
	size_t nr_slots = sockets->nr_slots ? 2 * sockets->nr_slots : SLOTS_FIRST;
	struct inventory_connection *slots = calloc(nr_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < sockets->nr_slots; i++)
		if (sockets->slots[i].inode)
			*slot_of(slots, nr_slots, sockets->slots[i].inode) = sockets->slots[i];
	free(sockets->slots);
	sockets->slots = slots;
	sockets->nr_slots = nr_slots;
	return 0;
}

/* A socket of the namespace that is being read. */
static int take_socket(void *ctx, const struct proc_socket *socket)
{
	struct scan_sockets *sockets = ctx;
	struct inventory_connection connection = {
		.inode = socket->inode,
		.netns = sockets->netns,
		.local = { .port = socket->local_port },
		.peer = { .port = socket->peer_port },
	};

	if (socket->state == SOCKETS_LISTEN)
		return connections_listen(sockets->inventory, sockets->netns, socket->local_port);
	if (socket->state != SOCKETS_ESTABLISHED || !socket->inode)
		return 0;
	if (sockets->nr_sockets >= SCAN_SOCKETS_MAX) {
		sockets->inventory->nr_refused++;
		return 0;
	}
	if (2 * sockets->nr_sockets >= sockets->nr_slots && grow(sockets))
		return -ENOMEM;
	memcpy(connection.local.ip, socket->local, sizeof(socket->local));
	memcpy(connection.peer.ip, socket->peer, sizeof(socket->peer));

	struct inventory_connection *slot =
		slot_of(sockets->slots, sockets->nr_slots, connection.inode);

	/* The table moves while it is read, and may have one twice. */
	sockets->nr_sockets += !slot->inode;
	*slot = connection;
	return 0;
}

/* Reads what PID's namespace has. Returns 0, or what scan_is_own() says. */
static int read_tables(struct scan_sockets *sockets, uint32_t pid)
{
	static const enum broker_text tables[] = { BROKER_TEXT_tcp, BROKER_TEXT_tcp6 };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		_cleanup_(cleanup_fd) int fd = broker_open_text(sockets->broker, pid, tables[i]);
		/* Without IPv6 there is no such table. */
		int err = fd < 0 ? fd : sockets_each(fd, take_socket, sockets);

		if (scan_is_own(err))
			return err;
	}
	return 0;
}

static bool is_read(const struct scan_sockets *sockets, uint32_t netns)
{
	for (size_t i = 0; i < sockets->nr_read; i++)
		if (sockets->read[i] == netns)
			return true;
	return false;
}

/* Finds out where PROCESS is, and reads what is there. Returns 0, or what scan_is_own() says. */
static int enter(struct scan_sockets *sockets, const struct inventory_process *process)
{
	int err;

	if (sockets->process == process)
		return 0;
	sockets->process = process;
	sockets->netns = 0;
	err = broker_look_netns(sockets->broker, process->task, &sockets->netns);
	if (err)
		return scan_is_own(err) ? err : 0;
	if (is_read(sockets, sockets->netns))
		return 0;
	if (sockets->nr_read == NETNS_MAX) {
		sockets->inventory->nr_refused++;
		return 0;
	}
	sockets->read[sockets->nr_read++] = sockets->netns;
	return read_tables(sockets, process->task);
}

int scan_sockets_take(struct scan_sockets *sockets, struct inventory_process *process,
		      const char *link)
{
	const struct inventory_connection *slot;
	uint64_t inode;
	int err;

	if (!sockets_link(link, "socket:[", &inode) || !inode)
		return 0;
	err = enter(sockets, process);
	if (err || !sockets->nr_slots)
		return err;
	slot = slot_of(sockets->slots, sockets->nr_slots, inode);
	return slot->inode ? connections_add(process, slot) : 0;
}
