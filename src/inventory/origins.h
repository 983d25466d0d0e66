/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_ORIGINS_H
#define INVENTORY_ORIGINS_H

/* Which packages the libraries of an inventory came with, each from the database of its root. */

#include "inventory/inventory.h"
#include "priv/broker.h"

/* Containers and other roots whose databases are asked at most. */
#define ORIGINS_ROOTS_MAX 64

/*
 * Fills in object->package. A root without a database has no packages; where one could not be read,
 * or there are more roots, inventory->nr_unasked has how many libraries that leaves without.
 * Returns 0 or -ENOMEM.
 */
int origins_find(struct broker *broker, struct inventory *inventory);

#endif /* INVENTORY_ORIGINS_H */
