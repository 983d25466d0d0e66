/* SPDX-License-Identifier: MIT */
#ifndef TRACE_GAPS_H
#define TRACE_GAPS_H

#include "pipeline/coverage.h"
#include "trace/late.h"
#include "trace/session.h"

/* Adds to COVERAGE what this run did not see, as far as it can be known, with its reason. */
void gaps_add(struct coverage *coverage, const struct session *session, const struct late *late,
	      const struct pipeline *pipeline);

#endif /* TRACE_GAPS_H */
