/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_SEARCH_H
#define INSPECT_SEARCH_H

/*
 * Seeks many byte strings in one pass over a part of a file, however large, through a window. Who
 * seeks something gives a group of needles and is called for every hit with the bytes around it, so
 * that it can judge whether the hit means anything. Groups and needles are borrowed; the hit's
 * bytes are valid during the call, which must not use the window.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/window.h"

/* Of all groups together, and in each needle. */
#define SEARCH_NEEDLES_MAX     128
#define SEARCH_NEEDLE_SIZE_MAX 64
/* Of so many bytes on each side of a hit's first byte a hit shows those that the part has. */
#define SEARCH_CONTEXT 256

struct needle {
	const void *bytes;
	size_t size; /* 2 to SEARCH_NEEDLE_SIZE_MAX */
	/* Where in it the bytes are that are looked for first: those that are rare in files. */
	size_t rare;
};

struct hit {
	const uint8_t *bytes;
	size_t size;
	size_t at;	 /* the needle is at bytes[at] */
	uint64_t offset; /* of the needle in the file */
};

struct needle_group {
	const struct needle *needles;
	size_t nr_needles;
	/* WHICH of the group's needles was found. Every hit is told once, overlapping ones too. */
	void (*take)(void *ctx, size_t which, const struct hit *hit);
	void *ctx;
};

struct search;

/*
 * Prepares to seek the needles of GROUPS, which may have none at all. Returns 0, -ENOMEM, or
 * -EINVAL for more or longer needles than stated.
 */
int search_new(struct search **ret, const struct needle_group *groups, size_t nr_groups);
void search_free(struct search *search);

/*
 * Seeks in SIZE bytes at OFFSET of FILE. False when it could not look at all of them: the file ends
 * before, or its budget is used up.
 */
bool search_run(struct search *search, struct window *file, uint64_t offset, uint64_t size);

#endif /* INSPECT_SEARCH_H */
