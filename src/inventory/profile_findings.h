/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_FINDINGS_H
#define INVENTORY_PROFILE_FINDINGS_H

/*
 * Findings of a profile that come with events: each rule with each evidence once, as bad as it was
 * at worst. Copies are in a pool, which has to live as long. Bounded: what is beyond is counted.
 */

#include <stddef.h>
#include <stdint.h>

#include "inspect/finding.h"
#include "lib/pool.h"

#define PROFILE_FINDINGS_MAX 1024

struct profile_findings {
	struct finding *items;
	size_t nr_items;
	uint64_t nr_refused;
};

/* Takes FINDING, whose rule and what that says are static. Returns 0 or -ENOMEM. */
int profile_findings_take(struct profile_findings *findings, struct pool *pool,
			  const struct finding *finding);

/* Frees what FINDINGS owns, not FINDINGS. */
void profile_findings_free(struct profile_findings *findings);

#endif /* INVENTORY_PROFILE_FINDINGS_H */
