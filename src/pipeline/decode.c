/* SPDX-License-Identifier: MIT */
#include "pipeline/decode.h"

#include <string.h>

#include "sources/source.h"

static bool tails_fit(const struct source *source, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < source->nr_tails; i++) {
		struct tail tail;

		memcpy(&tail, bytes + source->tails[i], sizeof(tail));
		if (tail.size == 0)
			continue;
		if (tail.off < source->min_size || tail.off > size || tail.size > size - tail.off)
			return false;
	}
	return true;
}

int record_decode(struct record *record, struct arena *arena, const void *bytes, size_t size)
{
	struct event_hdr hdr;

	*record = (struct record){ .arena = arena };
	arena->used = 0;
	if (size < sizeof(hdr))
		return STAGE_MALFORMED;
	memcpy(&hdr, bytes, sizeof(hdr));
	if (hdr.version != WIRE_VERSION || hdr.source >= NR_SOURCES || !sources[hdr.source])
		return STAGE_MALFORMED;
	record->source = sources[hdr.source];
	/* In the ring it may have more room than it took. */
	if (hdr.size > size)
		return STAGE_MALFORMED;
	size = hdr.size;
	if (size < record->source->min_size || !tails_fit(record->source, bytes, size))
		return STAGE_MALFORMED;
	record->hdr = bytes;
	record->bytes = bytes;
	record->size = size;
	return record->source->decode ? record->source->decode(record) : STAGE_NEXT;
}
