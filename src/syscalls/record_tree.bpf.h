/* SPDX-License-Identifier: MIT */
#ifndef RECORD_TREE_BPF_H
#define RECORD_TREE_BPF_H

/* The parts of the tree: files, nodes, phases. */

#include "record_maps.bpf.h"
#include "../bpf/walk_path.bpf.h"

/* enum node_start, recording.h */
enum {
	START_command,
	START_fork,
	START_vfork,
	START_thread,
	START_exec,
	START_phase,
};

/*
 * Tries to look at a process's mappings, which fail while another thread changes them or waits to.
 * One takes some 30 ns. Where all fail, the thread itself tries again later.
 */
#define VMA_TRIES 256

#define ENOENT	  2
/* include/linux/mm.h */
#define VM_EXEC	   0x4
#define PAGE_SHIFT 12
/* How often a phase is tried to be set against other threads of the process. */
#define PHASE_TRIES 8
/* include/uapi/linux/sched.h; the numbers of calls that are told apart */
#define CLONE_VFORK	       0x4000
#define NR_clone_x86_64	       56
#define NR_vfork_x86_64	       58
#define NR_clone_i386	       120
#define NR_vfork_i386	       190
#define NR_clone_arm64	       220
#define NR_clone3	       435
#define NR_execve_x86_64       59
#define NR_execve_i386	       11
#define NR_execve_arm64	       221
#define NR_rt_sigreturn_x86_64 15
#define NR_rt_sigreturn_i386   173
#define NR_sigreturn_i386      119
#define NR_rt_sigreturn_arm64  139
#define NR_exit_arm64	       93
#define NR_exit_group_arm64    94

/* Keeps the path of FILE and says where. False: there is no room. */
static __always_inline bool path_keep(struct record_state *state, struct path *path,
				      struct record_file *ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *scratch = scratch_get();
	__u32 zero = 0;
	struct record_paths *all = bpf_map_lookup_elem(&paths, &zero);
	__u32 size, from, at;

	/* full already: the sum of what did not fit would be a place again some day */
	if (!scratch || !all || state->paths_size >= RECORD_PATHS_SIZE)
		return false;
	walk_begin(scratch, path, BPF_CORE_READ(task, fs));
	size = walk_finish(scratch);
	from = scratch->walk.at & (PATH_SIZE - 1);
	if (size >= RECORD_PATH_MAX)
		size = RECORD_PATH_MAX - 1;
	barrier_var(size);
	size &= RECORD_PATH_MAX - 1;
	at = __sync_fetch_and_add(&state->paths_size, size);
	if (at >= RECORD_PATHS_SIZE)
		return false;
	barrier_var(at);
	at &= RECORD_PATHS_SIZE - 1;
	ret->path = at;
	ret->path_size = size;
	bpf_probe_read_kernel(&all->bytes[at], size, &scratch->path[from]);
	return true;
}

/* The number of FILE, for which its path is kept; RECORD_NONE when there is no room. */
static __always_inline __u32 file_number(struct record_state *state, struct file *file)
{
	struct path *path = __builtin_preserve_access_index(&file->f_path);
	struct record_file_key key = {
		.inode = BPF_CORE_READ(file, f_inode, i_ino),
		.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev),
		.name = BPF_CORE_READ(path, dentry, d_name.hash),
	};
	struct record_file *known = bpf_map_lookup_elem(&files, &key);
	struct record_file made = {};

	if (known)
		return known->id;
	if (path_keep(state, path, &made)) {
		made.id = __sync_fetch_and_add(&state->nr_files, 1);
		/* Another processor may have been faster: then its number counts. */
		bpf_map_update_elem(&files, &key, &made, BPF_NOEXIST);
		known = bpf_map_lookup_elem(&files, &key);
	}
	if (known)
		return known->id;
	__sync_fetch_and_add(&state->nr_unnamed, 1);
	return RECORD_NONE;
}

/* What a mapping says about an address; the file RECORD_LATER: nobody could look. */
struct vma_look {
	__u64 address;
	struct record_entry entry;
};

