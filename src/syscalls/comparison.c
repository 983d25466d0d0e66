/* SPDX-License-Identifier: MIT */
#include "syscalls/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "syscalls/totals.h"
#include "syscalls/warnings.h"

static uint32_t key_of(const struct recording_call *call)
{
	return RECORDING_KEY(0, call->arch, call->nr);
}

/* Leaves in RET->only what the other of SIDES, both in the order of their keys, has not. */
static int keep_only(const struct totals sides[static NR_COMPARISON_SIDES],
		     enum comparison_side side, struct comparison_calls *ret)
{
	const struct totals *mine = &sides[side], *others = &sides[!side];
	size_t at = 0;

	ret->nr = 0;
	ret->list = calloc(mine->nr_calls + 1, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < mine->nr_calls; i++) {
		const uint32_t key = key_of(&mine->calls[i]);

		while (at < others->nr_calls && key_of(&others->calls[at]) < key)
			at++;
		if (at == others->nr_calls || key_of(&others->calls[at]) != key)
			ret->list[ret->nr++] = mine->calls[i];
	}
	return 0;
}

/* Fills PART->only with the calls of OF, of the sides that have the part. */
static int compare(const struct comparison *comparison,
		   const struct totals_of of[static NR_COMPARISON_SIDES],
		   struct comparison_part *part)
{
	struct totals totals[NR_COMPARISON_SIDES] = { 0 };
	int err = 0;

	for (int side = 0; !err && side < NR_COMPARISON_SIDES; side++)
		if (part->is_in[side])
			err = totals_make(comparison->sides[side], &of[side], &totals[side]);
	for (int side = 0; !err && side < NR_COMPARISON_SIDES; side++)
		err = keep_only(totals, (enum comparison_side)side, &part->only[side]);
	for (int side = 0; side < NR_COMPARISON_SIDES; side++)
		totals_free(&totals[side]);
	return err;
}

static int compare_all(struct comparison *comparison)
{
	static const struct totals_of of[NR_COMPARISON_SIDES] = {
		{ .phase = RECORDING_NONE },
		{ .phase = RECORDING_NONE },
	};

	comparison->all.is_in[COMPARISON_OLD] = true;
	comparison->all.is_in[COMPARISON_NEW] = true;
	return compare(comparison, of, &comparison->all);
}

/* The phase of RECORDING that begins where phase NR of OTHER does; RECORDING_NONE: there is none.
 */
static uint32_t phase_like(const struct recording *recording, const struct recording *other,
			   size_t nr)
{
	size_t nr_before = 0;

	/* the second signal:USR1 is not the first one */
	for (size_t i = 0; i < nr; i++)
		nr_before += text_equal(other->phases[i].point, other->phases[nr].point);
	for (size_t i = 0; i < recording->nr_phases; i++)
		if (text_equal(recording->phases[i].point, other->phases[nr].point) &&
		    nr_before-- == 0)
			return (uint32_t)i;
	return RECORDING_NONE;
}

/* Adds what the PHASES of the two sides are, RECORDING_NONE being none. */
static int add_phase(struct comparison *comparison,
		     const uint32_t phases[static NR_COMPARISON_SIDES])
{
	struct comparison_part *part = &comparison->phases[comparison->nr_phases++];
	struct totals_of of[NR_COMPARISON_SIDES] = { 0 };

	for (int side = 0; side < NR_COMPARISON_SIDES; side++) {
		if (phases[side] == RECORDING_NONE)
			continue;
		of[side].phase = phases[side];
		part->is_in[side] = true;
		part->names[side] = comparison->sides[side]->phases[phases[side]].point;
	}
	return compare(comparison, of, part);
}

static int compare_phases(struct comparison *comparison)
{
	const struct recording *old = comparison->sides[COMPARISON_OLD];
	const struct recording *new = comparison->sides[COMPARISON_NEW];
	int err = 0;

	comparison->phases = calloc(old->nr_phases + new->nr_phases, sizeof(*comparison->phases));
	if (!comparison->phases)
		return -ENOMEM;
	for (size_t i = 0; !err && i < old->nr_phases; i++)
		err = add_phase(comparison,
				(const uint32_t[]){ (uint32_t)i, phase_like(new, old, i) });
	for (size_t i = 0; !err && i < new->nr_phases; i++)
		if (phase_like(old, new, i) == RECORDING_NONE)
			err = add_phase(comparison,
					(const uint32_t[]){ RECORDING_NONE, (uint32_t)i });
	return err;
}

/* The paths of the programs of a recording, each once, sorted. */
struct programs {
	const char **paths;
	size_t nr;
	const char *command; /* that of COMMAND, where that is one */
};

static int compare_paths(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int programs_of(const struct recording *recording, struct programs *ret)
{
	const char **paths = calloc(recording->nr_nodes + 1, sizeof(*paths));
	size_t nr = 0;

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < recording->nr_nodes; i++)
		paths[i] = recording->nodes[i].exe;
	qsort(paths, recording->nr_nodes, sizeof(*paths), compare_paths);
	for (size_t i = 0; i < recording->nr_nodes; i++)
		if (nr == 0 || strcmp(paths[nr - 1], paths[i]) != 0)
			paths[nr++] = paths[i];
	*ret = (struct programs){ .paths = paths, .nr = nr, .command = recording->exe };
	return 0;
}

static bool has_program(const struct programs *programs, const char *path)
{
	return bsearch(&path, programs->paths, programs->nr, sizeof(*programs->paths),
		       compare_paths) != NULL;
}

