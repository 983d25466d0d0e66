/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_H
#define TRACE_REDUCED_H

/*
 * Tracing on kernels that lack what the sources' own programs need (ring buffers, type information,
 * task storage: below 5.11): exec, exit, fork and file_open by programs that Linux 4.15 loads
 * (bpf/reduced.bpf.c), through one perf ring a CPU, with /proc for what those cannot read. Records
 * come out in the form of wire.h, in the order of time.
 *
 * CRYPTO_TRACER_COMPAT=1 in the environment makes any kernel be taken for such a one.
 */

#include <stdbool.h>

#include "control.h"
#include "priv/broker.h"
#include "sources/source.h"
#include "trace/attach.h"
#include "trace/reduced_life.h"

struct reduced;

bool reduced_is_forced(void);

/* Whether ERR, of loading the sources' programs, says that the kernel lacks something. */
bool reduced_may_help(int err);

/*
 * Loads and attaches, switched off. Returns 0 or a negative errno; *RET is to be closed then, too,
 * unless it is NULL.
 */
int reduced_open(struct reduced **ret, const struct trace_config *config,
		 const struct attach_places *places);

/* Lets go of the links; twice is safe. */
void reduced_detach(struct reduced *reduced);

/* Detaches and unloads. NULL is nothing. */
void reduced_close(struct reduced *reduced);

/* Why SOURCE is not attached, or not wholly; NULL: all is well. */
const char *reduced_reason(const struct reduced *reduced, enum source_id source);
/* Whether it is attached. */
bool reduced_has(const struct reduced *reduced, enum source_id source);
/* What it is attached to, for coverage. */
const char *reduced_hook(enum source_id source);

struct session;

/* Fills the states of SESSION with that. */
void reduced_tell(const struct reduced *reduced, struct session *session);

/* Makes PID the root of a tree, before reduced_start(). Returns 0 or a negative errno. */
int reduced_add_root(struct reduced *reduced, uint32_t pid);

struct reduced_rings;

/* Its perf rings. Borrowed. */
struct reduced_rings *reduced_rings(struct reduced *reduced);

/* Makes the broker of CONFIG settle the accounts at the end. Call before broker_start(). */
void reduced_offer(struct reduced *reduced, struct broker_config *config);

/*
 * Switches reporting on and hands every process that is selected to TAKE. Needs rights. Returns 0
 * or a negative errno.
 */
int reduced_start(struct reduced *reduced, void (*take)(void *ctx, const struct process_seed *seed),
		  void *ctx);

/* From now on /proc is asked through BROKER, by its WORKER. */
void reduced_serve(struct reduced *reduced, struct broker *broker, uint32_t worker);

/* Switches reporting off and learns the last counts. */
void reduced_stop(struct reduced *reduced);

/* Adds the rings to EPOLL. Returns 0 or a negative errno. */
int reduced_watch(struct reduced *reduced, int epoll);

/*
 * Hands what happened up to UNTIL_NS, boot time, to SINK, at most MAX raw records. Returns how many
 * there were, or what SINK returned.
 */
int reduced_pass(struct reduced *reduced, uint64_t until_ns, unsigned int max, life_sink sink,
		 void *ctx);

/* The sums for SOURCE, as session_counters() has them. */
void reduced_counters(const struct reduced *reduced, enum source_id source,
		      struct source_counters *ret);

/* What /proc did not tell. */
const struct life_gaps *reduced_gaps(const struct reduced *reduced);
/* Records of changes of directories and roots that were lost. */
uint64_t reduced_lost_moves(const struct reduced *reduced);

#endif /* TRACE_REDUCED_H */
