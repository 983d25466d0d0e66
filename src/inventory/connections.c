/* SPDX-License-Identifier: MIT */
#include "inventory/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Network namespace and port in one number. */
static uint64_t listener_of(uint32_t netns, uint16_t port)
{
	return (uint64_t)netns << 16 | port;
}

/* Where LISTENER is among those of INVENTORY, or belongs. Returns whether it is there. */
static bool find_listener(const struct inventory *inventory, uint64_t listener, size_t *ret)
{
	size_t low = 0;
	size_t high = inventory->nr_listeners;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (inventory->listeners[middle] < listener)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return low < inventory->nr_listeners && inventory->listeners[low] == listener;
}

int connections_listen(struct inventory *inventory, uint32_t netns, uint16_t port)
{
	uint64_t listener = listener_of(netns, port);
	size_t nr = inventory->nr_listeners;
	size_t at;

	if (find_listener(inventory, listener, &at))
		return 0;
	if (nr >= INVENTORY_LISTENERS_MAX) {
		inventory->nr_refused++;
		return 0;
	}
	if ((nr & (nr - 1)) == 0) {
		uint64_t *larger =
			reallocarray(inventory->listeners, nr ? 2 * nr : 1, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		inventory->listeners = larger;
	}
	memmove(&inventory->listeners[at + 1], &inventory->listeners[at],
		(nr - at) * sizeof(inventory->listeners[0]));
	inventory->listeners[at] = listener;
	inventory->nr_listeners++;
	return 0;
}

int connections_add(struct inventory_process *process,
		    const struct inventory_connection *connection)
{
	uint32_t nr = process->nr_connections;

	for (uint32_t i = 0; i < nr; i++)
		if (process->connections[i].inode == connection->inode)
			return 0;
	if (nr >= INVENTORY_CONNECTIONS_MAX) {
		process->nr_more_connections++;
		return 0;
	}
	if ((nr & (nr - 1)) == 0) {
		struct inventory_connection *larger =
			reallocarray(process->connections, nr ? 2 * nr : 1, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		process->connections = larger;
	}
	process->connections[process->nr_connections++] = *connection;
	return 0;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* By addresses; the same ones are there in several network namespaces. */
static int compare_connections(const void *left, const void *right)
{
	const struct inventory_connection *a = left;
	const struct inventory_connection *b = right;
	int order = memcmp(a->local.ip, b->local.ip, sizeof(a->local.ip));

	if (!order)
		order = compare_numbers(a->local.port, b->local.port);
	if (!order)
		order = memcmp(a->peer.ip, b->peer.ip, sizeof(a->peer.ip));
	if (!order)
		order = compare_numbers(a->peer.port, b->peer.port);
	if (order)
		return order;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

void connections_sort(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		struct inventory_process *process = inventory->processes[i];

		for (uint32_t j = 0; j < process->nr_connections; j++) {
			struct inventory_connection *connection = &process->connections[j];
			size_t at;

			connection->is_server = find_listener(
				inventory, listener_of(connection->netns, connection->local.port),
				&at);
		}
		if (process->nr_connections)
			qsort(process->connections, process->nr_connections,
			      sizeof(process->connections[0]), compare_connections);
	}
}

void connections_free(struct inventory_process *process)
{
	free(process->connections);
	process->connections = NULL;
	process->nr_connections = 0;
	process->nr_more_connections = 0;
}
