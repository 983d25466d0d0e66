/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POINTS_PRIVATE_H
#define SYSCALLS_POINTS_PRIVATE_H

#include "syscalls/points.h"

/* Says in WHAT what is wrong, for people. Returns ERR. */
int points_refuse(char what[static POINT_WHAT_SIZE], int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Resolves POINT, of kind POINT_CODE, by its text. Returns as points_add(). The descriptor and the
 * path are the point's.
 */
int points_code_find(struct point *point, const char *program,
		     char ret_what[static POINT_WHAT_SIZE]);

#endif /* SYSCALLS_POINTS_PRIVATE_H */
