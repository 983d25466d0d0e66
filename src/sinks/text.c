/* SPDX-License-Identifier: MIT */
/* Events for people: one readable line each, coloured on a terminal. */
#include "sinks/sink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "lib/utf8.h"
#include "sources/source.h"

#define LINE_SIZE (32U << 10)
#define NS	  1000000000ULL

/* Text on its way into one line; what does not fit is left out. */
struct line {
	char *bytes;
	size_t size;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->size += text_vformat(line->bytes + line->size, LINE_SIZE - line->size, format, args);
	va_end(args);
}

static void add_foreign(struct line *line, const char *bytes, size_t size)
{
	line->size += text_escape(line->bytes + line->size, LINE_SIZE - line->size, bytes, size);
}

/*
 * Quoted when it has a space or a quote, so that what follows is told apart. A backslash before a
 * quote is ours: those of the string are doubled.
 */
static void add_string(struct line *line, const char *bytes, size_t size)
{
	if (size > 0 && !memchr(bytes, ' ', size) && !memchr(bytes, '"', size)) {
		add_foreign(line, bytes, size);
		return;
	}
	add(line, "\"");
	for (;;) {
		const char *quote = size > 0 ? memchr(bytes, '"', size) : NULL;
		size_t piece = quote ? (size_t)(quote - bytes) : size;

		add_foreign(line, bytes, piece);
		if (!quote)
			break;
		add(line, "\\\"");
		bytes += piece + 1;
		size -= piece + 1;
	}
	add(line, "\"");
}

static void add_args(struct line *line, const char *bytes, size_t size)
{
	while (size > 0) {
		size_t item = strnlen(bytes, size);

		add_string(line, bytes, item);
		if (item >= size - 1)
			break;
		add(line, " ");
		bytes += item + 1;
		size -= item + 1;
	}
}

static void add_time(struct line *line, uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / NS);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	add(line, "%02d:%02d:%02d.%06u", tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (unsigned int)(unix_ns % NS / 1000));
}

static void add_code(struct line *line, const struct field *field, uint64_t code)
{
	const char *name = code_name(field->codes, code);

	if (name)
		add(line, "%s", name);
	else
		add(line, "%" PRIu64, code);
}

static void add_value(struct writer *writer, struct line *line, const struct field *field,
		      const struct value *value)
{
	const char *bytes;
	size_t size;
	char flags[512];

	switch (field->type) {
	case FIELD_BOOL:
		add(line, "%s", value->b ? "yes" : "no");
		break;
	case FIELD_U64:
	case FIELD_ID64:
		add(line, "%" PRIu64, value->u);
		break;
	case FIELD_S64:
		add(line, "%" PRId64, value->s);
		break;
	case FIELD_TIME:
		add_time(line, value->u);
		break;
	case FIELD_FLAGS:
		field->format(value->u, flags, sizeof(flags));
		add(line, "%s", flags);
		break;
	case FIELD_CODE:
		add_code(line, field, value->u);
		break;
	case FIELD_CODEV:
		for (size_t i = 0; i < value->codev.count; i++) {
			add(line, "%s", i > 0 ? "," : "");
			add_code(line, field, value->codev.codes[i]);
		}
		break;
	case FIELD_STR:
		bytes = writer_redact(writer, field, value, &size);
		add_string(line, bytes, size);
		break;
	case FIELD_STRV:
	case FIELD_CMDLINE:
		bytes = writer_redact(writer, field, value, &size);
		add_args(line, bytes, size);
		break;
	default:
		break;
	}
}

/* Field tables are constant and at most four deep. NOLINTBEGIN(misc-no-recursion) */

static void add_fields(struct writer *writer, struct line *line, const struct record *record,
		       const struct fields *table);

static void add_items(struct writer *writer, struct line *line, const struct field *field,
		      const struct value *list)
{
	const uint8_t *item = list->list.items;

	for (size_t i = 0; i < list->list.count; i++, item += list->list.stride) {
		const struct record sub = { .bytes = item };

		add(line, "\n  %s:", field->name);
		add_fields(writer, line, &sub, field->sub);
	}
}

