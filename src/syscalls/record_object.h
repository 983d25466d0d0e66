/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORD_OBJECT_H
#define SYSCALLS_RECORD_OBJECT_H

/*
 * The programs of record.bpf.c in the kernel: loading, attaching, what they are told. One for all
 * runs, since loading takes rights that are given up afterwards.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/record_wire.h"
#include "syscalls/points.h"

struct bpf_link;
struct bpf_object;
struct ring_buffer;

/* What of it outlives the tool in the hands of who keeps it: see keeper.h. */
enum record_fd {
	RECORD_FD_threads, /* maps: */
	RECORD_FD_counts,
	RECORD_FD_nodes,
	RECORD_FD_children,
	RECORD_FD_files,
	RECORD_FD_paths,
	RECORD_FD_entries,
	RECORD_FD_state,
	RECORD_FD_alive, /* the links of the iterators: */
	RECORD_FD_flush,
	NR_RECORD_FDS,
};

#define RECORD_LINKS_MAX 8

struct record_fds {
	int fd[NR_RECORD_FDS];
	/* As long as one is open the program behind it is attached. */
	int links[RECORD_LINKS_MAX];
	size_t nr_links;
};

struct record_object {
	struct bpf_object *object;
	struct bpf_link *links[RECORD_LINKS_MAX];
	struct bpf_link *iterators[2];
	int probes[POINTS_MAX]; /* descriptors of the links of points in code */
	size_t nr_probes;
	struct record_fds fds;
	struct record_state *state; /* mapped, as is: */
	struct record_node *nodes;
	struct ring_buffer *told;
	uint64_t nr_missed; /* as of the last record_object_begin() */
};

struct record_setup {
	const struct points *points;
	bool has_live;
	bool has_ready;
	int32_t start_routine; /* struct record_config; 0: not known */
	bool is_single;	       /* probes one by one, also where the kernel has links for many */
	/* libbpf's ring buffer callback, for struct record_call and what is shorter. */
	int (*on_told)(void *ctx, void *bytes, size_t size);
	void *ctx;
};

/*
 * Loads and attaches. Returns 0 or a negative errno: -EPERM without the rights. To be closed in any
 * case.
 */
int record_object_open(struct record_object *record, const struct record_setup *setup);

/* Forgets the run before. Returns 0 or a negative errno. */
int record_object_begin(struct record_object *record);

/*
 * The process behind PIDFD, which makes no other call until then, becomes COMMAND with its next
 * execve. Returns 0 or a negative errno.
 */
int record_object_arm(const struct record_object *record, int pidfd);

/* How often a program was not run since the run began, since another one was in its way. */
uint64_t record_object_missed(const struct record_object *record);

/* Nothing is counted any more; what has been can be read. */
void record_object_detach(struct record_object *record);

/* Detaches and unloads. Safe on a zeroed one, and twice. */
void record_object_close(struct record_object *record);

#endif /* SYSCALLS_RECORD_OBJECT_H */
