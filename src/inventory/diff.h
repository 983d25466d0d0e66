/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_DIFF_H
#define INVENTORY_DIFF_H

/*
 * What changed between two snapshots: both are JSON documents as `snapshot` writes them. An older
 * snapshot is a foreign file: bounded, and never trusted to have any particular shape.
 *
 * PIDs, numbers of processes, days left and counters are no changes, see facts.h. What only one of
 * the two tells about at all (an older version wrote it, or it was not allowed to look) is a note
 * instead of a thousand new things.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"
#include "lib/json_document.h"

#define DIFF_SIZE_MAX JSON_DOCUMENT_MAX

struct diff;

/*
 * Parses two documents. Returns 0, -EBADMSG when one is not a snapshot (RET_WHY then says what is
 * wrong, static text: "not JSON" of the old, "the new one is not JSON" of the new), or -ENOMEM. The
 * texts need not outlive the call.
 */
int diff_new(struct diff **ret, const char *old_text, size_t old_size, const char *new_text,
	     size_t new_size, const char **ret_why);
void diff_free(struct diff *diff);

/* How many things are new, gone or changed. */
size_t diff_count(const struct diff *diff);

/*
 * How many findings are new, of at least SEVERITY (enum severity). One whose severity is not known
 * here counts, and all of them where OLD tells of no findings: a gate had better be too strict.
 */
size_t diff_new_findings(const struct diff *diff, unsigned int severity);

/* Writes the document, whose shape diff_document.c tells. Errors stick to JSON. */
void diff_write(const struct diff *diff, struct json *json);

/*
 * Renders the changes for people into *RET, NUL-terminated, for the caller to free: lines of at
 * most 80 columns, "+" before what is new, "-" what is gone, "~" what changed. Returns 0 or
 * -ENOMEM.
 */
int diff_text(const struct diff *diff, bool has_color, char **ret);

#endif /* INVENTORY_DIFF_H */
