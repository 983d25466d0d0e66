/* SPDX-License-Identifier: MIT */
#include "proc/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/lines.h"

#define DELETED " (deleted)"
#define NEWLINE "\\012"

/* What is left of a line. */
struct rest {
	const char *at;
	size_t size;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Takes a number to the BASE, at most MAX, and the byte END behind it. */
static bool take_number(struct rest *rest, unsigned int base, uint64_t max, char end, uint64_t *ret)
{
	uint64_t value = 0;
	size_t at = 0;

	for (; at < rest->size && rest->at[at] != end; at++) {
		int digit = digit_value(rest->at[at]);

		if (digit < 0 || (unsigned int)digit >= base ||
		    value > (max - (unsigned int)digit) / base)
			return false;
		value = value * base + (unsigned int)digit;
	}
	if (at == 0 || at == rest->size)
		return false;
	rest->at += at + 1;
	rest->size -= at + 1;
	*ret = value;
	return true;
}

/* "rwxp " or a dash for each of the first three; 's' for what is shared. */
static bool take_permissions(struct rest *rest, struct map *map)
{
	static const char set[] = "rwx";

	if (rest->size < 5 || rest->at[4] != ' ' || (rest->at[3] != 'p' && rest->at[3] != 's'))
		return false;
	for (int i = 0; i < 3; i++)
		if (rest->at[i] != set[i] && rest->at[i] != '-')
			return false;
	map->is_readable = rest->at[0] == 'r';
	map->is_writable = rest->at[1] == 'w';
	map->is_executable = rest->at[2] == 'x';
	map->is_shared = rest->at[3] == 's';
	rest->at += 5;
	rest->size -= 5;
	return true;
}

/* The path begins behind spaces: the kernel fills the columns before it. */
static void take_path(struct rest *rest, struct map *map)
{
	while (rest->size > 0 && *rest->at == ' ') {
		rest->at++;
		rest->size--;
	}
	if (rest->size == 0 || *rest->at == '[')
		return;
	map->path = rest->at;
	map->path_size = rest->size;
	map->is_deleted =
		rest->size > strlen(DELETED) &&
		memcmp(rest->at + rest->size - strlen(DELETED), DELETED, strlen(DELETED)) == 0;
	map->has_escapes = memmem(rest->at, rest->size, NEWLINE, strlen(NEWLINE)) != NULL;
}

int maps_parse(const char *line, size_t size, struct map *ret)
{
	struct rest rest = { line, size };
	struct map map = { 0 };
	uint64_t dev_major, dev_minor;

	if (!take_number(&rest, 16, UINT64_MAX, '-', &map.start) ||
	    !take_number(&rest, 16, UINT64_MAX, ' ', &map.end) || map.end < map.start ||
	    !take_permissions(&rest, &map) ||
	    !take_number(&rest, 16, UINT64_MAX, ' ', &map.offset) ||
	    !take_number(&rest, 16, UINT32_MAX, ':', &dev_major) ||
	    !take_number(&rest, 16, UINT32_MAX, ' ', &dev_minor) ||
	    !take_number(&rest, 10, UINT64_MAX, ' ', &map.inode))
		return -EBADMSG;
	map.dev_major = (uint32_t)dev_major;
	map.dev_minor = (uint32_t)dev_minor;
	take_path(&rest, &map);
	*ret = map;
	return 0;
}

size_t maps_path(const struct map *map, char *out, size_t cap)
{
	size_t size = map->path_size - (map->is_deleted ? strlen(DELETED) : 0);
	size_t written = 0;

	for (size_t at = 0; at < size && written < cap;) {
		if (map->has_escapes && size - at >= strlen(NEWLINE) &&
		    memcmp(map->path + at, NEWLINE, strlen(NEWLINE)) == 0) {
			out[written++] = '\n';
			at += strlen(NEWLINE);
		} else {
			out[written++] = map->path[at++];
		}
	}
	return written;
}

int maps_each(int fd, int (*take)(void *ctx, const struct map *map), void *ctx,
	      struct maps_skipped *ret_skipped)
{
	_cleanup_(cleanup_free) struct lines *lines = malloc(sizeof(*lines));
	struct maps_skipped skipped = { 0 };
	const char *line;
	size_t size;
	int err = -ENOMEM;

	if (lines) {
		/* no limit: how many mappings there may be is for vm.max_map_count to say */
		lines_begin(lines, fd, UINT64_MAX);
		while ((err = lines_next(lines, &line, &size)) > 0) {
			struct map map;

			if (maps_parse(line, size, &map) < 0) {
				skipped.nr_malformed++;
				continue;
			}
			err = take(ctx, &map);
			if (err)
				break;
		}
		skipped.nr_long = lines->nr_long;
	}
	if (ret_skipped)
		*ret_skipped = skipped;
	return err;
}

int maps_each_of(pid_t pid, int (*take)(void *ctx, const struct map *map), void *ctx)
{
	_cleanup_(cleanup_fd) int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : maps_each(fd, take, ctx, NULL);
}
