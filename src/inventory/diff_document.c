/* SPDX-License-Identifier: MIT */
/*
 * A diff as a document:
 *
 * {"diff_version", "schema_version", "old": {"generated_at", "hostname", "kernel"}, "new": {...},
 *  "notes": [TEXT...],
 *  "programs", "libraries", "providers", "certificates", "keys":
 *	{"new": [THING...], "gone": [THING...], "changed": [CHANGE...]},
 *  "findings": {"new": [THING...], "gone": [THING...]},
 *  "host_crypto": {"changed": [{"name", "old", "new"}...]},
 *  "summary": {"new": N, "gone": N, "changed": N}}
 *
 * A THING is its ids and attributes by name. A CHANGE is the ids as they are now, and "changes":
 * {NAME: {"old", "new"}} for what has one value, {NAME: {"added": [...], "removed": [...]}} for
 * what has many. Lists are sorted; a document depends on nothing but the two snapshots.
 */
#include "inventory/diff_private.h"

#include <string.h>

/* json-c has a type by the name of a function of ours */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#define DIFF_VERSION   "1.0"
#define SCHEMA_VERSION "1.0"

static void key(struct json *json, const char *name)
{
	json_key(json, name, strlen(name));
}

static void write_value(struct json *json, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		json_string(json, json_object_get_string(value),
			    (size_t)json_object_get_string_len(value));
		break;
	case json_type_int:
		if (json_object_get_int64(value) < 0)
			json_s64(json, json_object_get_int64(value));
		else
			json_u64(json, json_object_get_uint64(value));
		break;
	case json_type_boolean:
		json_bool(json, json_object_get_boolean(value));
		break;
	default:
		json_null(json);
		break;
	}
}

static void write_first(struct json *json, struct thing values)
{
	write_value(json, values.nr_facts > 0 ? values.facts->value : NULL);
}

static void write_all(struct json *json, struct thing values)
{
	json_array_begin(json);
	for (size_t i = 0; i < values.nr_facts; i++)
		write_value(json, values.facts[i].value);
	json_array_end(json);
}

/* Those of VALUES that are not among OTHERS; both are sorted. */
static void write_missing(struct json *json, struct thing values, struct thing others)
{
	size_t other = 0;

	json_array_begin(json);
	for (size_t i = 0; i < values.nr_facts; i++) {
		struct json_object *value = values.facts[i].value;
		int order = 1;

		while (other < others.nr_facts) {
			order = facts_compare_values(others.facts[other].value, value);
			if (order >= 0)
				break;
			other++;
		}
		if (other == others.nr_facts || order != 0)
			write_value(json, value);
	}
	json_array_end(json);
}

static void write_ids(struct json *json, const struct facts_info *info, struct thing thing)
{
	for (size_t i = 0; i < FACTS_IDS && info->ids[i]; i++) {
		key(json, info->ids[i]);
		write_value(json, thing.facts->ids[i]);
	}
}

static void write_thing(struct json *json, const struct facts_info *info, struct thing thing)
{
	json_object_begin(json);
	write_ids(json, info, thing);
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++) {
		key(json, info->attributes[i].name);
		if (info->attributes[i].is_set)
			write_all(json, diff_values(thing, i + 1));
		else
			write_first(json, diff_values(thing, i + 1));
	}
	json_object_end(json);
}

/* Ids that changed, which only something that replaces another has. */
static void write_changed_ids(struct json *json, const struct facts_info *info,
			      const struct change *change)
{
	for (size_t i = 0; i < FACTS_IDS && info->ids[i]; i++) {
		struct json_object *old = change->old.facts->ids[i];
		struct json_object *new = change->new.facts->ids[i];

		if (facts_compare_values(old, new) == 0)
			continue;
		key(json, info->ids[i]);
		json_object_begin(json);
		JSON_KEY(json, "old");
		write_value(json, old);
		JSON_KEY(json, "new");
		write_value(json, new);
		json_object_end(json);
	}
}

static void write_changed_values(struct json *json, const struct facts_attribute *attribute,
				 struct thing old, struct thing new)
{
	key(json, attribute->name);
	json_object_begin(json);
	if (attribute->is_set) {
		JSON_KEY(json, "added");
		write_missing(json, new, old);
		JSON_KEY(json, "removed");
		write_missing(json, old, new);
	} else {
		JSON_KEY(json, "old");
		write_first(json, old);
		JSON_KEY(json, "new");
		write_first(json, new);
	}
	json_object_end(json);
}

