/* SPDX-License-Identifier: MIT */
#ifndef TRACE_MAPPING_H
#define TRACE_MAPPING_H

/*
 * Executable mappings as the kernel's perf subsystem reports them (PERF_RECORD_MMAP2): every
 * library a process maps, by the dynamic linker or dlopen, with full path, device and inode, at no
 * cost to other system calls and without BPF. One ring a CPU; hits of the library catalogue are
 * copied to a small staging array, sorted by time, so that they can be merged with the BPF ring.
 *
 * A record holds either the file's identity or its build id (since Linux 5.12). Both are wanted, so
 * two events report into each ring, and the two records of a mapping are joined here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "priv/broker.h"
#include "trace/cpus.h"

#define MAPPING_PATH_MAX     4096
#define MAPPING_BUILD_ID_MAX 20 /* BUILD_ID_SIZE_MAX, include/linux/buildid.h */

/* One mapping of a file. */
struct mapping {
	uint64_t ts_ns; /* CLOCK_BOOTTIME */
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t pid;
	uint32_t tid;
	uint64_t addr;
	const char *path; /* NUL-terminated; borrowed */
	size_t path_size; /* bytes without the NUL */
	uint8_t build_id[MAPPING_BUILD_ID_MAX];
	uint8_t build_id_size; /* 0: none, or not known */
};

/* What mapping_parse() found. */
enum mapping_kind {
	MAPPING_OTHER,	  /* nothing of interest */
	MAPPING_FILE,	  /* a mapping with its file's identity */
	MAPPING_BUILD_ID, /* the same mapping with its build id instead */
	MAPPING_LOST,
};

struct mapping_counts {
	uint64_t seen;	   /* executable mappings */
	uint64_t rejected; /* of files that are no crypto library */
	uint64_t lost;	   /* by the kernel, the ring being full */
	uint64_t malformed;
};

struct mappings;

/*
 * Opens a ring on every CPU that is online. BUFFER_BYTES, a power of two, is what --buffer-size
 * says: where it is more than by default the rings are longer, too, as far as memory may be locked.
 * Returns 0 or a negative errno: -EACCES or -EPERM without CAP_PERFMON.
 */
int mappings_open(struct mappings **ret, size_t buffer_bytes);
/* From now on mappings are reported. Returns 0 or a negative errno. */
int mappings_enable(const struct mappings *mappings);
/* Adds the CPUs to *RET whose ring is told nothing any more: perf_ring_is_on(). */
void mappings_find_silent(const struct mappings *mappings, struct cpu_set_bits *ret);
/* Whether there is a ring for CPU, which may have fallen silent since it was looked. */
bool mappings_has(const struct mappings *mappings, uint32_t cpu);
void mappings_close(struct mappings *mappings);

/* In the broker, first: only the events of the rings are left to it, not the rings. */
void mappings_leave(struct mappings *mappings);
/*
 * In the broker, with MAPPINGS as it was when they parted: opens a ring of CPU, on already, and
 * keeps it mapped, so that it stays one until the worker has mapped it. There is one for that CPU
 * that is on: each is a tax on all mappings there. Where that is of before they parted, it is
 * refused; where the broker opened it, it got lost on its way, and is handed over again without
 * what it was told since. Returns a descriptor of the caller's with *RET filled in, or a negative
 * errno: see broker_open_ring().
 */
int mappings_reopen(struct mappings *mappings, uint32_t cpu, struct broker_ring *ret);
/*
 * In the worker: reads the ring of CPU that was opened so as FD, which is taken over also where
 * that fails. Returns 0 or a negative errno.
 */
int mappings_add(struct mappings *mappings, uint32_t cpu, int fd, const struct broker_ring *opened);
/* The ring of CPU is told nothing any more: closed once what it holds has been collected. */
void mappings_retire(struct mappings *mappings, uint32_t cpu);

/*
 * Adds the rings to EPOLL, which they wake when a quarter is full, and remembers it for those that
 * come. Returns 0 or a negative errno.
 */
int mappings_watch(struct mappings *mappings, int epoll);

/*
 * Moves what the rings hold to the staging array, as far as it has room. Returns how many mappings
 * are staged.
 */
size_t mappings_collect(struct mappings *mappings);

/* The earliest staged mapping, or NULL. Valid until mappings_pop() or mappings_collect(). */
const struct mapping *mappings_first(const struct mappings *mappings);

/* Takes the earliest off. */
void mappings_pop(struct mappings *mappings);

/* The counts since mappings_enable(); whatever is staged still is not in REJECTED. */
const struct mapping_counts *mappings_counts(const struct mappings *mappings);

/* Bytes of all rings. */
size_t mappings_ring_bytes(const struct mappings *mappings);

/*
 * Reads one record of SIZE bytes as the kernel lays it out for the attributes used here. Returns
 * enum mapping_kind: *RET is filled for the two kinds of mapping, *RET_LOST for MAPPING_LOST; or
 * -EBADMSG. BUILD_ID_EVENT is the identifier of the event that gives build ids, 0 when there is
 * none. Pure; borrows BYTES.
 */
int mapping_parse(const void *bytes, size_t size, uint64_t build_id_event, struct mapping *ret,
		  uint64_t *ret_lost);

#endif /* TRACE_MAPPING_H */
