/* SPDX-License-Identifier: MIT */
#include "pipeline/pipeline.h"

#include <errno.h>
#include <string.h>

#include "pipeline/decode.h"
#include "sources/apply.h"

static void enrich(struct pipeline *pipeline, struct record *record)
{
	const struct event_hdr *hdr = record->hdr;
	struct process *process = processes_find(pipeline->processes, hdr->tgid);

	/* Every record is news of its process: its user changes without a record of its own. */
	if (process && process->start_ns == hdr->start_ns)
		process_update(process, hdr);
	else if (hdr->start_ns)
		process = process_enter(pipeline->processes, hdr);
	record->unix_ns = boot_clock_unix(&pipeline->clock, hdr->ts_ns);
	if (memcmp(hdr->comm, hdr->thread, COMM_SIZE) != 0)
		slot_set_str(record, SLOT_THREAD, hdr->thread, strnlen(hdr->thread, COMM_SIZE));
	if (process && process->container) {
		record->slots[SLOT_CONTAINER].present = true;
		record->slots[SLOT_CONTAINER].obj = process->container;
	}
}

/* Runs the stages before the output. Returns enum stage_result. */
static int judge(struct pipeline *pipeline, struct record *record, const void *bytes, size_t size)
{
	int result = record_decode(record, &pipeline->arena, bytes, size);

	/* A record that is not wanted may still change the process table. */
	if (result != STAGE_MALFORMED && record->source->apply) {
		int applied = record->source->apply(pipeline->processes, record);

		if (applied != STAGE_NEXT)
			result = applied;
	}
	if (result == STAGE_NEXT && pipeline->handlers[source_id(record->source)].resolve) {
		const struct pipeline_handler *handler =
			&pipeline->handlers[source_id(record->source)];

		result = handler->resolve(handler->resolve_ctx, record);
	}
	if (result == STAGE_NEXT)
		result = filter_record(&pipeline->filter, record);
	if (result == STAGE_NEXT)
		enrich(pipeline, record);
	return result;
}

static int write_record(struct pipeline *pipeline, struct fate *fate, struct record *record)
{
	const struct fields *const tables[] = { &event_head_fields, &record->source->fields };
	const struct pipeline_handler *handler = &pipeline->handlers[source_id(record->source)];
	int err;

	if (pipeline->max_events && pipeline->nr_written >= pipeline->max_events) {
		fate->throttled++;
		return -ECANCELED;
	}
	if (handler->handle)
		handler->handle(handler->ctx, record);
	err = pipeline->writer ? writer_record(pipeline->writer, record, tables, 2) : 0;
	if (err) {
		fate->sink_failed++;
		return err;
	}
	fate->written++;
	pipeline->nr_written++;
	return pipeline->nr_written == pipeline->max_events ? -ECANCELED : 0;
}

int pipeline_record(struct pipeline *pipeline, const void *bytes, size_t size)
{
	struct record record;
	int result = judge(pipeline, &record, bytes, size);

	if (!record.source) {
		pipeline->nr_unknown++;
		return 0;
	}

	struct fate *fate = &pipeline->fates[source_id(record.source)];

	switch (result) {
	case STAGE_NEXT:
		return write_record(pipeline, fate, &record);
	case STAGE_DROP:
		fate->filtered++;
		return 0;
	default:
		fate->malformed++;
		return 0;
	}
}

uint64_t fate_total(const struct fate *fate)
{
	return fate->malformed + fate->filtered + fate->throttled + fate->sink_failed +
	       fate->written;
}