static long vma_take(struct task_struct *task, struct vm_area_struct *vma, struct vma_look *look)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct record_state *state = state_get();

	look->entry.file = RECORD_NONE;
	if (!file || !state || !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC))
		return 0;
	look->entry.offset = look->address - BPF_CORE_READ(vma, vm_start) +
			     (BPF_CORE_READ(vma, vm_pgoff) << PAGE_SHIFT);
	look->entry.file = file_number(state, file);
	return 0;
}

/* Ends the loop when the mappings could be looked at. */
static long entry_try(__u32 index, struct vma_look *look)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long err = bpf_find_vma(task, look->address, vma_take, look, 0);

	if (err == -ENOENT)
		look->entry.file = RECORD_NONE;
	return err && err != -ENOENT ? 0 : 1;
}

/*
 * What the current process, of the program FILE, has mapped at ADDRESS; file RECORD_NONE: no code
 * of a file; RECORD_LATER: its mappings are being changed.
 */
static __always_inline struct record_entry entry_find(struct task_struct *task, __u32 file,
						      __u64 address)
{
	struct record_entry_key key = {
		.mm = (__u64)BPF_CORE_READ(task, mm),
		.address = address,
		.start_ns = BPF_CORE_READ(task, group_leader, start_boottime),
		.file = file,
	};
	struct record_entry *known = bpf_map_lookup_elem(&entries, &key);
	struct vma_look look = { .address = address, .entry.file = RECORD_LATER };

	if (known) {
		/* Here, or the compiler adds to the pointer before it is known not to be NULL. */
		barrier_var(known);
		return *known;
	}
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
		look.entry.file = RECORD_NONE;
		return look.entry;
	}
	bpf_loop(VMA_TRIES, entry_try, &look, 0);
	if (look.entry.file < RECORD_LATER)
		bpf_map_update_elem(&entries, &key, &look.entry, BPF_ANY);
	return look.entry;
}

/*
 * The address of the start routine of CHILD, a thread that the current one has just made: glibc
 * keeps it in its descriptor of the thread, to which the thread pointer leads. 0: not known.
 */
static __always_inline __u64 start_routine_of(struct task_struct *task, struct task_struct *child)
{
	__u64 pointer;
	__u64 address = 0;

	if (!config.start_routine)
		return 0;
#ifdef __TARGET_ARCH_x86
	__u64 self = 0;

	pointer = child->thread.fsbase;
	/* Not a thread of a C library: it has the pointer of the one that made it. */
	if (!pointer || pointer == task->thread.fsbase)
		return 0;
	/* tcbhead_t.self, glibc sysdeps/x86_64/nptl/tls.h: musl has something else there. */
	if (bpf_probe_read_user(&self, sizeof(self), (void *)(pointer + 16)) || self != pointer)
		return 0;
#else
	pointer = child->thread.uw.tp_value;
	if (!pointer || pointer == task->thread.uw.tp_value)
		return 0;
#endif
	if (bpf_probe_read_user(&address, sizeof(address),
				(void *)(pointer + config.start_routine)))
		return 0;
	return address;
}

/*
 * Finds out the entry of the current THREAD's part, which could not be when the thread was made.
 * Others of the same part do the same and come to the same.
 */
static __noinline int entry_retry(struct record_thread *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_node *node;
	struct record_entry entry;

	if (!thread)
		return 0;
	node = bpf_map_lookup_elem(&nodes, &thread->slot);
	if (!node || node->entry_file != RECORD_LATER) {
		thread->flags &= ~THREAD_ENTRY_LATER;
		return 0;
	}
	entry = entry_find(task, node->file, node->address);
	if (entry.file == RECORD_LATER)
		return 0;
	node->entry = entry.offset;
	node->entry_file = entry.file;
	thread->flags &= ~THREAD_ENTRY_LATER;
	return 0;
}

/* Adds to the counter of CALL in SLOT, which is made where there is none. */
static __noinline int count_add(__u32 slot, __u32 call, __u64 nr, __u64 nr_errors)
{
	struct record_count_key key = { slot, call >> 16, (__u16)call };
	struct record_count *count = bpf_map_lookup_elem(&counts, &key);
	struct record_state *state = state_get();
	struct record_count made = {};

	if (!state)
		return 0;
	if (!count) {
		made.first_ns = bpf_ktime_get_boot_ns() - state->began_ns + 1;
		/* Another processor may be about to make it as well. */
		bpf_map_update_elem(&counts, &key, &made, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&counts, &key);
	}
	if (!count) {
		__sync_fetch_and_add(&state->nr_uncounted, nr);
		return 0;
	}
	__sync_fetch_and_add(&count->count, nr);
	__sync_fetch_and_add(&count->errors, nr_errors);
	return 0;
}

