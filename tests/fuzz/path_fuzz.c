/* SPDX-License-Identifier: MIT */
/*
 * src/lib/path.c and src/pipeline/pathname.c: within bounds, never longer, without "//", "." and
 * misplaced "..", the same when done again, and both of one opinion.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/path.h"
#include "pipeline/pathname.h"

#define INPUT_MAX 8192

static void check(int condition)
{
	if (!condition)
		abort();
}

/* No component of PATH but leading ".." of a relative one stands for another. */
static void check_components(const char *path, size_t size)
{
	int is_relative = path[0] != '/';
	int is_leading = is_relative;
	size_t at = !is_relative;

	if (size == 1 && (path[0] == '/' || path[0] == '.'))
		return;
	for (;;) {
		const char *slash = memchr(path + at, '/', size - at);
		size_t end = slash ? (size_t)(slash - path) : size;
		size_t name = end - at;

		check(name > 0 && !(name == 1 && path[at] == '.'));
		if (name == 2 && memcmp(path + at, "..", 2) == 0)
			check(is_leading);
		else
			is_leading = 0;
		if (!slash)
			return;
		at = end + 1;
	}
}

/* What pathname.c makes of it, but for the slash at the end, which it keeps. */
static void check_other(const char *path, size_t size, const char *collapsed, size_t out)
{
	static struct pathname name;

	path_normalise(&name, path, size);
	check(name.size <= PATHNAME_MAX && name.base <= name.size);
	if (path_is_plain(path, size))
		check(name.base == 0 && name.size == size && !memcmp(name.bytes, path, size));
	/* behind /proc/PID/root another tree begins, whose ".." do not lead out */
	if (name.is_truncated || memmem(path, size, "root", 4) || memmem(path, size, "cwd", 3))
		return;
	if (name.size > 1 && name.bytes[name.size - 1] == '/')
		name.size--;
	check(name.size == out && memcmp(name.bytes, collapsed, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path, *again;
	size_t out;

	if (size > INPUT_MAX)
		return 0;
	path = malloc(size);
	if (size)
		memcpy(path, data, size);
	out = path_collapse(path, size);
	check(out <= size && !out == !size);
	if (out) {
		check((path[0] == '/') == (data[0] == '/'));
		check_components(path, out);
		again = malloc(out);
		memcpy(again, path, out);
		check(path_collapse(again, out) == out && memcmp(again, path, out) == 0);
		free(again);
		check_other((const char *)data, size, path, out);
	}
	free(path);
	return 0;
}
