/* SPDX-License-Identifier: MIT */
#ifndef TAP_DRAFT_H
#define TAP_DRAFT_H

/*
 * A record made in user space, in the form of those of the kernel: the fixed part, then what its
 * tails point to. Never longer than a tail can say; what does not fit is left out and remembered.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire.h"

#define DRAFT_SIZE (64U << 10)

struct draft {
	size_t size;
	bool is_cut;
	_Alignas(8) uint8_t bytes[DRAFT_SIZE];
};

/* Begins a record with a fixed part of SIZE bytes, zeros. Returns it. */
static inline void *draft_begin(struct draft *draft, size_t size)
{
	memset(draft->bytes, 0, size);
	draft->size = size;
	draft->is_cut = false;
	return draft->bytes;
}

/* Appends SIZE bytes at an offset that is a multiple of ALIGN. */
static inline struct tail draft_add(struct draft *draft, const void *bytes, size_t size,
				    size_t align)
{
	size_t at = (draft->size + align - 1) / align * align;

	if (!size)
		return (struct tail){ 0 };
	if (at > DRAFT_SIZE - 1 || size > DRAFT_SIZE - 1 - at) {
		draft->is_cut = true;
		return (struct tail){ 0 };
	}
	memset(draft->bytes + draft->size, 0, at - draft->size);
	memcpy(draft->bytes + at, bytes, size);
	draft->size = at + size;
	return (struct tail){ .off = (uint16_t)at, .size = (uint16_t)size };
}

/* Makes TAIL, which nothing was appended behind, longer by SIZE bytes. */
static inline void draft_extend(struct draft *draft, struct tail *tail, const void *bytes,
				size_t size)
{
	struct tail more = draft_add(draft, bytes, size, 1);

	if (!tail->size)
		*tail = more;
	else
		tail->size = (uint16_t)(tail->size + more.size);
}

/* Appends a verdict to TAIL, as sources/verdicts.h has them; a longer evidence is cut. */
static inline void draft_verdict(struct draft *draft, struct tail *tail, uint8_t rule,
				 const char *evidence)
{
	size_t size = strlen(evidence);
	uint8_t head[2] = { rule, (uint8_t)(size < UINT8_MAX ? size : UINT8_MAX) };

	draft_extend(draft, tail, head, sizeof(head));
	draft_extend(draft, tail, evidence, head[1]);
}

#endif /* TAP_DRAFT_H */
