/* SPDX-License-Identifier: MIT */
/*
 * Merging: every rule here is commutative and associative (sums, unions, the lesser one, "equal or
 * not"), so that any order of merges gives the same recording.
 */
#include "syscalls/recording_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"

#define MIXED "mixed"

/* One that says nothing yet, and takes over what it is merged with. */
static bool is_empty(const struct recording *recording)
{
	return recording->nr_runs == 0 && recording->nr_nodes == 0;
}

static bool is_same_program(const struct recording *a, const struct recording *b)
{
	return text_equal(a->exe, b->exe) && text_equal(a->build_id, b->build_id) &&
	       strcmp(a->exe_sha256, b->exe_sha256) == 0;
}

static bool is_same_command(const struct recording *a, const struct recording *b)
{
	if (a->nr_command != b->nr_command)
		return false;
	for (size_t i = 0; i < a->nr_command; i++)
		if (strcmp(a->command[i], b->command[i]) != 0)
			return false;
	return true;
}

static bool is_same_phases(const struct recording *a, const struct recording *b)
{
	if (a->nr_phases != b->nr_phases)
		return false;
	for (size_t i = 0; i < a->nr_phases; i++)
		if (!text_equal(a->phases[i].point, b->phases[i].point))
			return false;
	return true;
}

/* Copies TEXT, which may be NULL, to *RET. Returns 0 or -ENOMEM. */
static int copy_text(struct recording *into, const char *text, const char **ret)
{
	const char *copy = text ? recording_text(into, text, strlen(text)) : NULL;

	if (text && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int copy_command(struct recording *into, const struct recording *from)
{
	const char **words = pool_take(&into->pool, from->nr_command * sizeof(*words));
	int err = words ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < from->nr_command; i++)
		err = copy_text(into, from->command[i], &words[i]);
	if (err)
		return err;
	into->command = words;
	into->nr_command = from->nr_command;
	return 0;
}

/* What FROM says of the program and of the host. */
static int copy_facts(struct recording *into, const struct recording *from)
{
	int err = copy_text(into, from->engine, &into->engine);

	if (!err)
		err = copy_text(into, from->kernel, &into->kernel);
	if (!err)
		err = copy_text(into, from->libc, &into->libc);
	if (!err)
		err = copy_text(into, from->exe, &into->exe);
	if (!err)
		err = copy_text(into, from->build_id, &into->build_id);
	if (!err)
		err = copy_command(into, from);
	memcpy(into->exe_sha256, from->exe_sha256, sizeof(into->exe_sha256));
	into->is_mixed = from->is_mixed;
	return err;
}

/* What both say remains. */
static void agree(struct recording *into, const struct recording *from)
{
	if (!text_equal(into->engine, from->engine))
		into->engine = MIXED;
	if (!text_equal(into->kernel, from->kernel))
		into->kernel = MIXED;
	if (!text_equal(into->libc, from->libc))
		into->libc = MIXED;
	into->is_mixed |= from->is_mixed || !is_same_program(into, from);
	if (!text_equal(into->exe, from->exe))
		into->exe = NULL;
	if (!text_equal(into->build_id, from->build_id))
		into->build_id = NULL;
	if (strcmp(into->exe_sha256, from->exe_sha256) != 0)
		memset(into->exe_sha256, 0, sizeof(into->exe_sha256));
	if (!is_same_command(into, from))
		into->nr_command = 0;
}

static int merge_phases(struct recording *into, const struct recording *from)
{
	int err = 0;

	for (size_t i = into->nr_phases; !err && i < from->nr_phases; i++) {
		err = recording_add_phase(into, from->phases[i].point);
		if (err > 0)
			err = 0;
	}
	for (size_t i = 0; !err && i < from->nr_phases; i++) {
		struct recording_phase *phase = &into->phases[i];
		const char *reason = from->phases[i].reason;

		phase->nr_hits = recording_sum(phase->nr_hits, from->phases[i].nr_hits);
		/* each run has its own; the lesser one is as good as any and always the same */
		if (reason && (!phase->reason || strcmp(reason, phase->reason) < 0))
			err = copy_text(into, reason, &phase->reason);
	}
	return err;
}

/* Adds the calls of OTHER to node ID. */
static int merge_calls(struct recording *into, uint32_t id, const struct recording_node *other)
{
	for (size_t i = 0; i < other->nr_calls; i++) {
		int err = recording_add_with_runs(into, id, &other->calls[i]);

		if (err)
			return err;
	}
	return 0;
}

static int merge_nodes(struct recording *into, const struct recording *from)
{
	_cleanup_(cleanup_free) uint32_t *map = calloc(from->nr_nodes + 1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	for (size_t i = 0; i < from->nr_nodes; i++) {
		const struct recording_node *other = &from->nodes[i];
		uint32_t parent =
			other->parent == RECORDING_NONE ? RECORDING_NONE : map[other->parent];
		int id = recording_node(into, parent, (enum node_start)other->start, other->phase,
					other->exe, other->entry);
		struct recording_node *node;
		int err;

		if (id < 0)
			return id;
		map[i] = (uint32_t)id;
		node = &into->nodes[id];
		node->nr_instances = recording_sum(node->nr_instances, other->nr_instances);
		node->nr_runs += other->nr_runs;
		err = merge_calls(into, (uint32_t)id, other);
		if (err)
			return err;
	}
	return 0;
}

/* Adds FROM to INTO, which is as useless as its memory when that fails. */
static int add_all(struct recording *into, const struct recording *from)
{
	/* of one recording no two runs are alike */
	int (*add)(struct recording *, const struct recording_run *, const uint32_t *, size_t) =
		into->nr_runs > 0 ? recording_insert_run : recording_place_run;
	int err = merge_phases(into, from);

	if (!err)
		err = merge_nodes(into, from);
	for (size_t i = 0; !err && i < from->nr_runs; i++)
		err = add(into, &from->runs[i], from->runs[i].calls, from->runs[i].nr_calls);
	return err;
}

static bool has_calls(const struct recording_node *node, const struct recording_node *other)
{
	for (size_t i = 0; i < other->nr_calls; i++)
		if (!recording_has_call(node, other->calls[i].arch, other->calls[i].nr))
			return false;
	return true;
}

/* Whether INTO has all nodes and calls of FROM, and no reason of FROM's would be taken over. */
static bool has_all(const struct recording *into, const struct recording *from, uint32_t *map)
{
	for (size_t i = 0; i < from->nr_phases; i++) {
		const char *reason = from->phases[i].reason;

		if (reason &&
		    (!into->phases[i].reason || strcmp(reason, into->phases[i].reason) < 0))
			return false;
	}
	for (size_t i = 0; i < from->nr_nodes; i++) {
		const struct recording_node *other = &from->nodes[i];
		int id = recording_find(
			into, other->parent == RECORDING_NONE ? RECORDING_NONE : map[other->parent],
			other);

		if (id < 0 || !has_calls(&into->nodes[id], other))
			return false;
		map[i] = (uint32_t)id;
	}
	return true;
}

/*
 * Adds FROM, one run with nothing new in it, as most are: nothing of INTO is copied for it, so that
 * a thousand runs take a thousand times as long as one. Returns 0; or, INTO being untouched,
 * -EAGAIN: there is something new; or another negative errno.
 */
static int add_known(struct recording *into, const struct recording *from)
{
	_cleanup_(cleanup_free) uint32_t *map = calloc(from->nr_nodes + 1, sizeof(*map));
	int err;

	if (!map)
		return -ENOMEM;
	if (from->nr_runs != 1 || !has_all(into, from, map))
		return -EAGAIN;
	err = recording_insert_run(into, from->runs, from->runs->calls, from->runs->nr_calls);
	if (err)
		return err;
	/* neither of them takes memory any more */
	agree(into, from);
	err = merge_phases(into, from);
	return err ? err : merge_nodes(into, from);
}

/* A new recording with all of A, and of B unless that is NULL. */
static int merged_new(const struct recording *a, const struct recording *b, struct recording **ret)
{
	struct recording *merged;
	int err = recording_new(&merged);

	if (err)
		return err;
	err = copy_facts(merged, a);
	if (!err)
		err = add_all(merged, a);
	if (!err && b) {
		agree(merged, b);
		err = add_all(merged, b);
	}
	if (err) {
		recording_free(merged);
		return err;
	}
	*ret = merged;
	return 0;
}

int recording_merge(struct recording *into, const struct recording *from)
{
	struct recording *merged;
	struct recording old;
	int err;

	if (is_empty(from) && !is_empty(into))
		return 0;
	if (is_empty(into) && !is_empty(from)) {
		err = merged_new(from, NULL, &merged);
	} else {
		if (!is_same_phases(into, from))
			return -EXDEV;
		err = add_known(into, from);
		if (err != -EAGAIN)
			return err;
		err = merged_new(into, from, &merged);
	}
	if (err)
		return err;
	old = *into;
	*into = *merged;
	*merged = old;
	recording_free(merged);
	return 0;
}
