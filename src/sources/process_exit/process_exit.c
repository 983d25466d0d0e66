/* SPDX-License-Identifier: MIT */
#include "sources/process_exit/process_exit.h"

#include <string.h>

#include "catalogue/codes.h"
#include "sources/apply.h"
#include "sources/source.h"

EMBED_OBJECT(process_exit);

#define SIGNAL_NAME_SIZE 16

enum {
	SLOT_SIGNAL = SLOT_OWN,
};

/* The parts of a wait status (wait(2)). */
#define STATUS_SIGNAL(status) ((status)&0x7f)
#define STATUS_CORE(status)   ((status)&0x80)
#define STATUS_CODE(status)   ((status) >> 8 & 0xff)

static uint32_t status_of(const struct record *record)
{
	return ((const struct process_exit_event *)record->bytes)->status;
}

static void get_exit_code(const struct record *record, const struct field *field, struct value *ret)
{
	uint32_t status = status_of(record);

	(void)field;
	ret->u = STATUS_SIGNAL(status) ? 128 + STATUS_SIGNAL(status) : STATUS_CODE(status);
	ret->present =
		!(((const struct process_exit_event *)record->bytes)->flags & EXIT_STATUS_UNKNOWN);
}

static void get_core(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->b = true;
	ret->present = STATUS_CORE(status_of(record)) != 0;
}

static void get_duration(const struct record *record, const struct field *field, struct value *ret)
{
	const struct event_hdr *hdr = record->hdr;

	(void)field;
	ret->u = hdr->ts_ns > hdr->start_ns ? (hdr->ts_ns - hdr->start_ns) / 1000000 : 0;
	ret->present = true;
}

/* clang-format off */
static const struct field process_exit_fields[] = {
	{ NAMED("exit_code"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_exit_code,
	  .help = "as a shell gives it, 128 + n for signal n; left out where an old kernel did not tell" },
	{ NAMED("signal"), .type = FIELD_STR, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_slot, .at = SLOT_SIGNAL, .help = "the signal that killed it" },
	{ NAMED("core_dumped"), .type = FIELD_BOOL, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_core, .help = "it left a core dump" },
	{ NAMED("duration_ms"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_duration,
	  .help = "how long the process lived" },
	{ NAMED("start_time_ns"), .type = FIELD_ID64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = offsetof(struct event_hdr, start_ns), .text = TEXT_HIDDEN,
	  .help = "when the process was made, ns since boot: with the pid its identity" },
};
/* clang-format on */

static int process_exit_decode(struct record *record)
{
	int number = (int)STATUS_SIGNAL(status_of(record));

	if (number) {
		char *room = arena_take(record->arena, SIGNAL_NAME_SIZE);

		if (room) {
			const char *name = signal_name(number, room);

			slot_set_str(record, SLOT_SIGNAL, name, strlen(name));
		}
	}
	return STAGE_NEXT;
}

static int process_exit_apply(struct processes *processes, struct record *record)
{
	/* Entered even now, so that one the table never knew is reported once and then forgotten.
	 */
	struct process *process = process_enter(processes, record->hdr);

	if (!process)
		return STAGE_NEXT;
	return processes_exit(processes, process) ? STAGE_NEXT : STAGE_DROP;
}

static const struct source_program process_exit_programs[] = {
	{ .name = "process_exit_done", .use = PROGRAM_REQUIRED },
};

static const struct source_hook process_exit_hooks[] = {
	{ .name = "tp_btf/sched_process_exit",
	  .programs = process_exit_programs,
	  .nr_programs = ARRAY_SIZE(process_exit_programs) },
};

const struct source process_exit_source = {
	.name = "process_exit",
	.help = "a process ended",
	.fields = FIELDS(process_exit_fields),
	.min_size = sizeof(struct process_exit_event),
	.is_basic = true,
	.object = process_exit_object,
	.object_end = process_exit_object_end,
	.hooks = process_exit_hooks,
	.nr_hooks = ARRAY_SIZE(process_exit_hooks),
	.decode = process_exit_decode,
	.apply = process_exit_apply,
};
