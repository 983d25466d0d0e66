/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_ITERATE_H
#define INVENTORY_ITERATE_H

/*
 * An inventory by BPF iterators (bpf/iterate.bpf.c): several times faster than /proc, and of all
 * processes in one pass each over tasks, mappings and descriptors. Opening needs rights, reading
 * does not.
 */

#include <stddef.h>

#include "inventory/inventory.h"

struct iterate {
	int tasks; /* descriptors; -1: none */
	int maps;
	int files;
};

/*
 * Loads the iterators. TAPPED, -1: none, is the descriptor of the map of a run that has an entry
 * for each connection of which events tell: such connections are left out. Returns 0 or a negative
 * errno: then /proc has to do.
 */
int iterate_open(struct iterate *iterate, int tapped);
void iterate_close(struct iterate *iterate);

/* Runs them. Returns 0 or a negative errno. */
int iterate_run(struct iterate *iterate, struct inventory *inventory);

/*
 * Enters the records of SIZE bytes at BYTES, which the iterators over mappings and files wrote.
 * KNOWN, of NR_KNOWN entries, tells the objects by their ids. Returns how many bytes were whole
 * records, or -EBADMSG or -ENOMEM.
 */
ssize_t iterate_records(struct inventory *inventory, struct inventory_object **known,
			size_t nr_known, const void *bytes, size_t size);

#endif /* INVENTORY_ITERATE_H */
