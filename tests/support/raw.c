/* SPDX-License-Identifier: MIT */
#include "support/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_size(struct raw *raw, size_t size)
{
	raw->size = size;
	raw_hdr(raw)->size = (uint32_t)size;
}

void raw_begin(struct raw *raw, enum source_id source)
{
	size_t size = sources[source]->min_size;

	memset(raw->bytes, 0, size);
	*raw_hdr(raw) = (struct event_hdr){
		.version = WIRE_VERSION,
		.source = (uint16_t)source,
		.ts_ns = RAW_TS_NS,
		.start_ns = RAW_START_NS,
		.tgid = RAW_PID,
		.tid = RAW_PID,
		.ppid = RAW_PPID,
		.uid = RAW_UID,
		.gid = RAW_UID,
		.comm = RAW_COMM,
		.thread = RAW_COMM,
	};
	set_size(raw, size);
}

void raw_tail(struct raw *raw, size_t at, const void *bytes, size_t size)
{
	struct tail tail = { .off = (uint16_t)raw->size, .size = (uint16_t)size };

	if (raw->size > UINT16_MAX || size > UINT16_MAX || raw->size + size > sizeof(raw->bytes)) {
		fprintf(stderr, "raw_tail: %zu bytes at %zu are too many\n", size, raw->size);
		abort();
	}
	if (size)
		memcpy(raw->bytes + raw->size, bytes, size);
	memcpy(raw->bytes + at, &tail, sizeof(tail));
	set_size(raw, raw->size + size);
}

void raw_tail_text(struct raw *raw, size_t at, const char *text)
{
	raw_tail(raw, at, text, strlen(text));
}

void raw_pad(struct raw *raw)
{
	size_t padded = (raw->size + 7) & ~(size_t)7;

	memset(raw->bytes + raw->size, 0, padded - raw->size);
	set_size(raw, padded);
}
