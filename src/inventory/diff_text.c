/* SPDX-License-Identifier: MIT */
/* A diff for people. What does not fit in a line of 80 columns is cut where "..." shows it. */
#include "inventory/diff_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "lib/columns.h"
#include "lib/memory.h"

#define WIDTH	80
#define DETAILS 6 /* columns before the details of a change */

struct page {
	FILE *out;
	size_t column; /* in a line of details; 0: none was begun */
	bool has_color;
};

static const struct {
	char sign;
	const char *color;
} kinds[] = {
	[CHANGE_new] = { '+', "32" },
	[CHANGE_gone] = { '-', "31" },
	[CHANGE_changed] = { '~', "33" },
};

static const char *value_text(struct json_object *value, size_t *ret_size)
{
	const char *text = value ? json_object_get_string(value) : "not known";

	*ret_size = json_object_is_type(value, json_type_string)
			    ? (size_t)json_object_get_string_len(value)
			    : strlen(text);
	return text;
}

static void end_details(struct page *page)
{
	if (page->column > 0)
		fputc('\n', page->out);
	page->column = 0;
}

/* Adds a detail to the line, behind a comma, or to a line of its own where it does not fit. */
static void add_detail(struct page *page, const char *text, size_t size)
{
	if (size == 0)
		return;
	if (page->column > 0 && page->column + 2 + columns_count(text, size) > WIDTH - 1) {
		fputc(',', page->out);
		end_details(page);
	}
	if (page->column > 0)
		page->column += (size_t)fprintf(page->out, ", ");
	else
		page->column = (size_t)fprintf(page->out, "%*s", DETAILS, "");
	page->column +=
		columns_print(page->out, text, size, WIDTH - 1 - page->column, COLUMNS_CUT_MIDDLE);
}

/* NAME is told only of what is or is not: "encrypted". */
static void add_value(struct page *page, const char *name, struct json_object *value)
{
	size_t size;
	const char *text = value_text(value, &size);

	if (json_object_is_type(value, json_type_boolean))
		add_detail(page, name, json_object_get_boolean(value) ? strlen(name) : 0);
	else if (value)
		add_detail(page, text, size);
}

static void add_details(struct page *page, const struct facts_info *info, struct thing thing)
{
	for (size_t i = 1; i < FACTS_IDS && info->ids[i]; i++)
		add_value(page, info->ids[i], thing.facts->ids[i]);
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++) {
		struct thing values = diff_values(thing, i + 1);

		if (info->attributes[i].is_bulk)
			continue;
		for (size_t k = 0; k < values.nr_facts; k++)
			add_value(page, info->attributes[i].name, values.facts[k].value);
	}
	end_details(page);
}

/* "      libraries + /usr/lib/libssl.so.3", a line a value. */
static void add_line(struct page *page, const char *name, char sign, struct json_object *value)
{
	int column = fprintf(page->out, "%*s%s %c ", DETAILS, "", name, sign);
	size_t size;
	const char *text = value_text(value, &size);

	columns_print(page->out, text, size, column < WIDTH ? WIDTH - (size_t)column : 0,
		      COLUMNS_CUT_MIDDLE);
	fputc('\n', page->out);
}

static struct json_object *first_value(struct thing values)
{
	return values.nr_facts > 0 ? values.facts->value : NULL;
}

/* Both sides in one go, in the order of the values. */
static void add_differences(struct page *page, const char *name, struct thing old, struct thing new)
{
	size_t i = 0, k = 0;

	while (i < old.nr_facts || k < new.nr_facts) {
		int order = i == old.nr_facts ? 1 : -1;

		if (i < old.nr_facts && k < new.nr_facts)
			order = facts_compare_values(old.facts[i].value, new.facts[k].value);
		if (order < 0)
			add_line(page, name, '-', old.facts[i].value);
		else if (order > 0)
			add_line(page, name, '+', new.facts[k].value);
		i += order <= 0;
		k += order >= 0;
	}
}

