/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_PROC_H
#define TRACE_REDUCED_PROC_H

/* /proc for old kernels: read at start, while there are rights, and through the broker after. */

#include "control.h"
#include "priv/broker.h"
#include "trace/reduced_life.h"

/*
 * Calls TAKE for each process that is there. Returns 0 or a negative errno: -ENOENT where /proc is
 * not mounted.
 */
int reduced_proc_each(void (*take)(void *ctx, const struct process_seed *seed, uint32_t nr_threads),
		      void *ctx);

/* How life asks through BROKER, which outlives it. */
struct life_ask reduced_proc_ask(struct broker *broker);

#endif /* TRACE_REDUCED_PROC_H */
