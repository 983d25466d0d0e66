/* SPDX-License-Identifier: MIT */
#include "lib/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/columns.h"
#include "lib/memory.h"

#define WIDTH_MIN 40
#define GAP	  2 /* columns between two columns of the table */
#define ROWS_MAX  (1U << 20)
#define CELL_MAX  (64U << 10) /* bytes; no screen shows what lies behind */
#define COLOR_MAX 16

/* What is left of a column: a word of one that may shrink, hardly more than "..." of another. */
#define SHRUNK_MIN 8
#define FORCED_MIN 4

struct cell {
	char *bytes;
	size_t size;
	size_t width;
};

struct row {
	char color[COLOR_MAX]; /* empty: none */
	size_t nr_cells;
	struct cell cells[]; /* as many as the table has columns */
};

struct table {
	const struct table_column *columns;
	size_t nr_columns;
	struct row **rows;
	size_t nr_rows;
	size_t cap;
	int err; /* the first one */
};

int table_new(struct table **ret, const struct table_column *columns, size_t nr_columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->columns = columns;
	table->nr_columns = nr_columns;
	*ret = table;
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->nr_rows; i++) {
		for (size_t k = 0; k < table->rows[i]->nr_cells; k++)
			free(table->rows[i]->cells[k].bytes);
		free(table->rows[i]);
	}
	free(table->rows);
	free(table);
}

static int rows_reserve(struct table *table)
{
	size_t cap = table->cap ? 2 * table->cap : 16;
	struct row **rows;

	if (table->nr_rows < table->cap)
		return 0;
	if (table->nr_rows == ROWS_MAX)
		return -E2BIG;
	rows = reallocarray(table->rows, cap, sizeof(struct row *));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	table->cap = cap;
	return 0;
}

void table_row(struct table *table)
{
	struct row *row;

	if (table->err)
		return;
	table->err = rows_reserve(table);
	if (table->err)
		return;
	row = calloc(1, sizeof(*row) + table->nr_columns * sizeof(struct cell));
	if (!row) {
		table->err = -ENOMEM;
		return;
	}
	table->rows[table->nr_rows++] = row;
}

/* The row that was begun; NULL, and an error that sticks, where there is none. */
static struct row *row_begun(struct table *table)
{
	if (!table->err && table->nr_rows == 0)
		table->err = -EINVAL;
	return table->err ? NULL : table->rows[table->nr_rows - 1];
}

void table_cell(struct table *table, const char *bytes, size_t size)
{
	struct row *row = row_begun(table);
	struct cell *cell;

	if (!row)
		return;
	if (row->nr_cells == table->nr_columns) {
		table->err = -EINVAL;
		return;
	}
	cell = &row->cells[row->nr_cells++];
	if (size == 0)
		return;
	cell->size = size < CELL_MAX ? size : CELL_MAX;
	cell->bytes = malloc(cell->size);
	if (!cell->bytes) {
		table->err = -ENOMEM;
		return;
	}
	memcpy(cell->bytes, bytes, cell->size);
	if (size > CELL_MAX)
		memcpy(cell->bytes + CELL_MAX - 3, "...", 3);
	cell->width = columns_count(cell->bytes, cell->size);
}

void table_number(struct table *table, unsigned long long number)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%llu", number);

	table_cell(table, text, (size_t)size);
}

void table_color(struct table *table, const char *color)
{
	struct row *row = row_begun(table);

	if (!row)
		return;
	if (strlen(color) >= sizeof(row->color)) {
		table->err = -EINVAL;
		return;
	}
	memcpy(row->color, color, strlen(color) + 1);
}

/*
 * Takes columns from the widest of WIDTHS, one by one, until no more than ROOM are left or none may
 * give more. Returns the sum of WIDTHS.
 */
static size_t shrink(const struct table *table, size_t *widths, size_t sum, size_t room, bool all)
{
	size_t min = all ? FORCED_MIN : SHRUNK_MIN;

	for (; sum > room; sum--) {
		size_t widest = table->nr_columns;

		for (size_t i = 0; i < table->nr_columns; i++) {
			const struct table_column *column = &table->columns[i];

			if (column->is_number || (!all && !column->can_shrink) || widths[i] <= min)
				continue;
			if (widest == table->nr_columns || widths[i] > widths[widest])
				widest = i;
		}
		if (widest == table->nr_columns)
			break;
		widths[widest]--;
	}
	return sum;
}

