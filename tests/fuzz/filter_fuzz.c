/* SPDX-License-Identifier: MIT */
/*
 * src/pipeline/filter.c and select_tail(): any pattern is tried on any path within bounds and soon,
 * and what it matches the kernel side has let through, which knows the pattern's end only.
 *
 * The input is the pattern, a NUL, the path.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/select.h"
#include "pipeline/filter.h"

#define INPUT_MAX 8192
/* Thousands of times what any takes, also under sanitizers on a busy machine. */
#define TIME_MAX_S 5

static void check(int condition)
{
	if (!condition)
		abort();
}

/* The last 8 bytes of NAME as bpf/ reads them: before the first is a slash, before that is 0. */
static uint64_t last_word(const char *name, size_t size)
{
	uint64_t last = 0;

	for (size_t i = 0; i < 8 && i < size; i++)
		last |= (uint64_t)(unsigned char)name[size - 1 - i] << 8 * i;
	if (size < 8)
		last |= (uint64_t)'/' << 8 * size;
	return last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	const char *pattern = (const char *)data, *base;
	uint64_t last, mask;
	size_t path_size;
	struct timespec now;
	time_t begin;
	char *path;
	bool is_match;

	if (size > INPUT_MAX || !nul)
		return 0;
	path_size = size - (size_t)(nul + 1 - data);
	path = malloc(path_size);
	if (path_size)
		memcpy(path, nul + 1, path_size);
	clock_gettime(CLOCK_MONOTONIC, &now);
	begin = now.tv_sec;
	is_match = filter_glob(pattern, path, path_size);
	clock_gettime(CLOCK_MONOTONIC, &now);
	check(now.tv_sec - begin <= TIME_MAX_S);
	/* a path has no NUL */
	if (is_match && path_size && !memchr(path, '\0', path_size) &&
	    select_tail(pattern, &last, &mask)) {
		check((last_word(path, path_size) & mask) == last);
		/* opened by its base name alone, from its own directory */
		base = memrchr(path, '/', path_size);
		if (base && (size_t)(base + 1 - path) < path_size) {
			size_t at = (size_t)(base + 1 - path);

			check((last_word(path + at, path_size - at) & mask) == last);
		}
	}
	free(path);
	return 0;
}
