/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_CALLS_H
#define INVENTORY_PROFILE_CALLS_H

/*
 * Calls of crypto functions added up: by function, by algorithm, what is to be said against them,
 * and what only all calls of a program together tell. Names that are not static are copied to a
 * pool, which has to live as long. Bounded: what is beyond a limit is counted, not told.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/profile_findings.h"
#include "lib/pool.h"
#include "pipeline/field.h"
#include "sources/api_call/call.h"

#define PROFILE_FUNCTIONS_MAX		1024
#define PROFILE_ALGORITHMS_MAX		1024
#define PROFILE_ALGORITHM_FUNCTIONS_MAX 64

/* Items that begin with their name, a `const char *`, in the order of their names, each once. */
struct profile_names {
	void *items;
	size_t nr_items;
	uint64_t nr_refused; /* times that there was no room for one */
};

struct profile_function {
	const char *name;
	uint64_t count;
};

struct profile_algorithm {
	const char *name;
	uint64_t count;
	struct text_list functions; /* after profile_calls_finish() */
	/* Private. */
	struct profile_names names; /* of these functions: items are a name */
};

struct profile_calls {
	uint64_t nr_calls;
	struct profile_names functions;	 /* of struct profile_function */
	struct profile_names algorithms; /* of struct profile_algorithm */
	struct profile_findings findings;
	uint32_t unchecked; /* private: see profile_calls_judge() */
};

/*
 * What one program did, from its begin to its end or to the exec of another one: the silence of a
 * function says something only where nothing was missed. A child begins with its parent's.
 */
struct profile_image {
	bool is_whole; /* it was seen from its begin */
	uint8_t said;  /* private */
};

/*
 * Adds CALL, which was made in IMAGE; copies of names go to POOL. CALL is borrowed. Returns 0 or
 * -ENOMEM.
 */
int profile_calls_take(struct profile_calls *calls, struct profile_image *image, struct pool *pool,
		       const struct api_call *call);

/* Notes what IMAGE as a whole tells. More calls may follow, and it may be asked again. */
void profile_calls_judge(struct profile_calls *calls, const struct profile_image *image);

/* An exec in IMAGE: what was there is judged, and another one begins, seen as a whole. */
void profile_calls_exec(struct profile_calls *calls, struct profile_image *image);

/*
 * Makes the list of functions of each algorithm, and findings of what was judged unless calls may
 * be missing (HAS_LOST); all of it from POOL. More calls may follow. Returns 0 or -ENOMEM.
 */
int profile_calls_finish(struct profile_calls *calls, struct pool *pool, bool has_lost);

/* Whether a finding of profile_calls_finish() may rest on FUNCTION not having been called. */
bool profile_calls_heeds(const char *function);

/* What was beyond a limit. */
uint64_t profile_calls_count_refused(const struct profile_calls *calls);

/* Frees what CALLS owns, not CALLS. */
void profile_calls_free(struct profile_calls *calls);

#endif /* INVENTORY_PROFILE_CALLS_H */
