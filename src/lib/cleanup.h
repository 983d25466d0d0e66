/* SPDX-License-Identifier: MIT */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

/* Locals that never leave their function clean up after themselves. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

/* Closes a descriptor that lives longer than a function, once. */
static inline void close_fd(int *fd)
{
	cleanup_fd(fd);
	*fd = -1;
}

/* Hands a descriptor over: the local no longer closes it. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif /* LIB_CLEANUP_H */
