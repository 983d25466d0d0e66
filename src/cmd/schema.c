/* SPDX-License-Identifier: MIT */
/* `schema`: the shape of the output, told by walking the field tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "cmd/cmd.h"
#include "cmd/errors.h"
#include "inventory/libs.h"
#include "inventory/profile.h"
#include "inventory/snapshot.h"
#include "lib/json.h"
#include "lib/output.h"
#include "pipeline/coverage.h"
#include "sources/source.h"

#define BUFFER_SIZE (16U << 10)
#define NAME_SIZE   64 /* of a field in a table for people, with those it is below */

/* One kind of line in a stream, or a document. */
struct shape {
	const char *name; /* NULL: an object in a line */
	const char *help;
	const struct fields *tables[2];
	size_t nr_tables;
	const struct source *source; /* NULL: none's event */
};

/*
 * The I-th shape: of a stream start, each source, coverage; then the documents. Returns false after
 * the last.
 */
static bool shape_at(size_t i, struct shape *ret)
{
	if (i == 0) {
		*ret = (struct shape){
			.name = "start",
			.help = "first line of a stream",
			.tables = { &start_fields },
			.nr_tables = 1,
		};
	} else if (i <= NR_SOURCES) {
		*ret = (struct shape){
			.name = sources[i - 1]->name,
			.help = sources[i - 1]->help,
			.tables = { &event_head_fields, &sources[i - 1]->fields },
			.nr_tables = 2,
			.source = sources[i - 1],
		};
	} else if (i == NR_SOURCES + 1) {
		*ret = (struct shape){
			.name = "coverage",
			.help = "last line of a stream, and every 60 s of an endless one",
			.tables = { &coverage_fields },
			.nr_tables = 1,
		};
	} else if (i == NR_SOURCES + 2) {
		*ret = (struct shape){
			.name = "snapshot",
			.help = "the document of `snapshot`",
			.tables = { &snapshot_fields },
			.nr_tables = 1,
		};
	} else if (i == NR_SOURCES + 3) {
		*ret = (struct shape){
			.name = "profile",
			.help = "the document of `profile` about one process",
			.tables = { &profile_fields },
			.nr_tables = 1,
		};
	} else if (i == NR_SOURCES + 4) {
		*ret = (struct shape){
			.name = "profiles",
			.help = "the document of `profile` about several",
			.tables = { &profiles_fields },
			.nr_tables = 1,
		};
	} else if (i == NR_SOURCES + 5) {
		*ret = (struct shape){
			.name = "libs",
			.help = "the document of `libs`",
			.tables = { &libs_fields },
			.nr_tables = 1,
		};
	} else if (i == NR_SOURCES + 6) {
		*ret = (struct shape){
			.name = "check",
			.help = "the document of `check`",
			.tables = { &check_fields },
			.nr_tables = 1,
		};
	} else {
		return false;
	}
	return true;
}

/* Whether FIELD is in every event of SOURCE, or in every document (NULL). */
static bool is_always(const struct field *field, const struct source *source)
{
	if (field->presence == OF_PROCESS)
		return source && source->object;
	return field->presence == ALWAYS;
}

/* The JSON type of a field, for people and for the schema. */
static const char *json_type(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
		return "boolean";
	case FIELD_U64:
	case FIELD_S64:
		return "integer";
	case FIELD_STRV:
	case FIELD_CODEV:
	case FIELD_LIST:
		return "array";
	case FIELD_OBJ:
	case FIELD_MAP:
		return "object";
	default:
		return "string";
	}
}

/* Field tables are constant and at most four deep. NOLINTBEGIN(misc-no-recursion) */

static void schema_object(struct json *json, const struct shape *shape);

/* FIELD, which always has the value CONSTANT unless that is NULL. */
static void schema_value(struct json *json, const struct field *field, const char *constant);

static void schema_sub(struct json *json, const struct fields *sub)
{
	const struct shape shape = { .tables = { sub }, .nr_tables = 1 };

	schema_object(json, &shape);
}

static void schema_names(struct json *json, const struct field *field)
{
	const struct code_table *codes = field->codes;

	JSON_KEY(json, "enum");
	json_array_begin(json);
	for (size_t i = 0; i < codes->nr_entries; i++)
		json_cstring(json, codes->entries[i].name);
	if (field->presence == ALWAYS)
		json_null(json);
	json_array_end(json);
}

static void schema_items(struct json *json, const struct field *field)
{
	JSON_KEY(json, "items");
	if (field->type == FIELD_LIST) {
		schema_sub(json, field->sub);
		return;
	}
	json_object_begin(json);
	JSON_KEY(json, "type");
	json_cstring(json, "string");
	json_object_end(json);
}

