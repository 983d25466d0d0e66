/* SPDX-License-Identifier: MIT */
#ifndef LIB_POOL_H
#define LIB_POOL_H

/*
 * Memory for many small things that live and end together, such as the parts of a document. Zero
 * initialised; pool_free() ends all of them.
 */

#include <stddef.h>

struct pool_chunk;

struct pool {
	struct pool_chunk *chunks;
	size_t left; /* bytes in the newest */
};

/* SIZE bytes of zeros, aligned for anything, or NULL when there is no memory. */
void *pool_take(struct pool *pool, size_t size);

/* A copy of SIZE bytes with a NUL behind, or NULL. */
char *pool_text(struct pool *pool, const void *bytes, size_t size);

void pool_free(struct pool *pool);

#endif /* LIB_POOL_H */
