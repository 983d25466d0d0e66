/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_WIRE_H
#define TRACE_REDUCED_WIRE_H

/*
 * What the programs for old kernels (bpf/reduced.bpf.c) and user space say to each other. These
 * records are raw: user space makes of them, with what it reads from /proc, the records of wire.h
 * (reduced_life.h), so that nothing behind that knows where an event came from.
 */

#include "../control.h"

/* raw_head.type, and the row of struct raw_counters */
enum raw_type {
	RAW_FORK,
	RAW_RENAME,
	RAW_ARGS, /* of an exec that may fail yet */
	RAW_EXEC,
	RAW_EXIT,
	RAW_OPEN,
	RAW_MOVE, /* chdir(2), fchdir(2) or chroot(2) begins or ends */
	NR_RAW_TYPES,
};

/*
 * One for each type and CPU. HIT: the hook ran; TRIED: records that were handed to the kernel. How
 * many of them arrived user space knows.
 */
struct raw_counters {
	__u64 hit;
	__u64 tried;
	__u64 faults; /* part of hit, not of tried: names that could not be read */
};

/* COUNTERS are those of this type and CPU with this record: gaps tell what was lost. */
struct raw_head {
	__u32 type;  /* enum raw_type */
	__u32 size;  /* bytes of the whole record */
	__u64 ts_ns; /* CLOCK_MONOTONIC, taken last: a CPU's records are in its order */
	struct raw_counters counters;
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 gid;
	char comm[COMM_SIZE]; /* of the thread */
};

_Static_assert(sizeof(struct raw_head) == 72, "struct raw_head is padded");

/* A process was made; the head is its maker's. */
struct raw_fork {
	struct raw_head head;
	__u32 pid;
	__u32 is_sibling; /* CLONE_PARENT: its parent is the maker's */
	char comm[COMM_SIZE];
};

/* TID, any thread of any process, is called COMM from now on. */
struct raw_rename {
	struct raw_head head;
	__u32 tid;
	__u32 reserved;
	char comm[COMM_SIZE];
};

/* raw_args.flags */
#define RAW_ARGS_CUT   0x1 /* there are more, or longer ones */
#define RAW_ARGS_FAULT 0x2 /* one could not be read; those behind it are missing */

#define RAW_NAME_MAX   4096 /* PATH_MAX */
#define RAW_ARGS_MAX   4096 /* all that begin below it */
#define RAW_ARG_MAX    2048 /* one, with its NUL */
#define RAW_NR_ARGS    40

struct raw_args {
	struct raw_head head;
	__u32 flags;
	__u32 args_size;
	char args[]; /* each with its NUL */
};

struct raw_exec {
	struct raw_head head;
	__u32 old_tid; /* of the thread that asked for it */
	__u32 name_size;
	char name[]; /* as it was asked for, with its NUL */
};

/* How a process ended. */
enum raw_end {
	RAW_END_UNKNOWN,
	RAW_END_CALL,	/* exit(2) of its first thread; CODE is the argument */
	RAW_END_GROUP,	/* exit_group(2) */
	RAW_END_SIGNAL, /* CODE is the signal */
};

struct raw_exit {
	struct raw_head head;
	__u32 end; /* enum raw_end */
	__u32 code;
};

struct raw_open {
	struct raw_head head;
	__u64 flags;
	__s64 result; /* descriptor or negative errno */
	__s32 dirfd;
	__u32 name_size;
	char before[16]; /* serves while matching */
	char name[];	 /* with its NUL */
};

/*
 * The directory of a process, or its root, may be another one from now on, so that /proc no longer
 * tells what a name meant before. Sent before the call has an effect, and when it returns, whether
 * it has failed or not.
 */
struct raw_move {
	struct raw_head head;
	__u32 is_root;
	__u32 reserved;
};

/* The largest is the arguments', of which the last may begin at the end of what is allowed. */
#define RAW_RECORD_MAX (256 + RAW_NAME_MAX + RAW_ARGS_MAX)

/* Of a process with threads, or that is about to end. */
struct raw_process {
	__s32 threads; /* besides the first */
	__u32 end;     /* enum raw_end */
	__u32 code;
	__u32 is_headless;  /* its first thread has ended */
	__u32 is_executing; /* a thread other than the first calls execve(2) */
};

/* The offset of a field in what its tracepoint hands to programs, from tracefs; one a line below.
 */
enum raw_field {
#define RAW_FIELD(name, event, field) RAW_FIELD_##name,
#include "reduced_fields.def"
#undef RAW_FIELD
	NR_RAW_FIELDS,
};

/* Map "reduced_config", written before anything is attached, then only ON. */
struct raw_config {
	__u32 on;
	__u32 by_tail; /* as in struct trace_config */
	__u32 nr_tails;
	__u32 fields[NR_RAW_FIELDS];
	__u32 reserved;
	struct {
		__u64 last;
		__u64 mask;
	} tails[CONFIG_TAILS_MAX];
};

#endif /* TRACE_REDUCED_WIRE_H */
