/* SPDX-License-Identifier: MIT */
#ifndef LIB_WINDOW_H
#define LIB_WINDOW_H

/*
 * Reading a foreign file piece by piece, as much as is asked for and never all of it: a file may be
 * gigabytes, sparse, or cut short while it is read. Nothing is mapped, so that a file that shrinks
 * is an end and no SIGBUS. Borrows the descriptor; owns its buffer. What is handed out is valid
 * until the next call.
 */

#include <stddef.h>
#include <stdint.h>

/* The largest piece that can be asked for at a time. */
#define WINDOW_SIZE (64U << 10)

/* All fields are private; the struct is here so that it can be embedded. */
struct window {
	int fd;		      /* -1: bytes in memory */
	const uint8_t *bytes; /* those */
	uint64_t size;	      /* of the file */
	uint64_t budget;      /* bytes that may still be read */
	uint64_t at;	      /* where in the file the buffer begins */
	size_t filled;
	uint8_t *buffer;
};

/*
 * Prepares to read FD, borrowed, of SIZE bytes, of which at most BUDGET are ever read. Returns 0 or
 * -ENOMEM.
 */
int window_open(struct window *window, int fd, uint64_t size, uint64_t budget);

/* The same for SIZE bytes in memory, borrowed: tests and parsers of parts. Cannot fail. */
void window_memory(struct window *window, const void *bytes, size_t size);

void window_close(struct window *window);

/*
 * The SIZE bytes at OFFSET, or NULL when the file ends before, the budget is used up, SIZE is above
 * WINDOW_SIZE or reading fails.
 */
const void *window_get(struct window *window, uint64_t offset, size_t size);

/*
 * As many bytes as there are at OFFSET, at most WINDOW_SIZE, in *RET_SIZE; NULL when there are
 * none.
 */
const void *window_some(struct window *window, uint64_t offset, size_t *ret_size);

#endif /* LIB_WINDOW_H */
