/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_CONTENT_H
#define FILE_OPEN_CONTENT_H

/*
 * How a command that looks into files does so for file_open events: it asks for the subject of a
 * record and hands back what it found.
 */

#include <stdbool.h>

#include "inspect/content.h"
#include "pipeline/record.h"

/* Certificates, keys and findings told in one event, each. */
#define FILE_OPEN_ITEMS_MAX 4

struct file_open_subject {
	const char *path; /* absolute, not terminated; valid as long as the record */
	size_t path_size;
	uint64_t inode; /* this and the next, 0: not known which file the path leads to */
	uint64_t ctime_ns;
	uint32_t dev_major;
	uint32_t dev_minor;
};

/* Fills *RET for RECORD, a file_open. Returns false when there is nothing to look into. */
bool file_open_subject(const struct record *record, struct file_open_subject *ret);

/*
 * Makes CONTENT, which outlives the record, what RECORD tells of its file; unless IS_WHOLE only
 * type and kind.
 */
void file_open_set_content(struct record *record, const struct content *content, bool is_whole);

/* What was set, also where only type and kind are told; NULL: nothing. */
const struct content *file_open_content(const struct record *record);

#endif /* FILE_OPEN_CONTENT_H */
