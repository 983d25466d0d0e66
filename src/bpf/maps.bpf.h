/* SPDX-License-Identifier: MIT */
#ifndef MAPS_BPF_H
#define MAPS_BPF_H

/*
 * The maps that all sources share. Every object declares them; the session hands the maps of the
 * first object to the others before they load (trace/session.c).
 */

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "../wire.h"
#include "../control.h"
#include "path.bpf.h"

enum source_id {
#define SOURCE(id, name) SOURCE_##name = id,
#include "../sources.def"
#undef SOURCE
};

/* Set by the session before the object loads. */
const volatile struct trace_config config SEC(".rodata.config");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* --buffer-size */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs */
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct cpu_counters);
} counters SEC(".maps");

/* Bits SET_* of a thread. No entry: not in the set. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} set SEC(".maps");

/* Process ids that start a tree, and, while starting, the orphans of dying members. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROOTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} roots SEC(".maps");

#define ARGV_SIZE 16384 /* longer argument lists are cut and marked */

/*
 * Where a record is put together: a program owns the scratch space of its CPU until it returns, as
 * programs at tracepoints of system calls run with preemption off and none of ours runs in
 * interrupts. One that can be preempted, at other tracepoints from Linux 7.0 on and at functions,
 * has a map of its own (struct source_hook, is_preempted), or puts its record on the stack.
 */
#define RECORD_FIXED_MAX 256
/* The largest is an exec's. A value of a per-CPU map is at most 32 KiB (PCPU_MIN_UNIT_SIZE). */
#define RECORD_MAX (RECORD_FIXED_MAX + 2 * PATH_SIZE + ARGV_SIZE + CGROUP_NAME_SIZE)

struct scratch {
	__u8 record[RECORD_MAX];
	__u8 path[PATH_BUFFER_SIZE];
	struct path_walk walk;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline struct control *control_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/*
 * Adds one to a counter of this CPU: at once, as the program may be preempted by another one that
 * counts. Where every open passes (file_open.bpf.h) it is done without, which is cheaper: nothing
 * else counts in that row then.
 */
static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* The counters in row NUMBER of this CPU. */
static __always_inline struct source_counters *counters_row(__u32 number)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_counters *row = bpf_map_lookup_elem(&counters, &cpu);

	if (!row)
		return NULL;
	/* Here, or the compiler adds to the pointer before it is known not to be NULL. */
	barrier_var(row);
	return &row->source[number];
}

/* The counters of SOURCE on this CPU. */
static __always_inline struct source_counters *counters_get(enum source_id source)
{
	return counters_row(source);
}

#endif /* MAPS_BPF_H */