struct flush {
	struct record_thread *thread;
};

static long pending_flush_one(__u32 index, struct flush *flush)
{
	struct record_thread *thread = flush->thread;
	struct record_pending *pending = &thread->pending[index & (RECORD_PENDING - 1)];

	if (pending->call)
		count_add(thread->slot, pending->call - 1, pending->count, pending->errors);
	pending->call = 0;
	return 0;
}

/* Moves what THREAD has pending to the counters of its slot. */
static __always_inline void pending_flush(struct record_thread *thread)
{
	struct flush flush = { thread };

	/* The verifier goes once through what bpf_loop() does, 32 times through a loop. */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(RECORD_PENDING, pending_flush_one, &flush, 0);
		return;
	}
	for (__u32 i = 0; i < RECORD_PENDING; i++)
		pending_flush_one(i, &flush);
}

/* The slot for KEY, in which one more thread is from now on; its start routine is at ADDRESS. */
static __always_inline __u32 slot_enter(struct record_state *state,
					const struct record_node_key *key, __u64 address)
{
	__u32 *known = bpf_map_lookup_elem(&children, key);
	struct record_node *node;
	__u32 slot;

	if (known) {
		slot = *known;
	} else {
		slot = __sync_fetch_and_add(&state->nr_nodes, 1);
		if (slot >= RECORD_NODES_MAX) {
			__sync_fetch_and_add(&state->nr_merged, 1);
			return key->parent;
		}
	}
	node = bpf_map_lookup_elem(&nodes, &slot);
	if (!node)
		return key->parent;
	if (!known) {
		node->parent = key->parent;
		node->start = key->start;
		node->phase = key->phase;
		node->file = key->file;
		node->entry_file = key->entry_file;
		node->entry = key->entry;
		node->address = address;
		node->is_used = 1;
		/* Where this fails the slot is one more of the same identity. */
		bpf_map_update_elem(&children, key, &slot, BPF_NOEXIST);
	}
	__sync_fetch_and_add(&node->nr_instances, 1);
	return slot;
}

/* The file of the program in SLOT. */
static __always_inline __u32 slot_file(__u32 slot)
{
	struct record_node *node = bpf_map_lookup_elem(&nodes, &slot);

	return node ? node->file : RECORD_NONE;
}

/* Moves THREAD, of the current task, to where its process is. */
static __always_inline void phase_enter(struct record_state *state, struct record_thread *thread,
					__u32 phase)
{
	struct record_node_key key = {
		.parent = thread->slot,
		.start = START_phase,
		.phase = phase,
		.entry_file = RECORD_NONE,
	};
	struct record_node *node = bpf_map_lookup_elem(&nodes, &thread->slot);
	__u64 address = 0;

	pending_flush(thread);
	if (node) {
		address = node->address;
		key.file = node->file;
		key.entry_file = node->entry_file;
		key.entry = key.entry_file == RECORD_LATER ? address : node->entry;
	}
	thread->slot = slot_enter(state, &key, address);
	thread->phase = phase;
}

/* The storage of the first thread of TASK's process, where the phase is. */
static __always_inline struct record_thread *process_get(struct task_struct *task,
							 struct record_thread *thread)
{
	struct record_thread *process = thread;

	if (task->pid != task->tgid)
		process = thread_get(task->group_leader);
	return process ?: thread;
}

/* Follows the process, which another thread may have brought to a later phase. */
static __always_inline struct record_thread *
phase_follow(struct record_state *state, struct task_struct *task, struct record_thread *thread)
{
	struct record_thread *process = process_get(task, thread);

	if (process->process_phase > thread->phase)
		phase_enter(state, thread, process->process_phase);
	return process;
}

