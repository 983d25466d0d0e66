/* SPDX-License-Identifier: MIT */
#ifndef LIB_PARENT_H
#define LIB_PARENT_H

/* The directory that a file is to be written to, found without being led astray. */

#include <stdbool.h>

/*
 * Opens the directory of PATH with FLAGS, O_PATH or O_RDONLY. On the way a symbolic link is
 * followed only where it stands in a directory that nobody but root and this process may write:
 * -ELOOP else. *RET_IS_OURS: whether the directory that was opened is such a one. What is checked
 * is what is opened. Returns the descriptor, the caller's, or a negative errno.
 */
int parent_open(const char *path, int flags, bool *ret_is_ours);

#endif /* LIB_PARENT_H */
