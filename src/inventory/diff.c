/* SPDX-License-Identifier: MIT */
#include "inventory/diff_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "inspect/finding.h"
#include "lib/json_document.h"

enum fault {
	/* the first ones are those of the text, enum json_fault */
	FAULT_none = JSON_FAULT_none,
	FAULT_not_snapshot = NR_JSON_FAULTS,
};

static const char *const fault_texts[][NR_SIDES] = {
	[FAULT_none] = { "", "" },
	[JSON_FAULT_size] = { "larger than 256 MiB", "the new one is larger than 256 MiB" },
	[JSON_FAULT_values] = { "more values than a snapshot has",
				"the new one has more values than a snapshot has" },
	[JSON_FAULT_syntax] = { "not JSON", "the new one is not JSON" },
	[FAULT_not_snapshot] = { "not a snapshot", "the new one is not a snapshot" },
};

static int side_parse(struct diff_side *side, const char *text, size_t size,
		      unsigned int *ret_fault)
{
	enum json_fault fault = json_document_parse(text, size, &side->document);
	struct json_object *version;

	if (fault == JSON_FAULT_memory)
		return -ENOMEM;
	if (fault) {
		*ret_fault = fault;
		return -EBADMSG;
	}
	if (!json_object_object_get_ex(side->document, "snapshot_version", &version) ||
	    !json_object_is_type(version, json_type_string)) {
		*ret_fault = FAULT_not_snapshot;
		return -EBADMSG;
	}
	return 0;
}

static int side_read(struct diff_side *side, const char *text, size_t size, unsigned int *ret_fault)
{
	int err = side_parse(side, text, size, ret_fault);

	if (err)
		return err;
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++) {
		err = facts_collect(&side->facts[i], (enum facts_section)i, side->document);
		if (err)
			return err;
	}
	return 0;
}

static struct thing thing_at(const struct facts *facts, size_t at)
{
	struct thing thing = { .facts = &facts->facts[at], .nr_facts = 1 };

	while (at + thing.nr_facts < facts->nr_facts &&
	       facts_compare_ids(thing.facts, thing.facts + thing.nr_facts, FACTS_IDS) == 0)
		thing.nr_facts++;
	return thing;
}

struct thing diff_values(struct thing thing, unsigned int attribute)
{
	struct thing values = { 0 };

	for (size_t i = 0; i < thing.nr_facts; i++) {
		if (thing.facts[i].attribute != attribute)
			continue;
		if (values.nr_facts++ == 0)
			values.facts = &thing.facts[i];
	}
	return values;
}

bool diff_has(const struct changes *changes, const struct facts_info *info,
	      const struct change *change, unsigned int attribute)
{
	const struct facts_attribute *told = &info->attributes[attribute - 1];
	struct thing old = diff_values(change->old, attribute);
	struct thing new = diff_values(change->new, attribute);

	if (!told->is_compared || !(changes->compared & FACTS_KNOWN(attribute)))
		return false;
	if (!told->is_set && old.nr_facts > 0 && new.nr_facts > 0)
		return facts_compare_values(old.facts->value, new.facts->value) != 0;
	if (old.nr_facts != new.nr_facts)
		return true;
	for (size_t i = 0; i < old.nr_facts; i++)
		if (facts_compare_values(old.facts[i].value, new.facts[i].value) != 0)
			return true;
	return false;
}

static bool has_any(const struct changes *changes, const struct facts_info *info,
		    const struct change *change)
{
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++)
		if (diff_has(changes, info, change, i + 1))
			return true;
	return false;
}

