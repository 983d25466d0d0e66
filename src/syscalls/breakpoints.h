/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_BREAKPOINTS_H
#define SYSCALLS_BREAKPOINTS_H

/*
 * The breakpoints in one address space, at points that are code. A point is an instruction of a
 * file; where that is in memory is told by what the process has mapped, each time anew: libraries
 * come and go, a file can be mapped twice. What is written is a private copy of the page, the file
 * never changes.
 *
 * Memory is the truth: a breakpoint counts as set when its bytes are there. So a fork child, which
 * has the memory of its parent as it was at some moment, and a library that was closed and loaded
 * again, need no care beyond an update.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/points.h"
#include "syscalls/tracee.h"

/* In one address space; those beyond are not set, and -E2BIG tells. */
#define BREAKPOINTS_MAX 256

struct breakpoint {
	uint64_t address;
	uint64_t points; /* that are there, a bit each: two names of one function are two points */
	bool is_mapped;	 /* the file is still there */
	bool is_set;
	uint8_t original[TRACEE_BREAK_SIZE];
};

struct breakpoints {
	uint32_t nr_users; /* processes that share the memory; the last one frees it */
	uint64_t found;	   /* a bit for each point that is mapped */
	size_t nr;
	struct breakpoint list[BREAKPOINTS_MAX];
};

/* The files of POINTS as the kernel identifies them. */
struct breakpoint_files {
	const struct points *points;
	uint64_t code; /* a bit for each point that is code */
	struct {
		dev_t dev;
		ino_t inode;
	} ids[POINTS_MAX];
};

/* Returns 0 or a negative errno of fstat(2). POINTS are borrowed. */
int breakpoint_files_init(struct breakpoint_files *files, const struct points *points);

/* Those of a new address space, with one user, or of a copy of FROM's; NULL: no memory. */
struct breakpoints *breakpoints_new(void);
struct breakpoints *breakpoints_copy(const struct breakpoints *from);

/* One user less. TABLE may be NULL. */
void breakpoints_drop(struct breakpoints *table);

/*
 * Sets those of the points in WANTED, a bit each, that the process of thread TID has mapped now,
 * and takes away all others. TID need not be stopped. Returns 0, or the first error after having
 * done all that could be: -EACCES where the process may not be looked at, -EIO where code cannot be
 * written.
 */
int breakpoints_update(struct breakpoints *table, pid_t tid, const struct breakpoint_files *files,
		       uint64_t wanted);

/*
 * The one at ADDRESS, or NULL. One that was taken away is still found: a thread may have run into
 * it before, and not have told yet.
 */
const struct breakpoint *breakpoints_find(const struct breakpoints *table, uint64_t address);

/* Takes one away, or sets it again, for a step over it. Returns 0 or a negative errno. */
int breakpoint_clear(const struct breakpoint *breakpoint, pid_t tid);
int breakpoint_set(const struct breakpoint *breakpoint, pid_t tid);

#endif /* SYSCALLS_BREAKPOINTS_H */