static void add_changes(struct page *page, const struct changes *changes,
			const struct facts_info *info, const struct change *change)
{
	for (size_t i = 0; i < FACTS_IDS && info->ids[i]; i++) {
		struct json_object *old = change->old.facts->ids[i];
		struct json_object *new = change->new.facts->ids[i];

		if (facts_compare_values(old, new) == 0) {
			if (i > 0)
				add_value(page, info->ids[i], new);
			continue;
		}
		end_details(page);
		add_line(page, info->ids[i], '-', old);
		add_line(page, info->ids[i], '+', new);
	}
	end_details(page);
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++) {
		const struct facts_attribute *attribute = &info->attributes[i];
		struct thing old = diff_values(change->old, i + 1);
		struct thing new = diff_values(change->new, i + 1);

		if (!diff_has(changes, info, change, i + 1))
			continue;
		if (attribute->is_set) {
			add_differences(page, attribute->name, old, new);
			continue;
		}
		add_line(page, attribute->name, '-', first_value(old));
		add_line(page, attribute->name, '+', first_value(new));
	}
}

static void add_change(struct page *page, const struct changes *changes,
		       const struct facts_info *info, const struct change *change)
{
	struct thing thing = diff_thing(change);
	size_t size;
	const char *text = value_text(thing.facts->ids[0], &size);

	if (page->has_color)
		fprintf(page->out, "\033[%sm", kinds[change->kind].color);
	fprintf(page->out, "  %c ", kinds[change->kind].sign);
	columns_print(page->out, text, size, WIDTH - 4, COLUMNS_CUT_MIDDLE);
	fputs(page->has_color ? "\033[0m\n" : "\n", page->out);
	if (change->kind == CHANGE_changed)
		add_changes(page, changes, info, change);
	else
		add_details(page, info, thing);
}

static void add_section(struct page *page, const struct changes *changes,
			const struct facts_info *info)
{
	if (changes->nr_items == 0)
		return;
	fprintf(page->out, page->has_color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", info->name);
	for (size_t i = 0; i < changes->nr_items; i++)
		add_change(page, changes, info, &changes->items[i]);
}

/* "old: web-01, 2026-11-20T09:00:00.000000Z, 6.1.0" */
static void add_side(struct page *page, const char *label, const struct diff_side *side)
{
	static const char *const names[] = { "hostname", "generated_at", "kernel" };
	size_t column = (size_t)fprintf(page->out, "%s: ", label);
	const char *comma = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = diff_side_text(side, names[i]);

		if (!text)
			continue;
		column += (size_t)fprintf(page->out, "%s", comma);
		column += columns_print(page->out, text, strlen(text),
					WIDTH - column < 32 ? WIDTH - column : 32,
					COLUMNS_CUT_MIDDLE);
		comma = ", ";
	}
	fputc('\n', page->out);
}

static void add_page(struct page *page, const struct diff *diff)
{
	char note[DIFF_NOTE_MAX];

	add_side(page, "old", &diff->sides[SIDE_old]);
	add_side(page, "new", &diff->sides[SIDE_new]);
	for (size_t i = 0; diff_note(diff, i, note); i++)
		fprintf(page->out, "note: %s\n", note);
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++)
		add_section(page, &diff->sections[i], &facts_infos[i]);
	if (diff_count(diff) == 0)
		fprintf(page->out, "\nno changes\n");
	else
		fprintf(page->out, "\n%zu new, %zu gone, %zu changed\n",
			diff_count_of(diff, CHANGE_new), diff_count_of(diff, CHANGE_gone),
			diff_count_of(diff, CHANGE_changed));
}

int diff_text(const struct diff *diff, bool has_color, char **ret)
{
	struct page page = { .has_color = has_color };
	struct memory_text text;
	size_t size;

	if (memory_text_begin(&text))
		return -ENOMEM;
	page.out = text.out;
	add_page(&page, diff);
	return memory_text_end(&text, 0, ret, &size);
}
