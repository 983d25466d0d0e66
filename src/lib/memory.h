/* SPDX-License-Identifier: MIT */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

/*
 * Gives freed memory back to the kernel. glibc keeps what is below memory in use, malloc_trim(3);
 * a process that is forked has it too. Worth it once, after much was freed for good.
 */
void memory_trim(void);

/*
 * Documents that are made in memory as a whole, so that nothing is written of one that fails. Each
 * is begun, written to, and ended, whatever happened between: that hands over what was made, or
 * throws it away.
 */

#include <stddef.h>
#include <stdio.h>

#include "lib/json.h"
#include "lib/output.h"

struct memory_text {
	FILE *out; /* to write to */
	char *bytes;
	size_t size;
};

/* Returns 0 or -ENOMEM; then there is nothing to end. */
int memory_text_begin(struct memory_text *text);

/*
 * With ERR 0 gives the caller *RET_SIZE bytes in *RET, NUL-terminated, to be freed. Returns ERR, or
 * -ENOMEM where there was not enough for all of it.
 */
int memory_text_end(struct memory_text *text, int err, char **ret, size_t *ret_size);

/* Not to be moved in between. */
struct memory_json {
	struct json json; /* to write to */
	struct output output;
	struct output_text text;
	char *buffer;
};

/* Likewise. */
int memory_json_begin(struct memory_json *memory, enum json_style style);

/* Likewise, also with the error that the writer kept; without a NUL. */
int memory_json_end(struct memory_json *memory, int err, char **ret, size_t *ret_size);

#endif /* LIB_MEMORY_H */
