/* SPDX-License-Identifier: MIT */
#ifndef CHECK_TRACING_H
#define CHECK_TRACING_H

/* What of tracing and of the inventory works, tried as `monitor` and `snapshot` do it. */

#include "check/check.h"
#include "control.h"
#include "inventory/host.h"

/*
 * Fills the verdicts of the sources that CONFIG wants, of monitor, profile, snapshot, content and
 * sandbox, by a run with CONFIG that reports nothing; where it wants no source there is no run.
 * Gives up all rights on the way, as that would; leaves nothing attached.
 */
void check_tracing(struct check *check, const struct trace_config *config);

/* The verdict of host_crypto: what HOST says that it did not see. */
void check_host_crypto(struct check *check, const struct host_crypto *host);

#endif /* CHECK_TRACING_H */