/* What the type allows: null where an ALWAYS field may have no value. */
static void schema_type(struct json *json, const struct field *field)
{
	JSON_KEY(json, "type");
	json_array_begin(json);
	json_cstring(json, json_type(field));
	if (field->type == FIELD_ID64 || field->type == FIELD_CODE)
		json_cstring(json, "integer");
	if (field->presence == ALWAYS)
		json_cstring(json, "null");
	json_array_end(json);
}

/* Any key, and what belongs to it. */
static void schema_map(struct json *json, const struct field *field)
{
	const struct fields rest = field_map_rest(field);

	json_object_begin(json);
	JSON_KEY(json, "description");
	json_cstring(json, field->help);
	JSON_KEY(json, "type");
	json_cstring(json, "object");
	JSON_KEY(json, "additionalProperties");
	if (rest.nr_fields == 1)
		schema_value(json, &rest.fields[0], NULL);
	else
		schema_sub(json, &rest);
	json_object_end(json);
}

static void schema_value(struct json *json, const struct field *field, const char *constant)
{
	if (field->type == FIELD_OBJ) {
		schema_sub(json, field->sub);
		return;
	}
	if (field->type == FIELD_MAP) {
		schema_map(json, field);
		return;
	}
	json_object_begin(json);
	JSON_KEY(json, "description");
	json_cstring(json, field->help);
	if (constant) {
		JSON_KEY(json, "const");
		json_cstring(json, constant);
	} else {
		schema_type(json, field);
	}
	if (field->type == FIELD_TIME) {
		JSON_KEY(json, "format");
		json_cstring(json, "date-time");
	}
	if (field->type == FIELD_U64) {
		JSON_KEY(json, "minimum");
		json_u64(json, 0);
	}
	if (field->type == FIELD_CODE && field->codes->nr_entries > 0 &&
	    field->codes->nr_entries <= 8)
		schema_names(json, field);
	if (strcmp(json_type(field), "array") == 0)
		schema_items(json, field);
	json_object_end(json);
}

static void schema_field(struct json *json, const struct field *field, const char *event_type)
{
	bool is_type = event_type && strcmp(field->name, "event_type") == 0;

	json_key(json, field->name, strlen(field->name));
	schema_value(json, field, is_type ? event_type : NULL);
}

static void schema_properties(struct json *json, const struct fields *table, const char *name)
{
	if (table->base)
		schema_properties(json, table->base, name);
	for (size_t i = 0; i < table->nr_fields; i++)
		schema_field(json, &table->fields[i], name);
}

static void schema_required(struct json *json, const struct fields *table,
			    const struct source *source)
{
	if (table->base)
		schema_required(json, table->base, source);
	for (size_t i = 0; i < table->nr_fields; i++)
		if (is_always(&table->fields[i], source))
			json_cstring(json, table->fields[i].name);
}

static void schema_object(struct json *json, const struct shape *shape)
{
	json_object_begin(json);
	if (shape->name) {
		JSON_KEY(json, "title");
		json_cstring(json, shape->name);
	}
	JSON_KEY(json, "type");
	json_cstring(json, "object");
	JSON_KEY(json, "properties");
	json_object_begin(json);
	for (size_t i = 0; i < shape->nr_tables; i++)
		schema_properties(json, shape->tables[i], shape->name);
	json_object_end(json);
	JSON_KEY(json, "required");
	json_array_begin(json);
	for (size_t i = 0; i < shape->nr_tables; i++)
		schema_required(json, shape->tables[i], shape->source);
	json_array_end(json);
	JSON_KEY(json, "additionalProperties");
	json_bool(json, false);
	json_object_end(json);
}

/* NOLINTEND(misc-no-recursion) */

static int write_stdout(void *ctx, const char *bytes, size_t size)
{
	return output_write(ctx, bytes, size);
}

static int print_json(void)
{
	static char buffer[BUFFER_SIZE];
	struct output output;
	struct json json;
	struct shape shape;
	int err = output_open(&output, NULL, NULL);

	if (err)
		return err;
	json_init(&json, buffer, sizeof(buffer), JSON_PRETTY, write_stdout, &output);
	json_object_begin(&json);
	JSON_KEY(&json, "$schema");
	json_cstring(&json, "http://json-schema.org/draft-07/schema#");
	JSON_KEY(&json, "title");
	json_cstring(&json,
		     "crypto-tracer: a line of a stream, or a document, version " SCHEMA_VERSION);
	JSON_KEY(&json, "oneOf");
	json_array_begin(&json);
	for (size_t i = 0; shape_at(i, &shape); i++)
		schema_object(&json, &shape);
	json_array_end(&json);
	json_object_end(&json);
	json_newline(&json);
	err = json_flush(&json);
	output_close(&output);
	return err;
}

/* What stands for any key of a map. */
#define ANY_KEY "<%s>"

/* As above. NOLINTBEGIN(misc-no-recursion) */

