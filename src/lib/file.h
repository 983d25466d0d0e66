/* SPDX-License-Identifier: MIT */
#ifndef LIB_FILE_H
#define LIB_FILE_H

/* Files that are read, or written, as a whole. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The bits of open(2)'s flags that say whether a file is read or written, as the kernel has them
 * (include/uapi/asm-generic/fcntl.h). O_ACCMODE of musl has O_PATH in it, too.
 */
#define FILE_ACCMODE 00000003U

/* Opens PATH, `-` being standard input, for reading. Returns a descriptor or a negative errno. */
int file_open(const char *path);

/*
 * Reads PATH, a file, a pipe, or `-` for standard input, to its end. *RET has *RET_SIZE bytes and a
 * NUL behind them, for the caller to free. Returns 0; -EFBIG: more than MAX bytes; -ENODEV: a
 * device, which may have no end; -EISDIR; or another negative errno of open(2) and read(2).
 */
int file_read(const char *path, size_t max, char **ret, size_t *ret_size);

/* The same of FD, borrowed, from where it stands. */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size);

/*
 * Reads from FD, borrowed, to OUT until SIZE bytes are there or the file ends, which those of /proc
 * may do in pieces. Returns how many, or a negative errno.
 */
ssize_t file_fill(int fd, void *out, size_t size);
/* The same from OFFSET, in bytes, wherever FD stands. */
ssize_t file_fill_at(int fd, void *out, size_t size, uint64_t offset);

/* Writes SIZE bytes to FD, all of them. Returns 0 or a negative errno of write(2). */
int file_write_fd(int fd, const void *bytes, size_t size);

#endif /* LIB_FILE_H */
