/* SPDX-License-Identifier: MIT */
/* A comparison for people. What does not fit in a line is cut where "..." shows it. */
#include "syscalls/comparison.h"

#include <inttypes.h>
#include <string.h>

#include "lib/columns.h"
#include "syscalls/phrases.h"

#define NAME_COLUMNS 28 /* of a call; the longest that there is */

struct page {
	const struct comparison *comparison;
	FILE *out;
	bool has_color;
};

static const struct {
	const char *label;
	char sign;
	const char *color;
} sides[NR_COMPARISON_SIDES] = {
	[COMPARISON_OLD] = { "old", '-', "31" },
	[COMPARISON_NEW] = { "new", '+', "32" },
};

/* Prints the parts of a line that there are, between commas, as far as they fit. */
static void print_list(FILE *out, size_t column, const char *const *texts, size_t nr)
{
	const char *comma = "";

	for (size_t i = 0; i < nr; i++) {
		size_t room = PHRASE_WIDTH - column;

		if (!texts[i] || room < 16)
			continue;
		column += (size_t)fprintf(out, "%s", comma);
		room = PHRASE_WIDTH - column;
		column += columns_print(out, texts[i], strlen(texts[i]), room < 32 ? room : 32,
					COLUMNS_CUT_MIDDLE);
		comma = ", ";
	}
	fputc('\n', out);
}

/* "old: /usr/bin/ls, 3 runs, glibc 2.36, 6.1.0" */
static void print_side(const struct page *page, enum comparison_side side)
{
	const struct recording *recording = page->comparison->sides[side];
	char runs[PHRASE_SIZE];
	const char *const texts[] = { recording->exe, runs, recording->libc, recording->kernel };
	size_t column = (size_t)fprintf(page->out, "%s: ", sides[side].label);

	snprintf(runs, sizeof(runs), "%zu run%s", recording->nr_runs,
		 recording->nr_runs == 1 ? "" : "s");
	print_list(page->out, column, texts, sizeof(texts) / sizeof(texts[0]));
}

static void print_call(const struct page *page, enum comparison_side side,
		       const struct recording_call *call)
{
	char name[PHRASE_SIZE];

	if (page->has_color)
		fprintf(page->out, "\033[%sm", sides[side].color);
	fprintf(page->out, "  %c %-*s", sides[side].sign, NAME_COLUMNS,
		phrase_call(name, call->arch, call->nr));
	if (page->has_color)
		fputs("\033[0m", page->out);
	fprintf(page->out, " %" PRIu64 " time%s", call->count, call->count == 1 ? "" : "s");
	if (call->errors == call->count)
		fputs(", failed", page->out);
	fprintf(page->out, ", in %" PRIu32 " of %zu run%s\n", call->nr_runs,
		page->comparison->sides[side]->nr_runs,
		page->comparison->sides[side]->nr_runs == 1 ? "" : "s");
}

/* The calls of PART, those of both sides in the order of their numbers. */
static void print_calls(const struct page *page, const struct comparison_part *part)
{
	const struct comparison_calls *old = &part->only[COMPARISON_OLD];
	const struct comparison_calls *new = &part->only[COMPARISON_NEW];
	size_t i = 0, k = 0;

	while (i < old->nr || k < new->nr) {
		bool is_old = k == new->nr;

		if (i < old->nr && k < new->nr)
			is_old = RECORDING_KEY(0, old->list[i].arch, old->list[i].nr) <
				 RECORDING_KEY(0, new->list[k].arch, new->list[k].nr);
		if (is_old)
			print_call(page, COMPARISON_OLD, &old->list[i++]);
		else
			print_call(page, COMPARISON_NEW, &new->list[k++]);
	}
}

/* "Program /usr/bin/sh", and of one that only one side has how many calls it made. */
static void print_title(const struct page *page, const char *what, const char *name,
			const struct comparison_part *part)
{
	size_t column = strlen(what);

	fprintf(page->out, page->has_color ? "\n\033[1m%s" : "\n%s", what);
	columns_print(page->out, name, strlen(name), PHRASE_WIDTH - column - 32,
		      COLUMNS_CUT_MIDDLE);
	fputs(page->has_color ? "\033[0m" : "", page->out);
	for (int side = 0; side < NR_COMPARISON_SIDES; side++)
		if (!part->is_in[!side])
			fprintf(page->out, ": %s only, %zu call%s", sides[side].label,
				part->only[side].nr, part->only[side].nr == 1 ? "" : "s");
	fputc('\n', page->out);
}

static void print_part(const struct page *page, const char *what, const char *name,
		       const struct comparison_part *part)
{
	if (!comparison_part_differs(part))
		return;
	print_title(page, what, name, part);
	if (part->is_in[COMPARISON_OLD] && part->is_in[COMPARISON_NEW])
		print_calls(page, part);
}

static const char *name_of(const struct comparison_part *part)
{
	return part->is_in[COMPARISON_NEW] ? part->names[COMPARISON_NEW]
					   : part->names[COMPARISON_OLD];
}

static void print_parts(const struct page *page)
{
	const struct comparison *comparison = page->comparison;

	print_part(page, "In all", "", &comparison->all);
	/* of one phase, or one program, that was all of it */
	for (size_t i = 0; comparison->nr_phases > 1 && i < comparison->nr_phases; i++) {
		const char *point = name_of(&comparison->phases[i]);

		print_part(page, point ? "Phase from " : "Phase from the start", point ? point : "",
			   &comparison->phases[i]);
	}
	for (size_t i = 0; comparison->nr_programs > 1 && i < comparison->nr_programs; i++)
		print_part(page, "Program ", name_of(&comparison->programs[i]),
			   &comparison->programs[i]);
}

void comparison_print(const struct comparison *comparison, FILE *out, bool has_color)
{
	const struct page page = { .comparison = comparison, .out = out, .has_color = has_color };
	char note[COMPARISON_NOTE_MAX];

	print_side(&page, COMPARISON_OLD);
	print_side(&page, COMPARISON_NEW);
	for (size_t i = 0; comparison_note(comparison, i, note); i++)
		phrase_print(out, "note: ", note);
	if (!comparison_differs(comparison)) {
		fputs("\nno differences\n", out);
		return;
	}
	print_parts(&page);
	fprintf(out, "\n%zu new, %zu gone\n", comparison->all.only[COMPARISON_NEW].nr,
		comparison->all.only[COMPARISON_OLD].nr);
}
