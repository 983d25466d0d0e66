/* SPDX-License-Identifier: MIT */
#ifndef WIRE_H
#define WIRE_H

/*
 * What crosses from the kernel to user space: the head of every record and the way its variable
 * parts are found. The only header, besides a source's own and control.h, that BPF programs and
 * user space both include.
 *
 * A record is: struct event_hdr, the source's fixed part, the bytes its tails point to. Every byte
 * up to hdr.size was written for this record; nothing of an earlier one is ever sent.
 */

#ifndef __bpf__ /* there vmlinux.h has them */
#include <linux/types.h>
#endif

#define WIRE_VERSION 1

/* TASK_COMM_LEN, include/linux/sched.h. */
#define COMM_SIZE 16

/* Process identifiers, sizes and times as the kernel has them; (tgid, start_ns) names a process. */
struct event_hdr {
	__u16 version; /* WIRE_VERSION */
	__u16 source;  /* enum source_id */
	__u16 type;    /* private to the source: which of its shapes */
	__u16 flags;   /* HDR_* */
	__u32 size;    /* bytes of the whole record */
	__u32 cpu;
	__u64 ts_ns;	/* CLOCK_BOOTTIME */
	__u64 start_ns; /* CLOCK_BOOTTIME at which the process was made */
	__u64 cgroup;	/* id in the cgroup2 hierarchy, 0 unknown */
	__u32 tgid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	char comm[COMM_SIZE];	/* of the thread-group leader */
	char thread[COMM_SIZE]; /* of the thread */
};

_Static_assert(sizeof(struct event_hdr) == 96, "struct event_hdr has changed: raise WIRE_VERSION");

/* The process has just left the traced set: user space forgets it and reports nothing. */
#define HDR_LEFT_SET 0x1

/* A variable part: OFF bytes from the start of the record, SIZE bytes long, no terminator. */
struct tail {
	__u16 off;
	__u16 size;
};

#endif /* WIRE_H */
