/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_READING_H
#define SYSCALLS_READING_H

/*
 * What the parser of recordings reads with: values of a document that may be anything. Each says
 * what is wrong where a value is missing, of another kind or out of its bounds. The first fault
 * sticks, so that it is asked for once, at the end; what is returned in its place is harmless.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/recording.h"

/* Bytes of a path, a word of a command, a reason. */
#define READING_TEXT_MAX (64U << 10)

struct json_object;

struct reading {
	struct recording *recording;
	int err;	  /* -EBADMSG, -ENOMEM */
	const char *what; /* is wrong, static; of -EBADMSG */
};

void reading_fail(struct reading *reading, int err, const char *what);

/* The value KEY of OBJECT, whatever either is; NULL where it is null or not there. */
struct json_object *reading_member(struct json_object *object, const char *key);

/* A whole number, at most MAX; else 0. */
uint64_t reading_number(struct reading *reading, struct json_object *object, const char *key,
			uint64_t max, const char *what);

bool reading_bool(struct reading *reading, struct json_object *object, const char *key,
		  const char *what);

/* The text that VALUE is, without a NUL in it, valid as long as VALUE; else NULL. */
const char *reading_text(struct reading *reading, struct json_object *value, const char *what);

/* A copy of it that is the recording's. */
const char *reading_keep(struct reading *reading, struct json_object *value, const char *what);

/* A copy of the text KEY of OBJECT; NULL, and no fault, where it is null or not there. */
const char *reading_kept(struct reading *reading, struct json_object *object, const char *key,
			 const char *what);

/* The list KEY of OBJECT with MAX elements at most; else NULL. */
struct json_object *reading_list(struct reading *reading, struct json_object *object,
				 const char *key, size_t max, const char *what);

/* How many elements LIST has, which may be NULL. */
size_t reading_length(struct json_object *list);

/* The architecture that "arch" of OBJECT names; else 0. */
uint8_t reading_arch(struct reading *reading, struct json_object *object);

/* Whether TEXT is SIZE hexadecimal digits, in lower case. */
bool reading_is_hex(const char *text, size_t size);

/* The runs of DOCUMENT, once its phases and nodes are read; and whether all of it agrees. */
void reading_runs(struct reading *reading, struct json_object *document);

#endif /* SYSCALLS_READING_H */
