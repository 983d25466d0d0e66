/* SPDX-License-Identifier: MIT */
#include "sources/source.h"

#include <string.h>

#include "pipeline/appender.h"

const struct source *const sources[NR_SOURCES] = {
#define SOURCE(id, name) [id] = &name##_source,
#include "sources.def"
#undef SOURCE
};

static void get_event_type(const struct record *record, const struct field *field,
			   struct value *ret)
{
	(void)field;
	ret->present = true;
	ret->str.bytes = record->source->name;
	ret->str.size = strlen(record->source->name);
}

static void get_timestamp(const struct record *record, const struct field *field, struct value *ret)
{
	(void)field;
	ret->present = true;
	ret->u = record->unix_ns;
}

/* Of a mapping in a process that the table does not know, pid and time are all there is. */
static void get_of_process(const struct record *record, const struct field *field,
			   struct value *ret)
{
	if (record->hdr->start_ns)
		get_u32(record, field, ret);
}

/* clang-format off */
static const struct field container_item[] = {
	{ NAMED("id"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text, .at = 0,
	  .help = "identifier that the container engine gave, as its control group tells" },
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_text, .at = sizeof(char *),
	  .help = "name of the container, where its control group tells" },
};
/* clang-format on */

static const struct fields container_fields = FIELDS(container_item);

#define HDR(member) offsetof(struct event_hdr, member)

/* clang-format off */
static const struct field head[] = {
	{ NAMED("event_type"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_event_type,
	  .help = "name of the event" },
	{ NAMED("timestamp"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_timestamp,
	  .help = "when it happened, UTC" },
	{ NAMED("pid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = HDR(tgid), .help = "process" },
	{ NAMED("ppid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = OF_PROCESS,
	  .get = get_of_process, .at = HDR(ppid), .help = "its parent at that moment" },
	{ NAMED("uid"), .type = FIELD_U64, .class = CLASS_PUBLIC, .presence = OF_PROCESS,
	  .get = get_of_process, .at = HDR(uid), .help = "real user id" },
	{ NAMED("process"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_comm,
	  .at = HDR(comm), .help = "name of the process, at most 15 bytes, as the kernel keeps it" },
	{ NAMED("thread"), .type = FIELD_STR, .class = CLASS_TEXT, .presence = SOMETIMES,
	  .get = get_slot, .at = SLOT_THREAD,
	  .help = "name of the thread, where it differs from the process's" },
	{ NAMED("container"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .presence = SOMETIMES,
	  .get = get_slot, .at = SLOT_CONTAINER, .sub = &container_fields,
	  .help = "container that the process belongs to" },
};
/* clang-format on */

const struct fields event_head_fields = FIELDS(head);

const struct source *source_find(const char *name, size_t size)
{
	for (size_t i = 0; i < NR_SOURCES; i++)
		if (strlen(sources[i]->name) == size && memcmp(sources[i]->name, name, size) == 0)
			return sources[i];
	return NULL;
}

const struct source_hook *source_hook_find(const struct source *source, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < source->nr_hooks; i++)
		if (strcmp(source->hooks[i].name, name) == 0)
			return &source->hooks[i];
	for (size_t i = 0; size && i < source->nr_hooks; i++)
		if (strcspn(source->hooks[i].name, "/") == size &&
		    memcmp(source->hooks[i].name, name, size) == 0)
			return &source->hooks[i];
	return NULL;
}

const char *source_hook_names(const struct source *source, char *text, size_t size)
{
	struct appender names = appender_make(text, size);

	for (size_t i = 0; i < source->nr_hooks; i++) {
		append_text(&names, i ? "\n    " : "    ");
		append_text(&names, source->hooks[i].name);
	}
	return text;
}

enum source_id source_id(const struct source *source)
{
	for (size_t i = 0; i < NR_SOURCES; i++)
		if (sources[i] == source)
			return (enum source_id)i;
	return NR_SOURCES;
}
