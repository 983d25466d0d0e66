/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_POINTS_H
#define SYSCALLS_POINTS_H

/*
 * Points: where a phase of a program ends and the next one begins. Point number I (0, 1, ...)
 * begins phase I + 1. A process, which is all its threads, only moves on: reaching an earlier point
 * again changes nothing, reaching a later one first passes over those between. A child is in the
 * phase of its parent, and so is the program that a process executes.
 *
 * What triggers a point already belongs to the new phase.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/numbers.h"

#define POINTS_MAX	   64
#define POINT_SYSCALLS_MAX 8
#define POINT_TEXT_SIZE	   256

enum point_kind {
	POINT_CODE,    /* an instruction of a file: FUNCTION, FILE:FUNCTION, FILE:0xOFFSET */
	POINT_SYSCALL, /* first:NAME, on entry; a name stands for its variants (accept: accept4) */
	POINT_FORK,    /* first:fork: the process has made another one */
	POINT_THREAD,  /* first:thread: it has made its second thread */
	POINT_EXEC,    /* first:exec: it executes a program, after COMMAND itself */
	POINT_SIGNAL,  /* signal:USR1 is delivered */
	POINT_AUTO,    /* auto: the first wait for work of a process that listens, or whose
			* ancestors listened */
};

struct point {
	char text[POINT_TEXT_SIZE]; /* as given */
	enum point_kind kind;
	/* POINT_CODE: an open descriptor of the file, its path, and the offset in its bytes. */
	int fd;
	char *path;
	uint64_t offset;
	/* POINT_SYSCALL: native numbers. */
	uint32_t calls[POINT_SYSCALLS_MAX];
	size_t nr_calls;
	int signal;
};

struct points {
	struct point list[POINTS_MAX];
	size_t nr;
};

/*
 * Adds the point TEXT. Functions are looked for in .symtab and .dynsym of PROGRAM, an absolute
 * path, then of the libraries that it needs; a FILE may be a path, or the name of one of those
 * libraries ("libsqlite3.so.0"). A FILE:0xOFFSET is an offset in the file's bytes and has to be in
 * executable code. Returns 0; or -EINVAL, -ENOENT (no such function, with a list of what is near
 * in *RET_WHAT), -E2BIG, -ENOMEM, with what is wrong in RET_WHAT, for people.
 */
#define POINT_WHAT_SIZE 512
int points_add(struct points *points, const char *text, const char *program,
	       char ret_what[static POINT_WHAT_SIZE]);

/* Closes what it opened. */
void points_free(struct points *points);

/* The calls in which a server waits for work, and those that begin listening; native numbers. */
bool point_is_wait(uint32_t nr);
bool point_is_listen(uint32_t nr);

#endif /* SYSCALLS_POINTS_H */
