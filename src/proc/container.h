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

#endif /* PROC_CONTAINER_H */
