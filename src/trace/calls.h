/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CALLS_H
#define TRACE_CALLS_H

/*
 * The api_call source at work: its programs, the probes in every copy of a crypto library there is
 * at start and of those that come, what their events mean, and what was missed.
 *
 *	calls_open()	rights are needed
 *	calls_offer()	before broker_start()
 *	calls_start()	probes everything; the rights are gone by now
 *	calls_...()	handlers of records
 *	calls_close()
 */

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "priv/broker.h"
#include "proc/processes.h"
#include "trace/probes.h"
#include "trace/session.h"
#include "trace/uprobes.h"

/* Programs whose part, client or server, is remembered; a power of two. */
#define CALLS_ROLES_MAX 4096

/* Contexts of static probes whose name is remembered; a power of two. */
#define CALLS_CONTEXTS_MAX 4096

/* A member that was never opened is safe to close. */
struct calls {
	struct session *session;
	struct uprobes uprobes;
	struct probes *probes; /* NULL: there are none */
	struct broker *broker;
	struct coverage_late late[COVERAGE_LATE_MAX];
	size_t nr_late;	  /* libraries that were mapped before they had probes, in all */
	uint64_t nr_made; /* records that were made of counts */
	uint64_t police_ns;
	uint64_t counts_ns;
	struct calls_role {
		uint32_t pid;
		bool is_server;
	} roles[CALLS_ROLES_MAX];
	struct calls_context {
		const struct api_function *function;
		uint64_t context;
		uint32_t pid;
	} contexts[CALLS_CONTEXTS_MAX];
};

/*
 * Loads the programs. When that fails, or each probe takes a link of its own, SESSION's state of
 * the source tells why.
 */
void calls_open(struct calls *calls, struct session *session);

/* Makes CALLS what the broker of CONFIG attaches. */
void calls_offer(struct calls *calls, struct broker_config *config);

/*
 * Probes the functions of GROUP in what is there: in the roots of the session, and in PROCESSES.
 * Returns 0 or -ENOMEM.
 */
int calls_start(struct calls *calls, struct broker *broker, const struct processes *processes,
		enum api_group group);

/* Probes the program of COMMAND, at PATH, which the broker has; before it is executed. */
void calls_probe_command(struct calls *calls, const char *path);

/*
 * For pipeline_handler.resolve, with the struct calls: of an api_call what it is; of a lib_load and
 * a process_exec that its file has probes from now on. Return enum stage_result.
 */
int calls_resolve(void *ctx, struct record *record);
int calls_mapped(void *ctx, struct record *record);
int calls_executed(void *ctx, struct record *record);

/* Between two passes: takes off the probes that cost too much. NOW_NS is boot time. */
void calls_tick(struct calls *calls, uint64_t now_ns);

/*
 * Makes records of what was counted in the kernel, of process PID or, with 0, of all, and sends
 * them down PIPELINE. Their time is TS_NS: no later than that of records which are still to come.
 * Returns 0 or what pipeline_record() returned.
 */
int calls_tell_counts(struct calls *calls, struct pipeline *pipeline, uint32_t pid, uint64_t ts_ns);

/* Adds to COVERAGE what was not seen of calls. */
void calls_cover(const struct calls *calls, struct coverage *coverage);

void calls_close(struct calls *calls);

#endif /* TRACE_CALLS_H */
