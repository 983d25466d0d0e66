/* SPDX-License-Identifier: MIT */
/*
 * src/proc/packages*.c: whatever the databases hold, an answer is a string "NAME VERSION", and only
 * a file that a database names, by one name or the other of a merged /usr, has one.
 *
 * The input is parts between bytes 0x1e: the paths that are asked for, a line each; apk's database;
 * dpkg's status; then lists of dpkg, each with its name as the first line.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc/packages.h"

#define INPUT_MAX  16384
#define NR_QUERIES 16
#define NR_PARTS   12
#define PART_END   0x1e
#define FIRST_LIST 3
#define INFO	   "var/lib/dpkg/info/"

struct part {
	const char *bytes;
	size_t size;
};

struct input {
	struct part parts[NR_PARTS];
	size_t nr_parts;
};

static void check(bool condition)
{
	if (!condition)
		abort();
}

static void split(struct input *input, const char *bytes, size_t size)
{
	while (input->nr_parts < NR_PARTS) {
		const char *end = memchr(bytes, PART_END, size);
		size_t part = end ? (size_t)(end - bytes) : size;

		input->parts[input->nr_parts++] = (struct part){ bytes, part };
		if (!end)
			break;
		bytes += part + 1;
		size -= part + 1;
	}
}

static int part_open(const struct part *part)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, part->bytes, part->size) == (ssize_t)part->size);
	check(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* The name of list I, its first line. */
static struct part list_name(const struct input *input, size_t i)
{
	struct part part = input->parts[i];
	const char *end = memchr(part.bytes, '\n', part.size);

	part.size = end ? (size_t)(end - part.bytes) : part.size;
	return part;
}

static int open_file(void *ctx, const char *path)
{
	const struct input *input = ctx;

	if (strcmp(path, "lib/apk/db/installed") == 0)
		return input->nr_parts > 1 ? part_open(&input->parts[1]) : -ENOENT;
	if (strcmp(path, "usr/lib/apk/db/installed") == 0)
		return -ENOENT;
	if (strcmp(path, "var/lib/dpkg/status") == 0)
		return input->nr_parts > 2 ? part_open(&input->parts[2]) : -ENOENT;
	check(strncmp(path, INFO, strlen(INFO)) == 0 && !strchr(path + strlen(INFO), '/'));
	for (size_t i = FIRST_LIST; i < input->nr_parts; i++) {
		struct part name = list_name(input, i);

		if (strlen(path + strlen(INFO)) == name.size &&
		    memcmp(path + strlen(INFO), name.bytes, name.size) == 0)
			return part_open(&input->parts[i]);
	}
	return -ENOENT;
}

static int list_files(void *ctx, int (*take)(void *arg, const char *name), void *arg)
{
	const struct input *input = ctx;

	for (size_t i = FIRST_LIST; i < input->nr_parts; i++) {
		struct part part = list_name(input, i);
		char *name = strndup(part.bytes, part.size);
		int err = take(arg, name);

		free(name);
		check(err == 0);
	}
	return 0;
}

/* Makes questions of the first part. Returns how many. */
static size_t make_queries(const struct part *part, struct package_query *queries)
{
	const char *at = part->bytes;
	size_t left = part->size, nr = 0;

	while (nr < NR_QUERIES && left > 0) {
		const char *end = memchr(at, '\n', left);
		size_t size = end ? (size_t)(end - at) : left;

		queries[nr].path = strndup(at, size);
		memset(queries[nr].package, 'x', PACKAGE_TEXT_MAX);
		nr++;
		at += size + (end != NULL);
		left -= size + (end != NULL);
	}
	return nr;
}

static void check_answer(const struct package_query *query, const char *rest, size_t rest_size)
{
	size_t size = strnlen(query->package, PACKAGE_TEXT_MAX);
	const char *space = strchr(query->package, ' ');
	const char *name = strrchr(query->path, '/');

	check(size < PACKAGE_TEXT_MAX);
	if (size == 0)
		return;
	check(query->path[0] == '/' && space && space > query->package && space[1]);
	/* at least its last component is there */
	check(memmem(rest, rest_size, name + 1, strlen(name + 1)) || !name[1]);
	check(memmem(rest, rest_size, query->package, (size_t)(space - query->package)));
	check(memmem(rest, rest_size, space + 1, strlen(space + 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_query queries[NR_QUERIES] = { 0 };
	struct input input = { .nr_parts = 0 };
	const struct package_root root = { .ctx = &input, .open = open_file, .list = list_files };
	const char *text = (const char *)data;
	size_t nr, skip;
	int err;

	if (size > INPUT_MAX)
		return 0;
	split(&input, text, size);
	nr = make_queries(&input.parts[0], queries);
	err = packages_find(&root, queries, nr);
	check(err == (input.nr_parts > 1 ? 0 : -ENOENT));
	skip = input.parts[0].size;
	for (size_t i = 0; i < nr; i++) {
		check_answer(&queries[i], text + skip, size - skip);
		free((char *)queries[i].path);
	}
	return 0;
}
