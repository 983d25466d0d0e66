/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_APPENDER_H
#define PIPELINE_APPENDER_H

/*
 * Text growing in a buffer of the caller's. What does not fit is left out and remembered; a NUL is
 * kept behind what is there, not counted in SIZE. A CAP of 0 takes nothing at all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct appender {
	char *bytes;
	size_t cap;
	size_t size;
	bool is_truncated;
};

static inline struct appender appender_make(char *bytes, size_t cap)
{
	if (cap)
		bytes[0] = '\0';
	return (struct appender){ .bytes = bytes, .cap = cap };
}

static inline void append(struct appender *to, const char *bytes, size_t size)
{
	size_t room = to->cap ? to->cap - 1 - to->size : 0;

	if (size > room) {
		to->is_truncated = true;
		size = room;
	}
	/* nothing after a gap: the output is a prefix of what a larger buffer would hold */
	if (size == 0)
		return;
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
	to->bytes[to->size] = '\0';
}

static inline void append_text(struct appender *to, const char *text)
{
	append(to, text, strlen(text));
}

#endif /* PIPELINE_APPENDER_H */
