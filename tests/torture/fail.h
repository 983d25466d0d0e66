/* SPDX-License-Identifier: MIT */
#ifndef TORTURE_FAIL_H
#define TORTURE_FAIL_H

/* What fails, and which call it is: see fail.c. */

#include <stdbool.h>

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

#endif /* TORTURE_FAIL_H */
