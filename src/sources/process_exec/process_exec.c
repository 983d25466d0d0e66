/* SPDX-License-Identifier: MIT */
#include "sources/process_exec/process_exec.h"

#include "sources/apply.h"
#include "sources/source.h"

EMBED_OBJECT(process_exec);

#define AT(member) offsetof(struct process_exec_event, member)

static void get_truncated(const struct record *record, const struct field *field, struct value *ret)
{
	const struct process_exec_event *event = (const void *)record->bytes;

	(void)field;
	ret->b = event->flags & (EXEC_ARGV_CUT | EXEC_PATH_CUT | EXEC_ARGV_FAULT);
	ret->present = true;
}

/* clang-format off */
static const struct field process_exec_fields[] = {
	{ NAMED("exe"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_tail, .at = AT(exe),
	  .text = TEXT_BARE, .help = "the program that runs; for a script its interpreter" },
	{ NAMED("cmdline"), .type = FIELD_CMDLINE, .class = CLASS_ARGS, .get = get_tail,
	  .at = AT(argv), .text = TEXT_BARE, .help = "the arguments, joined by spaces" },
	{ NAMED("argv"), .type = FIELD_STRV, .class = CLASS_ARGS, .get = get_tail, .at = AT(argv),
	  .text = TEXT_HIDDEN,
	  .help = "the arguments, the program's own name first; at most 16 KiB in all" },
	{ NAMED("cwd"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_tail, .at = AT(cwd),
	  .text = TEXT_HIDDEN, .help = "the working directory" },
	{ NAMED("start_time_ns"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = AT(hdr.start_ns), .text = TEXT_HIDDEN,
	  .help = "when the process was made, ns since boot: with the pid its identity" },
	{ NAMED("truncated"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_truncated,
	  .text = TEXT_HIDDEN, .help = "whether arguments or a path are not whole" },
};
/* clang-format on */

static int process_exec_apply(struct processes *processes, struct record *record)
{
	const struct process_exec_event *event = (const void *)record->bytes;
	struct process *process = process_enter(processes, &event->hdr);

	if (!process)
		return STAGE_NEXT;
	processes_exec(process);
	process->container = processes_container(
		processes, (const char *)record->bytes + event->cgroup.off, event->cgroup.size);
	return STAGE_NEXT;
}

static const size_t process_exec_tails[] = { AT(exe), AT(cwd), AT(argv), AT(cgroup) };

static const struct source_program process_exec_programs[] = {
	{ .name = "process_exec_done", .use = PROGRAM_REQUIRED },
};

static const struct source_hook process_exec_hooks[] = {
	{ .name = "tp_btf/sched_process_exec",
	  .is_preempted = true,
	  .programs = process_exec_programs,
	  .nr_programs = ARRAY_SIZE(process_exec_programs) },
};

const struct source process_exec_source = {
	.name = "process_exec",
	.help = "a program was executed",
	.fields = FIELDS(process_exec_fields),
	.min_size = sizeof(struct process_exec_event),
	.tails = process_exec_tails,
	.nr_tails = ARRAY_SIZE(process_exec_tails),
	.is_basic = true,
	.object = process_exec_object,
	.object_end = process_exec_object_end,
	.hooks = process_exec_hooks,
	.nr_hooks = ARRAY_SIZE(process_exec_hooks),
	.apply = process_exec_apply,
};
