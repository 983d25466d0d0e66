/* SPDX-License-Identifier: MIT */
#include "inventory/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inspect/finding.h"
#include "inventory/document_fields.h"
#include "pipeline/coverage.h"

#define GAP(member)	 offsetof(struct document_gap, member)
#define COVERAGE(member) offsetof(struct document_coverage, member)

#define NOTE(member)	 offsetof(struct document_note, member)

/* clang-format off */
static const struct field note_table[] = {
	{ NAMED("file"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text,
	  .at = NOTE(file), .help = "the file" },
	{ NAMED("note"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = NOTE(note), .help = "why not all is known of it" },
};
static const struct fields note_fields = FIELDS(note_table);

static const struct field gap_table[] = {
	{ NAMED("what"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = GAP(what), .help = "what was not seen" },
	{ NAMED("why"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = GAP(why), .help = "for what reason" },
	{ NAMED("count"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = GAP(count), .help = "how many, as far as known" },
};
static const struct fields gap_fields = FIELDS(gap_table);

static const struct field coverage_table[] = {
	{ NAMED("method"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = COVERAGE(method), .help = "bpf: by iterators in the kernel; proc: from /proc" },
	{ NAMED("reason"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = COVERAGE(reason), .help = "why not by iterators" },
	{ NAMED("processes_examined"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = COVERAGE(nr_processes), .help = "processes that were looked into" },
	{ NAMED("processes_not_examined"), .type = FIELD_U64, .class = CLASS_PUBLIC,
	  .get = get_u64, .at = COVERAGE(nr_hidden), .help = "processes that could not be" },
	{ NAMED("files_examined"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = COVERAGE(nr_examined), .help = "files whose content was looked into" },
	{ NAMED("files_not_examined"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = COVERAGE(nr_failed), .help = "files that could not be" },
	{ NAMED("files"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = COVERAGE(notes), .sub = &note_fields,
	  .help = "files of which less is known than could be" },
	{ NAMED("not_seen"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = COVERAGE(not_seen), .sub = &gap_fields, .help = "what this run could not see" },
};
/* clang-format on */

const struct fields document_coverage_fields = FIELDS(coverage_table);

void value_set_constant(struct value *ret, const char *text)
{
	ret->str.bytes = text;
	ret->str.size = strlen(text);
	ret->present = true;
}

void get_schema_version(const struct record *record, const struct field *field, struct value *ret)
{
	(void)record;
	(void)field;
	value_set_constant(ret, SCHEMA_VERSION);
}

void get_document_version(const struct record *record, const struct field *field, struct value *ret)
{
	(void)record;
	(void)field;
	value_set_constant(ret, "1.0");
}

void get_tool(const struct record *record, const struct field *field, struct value *ret)
{
	(void)record;
	(void)field;
	value_set_constant(ret, "crypto-tracer " VERSION);
}

void document_gap(struct document_coverage *coverage, const char *what, const char *why,
		  uint64_t count)
{
	if (coverage->not_seen.count == DOCUMENT_GAPS_MAX)
		return;
	coverage->gaps[coverage->not_seen.count++] =
		(struct document_gap){ .what = what, .why = why, .count = count };
}

/* Why not all is known of OBJECT: it could not be opened, or is not what it should be. */
static const char *note_of(const struct inventory_object *object)
{
	if (object->note)
		return object->note;
	if (object->content)
		return object->content->note;
	return object->program ? object->program->note : NULL;
}

/* Lists the files with a note, in the order of their paths. Returns 0 or -ENOMEM. */
static int make_notes(struct item_list *ret, struct pool *pool, const struct inventory *inventory)
{
	struct document_note *notes;
	size_t nr_notes = 0;

	for (size_t i = 0; i < inventory->nr_objects; i++)
		nr_notes += note_of(inventory->objects[i]) != NULL;
	notes = pool_take(pool, nr_notes * sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	*ret = (struct item_list){ .items = notes, .stride = sizeof(*notes) };
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const char *note = note_of(inventory->objects[i]);

		if (note)
			notes[ret->count++] = (struct document_note){
				.file = inventory->objects[i]->path,
				.note = note,
			};
	}
	return 0;
}

int document_cover(struct document_coverage *coverage, struct pool *pool,
		   const struct document_source *source)
{
	const struct inventory *inventory = source->inventory;

	*coverage = (struct document_coverage){
		.method = source->method,
		.reason = source->reason,
		.nr_processes = inventory->nr_processes - inventory->nr_hidden,
		.nr_hidden = inventory->nr_hidden,
		.nr_examined = source->counts.nr_examined,
		.nr_failed = source->counts.nr_failed,
		.not_seen = { .items = coverage->gaps, .stride = sizeof(coverage->gaps[0]) },
	};
	if (inventory->nr_hidden)
		document_gap(coverage, "processes of other users",
			     "needs root, or CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
			     inventory->nr_hidden);
	if (inventory->is_partial)
		document_gap(coverage, "processes of other users",
			     "/proc does not show them (hidepid)", 0);
	if (inventory->nr_refused)
		document_gap(coverage, "processes or files",
			     "more than are kept; see --max-processes", inventory->nr_refused);
	if (source->counts.nr_failed)
		document_gap(coverage, "content of files",
			     "gone meanwhile, or no permission; see files",
			     source->counts.nr_failed);
	if (inventory->nr_unasked)
		document_gap(coverage, "packages of libraries",
			     "the package database could not be read, or too many of them",
			     inventory->nr_unasked);
	if (!source->is_inspected)
		document_gap(coverage, "content of files", "--no-inspect", 0);
	if (strcmp(source->method, "proc") == 0)
		document_gap(coverage, "AF_ALG and kTLS sockets of each process",
			     "/proc does not tell them", 0);
	return make_notes(&coverage->notes, pool, inventory);
}

/* Whether PROCESS has the object of its use number LAST by an earlier one, too. */
static bool is_repeated(const struct inventory_process *process, uint32_t last)
{
	for (uint32_t i = 0; i < last; i++)
		if (process->uses[i].object == process->uses[last].object)
			return true;
	return false;
}

/* Whether PROCESS maps the program it runs, as a library that is a program does. */
static bool has_exe_twice(const struct inventory_process *process)
{
	for (uint32_t i = 0; i < process->nr_uses; i++)
		if (process->uses[i].object == process->exe)
			return true;
	return false;
}

/* One more user of LIST; entered where there is room for it by now, else counted. */
static void add_user(struct item_list *list, const struct inventory_process *process)
{
	struct process_name *names = (struct process_name *)list->items;
	struct process_name *name;

	if (!names) {
		list->count++;
		return;
	}
	name = &names[list->count++];
	name->pid = process->pid;
	memcpy(name->name, process->comm, sizeof(name->name));
}

/* Every process with every object that it has, each pair once. */
static void add_users(const struct inventory *inventory, struct item_list *lists)
{
	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		for (uint32_t j = 0; j < process->nr_uses; j++)
			if (!is_repeated(process, j))
				add_user(&lists[process->uses[j].object->position], process);
		if (process->exe && !has_exe_twice(process))
			add_user(&lists[process->exe->position], process);
	}
}

int document_users_make(struct pool *pool, const struct inventory *inventory,
			struct document_users *ret)
{
	struct item_list *lists = pool_take(pool, inventory->nr_objects * sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	/* First how many, then who. */
	add_users(inventory, lists);
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		lists[i].stride = sizeof(struct process_name);
		lists[i].items = pool_take(pool, lists[i].count * sizeof(struct process_name));
		if (!lists[i].items)
			return -ENOMEM;
		lists[i].count = 0;
	}
	add_users(inventory, lists);
	ret->lists = lists;
	return 0;
}

const char *document_base_name(const struct inventory_object *object)
{
	const char *slash = strrchr(object->path, '/');

	return slash ? slash + 1 : object->path;
}

const char *document_user(struct pool *pool, const struct users *users, uint32_t uid)
{
	const char *name = users ? users_name(users, uid) : NULL;
	char number[16];

	if (name)
		return name;
	return pool_text(pool, number, (size_t)snprintf(number, sizeof(number), "%u", uid));
}