static void write_change(struct json *json, const struct changes *changes,
			 const struct facts_info *info, const struct change *change)
{
	json_object_begin(json);
	write_ids(json, info, change->new);
	JSON_KEY(json, "changes");
	json_object_begin(json);
	write_changed_ids(json, info, change);
	for (unsigned int i = 0; i < FACTS_ATTRIBUTES_MAX && info->attributes[i].name; i++) {
		if (diff_has(changes, info, change, i + 1))
			write_changed_values(json, &info->attributes[i],
					     diff_values(change->old, i + 1),
					     diff_values(change->new, i + 1));
	}
	json_object_end(json);
	json_object_end(json);
}

/* A member of host_crypto: a list, but for fips_enabled. */
static void write_member(struct json *json, struct thing thing)
{
	struct thing values = diff_values(thing, 1);

	if (strcmp(json_object_get_string(thing.facts->ids[0]), "fips_enabled") == 0)
		write_first(json, values);
	else
		write_all(json, values);
}

static void write_member_change(struct json *json, const struct facts_info *info,
				const struct change *change)
{
	json_object_begin(json);
	write_ids(json, info, change->new);
	JSON_KEY(json, "old");
	write_member(json, change->old);
	JSON_KEY(json, "new");
	write_member(json, change->new);
	json_object_end(json);
}

static void write_kind(struct json *json, const struct changes *changes,
		       const struct facts_info *info, enum change_kind kind)
{
	json_array_begin(json);
	for (size_t i = 0; i < changes->nr_items; i++) {
		const struct change *change = &changes->items[i];

		if (change->kind != kind)
			continue;
		if (info->is_single)
			write_member_change(json, info, change);
		else if (kind == CHANGE_changed)
			write_change(json, changes, info, change);
		else
			write_thing(json, info, diff_thing(change));
	}
	json_array_end(json);
}

static void write_section(struct json *json, const struct changes *changes,
			  const struct facts_info *info)
{
	key(json, info->name);
	json_object_begin(json);
	if (!info->is_single) {
		JSON_KEY(json, "new");
		write_kind(json, changes, info, CHANGE_new);
		JSON_KEY(json, "gone");
		write_kind(json, changes, info, CHANGE_gone);
	}
	/* a finding is there or not */
	if (info != &facts_infos[FACTS_findings]) {
		JSON_KEY(json, "changed");
		write_kind(json, changes, info, CHANGE_changed);
	}
	json_object_end(json);
}

static void write_side(struct json *json, const struct diff_side *side)
{
	static const char *const names[] = { "generated_at", "hostname", "kernel" };

	json_object_begin(json);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		key(json, names[i]);
		json_cstring(json, diff_side_text(side, names[i]));
	}
	json_object_end(json);
}

static void write_notes(struct json *json, const struct diff *diff)
{
	char note[DIFF_NOTE_MAX];

	json_array_begin(json);
	for (size_t i = 0; diff_note(diff, i, note); i++)
		json_cstring(json, note);
	json_array_end(json);
}

static void write_summary(struct json *json, const struct diff *diff)
{
	static const char *const names[] = {
		[CHANGE_new] = "new",
		[CHANGE_gone] = "gone",
		[CHANGE_changed] = "changed",
	};

	json_object_begin(json);
	for (size_t kind = 0; kind < NR_CHANGE_KINDS; kind++) {
		key(json, names[kind]);
		json_u64(json, diff_count_of(diff, (enum change_kind)kind));
	}
	json_object_end(json);
}

void diff_write(const struct diff *diff, struct json *json)
{
	json_object_begin(json);
	JSON_KEY(json, "diff_version");
	json_cstring(json, DIFF_VERSION);
	JSON_KEY(json, "schema_version");
	json_cstring(json, SCHEMA_VERSION);
	JSON_KEY(json, "old");
	write_side(json, &diff->sides[SIDE_old]);
	JSON_KEY(json, "new");
	write_side(json, &diff->sides[SIDE_new]);
	JSON_KEY(json, "notes");
	write_notes(json, diff);
	for (size_t i = 0; i < NR_FACTS_SECTIONS; i++)
		write_section(json, &diff->sections[i], &facts_infos[i]);
	JSON_KEY(json, "summary");
	write_summary(json, diff);
	json_object_end(json);
}
