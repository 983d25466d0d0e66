/* SPDX-License-Identifier: MIT */
#include "syscalls/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/columns.h"
#include "lib/memory.h"
#include "lib/table.h"
#include "syscalls/phrases.h"
#include "syscalls/recording_private.h"
#include "syscalls/totals.h"
#include "syscalls/warnings.h"

#define WIDTH	 PHRASE_WIDTH
#define INDENT	 2
#define ROWS_MAX 200 /* of the tree; beyond, how many more there are */

/* The tree is indented no further, so that names remain. */
#define DEPTH_MAX     10
#define LABEL_COLUMNS 48 /* of a part, indentation included, where names are as long as that */

/* More digits than these are told roughly. */
#define EXACT_MAX UINT64_C(9999999999)

struct page {
	const struct recording *recording;
	FILE *out;
	bool has_color;
};

static void print_title(const struct page *page, const char *text)
{
	fprintf(page->out, page->has_color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

/* "  command   redis-server --port 7777", cut where it is too long. */
static void print_fact(const struct page *page, const char *name, const char *text)
{
	int column = fprintf(page->out, "%*s%-11s", INDENT, "", name);

	columns_print(page->out, text, strlen(text), WIDTH - (size_t)column, COLUMNS_CUT_MIDDLE);
	fputc('\n', page->out);
}

/* Words as they were given, between blanks; no shell's quoting is meant. */
static int print_command(const struct page *page)
{
	const struct recording *recording = page->recording;
	struct memory_text line;
	char *text;
	size_t size;

	if (recording->nr_command == 0)
		return 0;
	if (memory_text_begin(&line))
		return -ENOMEM;
	for (size_t i = 0; i < recording->nr_command; i++)
		fprintf(line.out, "%s%s", i ? " " : "", recording->command[i]);
	if (memory_text_end(&line, 0, &text, &size))
		return -ENOMEM;
	print_fact(page, "command", text);
	free(text);
	return 0;
}

/* "4 from 2026-11-21T09:00:00Z on, 12.3 ms at most, 3 with status 0" */
static void print_runs(const struct page *page)
{
	const struct recording_run *runs = page->recording->runs;
	size_t nr_runs = page->recording->nr_runs, nr_good = 0;
	char text[192], began[32] = "", lasted[PHRASE_SIZE];
	uint64_t longest = 0;
	time_t first;
	struct tm tm;

	if (nr_runs == 0) {
		print_fact(page, "runs", "none");
		return;
	}
	for (size_t i = 0; i < nr_runs; i++) {
		nr_good += runs[i].status == 0;
		if (runs[i].duration_ns > longest)
			longest = runs[i].duration_ns;
	}
	first = (time_t)(runs[0].started_ns / UINT64_C(1000000000));
	if (gmtime_r(&first, &tm))
		strftime(began, sizeof(began), "%Y-%m-%dT%H:%M:%SZ", &tm);
	phrase_time(lasted, longest);
	if (nr_runs == 1)
		snprintf(text, sizeof(text), "1, at %s, took %s, status %" PRId32, began, lasted,
			 runs[0].status);
	else
		snprintf(text, sizeof(text), "%zu from %s on, %s at most, %zu with status 0",
			 nr_runs, began, lasted, nr_good);
	print_fact(page, "runs", text);
}

static int print_facts(const struct page *page)
{
	const struct recording *recording = page->recording;
	int err;

	print_fact(page, "program", recording->exe ? recording->exe : "not the same in all runs");
	err = print_command(page);
	if (err)
		return err;
	if (recording->build_id)
		print_fact(page, "build id", recording->build_id);
	if (recording->libc)
		print_fact(page, "libc", recording->libc);
	if (recording->kernel)
		print_fact(page, "kernel", recording->kernel);
	if (recording->engine)
		print_fact(page, "engine", recording->engine);
	print_runs(page);
	return 0;
}

static void print_warnings(const struct page *page)
{
	char warning[RECORDING_WARNING_MAX];

	for (size_t i = 0; recording_warning(page->recording, i, warning); i++) {
		if (i == 0)
			print_title(page, "Warnings");
		phrase_print(page->out, "  - ", warning);
	}
}

/* COUNT, roughly where it would take more room than a table has. */
static const char *count_text(char ret[static PHRASE_SIZE], uint64_t count)
{
	if (count <= EXACT_MAX)
		snprintf(ret, PHRASE_SIZE, "%" PRIu64, count);
	else
		snprintf(ret, PHRASE_SIZE, "%.2e", (double)count);
	return ret;
}

static void cell_text(struct table *table, const char *text)
{
	table_cell(table, text, strlen(text));
}

static void cell_count(struct table *table, uint64_t count)
{
	char text[PHRASE_SIZE];

	cell_text(table, count_text(text, count));
}

/* Prints TABLE and ends it. */
static int print_table(const struct page *page, struct table *table)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int err = table_print(table, WIDTH, INDENT, page->has_color, &text);

	if (!err)
		fputs(text, page->out);
	table_free(table);
	return err;
}

static void add_call(const struct page *page, struct table *table,
		     const struct recording_call *call)
{
	char text[PHRASE_SIZE];

	table_row(table);
	if (call->errors == call->count)
		table_color(table, "31");
	else if (call->nr_runs < page->recording->nr_runs)
		table_color(table, "33");
	cell_text(table, phrase_call(text, call->arch, call->nr));
	cell_count(table, call->count);
	cell_count(table, call->errors);
	cell_text(table, phrase_time(text, call->first_seen_ns));
	if (page->recording->nr_runs <= 1)
		return;
	snprintf(text, sizeof(text), "%" PRIu32 " of %zu", call->nr_runs, page->recording->nr_runs);
	cell_text(table, text);
}

static int print_calls(const struct page *page, const struct totals *totals)
{
	static const struct table_column columns[] = {
		{ .title = "CALL", .can_shrink = true },
		{ .title = "COUNT", .is_number = true },
		{ .title = "ERRORS", .is_number = true },
		{ .title = "FIRST SEEN", .is_number = true },
		{ .title = "IN RUNS", .is_number = true },
	};
	struct table *table;
	/* of one run, in how many each call was is no news */
	int err = table_new(&table, columns, page->recording->nr_runs > 1 ? 5 : 4);

	if (err)
		return err;
	for (size_t i = 0; i < totals->nr_calls; i++)
		add_call(page, table, &totals->calls[i]);
	return print_table(page, table);
}

/* "Phase 1, from 'aeMain' on: 17 calls, made 200778 times" */
static void print_phase_title(const struct page *page, size_t phase, const struct totals *totals)
{
	const char *point = page->recording->phases[phase].point;
	char count[PHRASE_SIZE];
	FILE *out = page->out;

	fputs(page->has_color ? "\n\033[1m" : "\n", out);
	if (page->recording->nr_phases == 1) {
		fputs("System calls", out);
	} else if (!point) {
		fprintf(out, "Phase %zu, from the start", phase);
	} else {
		fprintf(out, "Phase %zu, from '", phase);
		columns_print(out, point, strlen(point), 24, COLUMNS_CUT_MIDDLE);
		fputs("' on", out);
	}
	fprintf(out, "%s: %zu call%s, made %s times\n", page->has_color ? "\033[0m" : "",
		totals->nr_calls, totals->nr_calls == 1 ? "" : "s",
		count_text(count, totals->count));
}

static int print_phase(const struct page *page, size_t phase)
{
	const struct totals_of of = { .phase = (uint32_t)phase };
	const char *reason = page->recording->phases[phase].reason;
	struct totals totals;
	int err = totals_make(page->recording, &of, &totals);

	if (err)
		return err;
	totals_sort(&totals);
	print_phase_title(page, phase, &totals);
	if (reason)
		phrase_print(page->out, "  ", reason);
	if (totals.nr_calls > 0)
		err = print_calls(page, &totals);
	totals_free(&totals);
	return err;
}

/* What is behind the directories of a path. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * What a node is, from its parent's point of view, in ROOM columns: names are cut, so that the
 * words before them remain.
 */
static void print_label(FILE *out, const struct recording *recording,
			const struct recording_node *node, size_t room)
{
	const char *words[3] = { "", node->exe, "" }; /* the one in the middle is cut */

	switch (node->start) {
	case NODE_START_command:
		break;
	case NODE_START_exec:
		words[0] = "exec ";
		break;
	case NODE_START_phase:
		words[0] = "from ";
		words[1] = recording->phases[node->phase].point;
		words[1] = words[1] ? words[1] : "the start";
		words[2] = " on";
		break;
	default:
		words[0] = node_start_name((enum node_start)node->start);
		words[1] = "";
		break;
	}
	room -= strlen(words[2]) + (size_t)fprintf(out, "%s", words[0]);
	columns_print(out, words[1], strlen(words[1]), room, COLUMNS_CUT_MIDDLE);
	fputs(words[2], out);
	if (!node->entry)
		return;
	fputs(" at ", out);
	columns_print(out, name_of(node->entry), strlen(name_of(node->entry)), room - 4,
		      COLUMNS_CUT_MIDDLE);
}

static int add_node(const struct page *page, struct table *table, const struct recording_node *node,
		    uint32_t depth)
{
	struct memory_text text;
	char *label;
	size_t size;
	uint64_t count = 0;

	if (memory_text_begin(&text))
		return -ENOMEM;
	depth = depth < DEPTH_MAX ? depth : DEPTH_MAX;
	fprintf(text.out, "%*s", 2 * (int)depth, "");
	print_label(text.out, page->recording, node, LABEL_COLUMNS - 2 * (size_t)depth);
	if (memory_text_end(&text, 0, &label, &size))
		return -ENOMEM;
	for (size_t i = 0; i < node->nr_calls; i++)
		count = recording_sum(count, node->calls[i].count);
	table_row(table);
	cell_text(table, label);
	free(label);
	cell_count(table, node->nr_instances);
	cell_count(table, node->nr_calls);
	cell_count(table, count);
	if (page->recording->nr_phases > 1)
		table_number(table, node->phase);
	return 0;
}

/* Adds the nodes in their ORDER, with room for the DEPTHS of all. */
static int add_nodes(const struct page *page, struct table *table, const uint32_t *order,
		     uint32_t *depths)
{
	const struct recording *recording = page->recording;
	int err = 0;

	for (size_t i = 0; !err && i < recording->nr_nodes && i < ROWS_MAX; i++) {
		const struct recording_node *node = &recording->nodes[order[i]];

		/* its parent comes before it */
		depths[node->id] = node->parent == RECORDING_NONE ? 0 : depths[node->parent] + 1;
		err = add_node(page, table, node, depths[node->id]);
	}
	return err;
}

static int print_tree(const struct page *page)
{
	static const struct table_column columns[] = {
		{ .title = "PART", .can_shrink = true, .is_path = true },
		{ .title = "TIMES", .is_number = true },
		{ .title = "CALLS", .is_number = true },
		{ .title = "COUNT", .is_number = true },
		{ .title = "PHASE", .is_number = true },
	};
	const struct recording *recording = page->recording;
	_cleanup_(cleanup_free) uint32_t *order = calloc(recording->nr_nodes + 1, sizeof(*order));
	_cleanup_(cleanup_free) uint32_t *depths = calloc(recording->nr_nodes + 1, sizeof(*depths));
	struct table *table;
	int err = order && depths ? recording_order(recording, order) : -ENOMEM;

	if (!err)
		err = table_new(&table, columns, recording->nr_phases > 1 ? 5 : 4);
	if (err)
		return err;
	err = add_nodes(page, table, order, depths);
	if (err) {
		table_free(table);
		return err;
	}
	print_title(page, "Processes and threads");
	err = print_table(page, table);
	if (recording->nr_nodes > ROWS_MAX)
		fprintf(page->out, "%*sand %zu more: see --format json\n", INDENT, "",
			recording->nr_nodes - ROWS_MAX);
	return err;
}

static void print_growth(const struct page *page)
{
	size_t last = recording_growth_runs(page->recording);

	if (last == 0)
		return;
	fputs("\nThe last ", page->out);
	if (last > 1)
		fprintf(page->out, "%zu runs", last);
	else
		fputs("run", page->out);
	fprintf(page->out, " added %zu of %zu calls.\n", recording_growth(page->recording, last),
		recording_growth(page->recording, page->recording->nr_runs));
}

int recording_print(const struct recording *recording, FILE *out, bool has_color)
{
	const struct page page = { .recording = recording, .out = out, .has_color = has_color };
	int err;

	fputs(has_color ? "\033[1mRecording\033[0m\n" : "Recording\n", out);
	err = print_facts(&page);
	if (!err)
		print_warnings(&page);
	for (size_t i = 0; !err && i < recording->nr_phases; i++)
		err = print_phase(&page, i);
	if (!err && recording->nr_nodes > 0)
		err = print_tree(&page);
	if (!err)
		print_growth(&page);
	if (!err && ferror(out))
		err = -EIO;
	return err;
}
