/* SPDX-License-Identifier: MIT */
#include "pipeline/pathname.h"

#include <string.h>

#include "lib/bytes.h"

/* The size of the component at PATH. */
static size_t component_size(const char *path, size_t size)
{
	const char *slash = memchr(path, '/', size);

	return slash ? (size_t)(slash - path) : size;
}

bool path_is_plain(const char *path, size_t size)
{
	if (size == 0 || path[0] != '/' || bytes_begin(path, size, "/proc/"))
		return false;
	for (size_t at = 0; at + 1 < size; at++) {
		if (path[at] != '/' || (path[at + 1] != '/' && path[at + 1] != '.'))
			continue;
		if (path[at + 1] == '/')
			return false;

		size_t dots = component_size(path + at + 1, size - at - 1);

		if (dots == 1 || (dots == 2 && path[at + 2] == '.'))
			return false;
	}
	return true;
}

/* Takes the component at *PATH, and its slash, off the front. Returns its size. */
static size_t next_component(const char **path, size_t *size)
{
	size_t taken = component_size(*path, *size);
	size_t step = taken < *size ? taken + 1 : taken;

	*path += step;
	*size -= step;
	return taken;
}

/* Whether the judged part is /proc/X or /proc/X/task/N, where root and cwd lead elsewhere. */
static bool is_proc_task(const struct pathname *name)
{
	const char *path = name->bytes + name->base, *part;
	size_t size = name->size - name->base, taken;

	if (size > 0 && *path == '/') {
		path++;
		size--;
	}
	part = path;
	taken = next_component(&path, &size);
	if (!bytes_equal(part, taken, "proc"))
		return false;
	part = path;
	taken = next_component(&path, &size);
	if (!bytes_are_digits(part, taken) && !bytes_equal(part, taken, "self") &&
	    !bytes_equal(part, taken, "thread-self"))
		return false;
	if (size == 0)
		return true;
	part = path;
	taken = next_component(&path, &size);
	return bytes_equal(part, taken, "task") && bytes_are_digits(path, size);
}

static void add(struct pathname *name, const char *bytes, size_t size)
{
	size_t room = PATHNAME_MAX - name->size;

	if (size > room) {
		name->is_truncated = true;
		size = room;
	}
	memcpy(name->bytes + name->size, bytes, size);
	name->size += size;
}

/* A component that does not fit is cut. One of which nothing fits is not added: returns false. */
static bool push(struct pathname *name, const char *component, size_t size, bool is_absolute)
{
	bool is_root = bytes_equal(component, size, "root");
	bool is_link = (is_root || bytes_equal(component, size, "cwd")) && is_proc_task(name);

	if (PATHNAME_MAX - name->size < 2) {
		name->is_truncated = true;
		return false;
	}
	if (name->size > 0 || is_absolute)
		add(name, "/", 1);
	add(name, component, size);
	if (is_link) {
		name->base = name->size;
		name->is_rooted = is_root;
	}
	return true;
}

static void pop(struct pathname *name, bool is_absolute)
{
	size_t at = name->size;

	if (at > name->base) {
		while (at > name->base && name->bytes[at - 1] != '/')
			at--;
		name->size = at > name->base ? at - 1 : at;
	} else if (!name->is_rooted) {
		/* above an unknown directory there is another; above a root there is the root */
		push(name, "..", 2, is_absolute);
		name->base = name->size;
	}
}

/*
 * Takes one component. NR_LEFT_OUT counts those that did not fit: a later ".." must take back one
 * of them first.
 */
static void component_take(struct pathname *name, const char *component, size_t size,
			   bool is_absolute, size_t *nr_left_out)
{
	if (size == 0 || bytes_equal(component, size, "."))
		return;
	if (!bytes_equal(component, size, "..")) {
		if (name->is_truncated || !push(name, component, size, is_absolute))
			++*nr_left_out;
	} else if (*nr_left_out > 0) {
		--*nr_left_out;
	} else {
		name->is_truncated = false;
		pop(name, is_absolute);
	}
}

void path_normalise(struct pathname *ret, const char *path, size_t size)
{
	bool is_absolute = size > 0 && path[0] == '/';
	bool ends_in_slash = size > 0 && path[size - 1] == '/';
	bool is_empty = size == 0;
	size_t nr_left_out = 0;

	ret->size = 0;
	ret->base = 0;
	ret->is_rooted = is_absolute;
	ret->is_truncated = false;
	while (size > 0) {
		const char *component = path;
		size_t taken = next_component(&path, &size);

		component_take(ret, component, taken, is_absolute, &nr_left_out);
	}
	if (ret->size == 0 && !is_empty)
		add(ret, is_absolute ? "/" : ".", 1);
	else if (ends_in_slash && !ret->is_truncated)
		add(ret, "/", 1);
}
