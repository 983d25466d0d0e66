/* SPDX-License-Identifier: MIT */
/*
 * A comparison as a document:
 *
 * {"syscalls_diff_version", "schema_version",
 *  "old": {"exe", "command": [WORD...], "build_id", "libc", "kernel", "engine", "runs"},
 *  "new": {...}, "notes": [TEXT...],
 *  "calls": {"new": [CALL...], "gone": [CALL...]},
 *  "phases": [{"point", "in": "both"|"old"|"new", "new", "gone"}...],
 *  "programs": [{"exe", "old_exe", "in", "new", "gone"}...],
 *  "summary": {"new": N, "gone": N}}
 *
 * A CALL is {"name", "nr", "arch", "count", "errors", "runs"}. "old_exe" is what the program of
 * COMMAND was called before, where that is another path.
 */
#include "syscalls/comparison.h"

#include <string.h>

#include "syscalls/recording_private.h"

#define DIFF_VERSION   "1.0"
#define SCHEMA_VERSION "1.0"

static void write_side(struct json *json, const struct recording *recording)
{
	json_object_begin(json);
	JSON_KEY(json, "exe");
	json_cstring(json, recording->exe);
	JSON_KEY(json, "command");
	json_array_begin(json);
	for (size_t i = 0; i < recording->nr_command; i++)
		json_cstring(json, recording->command[i]);
	json_array_end(json);
	JSON_KEY(json, "build_id");
	json_cstring(json, recording->build_id);
	JSON_KEY(json, "libc");
	json_cstring(json, recording->libc);
	JSON_KEY(json, "kernel");
	json_cstring(json, recording->kernel);
	JSON_KEY(json, "engine");
	json_cstring(json, recording->engine);
	JSON_KEY(json, "runs");
	json_u64(json, recording->nr_runs);
	json_object_end(json);
}

/* The members "new" and "gone" of an object. */
static void write_calls(struct json *json, const struct comparison_part *part)
{
	static const char *const keys[] = { [COMPARISON_OLD] = "gone", [COMPARISON_NEW] = "new" };

	for (int side = NR_COMPARISON_SIDES - 1; side >= 0; side--) {
		json_key(json, keys[side], strlen(keys[side]));
		json_array_begin(json);
		for (size_t i = 0; i < part->only[side].nr; i++)
			recording_write_call(json, &part->only[side].list[i], false);
		json_array_end(json);
	}
}

static void write_in(struct json *json, const struct comparison_part *part)
{
	JSON_KEY(json, "in");
	if (part->is_in[COMPARISON_OLD] && part->is_in[COMPARISON_NEW])
		json_cstring(json, "both");
	else
		json_cstring(json, part->is_in[COMPARISON_OLD] ? "old" : "new");
}

static void write_phase(struct json *json, const struct comparison_part *part)
{
	enum comparison_side side = part->is_in[COMPARISON_NEW] ? COMPARISON_NEW : COMPARISON_OLD;

	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "point");
	json_cstring(json, part->names[side]);
	write_in(json, part);
	write_calls(json, part);
	json_object_end(json);
}

static void write_program(struct json *json, const struct comparison_part *part)
{
	const char *old = part->names[COMPARISON_OLD], *new = part->names[COMPARISON_NEW];

	json_newline(json);
	json_object_begin(json);
	JSON_KEY(json, "exe");
	json_cstring(json, new ? new : old);
	JSON_KEY(json, "old_exe");
	json_cstring(json, old && new &&strcmp(old, new) != 0 ? old : NULL);
	write_in(json, part);
	write_calls(json, part);
	json_object_end(json);
}

static void write_parts(struct json *json, const struct comparison *comparison)
{
	JSON_KEY(json, "calls");
	json_object_begin(json);
	write_calls(json, &comparison->all);
	json_object_end(json);
	JSON_KEY(json, "phases");
	json_array_begin(json);
	for (size_t i = 0; i < comparison->nr_phases; i++)
		write_phase(json, &comparison->phases[i]);
	json_array_end(json);
	JSON_KEY(json, "programs");
	json_array_begin(json);
	for (size_t i = 0; i < comparison->nr_programs; i++)
		write_program(json, &comparison->programs[i]);
	json_array_end(json);
}

void comparison_write(const struct comparison *comparison, struct json *json)
{
	char note[COMPARISON_NOTE_MAX];

	json_object_begin(json);
	JSON_KEY(json, "syscalls_diff_version");
	json_cstring(json, DIFF_VERSION);
	JSON_KEY(json, "schema_version");
	json_cstring(json, SCHEMA_VERSION);
	JSON_KEY(json, "old");
	write_side(json, comparison->sides[COMPARISON_OLD]);
	JSON_KEY(json, "new");
	write_side(json, comparison->sides[COMPARISON_NEW]);
	JSON_KEY(json, "notes");
	json_array_begin(json);
	for (size_t i = 0; comparison_note(comparison, i, note); i++)
		json_cstring(json, note);
	json_array_end(json);
	write_parts(json, comparison);
	JSON_KEY(json, "summary");
	json_object_begin(json);
	JSON_KEY(json, "new");
	json_u64(json, comparison->all.only[COMPARISON_NEW].nr);
	JSON_KEY(json, "gone");
	json_u64(json, comparison->all.only[COMPARISON_OLD].nr);
	json_object_end(json);
	json_object_end(json);
}
