/* SPDX-License-Identifier: MIT */
#ifndef LIB_LINES_H
#define LIB_LINES_H

/*
 * Reading a foreign text line by line, 64 KiB at a time, whatever its size. Borrows the descriptor
 * and allocates nothing; a line is valid until the next call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read at a time. A line of this many bytes or more, without its newline, is skipped and counted.
 */
#define LINES_SIZE (64U << 10)

/* NR_LONG and IS_CUT may be read, the others are private. Too large for the stack of a thread. */
struct lines {
	int fd;
	bool is_end;
	bool is_long;	  /* in a line that does not fit, up to its newline */
	bool is_cut;	  /* there was more than the limit */
	uint64_t nr_long; /* lines skipped */
	uint64_t left;	  /* bytes that may still be read */
	size_t at;	  /* bytes AT to END are not handed out yet */
	size_t end;
	char bytes[LINES_SIZE];
};

/* Prepares to read FD from where it stands, at most LIMIT bytes. */
void lines_begin(struct lines *lines, int fd, uint64_t limit);

/*
 * The next line, without its newline and not terminated; the last one needs no newline, any line
 * may hold NULs. Returns 1, 0 at the end, -EAGAIN when a descriptor that does not block has nothing
 * yet (call again), or another negative errno of read(2).
 */
int lines_next(struct lines *lines, const char **ret, size_t *ret_size);

#endif /* LIB_LINES_H */
