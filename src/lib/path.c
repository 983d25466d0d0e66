/* SPDX-License-Identifier: MIT */
#include "lib/path.h"

#include <stdbool.h>
#include <string.h>

static bool is_parent(const char *name, size_t size)
{
	return size == 2 && name[0] == '.' && name[1] == '.';
}

/* Whether PATH needs no work: the rule for nearly every path, so it is tested in one pass. */
static bool is_plain(const char *path, size_t size)
{
	char before = '\0';

	for (size_t i = 0; i < size; i++) {
		if ((path[i] == '/' || path[i] == '.') && before == '/')
			return false;
		before = path[i];
	}
	return before != '/' && path[0] != '.';
}

/* Where the last component of the SIZE bytes at PATH begins, which has at least ROOT bytes. */
static size_t last_component(const char *path, size_t size, size_t root)
{
	while (size > root && path[size - 1] != '/')
		size--;
	return size;
}

/*
 * Whether ".." takes the last component of the SIZE bytes at PATH off: not when there is none above
 * a relative path, and not when it is ".." itself. Looked at only where the component goes away, so
 * that the time grows with the size of the path.
 */
static bool can_drop(const char *path, size_t size, size_t root)
{
	size_t last;

	if (size == 0)
		return false;
	last = last_component(path, size, root);
	return !is_parent(path + last, size - last);
}

/*
 * Adds the component at path[AT], NAME bytes long, to the OUT bytes that are done. Returns their
 * new number. OUT never passes AT: components only move forward.
 */
static size_t add_component(char *path, size_t out, size_t root, size_t at, size_t name)
{
	if (name == 0 || (name == 1 && path[at] == '.'))
		return out;
	if (is_parent(path + at, name) && can_drop(path, out, root)) {
		size_t last = last_component(path, out, root);

		return last > root ? last - 1 : root;
	}
	if (out > root)
		path[out++] = '/';
	memmove(path + out, path + at, name);
	return out + name;
}

size_t path_collapse(char *path, size_t size)
{
	size_t root = size > 0 && path[0] == '/';
	size_t out = root;
	size_t at = root;

	if (size == 0 || is_plain(path, size))
		return size;
	while (at < size) {
		const char *slash = memchr(path + at, '/', size - at);
		size_t name = slash ? (size_t)(slash - path) - at : size - at;

		out = add_component(path, out, root, at, name);
		at += name + 1;
	}
	if (out == 0)
		path[out++] = '.';
	return out;
}
