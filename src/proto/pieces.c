/* SPDX-License-Identifier: MIT */
#include "proto/pieces.h"

#include <stddef.h>
#include <string.h>

/* Copies what of [AT, END) is in none of the NR_KNOWN pieces, which are in order. */
static void fill_holes(uint8_t *whole, uint32_t at, uint32_t end, const uint8_t *bytes,
		       const struct piece *known, uint32_t nr_known)
{
	uint32_t from = at;

	for (uint32_t i = 0; i < nr_known; i++) {
		if (known[i].start > from)
			memcpy(whole + from, bytes + (from - at), known[i].start - from);
		if (known[i].end > from)
			from = known[i].end;
	}
	if (from < end)
		memcpy(whole + from, bytes + (from - at), end - from);
}

bool pieces_put(struct pieces *pieces, uint8_t *whole, uint32_t at, const uint8_t *bytes,
		uint32_t size)
{
	struct piece *list = pieces->list;
	struct piece joined = { at, at + size };
	uint32_t first = 0, behind;

	if (size == 0)
		return true;
	while (first < pieces->count && list[first].end < at)
		first++;
	behind = first;
	while (behind < pieces->count && list[behind].start <= joined.end)
		behind++;
	if (first == behind && pieces->count == PIECES_MAX)
		return false;
	fill_holes(whole, at, joined.end, bytes, list + first, behind - first);
	if (first < behind) {
		if (list[first].start < joined.start)
			joined.start = list[first].start;
		if (list[behind - 1].end > joined.end)
			joined.end = list[behind - 1].end;
	}
	/* One takes the place of all that it touches. */
	memmove(list + first + 1, list + behind, (pieces->count - behind) * sizeof(*list));
	list[first] = joined;
	pieces->count += 1 - (behind - first);
	return true;
}
