/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

/*
 * A document with a field of every type, for tests of what walks field tables. Every getter is that
 * of pipeline/field.h where there is one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/field.h"

struct sample_bytes {
	const char *bytes; /* NULL: no value */
	size_t size;
};

struct sample_item {
	uint64_t number;
	const char *text;
};

struct sample_part {
	const char *name; /* NULL: no value */
	uint64_t number;
	struct text_list texts;
};

struct sample {
	bool flag;
	uint64_t count;
	int32_t delta;
	uint64_t id;
	uint64_t unix_ns;
	uint64_t open_flags;
	uint64_t signal;
	struct sample_bytes path;
	struct sample_bytes text;
	struct sample_bytes user;
	struct sample_bytes plain;
	struct sample_bytes argv; /* NUL-separated */
	struct {
		const uint32_t *codes;
		size_t count;
	} signals;
	struct sample_item one;
	const struct sample_item *other; /* may be NULL */
	struct item_list counts;	 /* of struct sample_part */
	struct item_list parts;		 /* the same */
	struct item_list items;
};

/* All of it. */
extern const struct fields sample_fields;

/* A sample with something in every field. */
extern const struct sample sample_full;

#endif /* TESTS_SUPPORT_SAMPLE_H */