static int add(struct changes *changes, const struct change *change)
{
	if (changes->nr_items == changes->cap) {
		size_t cap = changes->cap ? 2 * changes->cap : 16;
		struct change *grown = reallocarray(changes->items, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		changes->items = grown;
		changes->cap = cap;
	}
	changes->items[changes->nr_items++] = *change;
	return 0;
}

/*
 * The next thing in the order of ids, of either side or of both. The other side's is not looked
 * through: that would be done again for each thing before it.
 */
static struct change next_change(const struct facts *old, size_t old_at, const struct facts *new,
				 size_t new_at)
{
	struct change change = { .kind = CHANGE_changed };
	int order;

	if (old_at == old->nr_facts)
		order = 1;
	else if (new_at == new->nr_facts)
		order = -1;
	else
		order = facts_compare_ids(&old->facts[old_at], &new->facts[new_at], FACTS_IDS);
	if (order <= 0)
		change.old = thing_at(old, old_at);
	if (order >= 0)
		change.new = thing_at(new, new_at);
	if (order)
		change.kind = order < 0 ? CHANGE_gone : CHANGE_new;
	return change;
}

static int compare(struct changes *changes, const struct facts_info *info, const struct facts *old,
		   const struct facts *new)
{
	size_t old_at = 0, new_at = 0;
	int err = 0;

	while (!err && (old_at < old->nr_facts || new_at < new->nr_facts)) {
		struct change change = next_change(old, old_at, new, new_at);

		old_at += change.old.nr_facts;
		new_at += change.new.nr_facts;
		if (change.kind == CHANGE_changed && !has_any(changes, info, &change))
			continue;
		/* what one kernel or version does not tell of did not come or go */
		if (change.kind != CHANGE_changed && info->is_single)
			continue;
		err = add(changes, &change);
	}
	return err;
}

/* The first of ITEMS from AT on that is of KIND, or NR_ITEMS. */
static size_t next_of(const struct change *items, size_t nr_items, size_t at, enum change_kind kind)
{
	while (at < nr_items && items[at].kind != kind)
		at++;
	return at;
}

/* Makes each of what is gone among ITEMS and its counterpart of what is new one change. */
static void pair(struct change *items, size_t nr_items)
{
	size_t gone = next_of(items, nr_items, 0, CHANGE_gone);
	size_t new = next_of(items, nr_items, 0, CHANGE_new);

	while (gone < nr_items && new < nr_items) {
		items[new].kind = CHANGE_changed;
		items[new].old = items[gone].old;
		items[gone].kind = NR_CHANGE_KINDS; /* dropped by count() */
		gone = next_of(items, nr_items, gone, CHANGE_gone);
		new = next_of(items, nr_items, new, CHANGE_new);
	}
}

static bool has_one_of_each(const struct change *items, size_t nr_items)
{
	size_t nr_of[NR_CHANGE_KINDS + 1] = { 0 };

	for (size_t i = 0; i < nr_items; i++)
		nr_of[items[i].kind]++;
	return nr_of[CHANGE_new] == 1 && nr_of[CHANGE_gone] == 1;
}

/*
 * A renewed certificate is not one that is gone and another one: it has the same file and subject.
 * Of different subjects it is only taken for the same if it is the only one of the file to go.
 */
static void pair_replaced(struct changes *changes, size_t nr_ids)
{
	size_t end;

	for (size_t at = 0; at < changes->nr_items; at = end) {
		const struct thing first = diff_thing(&changes->items[at]);

		for (end = at + 1; end < changes->nr_items; end++)
			if (facts_compare_ids(diff_thing(&changes->items[end]).facts, first.facts,
					      nr_ids) != 0)
				break;
		if (first.facts->ids[0] &&
		    (nr_ids > 1 || has_one_of_each(&changes->items[at], end - at)))
			pair(&changes->items[at], end - at);
	}
}

static void count(struct changes *changes)
{
	size_t kept = 0;

	for (size_t i = 0; i < changes->nr_items; i++) {
		if (changes->items[i].kind == NR_CHANGE_KINDS)
			continue;
		changes->nr_of[changes->items[i].kind]++;
		changes->items[kept++] = changes->items[i];
	}
	changes->nr_items = kept;
}

static int compare_sections(struct diff *diff)
{
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++) {
		const struct facts_info *info = &facts_infos[i];
		const struct facts *old = &diff->sides[SIDE_old].facts[i];
		const struct facts *new = &diff->sides[SIDE_new].facts[i];
		struct changes *changes = &diff->sections[i];
		int err;

		changes->compared = old->known & new->known;
		if (!(changes->compared & FACTS_KNOWN(FACTS_THERE)))
			continue;
		err = compare(changes, info, old, new);
		if (err)
			return err;
		if (info->is_replaceable) {
			pair_replaced(changes, 2);
			pair_replaced(changes, 1);
		}
		count(changes);
	}
	return 0;
}

