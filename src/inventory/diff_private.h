/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_DIFF_PRIVATE_H
#define INVENTORY_DIFF_PRIVATE_H

/*
 * What diff.c finds and diff_document.c and diff_text.c tell (diff_notes.c: what it could not).
 * Changes borrow from the facts, and these from the documents; all of them belong to the struct
 * diff.
 */

#include <stdbool.h>
#include <stddef.h>

#include "inventory/diff.h"
#include "inventory/facts.h"

struct json_object;

/* What one snapshot says about one thing: a run of its facts with the same ids, in their order. */
struct thing {
	const struct fact *facts;
	size_t nr_facts;
};

enum change_kind {
	CHANGE_new,
	CHANGE_gone,
	CHANGE_changed,
	NR_CHANGE_KINDS
};

struct change {
	enum change_kind kind;
	struct thing old; /* empty when new */
	struct thing new; /* empty when gone */
};

struct changes {
	struct change *items; /* in the order of their ids */
	size_t nr_items;
	size_t cap;
	size_t nr_of[NR_CHANGE_KINDS];
	unsigned int compared; /* FACTS_KNOWN(N): attribute N is told by both */
};

enum side {
	SIDE_old,
	SIDE_new,
	NR_SIDES
};

struct diff_side {
	struct json_object *document;
	struct facts facts[NR_FACTS_SECTIONS];
};

struct diff {
	struct diff_side sides[NR_SIDES];
	struct changes sections[NR_FACTS_SECTIONS];
};

/* All values of an attribute, also FACTS_THERE, of a thing: a shorter run. */
struct thing diff_values(struct thing thing, unsigned int attribute);

/* The one that names a change: the new one, if there is one. */
static inline struct thing diff_thing(const struct change *change)
{
	return change->new.nr_facts > 0 ? change->new : change->old;
}

/* Whether attribute number ATTRIBUTE (from 1) changed, judged by what both snapshots tell. */
bool diff_has(const struct changes *changes, const struct facts_info *info,
	      const struct change *change, unsigned int attribute);

/* How many changes are of KIND, in all sections. */
size_t diff_count_of(const struct diff *diff, enum change_kind kind);

/* A member of the document that is text, or NULL. */
const char *diff_side_text(const struct diff_side *side, const char *name);

#define DIFF_NOTE_MAX 128

/*
 * Writes note number INDEX to TEXT, if there is one; returns whether. Notes say what could not be
 * compared.
 */
bool diff_note(const struct diff *diff, size_t index, char text[static DIFF_NOTE_MAX]);

#endif /* INVENTORY_DIFF_PRIVATE_H */
