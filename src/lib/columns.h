/* SPDX-License-Identifier: MIT */
#ifndef LIB_COLUMNS_H
#define LIB_COLUMNS_H

/*
 * Foreign bytes in the columns of a terminal. What utf8_is_control() names, and each broken
 * sequence, is shown as U+FFFD in one column: for tables, where an escape would push a cell out of
 * its place. Independent of the locale, which wcwidth(3) is not. Nothing is kept or allocated.
 */

#include <stddef.h>
#include <stdio.h>

/* How many columns BYTES take: wide characters two, combining marks none. */
size_t columns_count(const char *bytes, size_t size);

enum columns_cut {
	COLUMNS_CUT_END,
	COLUMNS_CUT_MIDDLE, /* both the first directories and the name of a path remain */
};

/*
 * Writes BYTES to OUT, at most WIDTH columns of them; "..." stands for what is left out. Returns
 * the columns written, which a wide character at the cut may make one or two fewer than WIDTH.
 * Errors of OUT are OUT's: see ferror(3).
 */
size_t columns_print(FILE *out, const char *bytes, size_t size, size_t width, enum columns_cut cut);

#endif /* LIB_COLUMNS_H */
