/* SPDX-License-Identifier: MIT */
/*
 * The algorithm of Wu and Manber (TR 94-17, University of Arizona) with blocks of two bytes: the
 * block at the end of a span of bytes tells how far the span can be moved without passing a needle;
 * in most of a file that is nearly the length of the shortest needle.
 */
#include "inspect/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS	65536
#define BUCKETS 256
#define NONE	0xff

_Static_assert(SEARCH_NEEDLES_MAX < NONE, "a needle's number is a byte");

struct sought {
	const struct needle *needle;
	const struct needle_group *group;
	uint8_t next; /* in the bucket */
};

struct search {
	size_t span; /* how many bytes, from the rare ones on, decide about a move */
	size_t nr_sought;
	struct sought sought[SEARCH_NEEDLES_MAX];
	uint8_t bucket[BUCKETS]; /* the first of the needles whose span ends with such a block */
	uint8_t step[BLOCKS];
};

static size_t block_of(const uint8_t *bytes)
{
	return (size_t)bytes[0] | (size_t)bytes[1] << 8;
}

static size_t bucket_of(size_t block)
{
	return (block ^ block >> 8) % BUCKETS;
}

static bool search_add(struct search *search, const struct needle_group *group)
{
	for (size_t i = 0; i < group->nr_needles; i++) {
		const struct needle *needle = &group->needles[i];

		if (search->nr_sought == SEARCH_NEEDLES_MAX ||
		    needle->size > SEARCH_NEEDLE_SIZE_MAX || needle->rare + 2 > needle->size)
			return false;
		if (needle->size - needle->rare < search->span)
			search->span = needle->size - needle->rare;
		search->sought[search->nr_sought++] = (struct sought){ needle, group, NONE };
	}
	return true;
}

static void search_index(struct search *search)
{
	size_t furthest = search->span - 1;

	memset(search->step, (int)furthest, sizeof(search->step));
	memset(search->bucket, NONE, sizeof(search->bucket));
	for (size_t i = 0; i < search->nr_sought; i++) {
		struct sought *sought = &search->sought[i];
		const uint8_t *span = (const uint8_t *)sought->needle->bytes + sought->needle->rare;

		for (size_t at = 0; at < furthest; at++) {
			uint8_t *step = &search->step[block_of(span + at)];

			if (*step > furthest - 1 - at)
				*step = (uint8_t)(furthest - 1 - at);
		}

		uint8_t *first = &search->bucket[bucket_of(block_of(span + furthest - 1))];

		sought->next = *first;
		*first = (uint8_t)i;
	}
}

int search_new(struct search **ret, const struct needle_group *groups, size_t nr_groups)
{
	struct search *search = calloc(1, sizeof(*search));

	if (!search)
		return -ENOMEM;
	search->span = SEARCH_NEEDLE_SIZE_MAX;
	for (size_t i = 0; i < nr_groups; i++)
		if (!search_add(search, &groups[i])) {
			free(search);
			return -EINVAL;
		}
	search_index(search);
	*ret = search;
	return 0;
}

void search_free(struct search *search)
{
	free(search);
}

/* A piece of the file, and the part of it in which hits begin that are to be told. */
struct piece {
	const uint8_t *bytes;
	size_t size;
	size_t first, end;
	uint64_t offset; /* in the file */
};

/* The span lies at bytes[AT]: tells of the needles that are there. */
static void search_tell(const struct search *search, const struct piece *piece, size_t at)
{
	size_t block = block_of(piece->bytes + at + search->span - 2);

	for (uint8_t i = search->bucket[bucket_of(block)]; i != NONE; i = search->sought[i].next) {
		const struct sought *sought = &search->sought[i];
		const struct needle *needle = sought->needle;

		if (at < needle->rare)
			continue;

		size_t start = at - needle->rare;

		if (start < piece->first || start >= piece->end ||
		    needle->size > piece->size - start ||
		    memcmp(piece->bytes + start, needle->bytes, needle->size) != 0)
			continue;
		sought->group->take(sought->group->ctx, (size_t)(needle - sought->group->needles),
				    &(struct hit){
					    .bytes = piece->bytes,
					    .size = piece->size,
					    .at = start,
					    .offset = piece->offset + start,
				    });
	}
}

static void search_piece(const struct search *search, const struct piece *piece)
{
	size_t at = piece->first;

	while (at + search->span <= piece->size) {
		uint8_t step = search->step[block_of(piece->bytes + at + search->span - 2)];

		if (!step)
			search_tell(search, piece, at);
		at += step ? step : 1;
	}
}

bool search_run(struct search *search, struct window *file, uint64_t offset, uint64_t size)
{
	uint64_t end = size > UINT64_MAX - offset ? UINT64_MAX : offset + size;

	for (uint64_t next = offset; next < end;) {
		uint64_t from = next - offset < SEARCH_CONTEXT ? offset : next - SEARCH_CONTEXT;
		struct piece piece = { .offset = from };

		piece.bytes = window_some(file, from, &piece.size);
		if (!piece.bytes)
			return false;
		if (piece.size >= end - from)
			piece.size = (size_t)(end - from);

		bool is_last = piece.size == end - from;

		piece.first = (size_t)(next - from);
		/* The last bytes of a piece are the context of its hits and begin the next one. */
		piece.end = is_last ? piece.size
				    : piece.size - (piece.size < SEARCH_CONTEXT ? piece.size
										: SEARCH_CONTEXT);
		if (piece.end <= piece.first)
			return false;
		search_piece(search, &piece);
		next = from + piece.end;
	}
	return true;
}