/* Brings PROCESS to PHASE, unless it is there or in a later one. Returns whether it did. */
static __always_inline bool phase_raise(struct record_thread *process, __u32 phase)
{
	for (int i = 0; i < PHASE_TRIES; i++) {
		__u32 old = process->process_phase;

		if (old >= phase)
			return false;
		if (__sync_val_compare_and_swap(&process->process_phase, old, phase) == old)
			return true;
	}
	return false;
}

/*
 * PROCESS is at POINT, which is 1 + its number. Only the first time counts: whether it is that is
 * returned. One that comes behind a later one changes nothing and is counted apart.
 */
static __always_inline bool point_hit(struct record_state *state, struct record_thread *process,
				      __u32 point)
{
	__u32 index = (point - 1) & (RECORD_POINTS_MAX - 1);
	__u64 bit = 1ULL << index;

	if (process->reached & bit || __sync_fetch_and_or(&process->reached, bit) & bit)
		return false;
	if (phase_raise(process, RECORD_PHASE(index)))
		__sync_fetch_and_add(&state->hits[index], 1);
	else
		__sync_fetch_and_add(&state->late[index], 1);
	return true;
}

/* The process of TASK, the current one, is at POINT. Returns as point_hit(). */
static __always_inline bool point_reach(struct record_state *state, struct task_struct *task,
					struct record_thread *thread, __u32 point)
{
	bool is_first = point_hit(state, process_get(task, thread), point);

	phase_follow(state, task, thread);
	return is_first;
}

/* Remembers where `auto` began first. */
static __always_inline void wait_note(struct record_state *state, __u32 which, __u32 slot, __u32 nr)
{
	struct record_wait *wait = &state->wait[which];

	if (__sync_val_compare_and_swap(&wait->call, RECORD_NONE, config.native << 16 | nr) !=
	    RECORD_NONE)
		return;
	wait->slot = slot;
	bpf_get_current_comm(wait->comm, sizeof(wait->comm));
}

/* `auto`: a call of a process that waits, or listens, or both. */
static __always_inline void phase_at_wait(struct record_state *state, struct task_struct *task,
					  struct record_thread *thread, __u32 nr, __u32 class)
{
	struct record_thread *process = process_get(task, thread);
	__u32 tentative = RECORD_TENTATIVE(config.at_wait - 1);
	__u32 slot = thread->slot;

	if (class & RECORD_LISTENS)
		process->listens = 1;
	if (!(class & RECORD_WAITS))
		return;
	if (process->listens) {
		if (point_reach(state, task, thread, config.at_wait))
			wait_note(state, 1, slot, nr);
	} else if (phase_raise(process, tentative)) {
		phase_follow(state, task, thread);
		__sync_fetch_and_add(&state->nr_tentative, 1);
		wait_note(state, 0, slot, nr);
	}
}

/* The call NR, of the machine's own, begins: it may be a point. */
static __always_inline void phase_at_call(struct record_state *state, struct task_struct *task,
					  struct record_thread *thread, __u32 nr, __u32 class)
{
	__u32 point = config.calls[nr];

	phase_follow(state, task, thread);
	if (config.at_wait && class)
		phase_at_wait(state, task, thread, nr, class);
	if (point)
		point_reach(state, task, thread, point);
}

/* Whether the process that TASK is making will have it wait, as the flags of its CALL say. */
static __always_inline bool is_vfork(struct pt_regs *regs, __u32 call)
{
	bool is_compat = call >> 16 == config.compat;
	__u32 nr = call & 0xffff;
	__u64 first = PT_REGS_PARM1_CORE_SYSCALL(regs);
	__u64 flags = 0;

#ifdef __TARGET_ARCH_x86
	/* x32 has the numbers of x86-64. */
	if (is_compat)
		first = (__u32)BPF_CORE_READ(regs, bx);
	if (nr == (is_compat ? NR_vfork_i386 : NR_vfork_x86_64))
		return true;
	if (nr == (is_compat ? NR_clone_i386 : NR_clone_x86_64))
		flags = first;
#else
	if (!is_compat && nr == NR_clone_arm64)
		flags = first;
#endif
	/* struct clone_args, include/uapi/linux/sched.h, begins with the flags. */
	if (nr == NR_clone3)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)first);
	return flags & CLONE_VFORK;
}

#endif /* RECORD_TREE_BPF_H */
