/* SPDX-License-Identifier: MIT */
/* Runs of a recording, sets of calls, growth. */
#include "syscalls/recording_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define WORD_BITS 64

/* Keys have gaps, places in a set have none; both have the same order. */
static uint32_t place_of(uint32_t key)
{
	return (RECORDING_KEY_PHASE(key) * NR_SYSCALL_ARCHES + RECORDING_KEY_ARCH(key)) *
		       SYSCALLS_MAX +
	       RECORDING_KEY_NR(key);
}

static uint32_t key_at(uint32_t place)
{
	uint32_t table = place / SYSCALLS_MAX;

	return RECORDING_KEY(table / NR_SYSCALL_ARCHES, table % NR_SYSCALL_ARCHES,
			     place % SYSCALLS_MAX);
}

bool recording_set_has(const struct recording_set *set, uint32_t key)
{
	uint32_t place = place_of(key);

	return set->words[place / WORD_BITS] >> place % WORD_BITS & 1;
}

bool recording_set_add(struct recording_set *set, uint32_t key)
{
	uint32_t place = place_of(key);
	uint64_t bit = UINT64_C(1) << place % WORD_BITS;
	bool is_new = !(set->words[place / WORD_BITS] & bit);

	set->words[place / WORD_BITS] |= bit;
	return is_new;
}

size_t recording_set_keys(const struct recording_set *set, uint32_t *out)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < sizeof(set->words) / sizeof(set->words[0]); i++) {
		for (uint64_t left = set->words[i]; left; left &= left - 1) {
			if (out)
				out[nr] = key_at(i * WORD_BITS + (uint32_t)__builtin_ctzll(left));
			nr++;
		}
	}
	return nr;
}

void recording_set_nodes(struct recording_set *set, const struct recording *recording)
{
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		for (size_t k = 0; k < node->nr_calls; k++)
			recording_set_add(set, RECORDING_KEY(node->phase, node->calls[k].arch,
							     node->calls[k].nr));
	}
}

static int compare_runs(const struct recording_run *a, const struct recording_run *b)
{
	if (a->started_ns != b->started_ns)
		return a->started_ns < b->started_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

int recording_place_run(struct recording *recording, const struct recording_run *run,
			const uint32_t *calls, size_t nr_calls)
{
	struct recording_run copy = *run;
	struct recording_run *runs;
	size_t at;

	if (recording->nr_runs == RECORDING_RUNS_MAX)
		return -E2BIG;
	copy.calls = pool_take(&recording->pool, nr_calls * sizeof(*calls));
	runs = recording_grow(&recording->pool, recording->runs, recording->nr_runs, sizeof(*runs),
			      &recording->cap_runs);
	if (runs)
		recording->runs = runs;
	if (!copy.calls || !runs)
		return -ENOMEM;
	if (nr_calls > 0)
		memcpy(copy.calls, calls, nr_calls * sizeof(*calls));
	copy.nr_calls = nr_calls;
	/* what a file keeps of it */
	copy.started_ns -= copy.started_ns % 1000;
	for (at = recording->nr_runs; at > 0 && compare_runs(&runs[at - 1], &copy) > 0; at--)
		runs[at] = runs[at - 1];
	runs[at] = copy;
	recording->nr_runs++;
	return 0;
}

int recording_insert_run(struct recording *recording, const struct recording_run *run,
			 const uint32_t *calls, size_t nr_calls)
{
	for (size_t i = 0; i < recording->nr_runs; i++)
		if (strcmp(recording->runs[i].id, run->id) == 0)
			return -EEXIST;
	return recording_place_run(recording, run, calls, nr_calls);
}

/* Each node and call of RECORDING was in one run more. */
static void count_run(struct recording *recording)
{
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		struct recording_node *node = &recording->nodes[i];

		node->nr_runs++;
		for (size_t k = 0; k < node->nr_calls; k++)
			node->calls[k].nr_runs++;
	}
}

void recording_run_count(struct recording_run *run, const struct recording_call *call)
{
	const char *name = syscall_name((enum syscall_arch)call->arch, call->nr);

	if (name && strcmp(name, "io_uring_enter") == 0)
		run->nr_io_uring += call->count;
}

int recording_add_run(struct recording *recording, const struct recording_run *run,
		      const struct recording *from)
{
	_cleanup_(cleanup_free) struct recording_set *set = calloc(1, sizeof(*set));
	_cleanup_(cleanup_free) uint32_t *keys = NULL;
	size_t nr_keys;
	int err;

	if (!set)
		return -ENOMEM;
	recording_set_nodes(set, from);
	nr_keys = recording_set_keys(set, NULL);
	keys = calloc(nr_keys + 1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	recording_set_keys(set, keys);
	err = recording_insert_run(recording, run, keys, nr_keys);
	if (!err && from == recording)
		count_run(recording);
	return err;
}

size_t recording_growth(const struct recording *recording, size_t last)
{
	struct recording_set set = { 0 };
	size_t nr_new = 0;

	for (size_t i = 0; i < recording->nr_runs; i++) {
		const struct recording_run *run = &recording->runs[i];

		for (size_t k = 0; k < run->nr_calls; k++)
			if (recording_set_add(&set, run->calls[k]) &&
			    i + last >= recording->nr_runs)
				nr_new++;
	}
	return nr_new;
}
