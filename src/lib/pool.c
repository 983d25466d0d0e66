/* SPDX-License-Identifier: MIT */
#include "lib/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (64U << 10)

struct pool_chunk {
	struct pool_chunk *next;
	size_t size; /* of bytes */
	alignas(max_align_t) char bytes[];
};

void *pool_take(struct pool *pool, size_t size)
{
	struct pool_chunk *chunk = pool->chunks;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!chunk || size > pool->left) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->next = pool->chunks;
		chunk->size = room;
		pool->chunks = chunk;
		pool->left = room;
	}
	pool->left -= size;
	return chunk->bytes + chunk->size - pool->left - size;
}

char *pool_text(struct pool *pool, const void *bytes, size_t size)
{
	char *text = pool_take(pool, size + 1);

	if (text && size)
		memcpy(text, bytes, size);
	return text;
}

void pool_free(struct pool *pool)
{
	for (struct pool_chunk *chunk = pool->chunks; chunk;) {
		struct pool_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	*pool = (struct pool){ 0 };
}
