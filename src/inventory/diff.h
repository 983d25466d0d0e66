/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_DIFF_H
#define INVENTORY_DIFF_H

/*
 * What changed between two snapshots: both are JSON documents as `snapshot` writes them. An older
 * snapshot is a foreign file: bounded, and never trusted to have any particular shape.
 */

#include <stddef.h>

#include "lib/json.h"

#define DIFF_SIZE_MAX (256U << 20)

struct diff;

/*
 * Parses two documents. Returns 0, -EBADMSG when OLD is not a snapshot (RET_WHY then says what is
 * wrong, static text), or -ENOMEM. The texts need not outlive the call.
 */
int diff_new(struct diff **ret, const char *old_text, size_t old_size, const char *new_text,
	     size_t new_size, const char **ret_why);
void diff_free(struct diff *diff);

/* How many things are new, gone or changed. */
size_t diff_count(const struct diff *diff);

/* How many findings are new, of at least SEVERITY (enum severity). */
size_t diff_new_findings(const struct diff *diff, unsigned int severity);

/* Writes the document: see diff.c. */
void diff_write(const struct diff *diff, struct json *json);

#endif /* INVENTORY_DIFF_H */
