/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORD_WIRE_H
#define SYSCALLS_RECORD_WIRE_H

/*
 * What record.bpf.c and user space share: the maps' keys and values. All that is counted is in
 * maps, so that whoever holds their descriptors can still read it when the tool is gone. Their
 * memory is taken when they are made: none can be missing when it is needed.
 *
 * A part of the tree of processes (recording.h: a node) is a slot of the map `nodes`, made by the
 * kernel side when it is first needed; its parent's slot is a lower one. Two slots may stand for
 * the same node where two processors made them at once: user space puts them together.
 */

#ifndef __bpf__ /* there vmlinux.h has them */
#include <linux/types.h>
#endif

#define RECORD_NODES_MAX   4096
#define RECORD_COUNTS_MAX  (1U << 16) /* different calls of all nodes */
#define RECORD_FILES_MAX   4096
#define RECORD_ENTRIES_MAX 1024 /* start routines of threads that are remembered */
#define RECORD_CALLS_MAX   1024 /* SYSCALLS_MAX */
#define RECORD_POINTS_MAX  64	/* POINTS_MAX */
#define RECORD_SIGNALS_MAX 65
#define RECORD_PATH_MAX	   4096
#define RECORD_PATHS_SIZE  (1U << 20) /* of all paths; a power of two */
#define RECORD_COMM_SIZE   16
#define RECORD_NONE	   0xffffffffU
#define RECORD_LATER	   0xfffffffeU /* in place of a file: not found out yet */

/*
 * Phases inside. Point I begins phase 2 * I + 2. Phase 2 * I + 1 is what `auto` as point I begins
 * where a process waits that does not listen: whether that counts is known at the end of the run.
 */
#define RECORD_PHASE(point)	(2 * (point) + 2)
#define RECORD_TENTATIVE(point) (2 * (point) + 1)
#define RECORD_PHASES_MAX	(RECORD_PHASE(RECORD_POINTS_MAX - 1) + 1)

/* struct record_config.classes: what a call of the machine's own numbers means. */
#define RECORD_WAITS   0x1 /* point_is_wait() */
#define RECORD_LISTENS 0x2 /* point_is_listen() */

/* Fixed before the programs load. */
struct record_config {
	__u32 native;	  /* enum syscall_arch of the machine's own calls */
	__u32 compat;	  /* and of its 32-bit ones; NR_SYSCALL_ARCHES: they have none here */
	__u32 x32;	  /* and of those with bit 30; likewise */
	__u32 has_points; /* otherwise no phase is looked after */
	__u32 has_live;	  /* each call is told when it returns */
	__u32 has_ready;  /* the first call that listens or waits is told */
	__u32 has_enter;  /* for these three: calls are seen when they begin, too */
	__u32 at_fork;	  /* 1 + the point; 0: none */
	__u32 at_thread;
	__u32 at_exec;
	__u32 at_wait; /* of `auto` */
	/*
	 * Where in glibc's descriptor of a thread its start routine is, from the thread pointer; 0:
	 * not known.
	 */
	__s32 start_routine;
	/* The tool's own pid namespace, as stat(2) has it; without, pids are the kernel's. */
	__u64 pidns_dev;
	__u64 pidns_inode;
	__u8 signals[RECORD_SIGNALS_MAX + 7]; /* 1 + the point */
	__u8 classes[RECORD_CALLS_MAX];
	__u8 calls[RECORD_CALLS_MAX]; /* 1 + the point at a call of native numbers */
};

/*
 * Calls that a thread has made of late are counted in its storage, which nobody else writes to and
 * where nothing has to be looked up, until another call needs the place.
 */
#define RECORD_PENDING 32

struct record_pending {
	__u32 call; /* 1 + (arch << 16 | nr); 0: nothing is here */
	__u32 reserved;
	__u64 count;
	__u64 errors;
};

/* Of a thread, in its storage. */
struct record_thread {
	__u32 slot;
	__u32 flags;	     /* THREAD_* */
	__u32 phase;	     /* that of SLOT */
	__u32 process_phase; /* of the process: that of its first thread counts, as for: */
	__u32 listens;	     /* it, or an ancestor of it */
	__u32 nosys;	     /* 1 + the call that last returned ENOSYS */
	__u64 reached;	     /* points: a bit for each */
	/* The call that it is in, arch << 16 | nr, where that is known; else RECORD_NONE. */
	__u32 call;
	__u32 reserved;
	/*
	 * Signal handlers of a 32-bit program that have not returned, the latest in bit 0: 1, the
	 * frame is one of rt_sigreturn; 0, of sigreturn.
	 */
	__u64 handlers;
	__u64 args[6]; /* of the call, with has_live */
	struct record_pending pending[RECORD_PENDING];
};

