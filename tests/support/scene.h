/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SCENE_H
#define TESTS_SUPPORT_SCENE_H

/*
 * A whole pipeline, from raw records to the text of a sink, with nothing of this host in it: boot
 * was 2026-11-21T09:00:00Z, the passwd file has root, www-data and alice (/srv/alice). Failure to
 * make one ends the test program.
 */

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/pipeline.h"
#include "support/raw.h"

/* Seconds since the epoch at which this host started. */
#define SCENE_BOOT_S 1795251600LL

struct scene {
	struct pipeline pipeline;
	struct output output;
	struct redactor *redactor;
	int file;	/* what the sink writes to */
	size_t text_at; /* how much of it was returned already */
	char *text;
};

/* Begins a stream in FORMAT that wants every source; paths of people are shown unless IS_REDACTED.
 */
void scene_open(struct scene *scene, const char *format, bool is_redacted);

/* The same with a process table that has only selected processes. */
void scene_open_selective(struct scene *scene, const char *format);

/* pipeline_record() of RAW. */
int scene_take(struct scene *scene, const struct raw *raw);

/* Writes a document, as `monitor` does with start and coverage. Returns 0 or a negative errno. */
int scene_document(struct scene *scene, const void *document, const struct fields *fields);

/* What was written since the last call, NUL-terminated and valid until the next. */
const char *scene_text(struct scene *scene);

/* Ends the stream. Returns the rest of the text, valid until scene_close(). */
const char *scene_end(struct scene *scene);

void scene_close(struct scene *scene);

#endif /* TESTS_SUPPORT_SCENE_H */
