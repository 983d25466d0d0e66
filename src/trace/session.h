/* SPDX-License-Identifier: MIT */
#ifndef TRACE_SESSION_H
#define TRACE_SESSION_H

/*
 * The kernel side of a run: loads the sources' BPF objects around one set of shared maps, attaches
 * what this kernel has, and tells what became of each source. Owns all of it; session_close()
 * leaves nothing in the kernel. After session_ready() no bpf(2) call is needed any more: counters
 * and switches are mapped memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "priv/broker.h"
#include "proc/processes.h"
#include "sources/source.h"
#include "trace/attach.h"
#include "trace/core_types.h"
#include "trace/cpus.h"
#include "trace/mapping.h"
#include "trace/object.h"

struct reduced;
struct ring_buffer;
struct bpf_object;
struct bpf_link;

#define SESSION_LINKS_MAX   8
#define SESSION_REASON_SIZE 160
#define SESSION_ROOTS_MAX   1024

/* What became of one source. */
struct source_state {
	const struct source_hook *hook; /* in use, or tried last; NULL: none was tried */
	bool is_attached;
	char reason[SESSION_REASON_SIZE]; /* why not, or why not wholly; empty: all is well */
	int err;			  /* the negative errno that REASON tells; 0: none */
	struct bpf_object *object;
	struct bpf_link *links[SESSION_LINKS_MAX];
	size_t nr_links;
};

struct session {
	struct trace_config config;
	struct source_state states[NR_SOURCES];
	/* Set by the caller before session_open(): the only hook to be tried; NULL: any. */
	const struct source_hook *forced[NR_SOURCES];
	struct core_types types; /* while objects are loaded */
	struct bpf_object *seed_object;
	struct mappings *mappings;
	struct control *control;
	struct cpu_counters *counters;
	struct ring_buffer *ring;
	struct reduced *reduced;	   /* NULL: the sources' own programs run */
	const unsigned long *ring_read;	   /* bytes ever read from the ring, and written to it: */
	const unsigned long *ring_written; /* in pages shared with the kernel */
	size_t nr_cpus;
	struct cpus cpus; /* where it has perf rings */
	size_t control_bytes;
	size_t counters_bytes;
	struct attach_places places;
	bool sees_all_cgroups; /* sockets of the whole host, where the tap is attached */
	int maps[8];	       /* descriptors of the shared maps, by their order in session.c */
	int nr_seeds;
	bool has_own_scratch; /* the object that is loaded does not share the space for records */
	bool has_sites;	      /* static probes are attached for api_call */
	bool has_compat;      /* a 32-bit program was running at start */
	/* The root directories of processes at start, each with one of these. */
	struct session_root {
		uint64_t id;
		uint32_t pid;
	} roots[SESSION_ROOTS_MAX];
	size_t nr_roots;
	size_t nr_roots_refused;
};

/*
 * Loads and attaches everything, switched off, with CONFIG. ON_RECORD is libbpf's ring buffer
 * callback. Returns 0 when at least one source is attached, otherwise a negative errno: -EPERM
 * without the privileges, -EOPNOTSUPP when the kernel is too old even for what reduced.h does.
 * States and log tell why. The session is to be closed in any case.
 */
int session_open(struct session *session, const struct trace_config *config,
		 int (*on_record)(void *ctx, void *bytes, size_t size), void *ctx);

/* After the last session_load(): gives back what loading took. Another may follow all the same. */
void session_loaded(struct session *session);

/*
 * object_load() of FILE around the session's maps, with ADJUST (may be NULL) and its CTX. Returns 0
 * or a negative errno; the caller closes *RET.
 */
int session_load(struct session *session, const struct object_file *file,
		 int (*adjust)(void *ctx, struct bpf_object *object), void *ctx,
		 struct bpf_object **ret);

/* Whether SOURCE is to be attached: it is asked for, or serves what is. */
bool session_wants(const struct session *session, enum source_id source);

/* The name of what SOURCE is attached to, or was tried at last; NULL: nothing was tried. */
const char *session_hook(const struct session *session, enum source_id source);

/* Makes PID the root of a tree. Before session_start(). Returns 0 or a negative errno. */
int session_add_root(struct session *session, uint32_t pid);

/*
 * Enters every process that is selected into PROCESSES, then switches reporting on. Forks, execs
 * and exits meanwhile are in the ring; other events are not reported before this has returned.
 * Returns 0 or a negative errno.
 */
int session_start(struct session *session, struct processes *processes);

/*
 * Where session_start() has to have another process's rights later on: adds to CONFIG what the
 * broker does for the session, before broker_start(); and hands over BROKER and the WORKER's pid,
 * before session_start().
 */
void session_offer(struct session *session, struct broker_config *config);
void session_serve(struct session *session, struct broker *broker, uint32_t worker);

/* Switches reporting off; programs that are running finish first. */
void session_stop(struct session *session);

/* The sum over all CPUs of SOURCE's counters, lib_load's in the same terms. */
void session_counters(const struct session *session, enum source_id source,
		      struct source_counters *ret);

/*
 * Lets go of all links. The broker has them, too: call it before broker_stop(), and the end of the
 * broker detaches the programs, several at a time, where this process would do it one by one.
 */
void session_detach(struct session *session);

/* Detaches and unloads. Safe on a zeroed or half-opened session, and twice. */
void session_close(struct session *session);

#endif /* TRACE_SESSION_H */
