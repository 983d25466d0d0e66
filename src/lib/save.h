/* SPDX-License-Identifier: MIT */
#ifndef LIB_SAVE_H
#define LIB_SAVE_H

/*
 * A document in a file that is there as a whole or not at all: it is written beside the file and
 * then takes its place, so that whoever reads it, and whatever ends the program, finds the old one
 * or the new one. What is no regular file ("-", a pipe, /dev/fd/N) is written as it is.
 */

#include <stddef.h>

/*
 * Tries whether PATH can be written; changes nothing of it. Returns 0 or the negative errno that
 * save_file() would return, as far as can be told: -ELOOP for a symbolic link in a directory that
 * others may write, -EISDIR.
 */
int save_check(const char *path);

/*
 * Writes SIZE bytes to PATH; NULL or "-" is standard output. A new file is made 0600, one that is
 * replaced gives its mode and owner to the new one. A symbolic link is followed. Returns 0 or a
 * negative errno: then the file is as it was. Only where the directory may not be written, or the
 * file is a mount of its own, it is overwritten in its place.
 */
int save_file(const char *path, const void *bytes, size_t size);

#endif /* LIB_SAVE_H */
