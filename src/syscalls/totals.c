/* SPDX-License-Identifier: MIT */
#include "syscalls/totals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "syscalls/recording_private.h"

/* All calls that there could be. */
#define TABLE_SIZE ((size_t)NR_SYSCALL_ARCHES * SYSCALLS_MAX)

static size_t place_of(uint32_t arch, uint32_t nr)
{
	return (size_t)arch * SYSCALLS_MAX + nr;
}

static void add_call(struct recording_call *table, const struct recording_call *call)
{
	struct recording_call *into = &table[place_of(call->arch, call->nr)];
	bool is_first = into->count == 0;

	into->arch = call->arch;
	into->nr = call->nr;
	into->count = recording_sum(into->count, call->count);
	into->errors = recording_sum(into->errors, call->errors);
	if (is_first || call->first_seen_ns < into->first_seen_ns)
		into->first_seen_ns = call->first_seen_ns;
	if (call->nr_runs > into->nr_runs)
		into->nr_runs = call->nr_runs;
}

static void add_nodes(struct recording_call *table, const struct recording *recording,
		      const struct totals_of *of)
{
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		if (of->phase != RECORDING_NONE && node->phase != of->phase)
			continue;
		if (of->exe && strcmp(node->exe, of->exe) != 0)
			continue;
		for (size_t k = 0; k < node->nr_calls; k++)
			add_call(table, &node->calls[k]);
	}
}

/* Says of each call in how many runs it was, a run with it in several phases being one. */
static int count_runs(struct recording_call *table, const struct recording *recording,
		      uint32_t phase)
{
	/* the last run in which each call was, from 1 on */
	_cleanup_(cleanup_free) size_t *last = calloc(TABLE_SIZE, sizeof(*last));

	if (!last)
		return -ENOMEM;
	for (size_t i = 0; i < TABLE_SIZE; i++)
		table[i].nr_runs = 0;
	for (size_t i = 0; i < recording->nr_runs; i++) {
		const struct recording_run *run = &recording->runs[i];

		for (size_t k = 0; k < run->nr_calls; k++) {
			const uint32_t key = run->calls[k];
			size_t place = place_of(RECORDING_KEY_ARCH(key), RECORDING_KEY_NR(key));

			if (phase != RECORDING_NONE && RECORDING_KEY_PHASE(key) != phase)
				continue;
			table[place].nr_runs += last[place] != i + 1;
			last[place] = i + 1;
		}
	}
	return 0;
}

int totals_make(const struct recording *recording, const struct totals_of *of, struct totals *ret)
{
	struct recording_call *table = calloc(TABLE_SIZE, sizeof(*table));
	struct totals totals = { .calls = table };

	if (!table)
		return -ENOMEM;
	add_nodes(table, recording, of);
	if (!of->exe && count_runs(table, recording, of->phase)) {
		free(table);
		return -ENOMEM;
	}
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (table[i].count == 0)
			continue;
		totals.count = recording_sum(totals.count, table[i].count);
		table[totals.nr_calls++] = table[i];
	}
	*ret = totals;
	return 0;
}

void totals_free(struct totals *totals)
{
	free(totals->calls);
	*totals = (struct totals){ 0 };
}

static int compare_counts(const void *left, const void *right)
{
	const struct recording_call *a = left, *b = right;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->arch != b->arch)
		return a->arch < b->arch ? -1 : 1;
	return a->nr < b->nr ? -1 : a->nr > b->nr;
}

void totals_sort(struct totals *totals)
{
	qsort(totals->calls, totals->nr_calls, sizeof(*totals->calls), compare_counts);
}
