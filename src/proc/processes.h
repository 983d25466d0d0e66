/* SPDX-License-Identifier: MIT */
#ifndef PROC_PROCESSES_H
#define PROC_PROCESSES_H

/*
 * The process table: what is known of every process that is being watched, for events that come
 * without it (mappings) and for what only its past tells (container). Filled at start, kept by
 * fork, exec and exit records in the order of their time. A process that exits stays findable until
 * the pass after next, for records of other rings that are older than its end.
 *
 * Owns its entries; a struct process is valid until processes_expire() after its exit. Bounded: at
 * the limit new processes are not entered, and counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"

#define PROCESS_LIBRARIES_MAX 64

struct container {
	const char *id;
	const char *name; /* may be NULL */
};

struct process {
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t gid;
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	uint64_t cgroup;
	char comm[COMM_SIZE];
	const struct container *container; /* NULL: none */
	uint32_t set;			   /* SET_*, of those whose table says who is selected */
	/* Private to the table. */
	uint64_t *libraries;
	uint32_t next;	    /* in its bucket, or of the free slots */
	uint32_t exit_next; /* of those that ended in the same pass */
	uint16_t nr_libraries;
	bool has_exited;
};

struct processes;

/*
 * Makes an empty table for at most MAX processes. IS_SELECTIVE: only selected processes will be
 * entered, so that one that is not in the table is not wanted. Returns 0 or -ENOMEM.
 */
int processes_new(struct processes **ret, uint32_t max, bool is_selective);
bool processes_is_selective(const struct processes *processes);
void processes_free(struct processes *processes);

/* The process PID, or NULL. One that has exited is found until it expires. */
struct process *processes_find(struct processes *processes, uint32_t pid);

/*
 * The entry of (PID, START_NS), made when there is none; an older process of that pid gives way.
 * NULL when the table is full or memory ran out: counted, see processes_refused().
 */
struct process *processes_add(struct processes *processes, uint32_t pid, uint64_t start_ns);

/* Calls TAKE for each process that has not ended, until it returns other than 0: that is returned.
 */
int processes_each(const struct processes *processes,
		   int (*take)(void *ctx, const struct process *process), void *ctx);

/* Fills what the table knows into HDR, a record made in user space. */
void process_fill(const struct process *process, struct event_hdr *hdr);

/* Marks PROCESS as ended. Returns false when it was already: the record is a duplicate. */
bool processes_exit(struct processes *processes, struct process *process);

/* Forgets PROCESS, which went on without being watched. */
void processes_remove(struct processes *processes, struct process *process);

/* Ends a pass: entries of processes that exited two passes ago are freed. */
void processes_expire(struct processes *processes);

/* PROCESS has a new image: what was mapped is gone. */
void processes_exec(struct process *process);

/*
 * Notes that PROCESS maps the file KEY. Returns true the first time since its last exec. Beyond
 * PROCESS_LIBRARIES_MAX files always true.
 */
bool processes_map(struct process *process, uint64_t key);

/*
 * The container that a control group called NAME (SIZE bytes) stands for, or NULL: docker, podman,
 * containerd, CRI-O, LXC and systemd-nspawn are told by the names they give. Valid as long as the
 * table.
 */
const struct container *processes_container(struct processes *processes, const char *name,
					    size_t size);

/* Processes that are in the table, and that it refused since it was made. */
uint32_t processes_count(const struct processes *processes);
uint64_t processes_refused(const struct processes *processes);

#endif /* PROC_PROCESSES_H */