static void markdown_rows(const struct fields *table, const char *prefix,
			  const struct source *source);

static void markdown_field(const struct field *field, const char *name,
			   const struct source *source);

/* What belongs to the keys of the map FIELD, which is called PREFIX. */
static void markdown_map(const struct field *field, const char *prefix)
{
	const struct field *key = &field->sub->fields[0];
	const struct fields rest = field_map_rest(field);
	char name[NAME_SIZE];

	if (rest.nr_fields == 1) {
		snprintf(name, sizeof(name), "%s." ANY_KEY, prefix, key->name);
		markdown_field(&rest.fields[0], name, NULL);
		return;
	}
	snprintf(name, sizeof(name), "%s." ANY_KEY, prefix, key->name);
	printf("| `%s` | object | always | %s |\n", name, key->help);
	snprintf(name, sizeof(name), "%s." ANY_KEY ".", prefix, key->name);
	markdown_rows(&rest, name, NULL);
}

static void markdown_field(const struct field *field, const char *name, const struct source *source)
{
	char prefix[NAME_SIZE];

	printf("| `%s` | %s | %s | %s |\n", name, json_type(field),
	       is_always(field, source) ? "always" : "sometimes", field->help);
	if (!field->sub)
		return;
	if (field->type == FIELD_MAP) {
		markdown_map(field, name);
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s%s", name, field->type == FIELD_LIST ? "[]." : ".");
	markdown_rows(field->sub, prefix, NULL);
}

static void markdown_rows(const struct fields *table, const char *prefix,
			  const struct source *source)
{
	if (table->base)
		markdown_rows(table->base, prefix, source);
	for (size_t i = 0; i < table->nr_fields; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "%s%s", prefix, table->fields[i].name);
		markdown_field(&table->fields[i], name, source);
	}
}

/* NOLINTEND(misc-no-recursion) */

static void print_markdown(void)
{
	struct shape shape;

	printf("# Events\n\n"
	       "Made by `crypto-tracer schema --format markdown`; `make docs` writes it anew.\n"
	       "Schema version %s. A stream is one JSON object a line.\n",
	       SCHEMA_VERSION);
	for (size_t i = 0; shape_at(i, &shape); i++) {
		printf("\n## %s\n\n%s.\n\n| field | type | present | meaning "
		       "|\n|---|---|---|---|\n",
		       shape.name, shape.help);
		for (size_t j = 0; j < shape.nr_tables; j++)
			markdown_rows(shape.tables[j], "", shape.source);
	}
}

/* As above. NOLINTBEGIN(misc-no-recursion) */

static void man_rows(const struct fields *table);

/* A list of what is below a field. */
static void man_sub(const struct fields *table)
{
	printf(".Bl -tag -width Ds -compact\n");
	man_rows(table);
	printf(".El\n");
}

/* The one key that stands for all of the map FIELD, with what belongs to it. */
static void man_map(const struct field *field)
{
	const struct field *key = &field->sub->fields[0];
	const struct fields rest = field_map_rest(field);
	const struct field *told = rest.nr_fields == 1 ? &rest.fields[0] : key;

	printf(".Bl -tag -width Ds -compact\n.It Va " ANY_KEY "\n%s.\n", key->name, told->help);
	if (rest.nr_fields > 1)
		man_sub(&rest);
	printf(".El\n");
}

static void man_rows(const struct fields *table)
{
	if (table->base)
		man_rows(table->base);
	for (size_t i = 0; i < table->nr_fields; i++) {
		const struct field *field = &table->fields[i];

		printf(".It Va %s\n%s.\n", field->name, field->help);
		if (field->type == FIELD_MAP)
			man_map(field);
		else if (field->sub)
			man_sub(field->sub);
	}
}

/* NOLINTEND(misc-no-recursion) */

static void print_man(void)
{
	struct shape shape;

	for (size_t i = 0; shape_at(i, &shape); i++) {
		printf(".Ss %s\n%s.\n.Pp\n.Bl -tag -width Ds -compact\n", shape.name, shape.help);
		for (size_t j = 0; j < shape.nr_tables; j++)
			man_rows(shape.tables[j]);
		printf(".El\n");
	}
}

static int schema_run(const struct options *options)
{
	int err = 0;
	if (strcmp(options->schema_format, "markdown") == 0)
		print_markdown();
	else if (strcmp(options->schema_format, "man") == 0)
		print_man();
	else
		err = print_json();
	if (err == -EPIPE)
		return EXIT_PIPE_CLOSED;
	return err ? report_output(NULL, err, false) : 0;
}

const struct command schema_command = {
	.name = "schema",
	.help = "print the JSON Schema of the output",
	.synopsis = "[OPTIONS]",
	.tables = { &schema_options, &help_options },
	.run = schema_run,
};
