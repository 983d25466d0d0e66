/* SPDX-License-Identifier: MIT */
#ifndef TORTURE_FAIL_H
#define TORTURE_FAIL_H

/* What fails, and which call it is: see fail.c. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Kinds of failures, of which one run has one. */
enum fault {
	FAULT_MEMORY = 1 << 0,	   /* no memory, no process */
	FAULT_DESCRIPTOR = 1 << 1, /* no descriptor */
	FAULT_INTERRUPT = 1 << 2,  /* EINTR */
	FAULT_SHORT = 1 << 3,	   /* some of the bytes */
	FAULT_IO = 1 << 4,	   /* what is read or written is not */
};

/*
 * Whether this call, NAME, is the one that fails, of those that FAULTS can happen to. Sets errno to
 * ERR then.
 */
bool fails(const char *name, unsigned int faults, int err);

/*
 * With TORTURE_LATE all CPUs but the first come online only once the tool has looked for the first
 * time which there are: so a file at PATH was opened as FD, SIZE bytes of it were read, and an
 * event is to be opened on CPU, which fails until then.
 */
void late_opened(const char *path, int fd);
ssize_t late_read(int fd, const void *bytes, ssize_t size);
bool late_is_offline(int cpu);

#endif /* TORTURE_FAIL_H */
