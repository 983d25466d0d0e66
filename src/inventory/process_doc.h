/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROCESS_DOC_H
#define INVENTORY_PROCESS_DOC_H

/* One process of an inventory as an item of a document. */

#include "inventory/snapshot.h"

/* Whether PROCESS uses cryptography, as far as it was seen. */
bool process_uses_crypto(const struct inventory_process *process);

/* Fills *RET, its parts from POOL. Returns 0 or -ENOMEM. */
int process_doc_make(struct pool *pool, const struct document_source *source,
		     const struct inventory_process *process, struct snapshot_process *ret);

/* How many different libraries PROCESS maps, or crypto files it has open. */
size_t process_count_libraries(const struct inventory_process *process);
size_t process_count_files(const struct inventory_process *process);

#endif /* INVENTORY_PROCESS_DOC_H */
