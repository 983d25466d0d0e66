/* SPDX-License-Identifier: MIT */
/*
 * src/proc/ldcache.c: the cache of the dynamic linker is read within its bounds; what is told is an
 * absolute path that ends inside it, and of what is no cache nothing is.
 *
 * The input is the cache.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/ldcache.h"

/* Room for more entries than are allowed. */
#define INPUT_MAX (2U << 20)
#define STOPPED	  77

struct told {
	const char *begin;
	const char *end;
	size_t nr_paths;
	size_t stop_at; /* 0: never */
};

static void check(int condition)
{
	if (!condition)
		abort();
}

static int take(void *ctx, const char *path)
{
	struct told *told = ctx;
	const char *end;

	check(path >= told->begin && path < told->end && path[0] == '/');
	end = memchr(path, '\0', (size_t)(told->end - path));
	check(end && end - path <= LDCACHE_PATH_MAX);
	told->nr_paths++;
	return told->nr_paths == told->stop_at ? STOPPED : 0;
}

static void check_parse(const char *bytes, size_t size)
{
	struct told all = { .begin = bytes, .end = bytes + size };
	struct told half = all;
	int err = ldcache_parse(bytes, size, take, &all);

	check(err == 0 || (err == -EBADMSG && all.nr_paths == 0));
	check(all.nr_paths <= LDCACHE_ENTRIES_MAX);
	if (!all.nr_paths)
		return;
	half.stop_at = (all.nr_paths + 1) / 2;
	check(ldcache_parse(bytes, size, take, &half) == STOPPED);
	check(half.nr_paths == half.stop_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes;

	if (size > INPUT_MAX)
		return 0;
	/* a block of its own, so that a sanitizer sees its end */
	bytes = malloc(size);
	if (size)
		memcpy(bytes, data, size);
	check_parse(bytes, size);
	free(bytes);
	return 0;
}
