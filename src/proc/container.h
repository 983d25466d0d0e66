/* SPDX-License-Identifier: MIT */
#ifndef PROC_CONTAINER_H
#define PROC_CONTAINER_H

/*
 * Containers as control groups name them. Owns the strings it hands out, until containers_free().
 * Bounded: beyond CONTAINERS_MAX different ones further containers are not told.
 */

#include <stddef.h>

#include "proc/processes.h"

#define CONTAINERS_MAX	   4096
#define CONTAINER_NAME_MAX 127

struct containers;

/* Returns 0 or -ENOMEM. */
int containers_new(struct containers **ret);
void containers_free(struct containers *containers);

/* The container of a control group called NAME (SIZE bytes), or NULL when it is none. */
const struct container *containers_intern(struct containers *containers, const char *name,
					  size_t size);

/*
 * The name of the innermost control group in TEXT, /proc/PID/cgroup, that is a container's, else of
 * the innermost: of a line "0::/a/b" of the cgroup2 hierarchy, or where that holds no groups of
 * "7:pids:/a/b" (cgroups(7)). NULL: it is in none. Borrowed, not terminated.
 */
const char *container_cgroup(const char *text, size_t size, size_t *ret_size);

#endif /* PROC_CONTAINER_H */
