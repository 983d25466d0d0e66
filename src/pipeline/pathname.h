/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_PATHNAME_H
#define PIPELINE_PATHNAME_H

/*
 * One spelling for a path, so that what is said about /home/x also holds for "/srv/../home/x",
 * "/home//x" and "/proc/self/root/home/x". Works on the text alone: symbolic links are not
 * followed, except that /proc/PID/root and /proc/PID/cwd are known to begin another tree.
 */

#include <stdbool.h>
#include <stddef.h>

/* PATH_MAX of the kernel; a longer path cannot be opened, and is cut. */
#define PATHNAME_MAX 4096

struct pathname {
	char bytes[PATHNAME_MAX]; /* not terminated */
	size_t size;
	/*
	 * Where the part begins that the path is judged by: behind the last /proc/PID/root or
	 * /proc/PID/cwd, and behind the ".." that lead out of an unknown directory.
	 */
	size_t base;
	bool is_rooted; /* that part is below a root, not below an unknown directory */
	bool is_truncated;
};

/* Whether path_normalise() would change nothing and find base 0: what nearly all paths are. */
bool path_is_plain(const char *path, size_t size);

/*
 * Collapses "//", "." and ".."; keeps a slash at the end and the ".." that begin a relative path.
 * The empty path stays empty.
 */
void path_normalise(struct pathname *ret, const char *path, size_t size);

#endif /* PIPELINE_PATHNAME_H */
