/* SPDX-License-Identifier: MIT */
#ifndef SINKS_SINK_H
#define SINKS_SINK_H

/*
 * Output formats. A sink is a const descriptor and a line in sinks.def; a writer is a sink at work
 * on one output. Sinks know field tables, never an event. Redaction happens here, at the last
 * moment before bytes leave, by the class of each field.
 *
 * A writer borrows its output and redactor. It hands over whole events only, so that an output that
 * fails in the middle loses none and tears none (lib/output.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"
#include "lib/output.h"
#include "pipeline/field.h"
#include "pipeline/record.h"
#include "pipeline/redact.h"

struct writer;

struct sink {
	const char *format; /* value of --format */
	const char *help;
	bool is_indented;
	/* Any of these may be NULL. They return 0 or a negative errno. */
	int (*begin)(struct writer *writer);
	int (*record)(struct writer *writer, const struct record *record,
		      const struct fields *const *tables, size_t nr_tables);
	int (*end)(struct writer *writer);
};

enum {
#define SINK(name, format) SINK_##name,
#include "sinks/sinks.def"
#undef SINK
	NR_SINKS
};

extern const struct sink *const sinks[NR_SINKS];

/* The sink for FORMAT, or NULL. */
const struct sink *sink_find(const char *format);

/* Above this many bytes a writer hands its buffer over without being asked. */
#define WRITER_FLUSH_SIZE (64U << 10)
/* Room for the largest event: a full record with every byte escaped, its arguments twice. */
#define WRITER_BUFFER_SIZE (512U << 10)
/* The longest redacted value: a full argument list with a replacement for each path. */
#define WRITER_SCRATCH_SIZE (64U << 10)

struct writer {
	const struct sink *sink;
	struct output *output;
	const struct redactor *redactor;
	bool has_color;
	struct json json;
	char *buffer; /* of json, or TEXT_SIZE bytes of text */
	size_t text_size;
	char *scratch;
};

/*
 * Makes a writer and begins the output. Returns 0 or a negative errno. FORMAT is one that
 * sink_find() knows.
 */
int writer_new(struct writer **ret, const struct sink *sink, struct output *output,
	       const struct redactor *redactor, bool has_color);

/*
 * Writes RECORD's fields as TABLES, one after the other, list them: an event, or a document.
 * Returns 0 or a negative errno of the output.
 */
int writer_record(struct writer *writer, const struct record *record,
		  const struct fields *const *tables, size_t nr_tables);

/* Hands all whole events to the output. Returns 0 or a negative errno. */
int writer_flush(struct writer *writer);

/* Ends the output (closes an array), flushes. Returns 0 or a negative errno. */
int writer_end(struct writer *writer);

void writer_free(struct writer *writer);

/* Shared by sinks. */

/*
 * VALUE of FIELD as it may be shown, redacted by the field's class. Returns its bytes, *RET_SIZE
 * long; valid until the next call.
 */
const char *writer_redact(struct writer *writer, const struct field *field,
			  const struct value *value, size_t *ret_size);

/* Adds SIZE bytes of text, at most WRITER_BUFFER_SIZE - WRITER_FLUSH_SIZE, for sinks without JSON.
 */
int writer_append(struct writer *writer, const char *bytes, size_t size);

/* Writes RECORD's fields into the open JSON object. */
void writer_json_fields(struct writer *writer, const struct record *record,
			const struct fields *table);

#endif /* SINKS_SINK_H */
