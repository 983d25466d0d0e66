/* SPDX-License-Identifier: MIT */
#ifndef REDUCED_BPF_H
#define REDUCED_BPF_H

/* The maps of reduced.bpf.c, and from a hook to a record. */

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "../wire.h"
#include "../trace/reduced_wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} reduced_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct raw_config);
} reduced_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NR_RAW_TYPES);
	__type(key, __u32);
	__type(value, struct raw_counters);
} reduced_counters SEC(".maps");

/*
 * Where a record is put together: a program owns that of its CPU until it returns, because
 * tracepoint programs run with preemption off and none of these runs in interrupts.
 */
struct raw_scratch {
	__u8 record[RAW_RECORD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct raw_scratch);
} reduced_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32); /* tgid */
	__type(value, struct raw_process);
} reduced_processes SEC(".maps");

/* The signal that a process was sent last, unless it was harmless or has been handled. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* tgid, or of a thread that was sent it by another process its tid */
	__type(value, __u32);
} reduced_signals SEC(".maps");

/* An open call between its begin and its end. */
struct raw_call {
	__u64 name;
	__u64 flags; /* or, of openat2(2), where they are */
	__s32 dirfd;
	__u32 is_how;
};

/* The oldest give way: a thread that is killed in a call leaves its entry. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* tgid and tid */
	__type(value, struct raw_call);
} reduced_calls SEC(".maps");

static __always_inline struct raw_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&reduced_config, &zero);
}

/* The configuration while the programs are to report, else NULL. */
static __always_inline struct raw_config *config_on(void)
{
	struct raw_config *config = config_get();

	return config && config->on ? config : NULL;
}

static __always_inline void *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&reduced_scratch, &zero);
}

static __always_inline struct raw_counters *counters_get(enum raw_type type)
{
	__u32 row = type;

	return bpf_map_lookup_elem(&reduced_counters, &row);
}

/* Reads SIZE bytes of what the tracepoint tells, at an offset that only this kernel knows. */
static __always_inline void context_read(void *to, __u32 size, const void *ctx, __u32 offset)
{
	bpf_probe_read(to, size, ctx + offset);
}

/* A record of type TYPE, to be filled behind its head. NULL: nothing can be reported. */
static __always_inline void *record_begin(enum raw_type type, struct raw_counters **ret)
{
	struct raw_counters *counters = counters_get(type);

	if (!counters)
		return NULL;
	counters->hit++;
	*ret = counters;
	return scratch_get();
}

static __always_inline void record_send(void *ctx, struct raw_head *head, enum raw_type type,
					struct raw_counters *counters, __u64 size)
{
	__u64 ids = bpf_get_current_pid_tgid();
	__u64 owner = bpf_get_current_uid_gid();

	counters->tried++;
	head->type = type;
	head->counters = *counters;
	head->tgid = ids >> 32;
	head->tid = (__u32)ids;
	head->uid = (__u32)owner;
	head->gid = owner >> 32;
	bpf_get_current_comm(head->comm, sizeof(head->comm));
	head->size = size;
	head->ts_ns = bpf_ktime_get_ns();
	/*
	 * As wide as the helper's argument: what is compared is what is handed on. And compared
	 * last: of a number that was on the stack meanwhile old kernels know no bounds any more.
	 */
	barrier_var(size);
	if (size < sizeof(*head) || size > RAW_RECORD_MAX)
		return;
	bpf_perf_event_output(ctx, &reduced_events, BPF_F_CURRENT_CPU, head, size);
}

/* Changes the process of the current thread, entering it if IS_MADE and it is not there. */
static __always_inline struct raw_process *process_get(__u32 tgid, bool is_made)
{
	struct raw_process *process = bpf_map_lookup_elem(&reduced_processes, &tgid);
	struct raw_process empty = {};

	if (process || !is_made)
		return process;
	bpf_map_update_elem(&reduced_processes, &tgid, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&reduced_processes, &tgid);
}

#endif /* REDUCED_BPF_H */
