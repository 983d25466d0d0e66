/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_SCAN_H
#define INVENTORY_SCAN_H

/*
 * An inventory from the text of /proc, where BPF iterators do not load or may not be used. Gives
 * the same as iterate.h, but for sockets: /proc does not tell whose kernel crypto they use, nor of
 * those that scan_sockets.h names.
 */

#include <stdbool.h>

#include "inventory/inventory.h"
#include "priv/broker.h"

/*
 * Enters all processes that BROKER can look at; of others it enters what anybody may see, marked as
 * hidden. Returns 0 or a negative errno: -ENOENT where /proc is not mounted.
 */
int scan_run(struct broker *broker, struct inventory *inventory);

/*
 * Whether ERR is of this process, not of the one that is looked at: then no other could be looked
 * at either, and an inventory that is empty must not pass for one of nothing.
 */
bool scan_is_own(int err);

#endif /* INVENTORY_SCAN_H */
