/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POINTS_CALLS_H
#define SYSCALLS_POINTS_CALLS_H

/* The calls of `first:NAME`. */

#include "syscalls/points.h"

/*
 * Fills the calls of POINT with NAME and what it stands for, native numbers. Returns 0, or -ENOENT
 * when no architecture has such a call, -ENOSYS when only others have it.
 */
int points_calls_find(struct point *point, const char *name);

#endif /* SYSCALLS_POINTS_CALLS_H */
