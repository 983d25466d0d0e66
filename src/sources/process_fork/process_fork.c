/* SPDX-License-Identifier: MIT */
#include "sources/process_fork/process_fork.h"

#include "sources/apply.h"
#include "sources/source.h"

EMBED_OBJECT(process_fork);

/* clang-format off */
static const struct field process_fork_fields[] = {
	{ NAMED("start_time_ns"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = offsetof(struct event_hdr, start_ns), .text = TEXT_HIDDEN,
	  .help = "when the process was made, ns since boot: with the pid its identity" },
};
/* clang-format on */

static int process_fork_apply(struct processes *processes, struct record *record)
{
	const struct event_hdr *hdr = record->hdr;
	struct process *process;

	if (hdr->flags & HDR_LEFT_SET) {
		process = processes_find(processes, hdr->tgid);
		if (process)
			processes_remove(processes, process);
		return STAGE_DROP;
	}
	process = process_enter(processes, hdr);
	if (hdr->type != PROCESS_FORK)
		return STAGE_DROP;
	if (process) {
		const struct process *parent = processes_find(processes, hdr->ppid);

		process->container = parent ? parent->container : NULL;
	}
	return STAGE_NEXT;
}

static const struct source_program process_fork_programs[] = {
	{ .name = "process_fork_done", .use = PROGRAM_REQUIRED },
	{ .name = "process_renamed", .use = PROGRAM_OPTIONAL },
};

static const struct source_hook process_fork_hooks[] = {
	{ .name = "tp_btf/sched_process_fork",
	  .programs = process_fork_programs,
	  .nr_programs = ARRAY_SIZE(process_fork_programs) },
};

const struct source process_fork_source = {
	.name = "process_fork",
	.help = "a process was made (pid is the child)",
	.is_internal = true,
	.fields = FIELDS(process_fork_fields),
	.min_size = sizeof(struct process_fork_event),
	.is_basic = true,
	.object = process_fork_object,
	.object_end = process_fork_object_end,
	.hooks = process_fork_hooks,
	.nr_hooks = ARRAY_SIZE(process_fork_hooks),
	.apply = process_fork_apply,
};
