/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORDING_H
#define SYSCALLS_RECORDING_H

/*
 * A recording: which system calls the parts of a program made, over one or more runs. A part is a
 * node of the tree of processes; its identity (parent, start, program, entry, phase) says nothing
 * of pids, so that the same part is the same node in each run, and a thousand children started
 * alike are one node. All memory is the recording's.
 *
 * Always: a node comes after its parent; phases are below nr_phases; strings are valid UTF-8, as
 * they would not survive in a file otherwise; numbers of calls are below SYSCALLS_MAX. Sums do not
 * overflow, they stay at UINT64_MAX.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/pool.h"
#include "lib/sha256.h"
#include "syscalls/numbers.h"

#define RECORDING_NODES_MAX  4096
#define RECORDING_CALLS_MAX  (1U << 20) /* of all nodes */
#define RECORDING_RUNS_MAX   10000
#define RECORDING_PHASES_MAX 65 /* 64 points */
#define RECORDING_NONE	     UINT32_MAX

/* How a node came to be. */
enum node_start {
	NODE_START_command, /* the root: COMMAND itself */
	NODE_START_fork,
	NODE_START_vfork,
	NODE_START_thread,
	NODE_START_exec,  /* the same process as its parent, another program */
	NODE_START_phase, /* the same, in a later phase */
	NR_NODE_STARTS,
};

struct recording_call {
	uint32_t nr;
	uint8_t arch; /* enum syscall_arch */
	uint64_t count;
	uint64_t errors;	/* of those that returned one */
	uint64_t first_seen_ns; /* since its run began, the least of all runs */
	uint32_t nr_runs;	/* that had it: entered by recording_add_run() and merges */
};

struct recording_node {
	uint32_t id;	 /* its place in nodes[] */
	uint32_t parent; /* RECORDING_NONE: the root */
	uint32_t start;	 /* enum node_start */
	uint32_t phase;	 /* 0: before the first point */
	const char *exe; /* path, as the kernel names the file */
	/* Where it begins, of a thread: "FILE+0xOFFSET" in the file's bytes; NULL: not known. */
	const char *entry;
	uint64_t nr_instances;	      /* processes or threads of all runs */
	uint32_t nr_runs;	      /* as of calls */
	struct recording_call *calls; /* by arch, then nr */
	size_t nr_calls, cap_calls;
};

/* "fork"; as in files. */
const char *node_start_name(enum node_start start);

/* A call in a phase. */
#define RECORDING_KEY(phase, arch, nr) ((uint32_t)(phase) << 16 | (uint32_t)(arch) << 12 | (nr))
#define RECORDING_KEY_PHASE(key)       ((key) >> 16)
#define RECORDING_KEY_ARCH(key)	       ((key) >> 12 & 15)
#define RECORDING_KEY_NR(key)	       ((key)&4095)

struct recording_run {
	char id[33];	     /* hexadecimal, random: a run is not merged with itself */
	uint64_t started_ns; /* since 1970, whole microseconds */
	uint64_t duration_ns;
	int32_t status;	      /* exit status of COMMAND, 128 + signal */
	uint64_t lost;	      /* calls that were not counted */
	bool is_complete;     /* it ended by itself, or by --drive */
	bool was_filtered;    /* a seccomp filter was there before: it may have refused calls */
	uint64_t nr_io_uring; /* calls of io_uring_enter: what the ring did is not seen */
	/* What it had, of all nodes: RECORDING_KEY(), ascending. For growth. */
	uint32_t *calls;
	size_t nr_calls;
};

struct recording_phase {
	const char *point;  /* as given, "aeMain"; NULL for phase 0 */
	const char *reason; /* of one that --phase auto found: why there; or NULL */
	uint64_t nr_hits;   /* processes that reached it, of all runs */
};