int diff_new(struct diff **ret, const char *old_text, size_t old_size, const char *new_text,
	     size_t new_size, const char **ret_why)
{
	struct diff *diff = calloc(1, sizeof(*diff));
	unsigned int fault = FAULT_none;
	enum side side = SIDE_old;
	int err;

	if (!diff)
		return -ENOMEM;
	err = side_read(&diff->sides[side], old_text, old_size, &fault);
	if (!err) {
		side = SIDE_new;
		err = side_read(&diff->sides[side], new_text, new_size, &fault);
	}
	if (!err)
		err = compare_sections(diff);
	if (err == -EBADMSG)
		*ret_why = fault_texts[fault][side];
	if (err) {
		diff_free(diff);
		return err;
	}
	*ret = diff;
	return 0;
}

void diff_free(struct diff *diff)
{
	if (!diff)
		return;
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++) {
		free(diff->sections[i].items);
		for (size_t side = 0; side < NR_SIDES; side++)
			facts_free(&diff->sides[side].facts[i]);
	}
	for (size_t side = 0; side < NR_SIDES; side++)
		json_object_put(diff->sides[side].document);
	free(diff);
}

size_t diff_count_of(const struct diff *diff, enum change_kind kind)
{
	size_t nr_changes = 0;

	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++)
		nr_changes += diff->sections[i].nr_of[kind];
	return nr_changes;
}

size_t diff_count(const struct diff *diff)
{
	return diff_count_of(diff, CHANGE_new) + diff_count_of(diff, CHANGE_gone) +
	       diff_count_of(diff, CHANGE_changed);
}

static bool is_at_least(struct thing finding, unsigned int severity)
{
	/* the first attribute of findings */
	struct thing told = diff_values(finding, 1);
	const char *name = told.nr_facts > 0 ? json_object_get_string(told.facts->value) : "";

	for (size_t i = 0; i < severity_codes.nr_entries; i++)
		if (strcmp(severity_codes.entries[i].name, name) == 0)
			return severity_codes.entries[i].code >= severity;
	return true;
}

static size_t count_findings(const struct facts *facts, unsigned int severity)
{
	size_t nr_findings = 0;

	for (size_t i = 0; i < facts->nr_facts;) {
		struct thing finding = { .facts = &facts->facts[i] };

		while (i + finding.nr_facts < facts->nr_facts &&
		       facts_compare_ids(finding.facts, finding.facts + finding.nr_facts,
					 FACTS_IDS) == 0)
			finding.nr_facts++;
		nr_findings += is_at_least(finding, severity);
		i += finding.nr_facts;
	}
	return nr_findings;
}

size_t diff_new_findings(const struct diff *diff, unsigned int severity)
{
	const struct changes *changes = &diff->sections[FACTS_findings];
	size_t nr_findings = 0;

	/* Where the older one does not tell, none of them is known to be old. */
	if (!(diff->sides[SIDE_old].facts[FACTS_findings].known & FACTS_KNOWN(FACTS_THERE)))
		return count_findings(&diff->sides[SIDE_new].facts[FACTS_findings], severity);
	for (size_t i = 0; i < changes->nr_items; i++) {
		const struct change *change = &changes->items[i];

		if (change->kind == CHANGE_new && is_at_least(change->new, severity))
			nr_findings++;
	}
	return nr_findings;
}