#define THREAD_WAITS_FOR_EXEC 0x1 /* it becomes COMMAND; nothing counts before */
#define THREAD_IS_NEW	      0x2 /* it returns from a call that it has not made */
#define THREAD_IS_COUNTED     0x4 /* the call that it is in has been counted */
#define THREAD_HAS_ENDED      0x8
#define THREAD_IS_COMPAT      0x10 /* its program is a 32-bit one */
#define THREAD_ENTRY_LATER    0x20 /* its part has RECORD_LATER */

struct record_node {
	__u32 parent; /* slot, RECORD_NONE: the root, or a slot that is not used */
	__u32 start;  /* enum node_start */
	__u32 phase;  /* inside */
	__u32 file;   /* of the program */
	/*
	 * Where a thread's start routine is: an offset in a file, at ADDRESS in the process that
	 * came first. RECORD_NONE as the file: not known; RECORD_LATER: nobody could look what is
	 * mapped there.
	 */
	__u32 entry_file;
	__u32 is_used;
	__u64 entry;
	__u64 address;
	__u64 nr_instances;
};

/* By what a node is found again below its parent. */
struct record_node_key {
	__u32 parent;
	__u16 start;
	__u16 phase;
	__u32 file;
	__u32 entry_file;
	__u64 entry; /* with RECORD_LATER its address */
};

struct record_file_key {
	__u64 inode;
	__u32 dev;
	__u32 name; /* the kernel's hash of the name: hard links are files of their own */
};

struct record_file {
	__u32 id;
	__u32 path; /* where in the paths */
	__u32 path_size;
	__u32 reserved;
};

/* Paths, one behind the other, not terminated: mapped memory. */
struct record_paths {
	char bytes[RECORD_PATHS_SIZE + RECORD_PATH_MAX];
};

/*
 * A start routine as a process sees it. Memory of the kernel is used again: when the process was
 * made and its program tell it from one before.
 */
struct record_entry_key {
	__u64 mm;
	__u64 address;
	__u64 start_ns;
	__u32 file;
	__u32 reserved;
};

struct record_entry {
	__u64 offset;
	__u32 file;
	__u32 reserved;
};

struct record_count_key {
	__u32 slot;
	__u16 arch;
	__u16 nr;
};

struct record_count {
	__u64 count;
	__u64 errors;
	__u64 first_ns; /* since the run began; at least 1 */
};

/* What changes while it runs: mapped memory. */
struct record_state {
	__u64 began_ns; /* boot time at which COMMAND was executed; 0: not yet */
	__u32 nr_alive; /* threads */
	__u32 root;	/* process id of COMMAND, as the kernel has it */
	__u32 nr_nodes; /* may exceed RECORD_NODES_MAX: those had no room */
	__u32 nr_files;
	__u32 paths_size; /* may exceed RECORD_PATHS_SIZE, likewise */
	__u32 listens;	  /* a process has listened */
	__u32 waits;	  /* or waited */
	__u32 kills;	  /* set by user space: whoever makes a process is killed */
	/* What is not counted, or not where it belongs. */
	__u64 nr_unknown; /* calls with numbers that no table has */
	__u64 nr_uncounted;
	__u64 nr_unseen;  /* threads for which there was no memory */
	__u64 nr_merged;  /* parts that had no room: counted in the one that they come from */
	__u64 nr_unnamed; /* files whose path had no room */
	__u64 nr_untold;  /* calls that --live does not show */
	__u64 hits[RECORD_POINTS_MAX]; /* processes that came to the point */
	__u64 late[RECORD_POINTS_MAX]; /* and that came to a later one before */
	__u64 nr_tentative;	       /* processes of `auto` in its uncertain phase */
	/* The first hit of `auto`, tentative and not. */
	struct record_wait {
		__u32 slot; /* of the thread before */
		__u32 call; /* RECORD_NONE: none */
		char comm[RECORD_COMM_SIZE];
	} wait[2];
};

/* What goes through the ring: to wake the tool, and calls for --live. */
enum record_told {
	RECORD_TOLD_ENDED, /* there may be no process any more */
	RECORD_TOLD_READY,
	RECORD_TOLD_CALL,
};

struct record_call {
	__u32 told; /* enum record_told; of the others only this is sent */
	__u32 pid;
	__u32 tid;
	__u32 call; /* arch << 16 | nr */
	__u64 ts_ns;
	__u64 args[6];
	__s64 result;
	__u32 has_result;
	__u32 reserved;
	char comm[RECORD_COMM_SIZE];
};

#endif /* SYSCALLS_RECORD_WIRE_H */