struct recording {
	struct pool pool;
	/* What merged recordings disagree on is "mixed" in the first three, in the others gone. */
	const char *engine; /* "bpf", "ptrace" */
	const char *kernel; /* release */
	const char *libc;   /* "glibc 2.36", "musl"; NULL: not known, or static */
	const char **command;
	size_t nr_command;
	const char *exe;	      /* of COMMAND */
	const char *build_id;	      /* of that; NULL: none */
	char exe_sha256[SHA256_TEXT]; /* of its bytes; empty: could not be read */
	bool is_mixed;		      /* merged ones disagree on exe, build_id or exe_sha256 */
	struct recording_phase phases[RECORDING_PHASES_MAX];
	size_t nr_phases; /* 1 and more */
	struct recording_node *nodes;
	size_t nr_nodes;
	struct recording_run *runs; /* by started_ns, then id */
	size_t nr_runs;
	/* Of recording.c. */
	size_t cap_nodes, cap_runs;
	size_t nr_calls; /* of all nodes */
	uint32_t *index; /* nodes by hash of their identity: id + 1, 0 is free */
};

/* An empty recording with phase 0. Returns 0 or -ENOMEM; recording_free() ends it. */
int recording_new(struct recording **ret);
void recording_free(struct recording *recording);

/*
 * A copy of TEXT of SIZE bytes that is RECORDING's, NUL-terminated: what is not UTF-8 is replaced
 * by U+FFFD, and what is behind a NUL left out. For the fields above. NULL: no memory.
 */
const char *recording_text(struct recording *recording, const char *text, size_t size);

/*
 * Adds the phase that begins at POINT, which is copied. Returns its number, -E2BIG or -ENOMEM.
 */
int recording_add_phase(struct recording *recording, const char *point);

/*
 * The node of that identity, made where there is none. Strings are copied. Returns its id, or
 * -E2BIG, -ENOMEM, -EINVAL: no such phase. PARENT is RECORDING_NONE for the root.
 */
int recording_node(struct recording *recording, uint32_t parent, enum node_start start,
		   uint32_t phase, const char *exe, const char *entry);

/*
 * Adds CALL to that of the same number in node NODE, but for nr_runs; one with a count of 0 is
 * none. Returns 0, -E2BIG, -ENOMEM, or -EINVAL: no such node or number.
 */
int recording_add(struct recording *recording, uint32_t node, const struct recording_call *call);

/* Counts in RUN what a call of one of its nodes did that cannot be seen. */
void recording_run_count(struct recording_run *run, const struct recording_call *call);

/*
 * Adds RUN, which is copied; its calls are worked out from those of FROM, a recording of that run
 * alone. Where that is RECORDING itself its nodes and calls were in one run more; so a run is
 * entered in a new recording first, which is then merged. Returns 0, -EEXIST, -E2BIG or -ENOMEM.
 */
int recording_add_run(struct recording *recording, const struct recording_run *run,
		      const struct recording *from);

/*
 * Adds all of FROM to INTO: the order of merges does not matter. One without runs and nodes counts
 * for nothing: INTO then becomes what FROM is, in all it says. Returns 0; -EXDEV: the phases are
 * others; -EEXIST: a run is in both; -E2BIG, -ENOMEM. INTO is untouched on failure.
 */
int recording_merge(struct recording *into, const struct recording *from);

/*
 * How many calls run NR_RUNS - LAST and those after it had that none before had; a call in two
 * phases is two. With LAST = nr_runs that is how many there are.
 */
size_t recording_growth(const struct recording *recording, size_t last);

/*
 * Reads a recording from SIZE bytes, which may be anything. Returns 0; -EBADMSG with what is wrong
 * and where in *RET_WHAT, a static string; -ENOMEM.
 */
int recording_parse(const char *bytes, size_t size, struct recording **ret, const char **ret_what);

/*
 * Renders RECORDING as JSON into *RET, *RET_SIZE bytes for the caller to free. Recordings that say
 * the same give the same bytes, in whatever order their nodes were made. Returns 0 or -ENOMEM.
 */
int recording_render(const struct recording *recording, char **ret, size_t *ret_size);

#endif /* SYSCALLS_RECORDING_H */
