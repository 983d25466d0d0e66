/* SPDX-License-Identifier: MIT */
/* Events as JSON: one a line, one array, or indented for people. */
#include "sinks/sink.h"

#include <errno.h>
#include <string.h>

#define FLAGS_TEXT_SIZE 512

/* Arguments are redacted together: one may tell that the next is a secret. */
static void json_args(struct writer *writer, const char *bytes, size_t size)
{
	struct json *json = &writer->json;

	json_array_begin(json);
	while (size > 0) {
		size_t item = strnlen(bytes, size);

		json_string(json, bytes, item);
		if (item == size)
			break;
		bytes += item + 1;
		size -= item + 1;
	}
	json_array_end(json);
}

/* A list of any number of strings, each of which stands for itself. */
static void json_strings(struct writer *writer, const struct field *field, const struct value *list)
{
	struct json *json = &writer->json;

	json_array_begin(json);
	for (size_t at = 0; at < list->str.size;) {
		struct value item = { .present = true };
		const char *bytes;
		size_t size;

		item.str.bytes = list->str.bytes + at;
		item.str.size = strnlen(item.str.bytes, list->str.size - at);
		bytes = writer_redact(writer, field, &item, &size);
		json_string(json, bytes, size);
		at += item.str.size + 1;
	}
	json_array_end(json);
}

