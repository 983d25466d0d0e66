/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_RINGS_H
#define TRACE_REDUCED_RINGS_H

/*
 * The perf rings of bpf/reduced.bpf.c, one a CPU, merged: raw records come out in the order of
 * time. That of a CPU's records is kept by the programs; a record that is later than the moment up
 * to which is asked waits, because another CPU may have an earlier one by then.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "priv/broker.h"
#include "trace/cpus.h"
#include "trace/perf_ring.h"
#include "trace/reduced_wire.h"

/* The ring of one CPU. */
struct cpu_ring {
	struct perf_ring ring; /* not mapped: the CPU went, and its ring was read */
	int fd;
	uint32_t cpu;
	bool is_retired; /* nothing comes any more */
	bool is_asked;	 /* opened by the broker, for the worker to read */
	uint64_t ahead;	 /* up to where it was looked through for moves */
	uint64_t due_ns; /* boot time of the record that is next; UINT64_MAX: none yet */
	struct raw_counters seen[NR_RAW_TYPES]; /* as the last record of the type had them */
};

/* Changes of directories and roots ahead that are remembered. */
#define RINGS_MOVES_MAX 1024

struct ring_move {
	uint64_t ts_ns; /* as the record has it */
	uint32_t tgid;
	bool is_root;
};

struct reduced_rings {
	struct cpu_ring *rings;
	size_t nr_rings;
	size_t max_rings; /* as many as RINGS has room for */
	size_t bytes;	  /* of each */
	int map;
	int epoll;	    /* 0: none */
	uint64_t behind_ns; /* CLOCK_MONOTONIC behind CLOCK_BOOTTIME, at the last pass */
	struct ring_move moves[RINGS_MOVES_MAX];
	size_t nr_moves;       /* of all time: the place of the next is the rest */
	uint64_t forgotten_ns; /* time of the latest that had to give way */
	uint64_t received[NR_RAW_TYPES];
	uint8_t buffer[PERF_RING_RECORD_MAX];
};

/*
 * Takes one raw record of SIZE bytes, BEHIND_NS behind the boot-time clock. Sets *RET_IS_READ,
 * false before, unless it is malformed. Returns 0 or what ends the pass.
 */
typedef int (*raw_take)(void *ctx, const void *bytes, size_t size, uint64_t behind_ns,
			bool *ret_is_read);

/*
 * Makes rings for NR_CPUS processors, which share ALL_BYTES, and puts them into MAP, a descriptor.
 * Returns 0 or a negative errno; to be closed in any case.
 */
int reduced_rings_open(struct reduced_rings *rings, int map, size_t nr_cpus, size_t all_bytes);
void reduced_rings_close(struct reduced_rings *rings);

/* Adds them to EPOLL, and those that come. Returns 0 or a negative errno. */
int reduced_rings_watch(struct reduced_rings *rings, int epoll);

/*
 * For CPUs that come and go: as mappings_leave(), mappings_reopen(), mappings_add(),
 * mappings_retire(), mappings_find_silent() and mappings_has() of mapping.h. The broker puts the
 * ring into the map, too. -EAGAIN while the last ring of CPU is not read to its end.
 */
void reduced_rings_leave(struct reduced_rings *rings);
int reduced_rings_reopen(struct reduced_rings *rings, uint32_t cpu, struct broker_ring *ret);
int reduced_rings_add(struct reduced_rings *rings, uint32_t cpu, int fd,
		      const struct broker_ring *opened);
void reduced_rings_retire(struct reduced_rings *rings, uint32_t cpu);
void reduced_rings_find_silent(const struct reduced_rings *rings, struct cpu_set_bits *ret);
bool reduced_rings_has(const struct reduced_rings *rings, uint32_t cpu);

/*
 * Hands what happened up to UNTIL_NS, boot time, to TAKE, at most MAX records. Returns how many
 * there were, or what TAKE returned.
 */
int reduced_rings_pass(struct reduced_rings *rings, uint64_t until_ns, unsigned int max,
		       raw_take take, void *ctx);

/*
 * Whether TGID may have changed its directory or root, with ONLY_ROOT its root, after TS_NS, boot
 * time: looks through what all rings hold by now, each record once. What is lost is not in there.
 */
bool reduced_rings_moved(struct reduced_rings *rings, uint32_t tgid, uint64_t ts_ns,
			 bool only_root);

/* The counters of TYPE that came with the records read so far. */
struct raw_counters reduced_rings_counters(const struct reduced_rings *rings, enum raw_type type);

#endif /* TRACE_REDUCED_RINGS_H */
