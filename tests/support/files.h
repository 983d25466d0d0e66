/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_FILES_H
#define TESTS_SUPPORT_FILES_H

/*
 * A directory of a test's own below /tmp, for cmocka's setup and teardown, and files in it. Failure
 * ends the test program.
 */

#include <sys/types.h>

/* Setup: makes an empty directory. */
int files_begin(void **state);

/* Teardown: removes it with the files in it; directories in it have to be empty. */
int files_end(void **state);

/* The directory. */
const char *files_dir(void);

/* The path of NAME in it; valid until the fourth call from now. */
const char *files_path(const char *name);

/* Makes or empties the file PATH, puts TEXT into it and gives it MODE. */
void file_put(const char *path, const char *text, mode_t mode);

/* What the file PATH holds, terminated, at most 1 MiB; valid until the next call. */
const char *file_text(const char *path);

/* The permissions of the file PATH. */
mode_t file_mode(const char *path);

/* How many entries /proc/self/fd has: comparable with what this said before. */
unsigned int files_count_open(void);

#endif /* TESTS_SUPPORT_FILES_H */
