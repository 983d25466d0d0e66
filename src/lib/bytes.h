/* SPDX-License-Identifier: MIT */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

/* Comparing bytes of a known size, which need no NUL behind them, with C strings; and those. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool bytes_equal(const char *bytes, size_t size, const char *text)
{
	return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static inline bool bytes_begin(const char *bytes, size_t size, const char *text)
{
	size_t text_size = strlen(text);

	return size >= text_size && memcmp(bytes, text, text_size) == 0;
}

static inline bool bytes_end(const char *bytes, size_t size, const char *text)
{
	size_t text_size = strlen(text);

	return size >= text_size && memcmp(bytes + size - text_size, text, text_size) == 0;
}

/* Either may be NULL, which is the same as NULL alone. */
static inline bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* One decimal digit or more, and nothing else. */
static inline bool bytes_are_digits(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] < '0' || bytes[i] > '9')
			return false;
	return size > 0;
}

#endif /* LIB_BYTES_H */