/* How wide each column is printed. WIDTH is what a line may take, without the indentation. */
static void measure(const struct table *table, size_t width, size_t *widths)
{
	size_t gaps = table->nr_columns > 0 ? GAP * (table->nr_columns - 1) : 0;
	size_t room = width > gaps ? width - gaps : 0, sum = 0;

	for (size_t i = 0; i < table->nr_columns; i++) {
		const char *title = table->columns[i].title;

		widths[i] = columns_count(title, strlen(title));
		for (size_t k = 0; k < table->nr_rows; k++) {
			const struct cell *cell = &table->rows[k]->cells[i];

			if (cell->width > widths[i])
				widths[i] = cell->width;
		}
		/* no more than can be left of it; a sum of these cannot overflow */
		if (!table->columns[i].is_number && widths[i] > room && room > FORCED_MIN)
			widths[i] = room;
		sum += widths[i];
	}
	sum = shrink(table, widths, sum, room, false);
	shrink(table, widths, sum, room, true);
}

static void print_spaces(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

struct layout {
	const struct table_column *columns;
	const size_t *widths;
	unsigned int indent;
};

static void print_line(FILE *out, const struct layout *layout, const struct cell *cells,
		       size_t nr_cells, const char *color)
{
	size_t pending = 0; /* blanks, printed only when something follows */

	while (nr_cells > 0 && cells[nr_cells - 1].size == 0)
		nr_cells--;
	if (nr_cells > 0)
		print_spaces(out, layout->indent);
	if (nr_cells > 0 && *color)
		fprintf(out, "\033[%sm", color);
	for (size_t i = 0; i < nr_cells; i++) {
		const struct table_column *column = &layout->columns[i];
		const struct cell *cell = &cells[i];
		size_t width = layout->widths[i], used;

		if (column->is_number && cell->width < width)
			pending += width - cell->width;
		print_spaces(out, pending);
		used = columns_print(out, cell->bytes, cell->size, width,
				     column->is_path ? COLUMNS_CUT_MIDDLE : COLUMNS_CUT_END);
		pending = GAP + (column->is_number ? 0 : width - used);
	}
	if (nr_cells > 0 && *color)
		fputs("\033[0m", out);
	fputc('\n', out);
}

static int print_titles(FILE *out, const struct layout *layout, size_t nr_columns, bool has_color)
{
	_cleanup_(cleanup_free) struct cell *titles = calloc(nr_columns + 1, sizeof(*titles));

	if (!titles)
		return -ENOMEM;
	for (size_t i = 0; i < nr_columns; i++) {
		titles[i].bytes = (char *)layout->columns[i].title;
		titles[i].size = strlen(layout->columns[i].title);
		titles[i].width = columns_count(titles[i].bytes, titles[i].size);
	}
	print_line(out, layout, titles, nr_columns, has_color ? "1" : "");
	return 0;
}

int table_print(const struct table *table, unsigned int width, unsigned int indent, bool has_color,
		char **ret)
{
	_cleanup_(cleanup_free) size_t *widths = calloc(table->nr_columns + 1, sizeof(*widths));
	struct layout layout = { .columns = table->columns, .widths = widths, .indent = indent };
	struct memory_text text;
	size_t size;
	int err = table->err;

	if (err)
		return err;
	if (!widths)
		return -ENOMEM;
	if (width < WIDTH_MIN)
		width = WIDTH_MIN;
	measure(table, width > indent ? width - indent : 0, widths);
	if (memory_text_begin(&text))
		return -ENOMEM;
	err = print_titles(text.out, &layout, table->nr_columns, has_color);
	for (size_t i = 0; !err && i < table->nr_rows; i++) {
		const struct row *row = table->rows[i];

		print_line(text.out, &layout, row->cells, row->nr_cells,
			   has_color ? row->color : "");
	}
	return memory_text_end(&text, err, ret, &size);
}
