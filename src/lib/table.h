/* SPDX-License-Identifier: MIT */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

/*
 * A table for people: columns as wide as their content, all of it within a line of the given width.
 * Cells hold any bytes: what would act on a terminal is replaced, width is counted in columns of a
 * terminal. A cell that is too long is cut in the middle with "...", so that both the directory
 * and the file name of a path are seen; numbers are never cut. Owns copies of its cells.
 */

#include <stdbool.h>
#include <stddef.h>

struct table;

struct table_column {
	const char *title;
	bool is_number; /* right-aligned, never cut */
	bool is_path;	/* cut in the middle; others at the end */
	bool can_shrink;
};

/* COLUMNS are borrowed. Returns 0 or -ENOMEM. */
int table_new(struct table **ret, const struct table_column *columns, size_t nr_columns);
void table_free(struct table *table);

/* Begins a row; table_cell() then fills it from the left. Errors stick: see table_print(). */
void table_row(struct table *table);
void table_cell(struct table *table, const char *bytes, size_t size);
void table_number(struct table *table, unsigned long long number);

/*
 * The row just begun is printed in COLOR, an ANSI SGR parameter such as "31", where there is color.
 */
void table_color(struct table *table, const char *color);

/*
 * Renders heading and rows into *RET, NUL-terminated, for the caller to free; WIDTH columns at most
 * (at least 40), each line indented by INDENT. Returns 0 or a negative errno.
 */
int table_print(const struct table *table, unsigned int width, unsigned int indent, bool has_color,
		char **ret);

#endif /* LIB_TABLE_H */
