/* SPDX-License-Identifier: MIT */
#ifndef RECORD_MAPS_BPF_H
#define RECORD_MAPS_BPF_H

/* The maps of record.bpf.c, and what is told through the ring. */

#include "../bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "../bpf/path.bpf.h"
#include "record_wire.h"

/* NR_SYSCALL_ARCHES, numbers.h */
#define NR_ARCHES 4

/* Set before the object loads. */
const volatile struct record_config config SEC(".rodata.config");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct record_thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RECORD_COUNTS_MAX);
	__type(key, struct record_count_key);
	__type(value, struct record_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORD_NODES_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct record_node);
} nodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RECORD_NODES_MAX);
	__type(key, struct record_node_key);
	__type(value, __u32);
} children SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RECORD_FILES_MAX);
	__type(key, struct record_file_key);
	__type(value, struct record_file);
} files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct record_paths);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RECORD_ENTRIES_MAX);
	__type(key, struct record_entry_key);
	__type(value, struct record_entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct record_state);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 12); /* --live: more */
} told SEC(".maps");

struct scratch {
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

static __always_inline struct record_state *state_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&state, &zero);
}

static __always_inline struct record_thread *thread_get(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, NULL, 0);
}

/* The number of TASK's process in the namespace of pids LEVEL below the first; 0: it has none. */
static __always_inline __s32 pid_at(struct task_struct *task, __u32 level)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	__s32 nr = 0;

	if (level > BPF_CORE_READ(pid, level))
		return 0;
	bpf_core_read(&nr, sizeof(nr), &pid->numbers[0].nr);
	if (level > 0) {
		void *at = (void *)&pid->numbers[0] +
			   (__u64)level * bpf_core_type_size(struct upid) +
			   bpf_core_field_offset(struct upid, nr);

		bpf_probe_read_kernel(&nr, sizeof(nr), at);
	}
	return nr;
}

/* Wakes the tool, which then looks at the state: nothing is lost where the ring is full. */
static __always_inline void tell(__u32 what)
{
	bpf_ringbuf_output(&told, &what, sizeof(what), BPF_RB_FORCE_WAKEUP);
}

/* The number of the call that REGS are of. A load, where BPF_CORE_READ would be a call. */
static __always_inline __u32 call_number(struct pt_regs *regs)
{
#ifdef __TARGET_ARCH_x86
	return regs->orig_ax;
#else
	return ((struct pt_regs___syscallno *)regs)->syscallno;
#endif
}

/* Keeps the arguments: once the call has returned, the registers may hold something else. */
static __always_inline void live_enter(struct record_thread *thread, struct pt_regs *regs)
{
#ifdef __TARGET_ARCH_x86
	if (thread->call != RECORD_NONE && thread->call >> 16 == config.compat) {
		thread->args[0] = (__u32)BPF_CORE_READ(regs, bx);
		thread->args[1] = (__u32)BPF_CORE_READ(regs, cx);
		thread->args[2] = (__u32)BPF_CORE_READ(regs, dx);
		thread->args[3] = (__u32)BPF_CORE_READ(regs, si);
		thread->args[4] = (__u32)BPF_CORE_READ(regs, di);
		thread->args[5] = (__u32)BPF_CORE_READ(regs, bp);
		return;
	}
#endif
	thread->args[0] = PT_REGS_PARM1_CORE_SYSCALL(regs);
	thread->args[1] = PT_REGS_PARM2_CORE_SYSCALL(regs);
	thread->args[2] = PT_REGS_PARM3_CORE_SYSCALL(regs);
	thread->args[3] = PT_REGS_PARM4_CORE_SYSCALL(regs);
	thread->args[4] = PT_REGS_PARM5_CORE_SYSCALL(regs);
#ifdef __TARGET_ARCH_x86
	thread->args[5] = BPF_CORE_READ(regs, r9);
#else
	thread->args[5] = BPF_CORE_READ((struct user_pt_regs *)regs, regs[5]);
#endif
}

/* Tells CALL of the current thread; HAS_RESULT: it has returned RESULT. */
static __always_inline void live_tell(struct record_state *state, struct record_thread *thread,
				      __u32 called, long result, bool has_result)
{
	struct bpf_pidns_info ids = {};
	struct record_call call = {
		.told = RECORD_TOLD_CALL,
		.call = called,
		.ts_ns = bpf_ktime_get_boot_ns() - state->began_ns,
		.result = result,
		.has_result = has_result,
	};

	if (!config.pidns_inode ||
	    bpf_get_ns_current_pid_tgid(config.pidns_dev, config.pidns_inode, &ids, sizeof(ids))) {
		ids.tgid = bpf_get_current_pid_tgid() >> 32;
		ids.pid = bpf_get_current_pid_tgid();
	}
	call.pid = ids.tgid;
	call.tid = ids.pid;
	__builtin_memcpy(call.args, thread->args, sizeof(call.args));
	bpf_get_current_comm(call.comm, sizeof(call.comm));
	if (bpf_ringbuf_output(&told, &call, sizeof(call), 0))
		__sync_fetch_and_add(&state->nr_untold, 1);
}

/* A call has returned. One that a filter answered did not begin: its registers are as it was made.
 */
static __always_inline void live_return(struct record_thread *thread, __u32 call,
					struct pt_regs *regs, long result)
{
	struct record_state *state = state_get();

	if (!state)
		return;
	if (thread->call == RECORD_NONE)
		live_enter(thread, regs);
	else
		call = thread->call;
	live_tell(state, thread, call, result, true);
}

#endif /* RECORD_MAPS_BPF_H */
