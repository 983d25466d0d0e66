/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

/*
 * The way of a record: decode, apply to the process table, enrich, filter, write. Whatever becomes
 * of it is counted, so that sent == malformed + filtered + throttled + sink_failed + written +
 * left_at_exit for every source. Borrows all that it is given.
 */

#include <stdint.h>

#include "pipeline/clock.h"
#include "pipeline/filter.h"
#include "pipeline/record.h"
#include "proc/processes.h"
#include "sinks/sink.h"
#include "sources/source.h"

/* What became of one source's records in user space. */
struct fate {
	uint64_t malformed;
	uint64_t filtered;
	uint64_t throttled; /* beyond --max-events */
	uint64_t sink_failed;
	uint64_t written;
};

/* What a command adds to the records of one source. */
struct pipeline_handler {
	/* Before they are filtered; NULL: nothing. Returns enum stage_result. */
	int (*resolve)(void *ctx, struct record *record);
	void *resolve_ctx;
	/* Before they are written; NULL: nothing. */
	void (*handle)(void *ctx, struct record *record);
	void *ctx;
};

struct pipeline {
	struct filter filter;
	struct boot_clock clock;
	struct processes *processes;
	struct writer *writer; /* NULL: the handlers are all there is */
	uint64_t max_events;   /* 0: no limit */
	uint64_t nr_written;
	uint64_t nr_unknown; /* records of no known source */
	struct fate fates[NR_SOURCES];
	struct pipeline_handler handlers[NR_SOURCES];
	struct arena arena;
};

/*
 * Takes one record. Returns 0, also for one that is dropped; -ECANCELED when --max-events are
 * written; another negative errno when the output is gone.
 */
int pipeline_record(struct pipeline *pipeline, const void *bytes, size_t size);

/* Records of SOURCE that reached user space. */
uint64_t fate_total(const struct fate *fate);

#endif /* PIPELINE_PIPELINE_H */
