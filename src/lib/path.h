/* SPDX-License-Identifier: MIT */
#ifndef LIB_PATH_H
#define LIB_PATH_H

#include <stddef.h>

/*
 * Collapses "//", "." and ".." of the SIZE bytes at PATH in place, by the names alone: symbolic
 * links are not looked at, so "link/.." is taken for the directory that holds the link. ".." at the
 * root stays at the root; leading ".." of a relative path remain. Returns the new size, at least 1
 * when SIZE is: an empty result is "/" or ".".
 */
size_t path_collapse(char *path, size_t size);

#endif /* LIB_PATH_H */
