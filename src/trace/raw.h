/* SPDX-License-Identifier: MIT */
#ifndef TRACE_RAW_H
#define TRACE_RAW_H

/* The records of the programs for old kernels, as bytes that are not trusted. */

#include <stddef.h>

#include "trace/reduced_wire.h"

/* One record, copied as far as its size is fixed. */
struct raw {
	struct raw_head head; /* the same as that of the member for its type */
	union {
		struct raw_fork fork;
		struct raw_rename rename;
		struct raw_args args;
		struct raw_exec exec;
		struct raw_exit exit;
		struct raw_open open;
		struct raw_move move;
	};
	/* What follows: arguments, each with its NUL, or a name, without. Borrowed. */
	const char *text;
	size_t text_size;
};

/*
 * Reads the record at BYTES, SIZE bytes of which the last may be padding, aligned in any way.
 * Returns 0, or -EBADMSG with *RET untouched.
 */
int raw_parse(const void *bytes, size_t size, struct raw *ret);

#endif /* TRACE_RAW_H */
