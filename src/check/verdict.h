/* SPDX-License-Identifier: MIT */
#ifndef CHECK_VERDICT_H
#define CHECK_VERDICT_H

/*
 * From a refusal to what somebody can do about it. A refusal is found by trying; that a capability
 * is the reason is seen from its not being there.
 */

#include "check/check.h"

#define CHECK_CAP(name) (1ULL << (name))

/* All is well. */
void verdict_works(struct check_verdict *verdict);

/*
 * STATUS for CAUSE: sentences without a full stop, and what to type; NULL: none. What was said
 * before stays and stands in front.
 */
void verdict_add(struct check_verdict *verdict, enum check_status status, enum check_cause cause,
		 const char *why, const char *remedy, const char *command);

/* What to do where the kernel lacks something; that may be its type information: LACKS_TYPES. */
const char *verdict_kernel_remedy(bool lacks_types);

/* What of the capabilities TAKES, a bit each, HOST lacks: nothing where a mightier one is there. */
uint64_t verdict_lacking(const struct check_host *host, uint64_t takes);

/*
 * CALL, "bpf(2)", was refused with ERR, a negative errno, and takes the capabilities TAKES: notes
 * which of them are missing, or says what else stands in the way. With STATUS. Those that are
 * missing are added to HOST's.
 */
void verdict_refused(struct check_verdict *verdict, enum check_status status,
		     struct check_host *host, uint64_t takes, const char *call, int err);

/* Says which capabilities are missing, of all refusals in one. */
void verdict_end(struct check_verdict *verdict, const struct check_host *host);

#endif /* CHECK_VERDICT_H */