/* KEY and what belongs to it in ITEM of the map FIELD: one value, or a line of fields. */
static void add_pair(struct writer *writer, struct line *line, const struct field *field,
		     const struct record *item, const struct value *key)
{
	const struct fields rest = field_map_rest(field);
	struct value value;

	if (rest.nr_fields > 1) {
		add(line, "\n  %s: ", field->name);
		add_value(writer, line, &field->sub->fields[0], key);
		add_fields(writer, line, item, &rest);
		return;
	}
	if (line->size > 0)
		add(line, " ");
	if (field->text != TEXT_BARE)
		add(line, "%s.", field->name);
	add_value(writer, line, &field->sub->fields[0], key);
	field_get(item, &rest.fields[0], &value);
	add(line, "=");
	if (value.present)
		add_value(writer, line, &rest.fields[0], &value);
}

static void add_map(struct writer *writer, struct line *line, const struct field *field,
		    const struct value *map)
{
	const uint8_t *item = map->list.items;

	for (size_t i = 0; i < map->list.count; i++, item += map->list.stride) {
		const struct record sub = { .bytes = item };
		struct value key;

		field_get(&sub, &field->sub->fields[0], &key);
		if (key.present)
			add_pair(writer, line, field, &sub, &key);
	}
}

static void add_field(struct writer *writer, struct line *line, const struct field *field,
		      const struct value *value)
{
	if (field->type == FIELD_LIST) {
		add_items(writer, line, field, value);
		return;
	}
	if (field->type == FIELD_MAP) {
		add_map(writer, line, field, value);
		return;
	}
	if (field->type == FIELD_OBJ) {
		const struct record sub = { .bytes = value->obj };

		add_fields(writer, line, &sub, field->sub);
		return;
	}
	if (field->text == TEXT_NONZERO && (field->type == FIELD_BOOL ? !value->b : value->u == 0))
		return;
	if (line->size > 0)
		add(line, " ");
	if (field->text != TEXT_BARE)
		add(line, "%s=", field->name);
	add_value(writer, line, field, value);
}

static void add_fields(struct writer *writer, struct line *line, const struct record *record,
		       const struct fields *table)
{
	if (table->base)
		add_fields(writer, line, record, table->base);
	for (size_t i = 0; i < table->nr_fields; i++) {
		const struct field *field = &table->fields[i];
		struct value value;

		if (field->text == TEXT_HIDDEN)
			continue;
		field_get(record, field, &value);
		if (value.present)
			add_field(writer, line, field, &value);
	}
}

/* NOLINTEND(misc-no-recursion) */

/* "10:30:45.123456 nginx[1234] file_open": who and when, before what. */
static void add_head(struct writer *writer, struct line *line, const struct record *record)
{
	const struct event_hdr *hdr = record->hdr;

	add_time(line, record->unix_ns);
	add(line, writer->has_color ? " \033[1m" : " ");
	add_string(line, hdr->comm, strnlen(hdr->comm, COMM_SIZE));
	add(line, writer->has_color ? "\033[0m[%u] \033[36m%s\033[0m" : "[%u] %s", hdr->tgid,
	    record->source->name);
}

static int text_record(struct writer *writer, const struct record *record,
		       const struct fields *const *tables, size_t nr_tables)
{
	char bytes[LINE_SIZE];
	struct line line = { .bytes = bytes };
	size_t i = 0;

	if (record->hdr) {
		add_head(writer, &line, record);
		i = 1;
	}
	for (; i < nr_tables; i++)
		add_fields(writer, &line, record, tables[i]);
	/* Where add() leaves a NUL: there is room for it in a full line too. */
	bytes[line.size++] = '\n';
	return writer_append(writer, bytes, line.size);
}

const struct sink text_sink = {
	.format = "text",
	.help = "one line an event, for people; coloured on a terminal",
	.record = text_record,
};
