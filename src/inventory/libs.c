/* SPDX-License-Identifier: MIT */
#include "inventory/libs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inventory/document_fields.h"

#define ITEM(member)	 offsetof(struct libs_item, member)
#define SUMMARY(member)	 offsetof(struct libs_summary, member)
#define DOCUMENT(member) offsetof(struct libs, member)

/* clang-format off */
static const struct field item_table[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ITEM(name), .help = "name of the file" },
	{ NAMED("path"), .type = FIELD_STR, .class = CLASS_PATH, .get = get_text,
	  .at = ITEM(path), .help = "the file, as the process's root has it" },
	{ NAMED("family"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = ITEM(family), .codes = &library_family_codes,
	  .help = "the project it belongs to" },
	{ NAMED("version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ITEM(version), .help = "its version, from the file itself" },
	{ NAMED("package"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ITEM(package), .help = "the package it came with, and its version" },
	{ NAMED("build_id"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = ITEM(build_id), .help = "the linker's build id, hexadecimal" },
	{ NAMED("soname"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = ITEM(soname), .help = "the name that programs are linked with" },
	{ NAMED("stale"), .type = FIELD_BOOL, .class = CLASS_PUBLIC, .get = get_bool,
	  .at = ITEM(is_stale), .help = "whether it was deleted or replaced on disk since" },
	{ NAMED("disk_version"), .type = FIELD_STR, .class = CLASS_PUBLIC,
	  .presence = SOMETIMES, .get = get_text, .at = ITEM(disk_version),
	  .help = "version of the file that has its place now" },
	{ NAMED("processes"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = ITEM(processes), .sub = &process_name_fields, .help = "who maps it" },
};
static const struct fields item_fields = FIELDS(item_table);

static const struct field summary_table[] = {
	{ NAMED("libraries"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = SUMMARY(libraries), .help = "different libraries" },
	{ NAMED("processes"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = SUMMARY(processes), .help = "processes that map one of them or more" },
	{ NAMED("stale"), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = SUMMARY(stale), .help = "libraries that were replaced on disk since" },
};
static const struct fields summary_fields = FIELDS(summary_table);

static const struct field libs_table[] = {
	{ NAMED("schema_version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_schema_version,
	  .help = "version of these names and shapes" },
	{ NAMED("libs_version"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_document_version,
	  .help = "version of this document" },
	{ NAMED("generated_at"), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,
	  .at = DOCUMENT(now_ns), .help = "when it was taken, UTC" },
	{ NAMED("hostname"), .type = FIELD_STR, .class = CLASS_HOST, .get = get_text,
	  .at = DOCUMENT(hostname), .help = "name of the host" },
	{ NAMED("kernel"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = DOCUMENT(kernel), .help = "release of its kernel" },
	{ NAMED("libraries"), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,
	  .at = DOCUMENT(libraries), .sub = &item_fields,
	  .help = "crypto libraries in use, by path" },
	{ NAMED("summary"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(summary), .sub = &summary_fields, .help = "counts" },
	{ NAMED("coverage"), .type = FIELD_OBJ, .class = CLASS_PUBLIC, .get = get_embedded,
	  .at = DOCUMENT(coverage), .sub = &document_coverage_fields,
	  .help = "what was and was not looked into" },
};
/* clang-format on */

const struct fields libs_fields = FIELDS(libs_table);

/* Whether OBJECT is a library in use that one of the patterns names; without patterns every one. */
static bool is_wanted(const struct inventory_object *object, const char *const *patterns,
		      size_t nr_patterns)
{
	if (object->family == LIBRARY_FAMILY_none || !object->nr_users)
		return false;
	for (size_t i = 0; i < nr_patterns; i++)
		if (library_matches(object->path, object->path_size, object->family, patterns[i]))
			return true;
	return nr_patterns == 0;
}

/* OBJECT as an item of the document; borrows everything from it. */
static struct libs_item item_of(const struct inventory_object *object,
				const struct item_list *users)
{
	const struct program *program = object->program;

	return (struct libs_item){
		.name = document_base_name(object),
		.path = object->path,
		.family = object->family,
		.version = inventory_version(object),
		.disk_version = object->disk_version,
		.package = object->package,
		.build_id = program && program->build_id[0] ? program->build_id : NULL,
		.soname = program ? program->soname : NULL,
		.is_stale = object->is_deleted,
		.processes = *users,
	};
}

/* How many processes map a library that is wanted. */
static uint64_t count_processes(const struct inventory *inventory, const char *const *patterns,
				size_t nr_patterns)
{
	uint64_t n = 0;

	for (size_t i = 0; i < inventory->nr_processes; i++) {
		const struct inventory_process *process = inventory->processes[i];

		for (uint32_t j = 0; j < process->nr_uses; j++) {
			if (process->uses[j].is_open ||
			    !is_wanted(process->uses[j].object, patterns, nr_patterns))
				continue;
			n++;
			break;
		}
	}
	return n;
}

int libs_new(struct libs **ret, const struct document_source *source, const char *const *patterns,
	     size_t nr_patterns)
{
	const struct inventory *inventory = source->inventory;
	struct libs *libs = calloc(1, sizeof(*libs));
	struct document_users users;
	struct libs_item *items;
	int err;

	if (!libs)
		return -ENOMEM;
	libs->now_ns = source->now_ns;
	libs->hostname = source->hostname;
	libs->kernel = source->kernel;
	items = pool_take(&libs->pool, inventory->nr_objects * sizeof(*items));
	err = items ? document_users_make(&libs->pool, inventory, &users) : -ENOMEM;
	if (!err)
		err = document_cover(&libs->coverage, &libs->pool, source);
	if (err) {
		libs_free(libs);
		return err;
	}
	libs->libraries = (struct item_list){ .items = items, .stride = sizeof(*items) };
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];

		if (!is_wanted(object, patterns, nr_patterns))
			continue;
		items[libs->libraries.count++] = item_of(object, &users.lists[object->position]);
		libs->summary.stale += object->is_deleted;
	}
	libs->summary.libraries = libs->libraries.count;
	libs->summary.processes = count_processes(inventory, patterns, nr_patterns);
	*ret = libs;
	return 0;
}

void libs_free(struct libs *libs)
{
	if (!libs)
		return;
	pool_free(&libs->pool);
	free(libs);
}
