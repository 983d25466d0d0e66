/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_SCAN_H
#define INVENTORY_SCAN_H

/*
 * An inventory from the text of /proc, where BPF iterators do not load or may not be used. Gives
 * the same as iterate.h, but for sockets: /proc does not tell whose kernel crypto they use, nor of
 * those that scan_sockets.h names.
 */

#include "inventory/inventory.h"
#include "priv/broker.h"

/*
 * Enters all processes that BROKER can look at; of others it enters what anybody may see, marked as
 * hidden. Returns 0 or a negative errno: -ENOENT where /proc is not mounted.
 */
int scan_run(struct broker *broker, struct inventory *inventory);

#endif /* INVENTORY_SCAN_H */
