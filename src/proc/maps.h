/* SPDX-License-Identifier: MIT */
#ifndef PROC_MAPS_H
#define PROC_MAPS_H

/*
 * /proc/PID/maps: what a process has mapped, as proc_pid_maps(5) and the kernel's
 * fs/proc/task_mmu.c have it. Nothing is allocated or kept; paths are borrowed from the line. A
 * path is the process's own choice, and bytes of any kind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct map {
	uint64_t start; /* addresses; END is behind the last byte */
	uint64_t end;
	uint64_t offset; /* in the file, bytes */
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	bool is_readable;
	bool is_writable;
	bool is_executable;
	bool is_shared; /* else copied on write */
	/*
	 * The path ends in " (deleted)", which is what the kernel puts behind the name of a file
	 * that has none any more, and may just as well be the end of its name: whoever has to know
	 * compares the inode.
	 */
	bool is_deleted;
	/*
	 * The path has a "\012", which is what the kernel makes of a newline, and may just as well
	 * be these four bytes: backslashes are left alone.
	 */
	bool has_escapes;
	/*
	 * Not terminated; NULL for memory that is of no file, also where the kernel has a name for
	 * it ("[heap]", "[anon:...]"). Does not begin with a slash where the file is not in a
	 * directory that the reader can reach: "(unreachable)/x", "anon_inode:[io_uring]".
	 */
	const char *path;
	size_t path_size;
};

/* Parses LINE, without its newline. Returns 0 or -EBADMSG. */
int maps_parse(const char *line, size_t size, struct map *ret);

/*
 * Writes the path to OUT: newlines instead of "\012", and without " (deleted)" where IS_DELETED.
 * Not terminated; cut at CAP bytes, as much as path_size is always enough. Returns its size.
 */
size_t maps_path(const struct map *map, char *out, size_t cap);

/* What maps_each() could not tell. */
struct maps_skipped {
	uint64_t nr_long;      /* lines too long to be read: see lib/lines.h */
	uint64_t nr_malformed; /* lines that are not such */
};

/*
 * Reads FD, borrowed, from where it stands, and calls TAKE for each mapping until that returns
 * other than 0. Returns what TAKE returned, 0, -ENOMEM or a negative errno of read(2): the process
 * may end at any moment (-ESRCH). RET_SKIPPED may be NULL; it is set in any case.
 */
int maps_each(int fd, int (*take)(void *ctx, const struct map *map), void *ctx,
	      struct maps_skipped *ret_skipped);

/* The same of process PID. What else open(2) says: -ENOENT: there is none; -EACCES. */
int maps_each_of(pid_t pid, int (*take)(void *ctx, const struct map *map), void *ctx);

#endif /* PROC_MAPS_H */
