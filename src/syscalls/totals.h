/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_TOTALS_H
#define SYSCALLS_TOTALS_H

/* The calls of many nodes of a recording as one list. */

#include "syscalls/recording.h"

/* Which nodes. */
struct totals_of {
	uint32_t phase;	 /* RECORDING_NONE: all */
	const char *exe; /* that path's alone; NULL: all */
};

struct totals {
	struct recording_call *calls; /* by arch, then nr */
	size_t nr_calls;
	uint64_t count; /* of all calls */
};

/*
 * Adds up the calls of OF. A call's nr_runs is in how many runs OF made it; of one program, for
 * which that is not recorded, the most of its nodes. Returns 0 or -ENOMEM. totals_free() ends it.
 */
int totals_make(const struct recording *recording, const struct totals_of *of, struct totals *ret);
void totals_free(struct totals *totals);

/* Orders the calls by count, most first. */
void totals_sort(struct totals *totals);

#endif /* SYSCALLS_TOTALS_H */
