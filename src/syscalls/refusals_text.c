/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/columns.h"
#include "lib/table.h"
#include "syscalls/phrases.h"
#include "syscalls/refusals.h"

#define WIDTH	 PHRASE_WIDTH
#define INDENT	 2
#define ROWS_MAX 200 /* beyond, how many more there are */

static const struct table_column columns[] = {
	{ .title = "calls", .is_number = true },
	{ .title = "phase", .is_number = true },
	{ .title = "call" },
	{ .title = "error" },
	{ .title = "process", .can_shrink = true },
	{ .title = "where", .can_shrink = true },
};

static void add_text(struct table *table, const char *text)
{
	table_cell(table, text, strlen(text));
}

/* "libc.so.6+0x10ec5b", and the function where it is known */
static void add_place(struct table *table, const struct refusal *refusal)
{
	_cleanup_(cleanup_free) char *text = NULL;
	const char *slash = refusal->file ? strrchr(refusal->file, '/') : NULL;
	const char *name = slash ? slash + 1 : refusal->file;

	if (asprintf(&text, "%s%s0x%" PRIx64 "%s%s", name ? name : "", name ? "+" : "",
		     refusal->offset, refusal->symbol ? " " : "",
		     refusal->symbol ? refusal->symbol : "") < 0)
		text = NULL;
	add_text(table, text ? text : "");
}

static void add_row(struct table *table, const struct refusal *refusal)
{
	char call[PHRASE_SIZE + 16], phrase[PHRASE_SIZE];

	if (refusal->arch < NR_SYSCALL_ARCHES)
		phrase_call(phrase, refusal->arch, refusal->nr);
	else
		snprintf(phrase, sizeof(phrase), "0x%" PRIx32 " number %" PRIu32, refusal->audit,
			 refusal->nr);
	snprintf(call, sizeof(call), "%s%s", phrase, refusal->by_argument ? " (arguments)" : "");
	table_row(table);
	table_number(table, refusal->count);
	table_number(table, refusal->phase);
	add_text(table, call);
	add_text(table, refusal_error(refusal->error));
	add_text(table, refusal->process);
	add_place(table, refusal);
}

static int by_count(const void *a, const void *b)
{
	const struct refusal *one = *(const struct refusal *const *)a;
	const struct refusal *other = *(const struct refusal *const *)b;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	return one->first_ns < other->first_ns ? -1 : one->first_ns > other->first_ns;
}

static int print_table(const struct refusals *refusals, FILE *out, bool has_color)
{
	_cleanup_(cleanup_free) struct refusal **sorted = NULL;
	_cleanup_(cleanup_free) char *text = NULL;
	struct table *table;
	int err = table_new(&table, columns, sizeof(columns) / sizeof(columns[0]));

	if (err)
		return err;
	sorted = calloc(refusals->nr, sizeof(struct refusal *));
	if (!sorted) {
		table_free(table);
		return -ENOMEM;
	}
	memcpy(sorted, refusals->list, refusals->nr * sizeof(struct refusal *));
	qsort(sorted, refusals->nr, sizeof(struct refusal *), by_count);
	for (size_t i = 0; i < refusals->nr && i < ROWS_MAX; i++)
		add_row(table, sorted[i]);
	err = table_print(table, WIDTH, INDENT, has_color, &text);
	table_free(table);
	if (!err)
		fputs(text, out);
	return err;
}

/* What the numbers of the phases in the table mean. */
static void print_phases(const struct refusals_run *run, FILE *out)
{
	for (size_t i = 1; i < run->nr_phases; i++) {
		int column = fprintf(out, "  phase %zu begins at ", i);

		columns_print(out, run->points[i], strlen(run->points[i]), WIDTH - (size_t)column,
			      COLUMNS_CUT_MIDDLE);
		fputc('\n', out);
	}
}

int refusals_print(const struct refusals *refusals, const struct refusals_run *run, FILE *out,
		   bool has_color)
{
	int err = 0;

	for (size_t i = 0; i < run->nr_notes; i++)
		phrase_print(out, "Note: ", run->notes[i]);
	if (refusals->total == 0) {
		fputs("Nothing was refused.\n", out);
		return ferror(out) ? -EIO : 0;
	}
	fprintf(out, "Refused: %" PRIu64 " call%s, %zu kind%s\n\n", refusals->total,
		refusals->total > 1 ? "s" : "", refusals->nr, refusals->nr == 1 ? "" : "s");
	if (refusals->nr > 0)
		err = print_table(refusals, out, has_color);
	if (refusals->nr > ROWS_MAX)
		fprintf(out, "  and %zu kinds more: see --format json\n", refusals->nr - ROWS_MAX);
	if (refusals->nr_other > 0)
		fprintf(out, "  and %" PRIu64 " calls of other kinds, which are not kept\n",
			refusals->nr_other);
	print_phases(run, out);
	return !err && ferror(out) ? -EIO : err;
}
