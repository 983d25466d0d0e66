/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_WARNINGS_H
#define SYSCALLS_WARNINGS_H

/* What makes a recording less than what the program does: sentences for people. */

#include <stdbool.h>
#include <stddef.h>

#include "syscalls/recording.h"

#define RECORDING_WARNING_MAX 256

enum recording_warning {
	WARNING_LOST,	    /* calls were lost */
	WARNING_FILTERED,   /* a seccomp filter was there before */
	WARNING_INCOMPLETE, /* runs were cut short */
	WARNING_SINGLE,	    /* there is but one run */
	WARNING_MIXED,	    /* the runs are not of one program */
	WARNING_PHASES,	    /* no process reached a point */
	WARNING_RING,	    /* io_uring was used */
	WARNING_FOREIGN,    /* 32-bit calls */
	WARNING_UNKNOWN,    /* calls without a name */
	WARNING_FAILED,	    /* calls that always failed */
	NR_WARNINGS,
};

/* Writes the warning of KIND, one line of text, to RET. False: there is nothing to warn about. */
bool recording_warning_of(const struct recording *recording, enum recording_warning kind,
			  char ret[static RECORDING_WARNING_MAX]);

/* Writes the I-th warning of RECORDING to RET. False after the last one. */
bool recording_warning(const struct recording *recording, size_t i,
		       char ret[static RECORDING_WARNING_MAX]);

/* How many runs the growth is told of: the last five, but not the first one. */
size_t recording_growth_runs(const struct recording *recording);

#endif /* SYSCALLS_WARNINGS_H */
