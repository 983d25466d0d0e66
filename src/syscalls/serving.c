/* SPDX-License-Identifier: MIT */
#include "syscalls/serving.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "syscalls/phrases.h"

#define NUMBER_SIZE 32

/* NUMBER with a comma for each thousand. */
static const char *grouped(char out[static NUMBER_SIZE], uint64_t number)
{
	char digits[NUMBER_SIZE];
	int nr = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	size_t size = 0;

	for (int i = 0; i < nr; i++) {
		if (i > 0 && (nr - i) % 3 == 0)
			out[size++] = ',';
		out[size++] = digits[i];
	}
	out[size] = '\0';
	return out;
}

struct tally {
	uint64_t nr_waits; /* calls of the one that the phase begins at, in it */
	size_t nr_before;  /* different calls before */
};

static int tally_take(const struct recording *recording, const struct serving *serving,
		      struct tally *ret)
{
	_cleanup_(cleanup_free) bool *seen =
		calloc((size_t)NR_SYSCALL_ARCHES * SYSCALLS_MAX, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	*ret = (struct tally){ 0 };
	for (size_t i = 0; i < recording->nr_nodes; i++) {
		const struct recording_node *node = &recording->nodes[i];

		for (size_t k = 0; k < node->nr_calls; k++) {
			const struct recording_call *call = &node->calls[k];
			bool *is_seen = &seen[call->arch * SYSCALLS_MAX + call->nr];

			if (node->phase < serving->phase && !*is_seen) {
				*is_seen = true;
				ret->nr_before++;
			}
			if (node->phase >= serving->phase && call->nr == serving->nr &&
			    call->arch == syscall_arch_native())
				ret->nr_waits += call->count;
		}
	}
	return 0;
}

size_t serving_phase(const struct recording *recording)
{
	size_t phase = 0;

	for (size_t i = 1; i < recording->nr_phases; i++)
		if (recording->phases[i].point && strcmp(recording->phases[i].point, "auto") == 0)
			phase = i;
	return phase;
}

int serving_explain(struct recording *recording, const struct serving *serving)
{
	struct recording_phase *phase = &recording->phases[serving->phase];
	char call[PHRASE_SIZE], waits[NUMBER_SIZE], before[NUMBER_SIZE], hits[NUMBER_SIZE];
	char text[512];
	struct tally tally;
	int err = tally_take(recording, serving, &tally);
	int n;

	if (err)
		return err;
	n = snprintf(
		text, sizeof(text),
		"first %s of %.*s, %s (%s process%s waited there %s time%s, after %s different "
		"calls)",
		phrase_call(call, syscall_arch_native(), serving->nr), SERVING_NAME_SIZE,
		serving->name, serving->listens ? "which listens" : "while nobody listens",
		grouped(hits, phase->nr_hits), phase->nr_hits == 1 ? "" : "es",
		grouped(waits, tally.nr_waits), tally.nr_waits == 1 ? "" : "s",
		grouped(before, tally.nr_before));
	phase->reason = recording_text(recording, text, (size_t)n);
	return phase->reason ? 0 : -ENOMEM;
}
