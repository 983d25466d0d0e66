/* SPDX-License-Identifier: MIT */
#ifndef LIB_FILE_H
#define LIB_FILE_H

/* Files that are read, or written, as a whole. */

#include <stddef.h>

/*
 * Reads PATH, a file, a pipe, or `-` for standard input, to its end. *RET has *RET_SIZE bytes and a
 * NUL behind them, for the caller to free. Returns 0; -EFBIG: more than MAX bytes; -ENODEV: a
 * device, which may have no end; -EISDIR; or another negative errno of open(2) and read(2).
 */
int file_read(const char *path, size_t max, char **ret, size_t *ret_size);

/* The same of FD, borrowed, from where it stands. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size);

/* Writes SIZE bytes to FD, all of them. Returns 0 or a negative errno of write(2). */
int file_write_fd(int fd, const void *bytes, size_t size);

#endif /* LIB_FILE_H */
