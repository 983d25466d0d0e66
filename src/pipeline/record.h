/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_RECORD_H
#define PIPELINE_RECORD_H

/*
 * A record on its way through the stages: decode, enrich, filter, redact and encode. It borrows the
 * bytes of the ring: valid until the last stage returns. Derived values live in numbered slots,
 * their bytes in the arena, which the next record overwrites.
 */

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "pipeline/field.h"
#include "wire.h"

struct source;

/* Slots that every source shares; a source's own begin at SLOT_OWN. */
enum record_slot {
	SLOT_THREAD,
	SLOT_CONTAINER,
	SLOT_OWN,
	NR_SLOTS = SLOT_OWN + 8,
};

/* Longest derived value: a directory and a name of PATH_MAX each, and room to join them. */
#define RECORD_ARENA_SIZE (3 * 4096)

struct arena {
	size_t used;
	_Alignas(8) char bytes[RECORD_ARENA_SIZE];
};

struct record {
	const struct event_hdr *hdr; /* NULL for a document */
	const uint8_t *bytes;	     /* the record, or the document's item */
	size_t size;
	const struct source *source;
	struct arena *arena;
	uint64_t unix_ns; /* hdr->ts_ns as time since the epoch */
	struct value slots[NR_SLOTS];
};

/* What a stage says. Anything negative: the tool is broken, stop. */
enum stage_result {
	STAGE_NEXT,
	STAGE_DROP,	 /* not wanted: counted as filtered */
	STAGE_MALFORMED, /* not a record: counted, skipped */
};

/* SIZE bytes of the record's arena, aligned to 8, or NULL when it is full. */
static inline char *arena_take(struct arena *arena, size_t size)
{
	size = (size + 7) & ~(size_t)7;
	if (size > sizeof(arena->bytes) - arena->used)
		return NULL;

	char *bytes = arena->bytes + arena->used;

	arena->used += size;
	return bytes;
}

/* Makes SIZE bytes at BYTES the value of SLOT. The bytes outlive the record's walk. */
static inline void slot_set_str(struct record *record, unsigned int slot, const char *bytes,
				size_t size)
{
	record->slots[slot].present = true;
	record->slots[slot].str.bytes = bytes;
	record->slots[slot].str.size = size;
}

static inline void slot_set_u64(struct record *record, unsigned int slot, uint64_t value)
{
	record->slots[slot].present = true;
	record->slots[slot].u = value;
}

#endif /* PIPELINE_RECORD_H */
