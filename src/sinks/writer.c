/* SPDX-License-Identifier: MIT */
#include "sinks/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SINK(name, format) extern const struct sink name##_sink;
#include "sinks/sinks.def"
#undef SINK

const struct sink *const sinks[NR_SINKS] = {
#define SINK(name, format) [SINK_##name] = &name##_sink,
#include "sinks/sinks.def"
#undef SINK
};

const struct sink *sink_find(const char *format)
{
	for (size_t i = 0; i < NR_SINKS; i++)
		if (strcmp(sinks[i]->format, format) == 0)
			return sinks[i];
	return NULL;
}

/* The buffer was full in the middle of a document: from here on it cannot be taken back. */
static int flush_bytes(void *ctx, const char *bytes, size_t size)
{
	struct writer *writer = ctx;

	return output_write(writer->output, bytes, size);
}

int writer_new(struct writer **ret, const struct sink *sink, struct output *output,
	       const struct redactor *redactor, bool has_color)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	writer->sink = sink;
	writer->output = output;
	writer->redactor = redactor;
	writer->has_color = has_color;
	writer->buffer = malloc(WRITER_BUFFER_SIZE);
	writer->scratch = malloc(WRITER_SCRATCH_SIZE);
	if (!writer->buffer || !writer->scratch) {
		err = -ENOMEM;
		goto fail;
	}
	json_init(&writer->json, writer->buffer, WRITER_BUFFER_SIZE,
		  sink->is_indented ? JSON_PRETTY : JSON_COMPACT, flush_bytes, writer);
	err = sink->begin ? sink->begin(writer) : 0;
	if (err)
		goto fail;
	*ret = writer;
	return 0;
fail:
	writer_free(writer);
	return err;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	free(writer->buffer);
	free(writer->scratch);
	free(writer);
}

int writer_record(struct writer *writer, const struct record *record,
		  const struct fields *const *tables, size_t nr_tables)
{
	int err = writer->sink->record(writer, record, tables, nr_tables);

	if (!err && json_pending(&writer->json) + writer->text_size > WRITER_FLUSH_SIZE)
		err = writer_flush(writer);
	return err;
}

int writer_append(struct writer *writer, const char *bytes, size_t size)
{
	if (size > WRITER_BUFFER_SIZE - writer->text_size)
		return -E2BIG;
	memcpy(writer->buffer + writer->text_size, bytes, size);
	writer->text_size += size;
	return 0;
}

int writer_flush(struct writer *writer)
{
	size_t size = writer->text_size;

	if (!size)
		return json_flush(&writer->json);
	writer->text_size = 0;
	return output_write(writer->output, writer->buffer, size);
}

int writer_end(struct writer *writer)
{
	int err = writer->sink->end ? writer->sink->end(writer) : 0;

	return err ? err : writer_flush(writer);
}

const char *writer_redact(struct writer *writer, const struct field *field,
			  const struct value *value, size_t *ret_size)
{
	const char *bytes = value->str.bytes;
	size_t size = value->str.size;
	bool truncated = false;

	switch (field->class) {
	case CLASS_PATH:
		*ret_size = redact_path(writer->redactor, bytes, size, writer->scratch,
					WRITER_SCRATCH_SIZE);
		return writer->scratch;
	case CLASS_ARGS:
		*ret_size = redact_args(writer->redactor, bytes, size, writer->scratch,
					WRITER_SCRATCH_SIZE, &truncated);
		return writer->scratch;
	case CLASS_TEXT:
		*ret_size = redact_text(writer->redactor, bytes, size, writer->scratch,
					WRITER_SCRATCH_SIZE);
		return writer->scratch;
	case CLASS_USER:
		*ret_size = redact_user(writer->redactor, bytes, size, writer->scratch,
					WRITER_SCRATCH_SIZE);
		return writer->scratch;
	case CLASS_PEER:
		*ret_size = redact_peer(writer->redactor, bytes, size, writer->scratch,
					WRITER_SCRATCH_SIZE);
		return writer->scratch;
	default:
		*ret_size = size;
		return bytes;
	}
}
