/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_DOCUMENT_H
#define INVENTORY_DOCUMENT_H

/*
 * What the documents made from an inventory share: who has a file, what was and was not looked
 * into. A document borrows the inventory and everything else it is made from; its own parts are in
 * a pool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/examine.h"
#include "inventory/host.h"
#include "inventory/inventory.h"
#include "lib/pool.h"
#include "pipeline/field.h"
#include "proc/users.h"

#define DOCUMENT_GAPS_MAX 16

/* Something that was not seen. */
struct document_gap {
	const char *what;
	const char *why;
	uint64_t count;
};

/* A file of which less is known than could be. */
struct document_note {
	const char *file;
	const char *note;
};

struct document_coverage {
	const char *method; /* "bpf" or "proc" */
	const char *reason; /* why not the better one; NULL */
	uint64_t nr_processes;
	uint64_t nr_hidden;
	uint64_t nr_examined;
	uint64_t nr_failed;
	struct item_list notes;	   /* of struct document_note */
	struct item_list not_seen; /* of struct document_gap */
	struct document_gap gaps[DOCUMENT_GAPS_MAX];
};

/* What a document is made from; all of it borrowed. */
struct document_source {
	struct inventory *inventory;
	const struct host_crypto *host;
	const struct users *users;
	const char *hostname;
	const char *kernel;
	const char *method;
	const char *reason;
	uint64_t now_ns;   /* since the epoch */
	int64_t offset_ns; /* time since the epoch minus boot time */
	struct examine_counts counts;
	bool is_inspected;
};

/* The processes that have each object, by its position: arrays of struct process_name. */
struct document_users {
	struct item_list *lists;
};

extern const struct fields document_coverage_fields;

/* Who has what, for all objects. Returns 0 or -ENOMEM. */
int document_users_make(struct pool *pool, const struct inventory *inventory,
			struct document_users *ret);

/* Fills *COVERAGE. Returns 0 or -ENOMEM. */
int document_cover(struct document_coverage *coverage, struct pool *pool,
		   const struct document_source *source);
void document_gap(struct document_coverage *coverage, const char *what, const char *why,
		  uint64_t count);

/* The name behind the last slash of OBJECT's path. */
const char *document_base_name(const struct inventory_object *object);

/* The user UID by name, or the number as text from POOL; NULL: no memory. */
const char *document_user(struct pool *pool, const struct users *users, uint32_t uid);

#endif /* INVENTORY_DOCUMENT_H */