/* Joined by spaces. BYTES is the writer's scratch, or the record's; it is copied before. */
static void json_cmdline(struct writer *writer, const char *bytes, size_t size)
{
	char *joined = writer->scratch;

	if (size > WRITER_SCRATCH_SIZE)
		size = WRITER_SCRATCH_SIZE;
	memmove(joined, bytes, size);
	if (size > 0 && joined[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++)
		if (joined[i] == '\0')
			joined[i] = ' ';
	json_string(&writer->json, joined, size);
}

static void json_code(struct json *json, const struct code_table *codes, uint64_t code)
{
	const char *name = codes ? code_name(codes, code) : NULL;

	if (name)
		json_string(json, name, strlen(name));
	else
		json_u64(json, code);
}

/* Field tables are constant and at most four deep. NOLINTBEGIN(misc-no-recursion) */

static void json_items(struct writer *writer, const struct field *field, const struct value *list)
{
	struct json *json = &writer->json;
	const uint8_t *item = list->list.items;

	json_array_begin(json);
	for (size_t i = 0; i < list->list.count; i++, item += list->list.stride) {
		const struct record sub = { .bytes = item };

		json_object_begin(json);
		writer_json_fields(writer, &sub, field->sub);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_value(struct writer *writer, const struct field *field, const struct value *value);

/* What belongs to a key: the one value behind it in ITEM, or an object of all. */
static void json_belongings(struct writer *writer, const struct record *item,
			    const struct fields *rest)
{
	struct json *json = &writer->json;
	struct value value;

	if (rest->nr_fields > 1) {
		json_object_begin(json);
		writer_json_fields(writer, item, rest);
		json_object_end(json);
		return;
	}
	field_get(item, &rest->fields[0], &value);
	if (value.present)
		json_value(writer, &rest->fields[0], &value);
	else
		json_null(json);
}

/* What has no key is nobody's. */
static void json_map(struct writer *writer, const struct field *field, const struct value *map)
{
	const struct field *key = &field->sub->fields[0];
	const struct fields rest = field_map_rest(field);
	const uint8_t *item = map->list.items;

	json_object_begin(&writer->json);
	for (size_t i = 0; i < map->list.count; i++, item += map->list.stride) {
		const struct record sub = { .bytes = item };
		struct value name;
		const char *bytes;
		size_t size;

		field_get(&sub, key, &name);
		if (!name.present)
			continue;
		bytes = writer_redact(writer, key, &name, &size);
		json_key(&writer->json, bytes, size);
		json_belongings(writer, &sub, &rest);
	}
	json_object_end(&writer->json);
}

static void json_value(struct writer *writer, const struct field *field, const struct value *value)
{
	struct json *json = &writer->json;
	char text[FLAGS_TEXT_SIZE];
	const char *bytes;
	size_t size;

	switch (field->type) {
	case FIELD_BOOL:
		json_bool(json, value->b);
		break;
	case FIELD_U64:
		json_u64(json, value->u);
		break;
	case FIELD_S64:
		json_s64(json, value->s);
		break;
	case FIELD_ID64:
		json_id64(json, value->u);
		break;
	case FIELD_TIME:
		json_time(json, value->u);
		break;
	case FIELD_FLAGS:
		size = field->format(value->u, text, sizeof(text));
		json_string(json, text, size);
		break;
	case FIELD_CODE:
		json_code(json, field->codes, value->u);
		break;
	case FIELD_STR:
		bytes = writer_redact(writer, field, value, &size);
		json_string(json, bytes, size);
		break;
	case FIELD_STRV:
		if (field->class != CLASS_ARGS) {
			json_strings(writer, field, value);
			break;
		}
		bytes = writer_redact(writer, field, value, &size);
		json_args(writer, bytes, size);
		break;
	case FIELD_CMDLINE:
		bytes = writer_redact(writer, field, value, &size);
		json_cmdline(writer, bytes, size);
		break;
	case FIELD_CODEV:
		json_array_begin(json);
		for (size_t i = 0; i < value->codev.count; i++)
			json_code(json, field->codes, value->codev.codes[i]);
		json_array_end(json);
		break;
	case FIELD_OBJ: {
		const struct record sub = { .bytes = value->obj };

		json_object_begin(json);
		writer_json_fields(writer, &sub, field->sub);
		json_object_end(json);
		break;
	}
	case FIELD_LIST:
		json_items(writer, field, value);
		break;
	case FIELD_MAP:
		json_map(writer, field, value);
		break;
	}
}

void writer_json_fields(struct writer *writer, const struct record *record,
			const struct fields *table)
{
	if (table->base)
		writer_json_fields(writer, record, table->base);
	for (size_t i = 0; i < table->nr_fields; i++) {
		const struct field *field = &table->fields[i];
		struct value value;

		field_get(record, field, &value);
		if (!value.present && field->presence != ALWAYS)
			continue;
		json_key_raw(&writer->json, field->json_key, field->json_key_size);
		if (value.present)
			json_value(writer, field, &value);
		else
			json_null(&writer->json);
	}
}

/* NOLINTEND(misc-no-recursion) */

static int json_record(struct writer *writer, const struct record *record,
		       const struct fields *const *tables, size_t nr_tables)
{
	json_object_begin(&writer->json);
	for (size_t i = 0; i < nr_tables; i++)
		writer_json_fields(writer, record, tables[i]);
	json_object_end(&writer->json);
	json_newline(&writer->json);
	return json_error(&writer->json);
}

/* What the two halves of an array need when the file cannot take the rest of it. */
static const struct output_frame array_frame = {
	.open = "[\n",
	.close = "\n]\n",
	.separator = ',',
};

static int array_begin(struct writer *writer)
{
	writer->output->frame = &array_frame;
	json_array_begin(&writer->json);
	json_newline(&writer->json);
	return json_error(&writer->json);
}

static int array_end(struct writer *writer)
{
	json_array_end(&writer->json);
	json_newline(&writer->json);
	return json_error(&writer->json);
}

const struct sink json_stream_sink = {
	.format = "json-stream",
	.help = "one JSON object a line (default)",
	.record = json_record,
};

const struct sink json_lines_sink = {
	.format = "json-lines",
	.help = "the same",
	.record = json_record,
};

const struct sink json_array_sink = {
	.format = "json-array",
	.help = "one JSON array",
	.begin = array_begin,
	.record = json_record,
	.end = array_end,
};

const struct sink json_pretty_sink = {
	.format = "json-pretty",
	.help = "indented JSON objects",
	.is_indented = true,
	.record = json_record,
};
