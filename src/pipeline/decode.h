/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_DECODE_H
#define PIPELINE_DECODE_H

#include "pipeline/record.h"

/*
 * Makes RECORD of the SIZE bytes at BYTES: checks head, source, size and every tail, so that no
 * later stage reads outside, then lets the source fill its slots. BYTES are aligned to 8, as the
 * ring's records are, and borrowed; ARENA, emptied here, holds derived values. Returns enum
 * stage_result; with STAGE_MALFORMED only record->source is set, NULL when not even that is known.
 */
int record_decode(struct record *record, struct arena *arena, const void *bytes, size_t size);

#endif /* PIPELINE_DECODE_H */
