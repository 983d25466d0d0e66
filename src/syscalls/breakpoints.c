/* SPDX-License-Identifier: MIT */
#include "syscalls/breakpoints.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc/maps.h"

int breakpoint_files_init(struct breakpoint_files *files, const struct points *points)
{
	*files = (struct breakpoint_files){ .points = points };
	for (size_t i = 0; i < points->nr; i++) {
		struct stat st;

		if (points->list[i].kind != POINT_CODE)
			continue;
		if (fstat(points->list[i].fd, &st) < 0)
			return -errno;
		files->code |= 1ULL << i;
		files->ids[i].dev = st.st_dev;
		files->ids[i].inode = st.st_ino;
	}
	return 0;
}

struct breakpoints *breakpoints_new(void)
{
	struct breakpoints *table = calloc(1, sizeof(*table));

	if (table)
		table->nr_users = 1;
	return table;
}

struct breakpoints *breakpoints_copy(const struct breakpoints *from)
{
	struct breakpoints *table = breakpoints_new();

	if (!table)
		return NULL;
	*table = *from;
	table->nr_users = 1;
	return table;
}

void breakpoints_drop(struct breakpoints *table)
{
	if (table && --table->nr_users == 0)
		free(table);
}

/* An update on its way. */
struct update {
	struct breakpoints *table;
	const struct breakpoint_files *files;
	pid_t tid;
	int err; /* the first one */
};

/*
 * Whether MAP is of the file of point I. Some file systems (btrfs, overlayfs) have one device
 * number for maps and another for stat(2): then the path tells, as the process sees it.
 */
static bool is_file(const struct update *update, const struct map *map, size_t i)
{
	char path[PATH_MAX + 64];
	char name[PATH_MAX];
	struct stat st;
	size_t size;

	if (map->inode != update->files->ids[i].inode)
		return false;
	if (makedev(map->dev_major, map->dev_minor) == update->files->ids[i].dev)
		return true;
	if (!map->path || map->path_size > sizeof(name))
		return false;
	size = maps_path(map, name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%d/root%.*s", update->tid, (int)size, name);
	return stat(path, &st) == 0 && st.st_dev == update->files->ids[i].dev &&
	       st.st_ino == update->files->ids[i].inode;
}

static struct breakpoint *find(struct breakpoints *table, uint64_t address)
{
	for (size_t i = 0; i < table->nr; i++)
		if (table->list[i].address == address)
			return &table->list[i];
	return NULL;
}

const struct breakpoint *breakpoints_find(const struct breakpoints *table, uint64_t address)
{
	return find((struct breakpoints *)table, address);
}

/* The entry for ADDRESS, made where there is none. Returns NULL where there is no room. */
static struct breakpoint *place(struct breakpoints *table, uint64_t address)
{
	struct breakpoint *breakpoint = find(table, address);

	if (!breakpoint && table->nr < BREAKPOINTS_MAX) {
		breakpoint = &table->list[table->nr++];
		*breakpoint = (struct breakpoint){ .address = address };
	}
	return breakpoint;
}

/* Notes that point I is at ADDRESS, and what is in memory there. Returns 0 or a negative errno. */
static int note(const struct update *update, uint64_t address, size_t i)
{
	const struct point *point = &update->files->points->list[i];
	struct breakpoint *breakpoint = place(update->table, address);
	uint8_t bytes[TRACEE_BREAK_SIZE];
	int err;

	if (!breakpoint)
		return -E2BIG;
	update->table->found |= 1ULL << i;
	err = tracee_read(update->tid, address, bytes, sizeof(bytes));
	if (err)
		return err;
	if (!breakpoint->is_mapped)
		breakpoint->points = 0;
	breakpoint->points |= 1ULL << i;
	breakpoint->is_mapped = true;
	breakpoint->is_set = memcmp(bytes, tracee_break, sizeof(bytes)) == 0;
	if (!breakpoint->is_set) {
		memcpy(breakpoint->original, bytes, sizeof(bytes));
		return 0;
	}
	/* Of an address space that was copied; what it was before is in the file. */
	if (pread(point->fd, breakpoint->original, sizeof(bytes), (off_t)point->offset) !=
	    (ssize_t)sizeof(bytes))
		return -EIO;
	return 0;
}

static int take_map(void *ctx, const struct map *map)
{
	struct update *update = ctx;
	const struct points *points = update->files->points;

	if (!map->is_executable || !map->inode)
		return 0;
	for (size_t i = 0; i < points->nr; i++) {
		uint64_t offset = points->list[i].offset;
		int err;

		if (!(update->files->code >> i & 1) || offset < map->offset ||
		    offset - map->offset >= map->end - map->start || !is_file(update, map, i))
			continue;
		err = note(update, map->start + (offset - map->offset), i);
		if (err && !update->err)
			update->err = err;
	}
	return 0;
}

int breakpoint_clear(const struct breakpoint *breakpoint, pid_t tid)
{
	return tracee_write(tid, breakpoint->address, breakpoint->original,
			    sizeof(breakpoint->original));
}

int breakpoint_set(const struct breakpoint *breakpoint, pid_t tid)
{
	return tracee_write(tid, breakpoint->address, tracee_break, sizeof(tracee_break));
}

/* Sets it or takes it away, where that is not so already. Returns 0 or a negative errno. */
static int apply(struct breakpoint *breakpoint, pid_t tid, bool is_wanted)
{
	int err;

	if (!breakpoint->is_mapped) {
		breakpoint->is_set = false;
		return 0;
	}
	if (breakpoint->is_set == is_wanted)
		return 0;
	err = is_wanted ? breakpoint_set(breakpoint, tid) : breakpoint_clear(breakpoint, tid);
	if (!err)
		breakpoint->is_set = is_wanted;
	return err;
}

int breakpoints_update(struct breakpoints *table, pid_t tid, const struct breakpoint_files *files,
		       uint64_t wanted)
{
	struct update update = { .table = table, .files = files, .tid = tid };
	int err;

	if (!files->code)
		return 0;
	table->found = 0;
	for (size_t i = 0; i < table->nr; i++)
		table->list[i].is_mapped = false;
	err = maps_each_of(tid, take_map, &update);
	for (size_t i = 0; i < table->nr; i++) {
		struct breakpoint *breakpoint = &table->list[i];
		int failed = apply(breakpoint, tid, (wanted & breakpoint->points) != 0);

		if (failed && !update.err)
			update.err = failed;
	}
	return err < 0 ? err : update.err;
}
