/* SPDX-License-Identifier: MIT */
#ifndef CONTROL_H
#define CONTROL_H

/*
 * What user space and the BPF programs share besides records: configuration that is fixed before
 * the programs load (struct trace_config, read-only data, so that the verifier removes the branches
 * that are not taken), and a few words that change while they run (struct control and struct
 * source_counters, mapped memory, so that no bpf(2) call is needed after start-up).
 */

#include "wire.h"

/* Upper bounds, all of them said in the manual page. */
#define CONFIG_UIDS_MAX	 16
#define CONFIG_TAILS_MAX 16
#define ROOTS_MAX	 4096
#define NR_SOURCES_MAX	 16

/* struct trace_config.select */
#define SELECT_TREE	  0x1 /* only processes in the set by --pid or COMMAND, or their children */
#define SELECT_NAME	  0x2 /* only processes whose name matches */
#define SELECT_UID	  0x4 /* only these users */
#define SELECT_INHERIT	  0x8 /* children of a selected process are selected */
#define SELECT_NAME_ROOTS 0x10 /* a matching name starts a tree (--name with --follow-children) */

/* Bits of a thread in the process set. */
#define SET_TREE 0x1
#define SET_NAME 0x2

struct trace_config {
	__u32 ring_size; /* bytes */
	__u32 select;	 /* SELECT_* */
	__u32 nr_uids;
	__u32 by_tail;	/* --file: names are matched by TAILS instead of the catalogue */
	__u32 nr_tails; /* 0: a pattern has no literal end, every name goes to user space */
	__u32 name_size;
	__u32 resolve; /* --resolve */
	__u32 wanted;  /* bit i: source i, where it is loaded only on demand */
	__u32 uids[CONFIG_UIDS_MAX];
	char name[COMM_SIZE]; /* lower-case, NAME_SIZE bytes count */
	/* The tool's own pid namespace, as stat(2) has it; 0: the first, where pids are the
	 * kernel's. */
	__u64 pidns_dev;
	__u64 pidns_inode;
	/* Literal ends of --file patterns: the last bytes of a name, as match.h lays them out. */
	struct {
		__u64 last;
		__u64 mask;
	} tails[CONFIG_TAILS_MAX];
};

/*
 * What the consumer does, and so when a record wakes it: never, when the ring is an eighth full, at
 * once.
 */
#define CONSUMER_BUSY	   0
#define CONSUMER_GATHERING 1
#define CONSUMER_SLEEPING  2

struct control {
	__u32 on;	/* 0: programs return at once; 1: they report */
	__u32 consumer; /* CONSUMER_* */
	__u32 startup;	/* the process set is being seeded: dying parents hand their place down */
	__u32 compat_seen; /* a 32-bit program was executed */
	__u32 broker;	   /* pid of the broker, whose opens are not reported */
	__u32 worker;	   /* and of its parent, whose calls of crypto functions are not */
	__u64 set_lost;	   /* processes that could not be put into the set (no memory) */
	__u64 uring_opens; /* through io_uring, of which the end was not seen */
	/* By openat2(2), in the middle of too many others. */
	__u64 opens_without_space;
};

/*
 * One row a CPU and source. hit == rejected + ring_full + sent at every moment when no program is
 * running. FAULTS, part of REJECTED, are names that could not be read from the program's memory.
 */
struct source_counters {
	__u64 hit;
	__u64 rejected;
	__u64 ring_full;
	__u64 sent;
	__u64 faults;
	__u64 reserved[3];
};

/* The row of opens whose programs may run in the middle of the one for all others. */
#define COUNTERS_OPENS_APART (NR_SOURCES_MAX - 1)

struct cpu_counters {
	struct source_counters source[NR_SOURCES_MAX];
};

/*
 * What the task iterator writes for every process that exists at start: the fixed part, then
 * nothing. CONTAINER is the name of the innermost control group, NUL-terminated.
 */
#define CGROUP_NAME_SIZE 128

struct process_seed {
	__u64 start_ns;
	__u64 cgroup;
	__u64 root; /* tells one root directory, and where it is mounted, from others */
	__u32 tgid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 compat; /* runs 32-bit code */
	__u32 tid;    /* of a thread by which /proc knows it, where the first has ended; 0: not */
	char comm[COMM_SIZE];
	char cgroup_name[CGROUP_NAME_SIZE];
};

_Static_assert(sizeof(struct process_seed) == 192, "struct process_seed is padded");

#endif /* CONTROL_H */