/* What PATH of MINE is called among OTHERS; NULL: it is not there. */
static const char *counterpart_of(const struct programs *mine, const struct programs *others,
				  const char *path)
{
	if (has_program(others, path))
		return path;
	/* another path to COMMAND, unless the other's is a part of this one too */
	if (mine->command && others->command && strcmp(path, mine->command) == 0 &&
	    !has_program(mine, others->command) && has_program(others, others->command))
		return others->command;
	return NULL;
}

/* Adds the program called OLD and NEW on the two sides, NULL being none. */
static int add_program(struct comparison *comparison, const char *old, const char *new)
{
	struct comparison_part *part = &comparison->programs[comparison->nr_programs++];
	const struct totals_of of[NR_COMPARISON_SIDES] = {
		[COMPARISON_OLD] = { .phase = RECORDING_NONE, .exe = old },
		[COMPARISON_NEW] = { .phase = RECORDING_NONE, .exe = new },
	};

	part->names[COMPARISON_OLD] = old;
	part->names[COMPARISON_NEW] = new;
	part->is_in[COMPARISON_OLD] = old != NULL;
	part->is_in[COMPARISON_NEW] = new != NULL;
	return compare(comparison, of, part);
}

static int add_programs(struct comparison *comparison, const struct programs *old,
			const struct programs *new)
{
	int err = 0;

	comparison->programs = calloc(old->nr + new->nr + 1, sizeof(*comparison->programs));
	if (!comparison->programs)
		return -ENOMEM;
	for (size_t i = 0; !err && i < old->nr; i++)
		err = add_program(comparison, old->paths[i],
				  counterpart_of(old, new, old->paths[i]));
	for (size_t i = 0; !err && i < new->nr; i++)
		if (!counterpart_of(new, old, new->paths[i]))
			err = add_program(comparison, NULL, new->paths[i]);
	return err;
}

static int compare_programs(struct comparison *comparison)
{
	struct programs old = { 0 }, new = { 0 };
	int err = programs_of(comparison->sides[COMPARISON_OLD], &old);

	if (!err)
		err = programs_of(comparison->sides[COMPARISON_NEW], &new);
	if (!err)
		err = add_programs(comparison, &old, &new);
	free(old.paths);
	free(new.paths);
	return err;
}

int comparison_make(const struct recording *old, const struct recording *new,
		    struct comparison *ret)
{
	struct comparison comparison = {
		.sides = { [COMPARISON_OLD] = old, [COMPARISON_NEW] = new },
	};
	int err = compare_all(&comparison);

	if (!err)
		err = compare_phases(&comparison);
	if (!err)
		err = compare_programs(&comparison);
	if (err) {
		comparison_free(&comparison);
		return err;
	}
	*ret = comparison;
	return 0;
}

static void part_free(struct comparison_part *part)
{
	for (int side = 0; side < NR_COMPARISON_SIDES; side++)
		free(part->only[side].list);
}

void comparison_free(struct comparison *comparison)
{
	part_free(&comparison->all);
	for (size_t i = 0; i < comparison->nr_phases; i++)
		part_free(&comparison->phases[i]);
	for (size_t i = 0; i < comparison->nr_programs; i++)
		part_free(&comparison->programs[i]);
	free(comparison->phases);
	free(comparison->programs);
	*comparison = (struct comparison){ 0 };
}

bool comparison_part_differs(const struct comparison_part *part)
{
	return part->is_in[COMPARISON_OLD] != part->is_in[COMPARISON_NEW] ||
	       part->only[COMPARISON_OLD].nr > 0 || part->only[COMPARISON_NEW].nr > 0;
}

bool comparison_differs(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->nr_phases; i++)
		if (comparison_part_differs(&comparison->phases[i]))
			return true;
	for (size_t i = 0; i < comparison->nr_programs; i++)
		if (comparison_part_differs(&comparison->programs[i]))
			return true;
	return comparison_part_differs(&comparison->all);
}

/* What may make a call look as if only one of them had it. */
static const enum recording_warning noted[] = {
	WARNING_LOST, WARNING_FILTERED, WARNING_INCOMPLETE, WARNING_SINGLE, WARNING_RING,
};

#define NR_NOTED (sizeof(noted) / sizeof(noted[0]))

/* Writes the warning of KIND of SIDE to RET, if there is one. */
static bool note_warning(const struct comparison *comparison, enum comparison_side side,
			 enum recording_warning kind, char ret[static COMPARISON_NOTE_MAX])
{
	char warning[RECORDING_WARNING_MAX];

	if (!recording_warning_of(comparison->sides[side], kind, warning))
		return false;
	snprintf(ret, COMPARISON_NOTE_MAX, "%s: %s", side == COMPARISON_OLD ? "old" : "new",
		 warning);
	return true;
}

bool comparison_note(const struct comparison *comparison, size_t i,
		     char ret[static COMPARISON_NOTE_MAX])
{
	size_t nr = 0;

	for (int side = 0; side < NR_COMPARISON_SIDES; side++)
		for (size_t k = 0; k < NR_NOTED; k++)
			if (note_warning(comparison, (enum comparison_side)side, noted[k], ret) &&
			    nr++ == i)
				return true;
	snprintf(ret, COMPARISON_NOTE_MAX, "they were recorded by different engines");
	return nr == i && !text_equal(comparison->sides[COMPARISON_OLD]->engine,
				      comparison->sides[COMPARISON_NEW]->engine);
}
