/* SPDX-License-Identifier: MIT */
/*
 * Counts the system calls of COMMAND and its descendants, by the part of the tree of processes that
 * made them. A thread's part is in its storage, which the fork hook writes before the thread runs:
 * no call goes unseen, no pid is ever confused with a reused one, and what has no storage is not
 * COMMAND's.
 *
 * A call is counted when it returns, which tells its number and its result at the price of one
 * hook; also one that a seccomp filter answered, which never began. A thread that ends is in a call
 * that does not return; what becomes another program returns as that. Both count it themselves. The
 * other hook, for calls that begin, costs as much again and is there only for points and --live.
 */
#include "record_tree.bpf.h"
#include "../bpf/compat.bpf.h"

/* arch/x86/include/uapi/asm/unistd.h */
#define X32_BIT 0x40000000U
/* include/linux/err.h */
#define MAX_ERRNO 4095UL
#define ENOSYS	  38
/* In the registers of a task that is in no call. */
#define NO_CALL 0xffffffffU
/* include/uapi/asm-generic/signal-defs.h */
#define SA_SIGINFO 0x4
#define SIGKILL	   9
/* A 32-bit address space: TASK_SIZE_32 of arm64, IA32_PAGE_OFFSET of x86. */
#define COMPAT_TASK_SIZE 0x100000000ULL

/* The call ID of TASK as arch << 16 | nr, or RECORD_NONE when no table has such a number. */
static __always_inline __u32 call_of(struct task_struct *task, __u32 id)
{
	__u32 arch = config.native;

	if (is_compat(task)) {
		arch = config.compat;
	} else if (config.x32 < NR_ARCHES && id & X32_BIT) {
		arch = config.x32;
		id &= ~X32_BIT;
	}
	if (id >= RECORD_CALLS_MAX || arch >= NR_ARCHES)
		return RECORD_NONE;
	return arch << 16 | id;
}

/* Whether the program of TASK is a 32-bit one. */
static __always_inline bool is_compat_image(struct task_struct *task)
{
	return BPF_CORE_READ(task, mm, task_size) <= COMPAT_TASK_SIZE;
}

static __always_inline void count_unknown(void)
{
	struct record_state *state = state_get();

	if (state)
		__sync_fetch_and_add(&state->nr_unknown, 1);
}

/* What CALL, of the machine's own numbers, means for the process of THREAD and for the tool. */
static __always_inline void look_at(struct record_state *state, struct task_struct *task,
				    struct record_thread *thread, __u32 nr)
{
	__u32 class;

	nr &= RECORD_CALLS_MAX - 1;
	class = config.classes[nr];
	if (config.has_points)
		phase_at_call(state, task, thread, nr, class);
	if (!config.has_ready || !class)
		return;
	if (class & RECORD_LISTENS && !state->listens) {
		state->listens = 1;
		tell(RECORD_TOLD_READY);
	}
	if (class & RECORD_WAITS && !state->waits) {
		state->waits = 1;
		tell(RECORD_TOLD_READY);
	}
}

/* Loaded for what is to be known before a call is made. */
SEC("tp_btf/sys_enter")
int BPF_PROG(record_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_thread *thread = thread_get(task);
	struct record_state *state = state_get();
	__u32 call;

	if (!thread || !state || thread->flags & THREAD_WAITS_FOR_EXEC)
		return 0;
	call = call_of(task, id);
	thread->call = call;
	if (call != RECORD_NONE && call >> 16 == config.native)
		look_at(state, task, thread, (__u16)call);
	else if (config.has_points)
		phase_follow(state, task, thread);
	if (config.has_live)
		live_enter(thread, regs);
	return 0;
}

/* Counts a call of THREAD that has returned RESULT. */
static __always_inline void count_return(struct record_thread *thread, __u32 call, bool has_failed)
{
	struct record_pending *pending = &thread->pending[call & (RECORD_PENDING - 1)];

	if (pending->call != call + 1) {
		if (pending->call)
			count_add(thread->slot, pending->call - 1, pending->count, pending->errors);
		/* Here and now, for the time at which it was seen first. */
		count_add(thread->slot, call, 0, 0);
		pending->call = call + 1;
		pending->count = 0;
		pending->errors = 0;
	}
	pending->count++;
	if (has_failed)
		pending->errors++;
}

/* What TASK returns from, when its registers are those of before a signal. */
static __always_inline __u32 call_of_handler(struct task_struct *task, struct record_thread *thread)
{
#ifdef __TARGET_ARCH_x86
	bool is_rt = thread->handlers & 1;

	if (!is_compat(task))
		return config.native << 16 | NR_rt_sigreturn_x86_64;
	thread->handlers >>= 1;
	return config.compat << 16 | (is_rt ? NR_rt_sigreturn_i386 : NR_sigreturn_i386);
#else
	return is_compat(task) ? RECORD_NONE : config.native << 16 | NR_rt_sigreturn_arm64;
#endif
}

/* The call that REGS return from with RESULT. */
static __always_inline __u32 call_returned(struct task_struct *task, struct record_thread *thread,
					   struct pt_regs *regs, long result)
{
	__u32 nr = call_number(regs);

	if (config.has_enter && thread->call != RECORD_NONE)
		return thread->call;
	/* There is no such call, but someone may make it: that fails with ENOSYS. */
	if (nr == NO_CALL && result != -ENOSYS)
		return call_of_handler(task, thread);
	return call_of(task, nr);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(record_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_thread *thread = thread_get(task);
	__u32 flags, call;
	bool has_failed;

	if (!thread)
		return 0;
	/* What a handler interrupted may have had only 32 bits of it. */
	if (is_compat(task))
		result = (int)result;
	has_failed = (unsigned long)result >= -MAX_ERRNO;
	if (thread->flags & THREAD_ENTRY_LATER)
		entry_retry(thread);
	flags = thread->flags;
	if (flags & (THREAD_WAITS_FOR_EXEC | THREAD_IS_NEW)) {
		thread->flags = flags & ~THREAD_IS_NEW;
		return 0;
	}
	call = call_returned(task, thread, regs, result);
	if (call == RECORD_NONE)
		count_unknown();
	else if (flags & THREAD_IS_COUNTED)
		thread->flags = flags & ~THREAD_IS_COUNTED;
	else
		count_return(thread, call, has_failed);
	if (has_failed && result == -ENOSYS)
		thread->nosys = call + 1;
	if (config.has_live && call != RECORD_NONE)
		live_return(thread, call, regs, result);
	if (config.has_enter)
		thread->call = RECORD_NONE;
	return 0;
}

/*
 * The call that TASK is in and will not return from, as RECORD_NONE: none. Where the beginning of
 * calls is not seen its registers tell: a call begins with ENOSYS as its result
 * (PUSH_AND_CLEAR_REGS in arch/x86/entry).
 */
static __always_inline __u32 call_unreturned(struct task_struct *task, struct record_thread *thread)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 call;

	if (config.has_enter)
		return thread->call;
	call = call_of(task, call_number(regs));
#ifdef __TARGET_ARCH_x86
	if ((int)BPF_CORE_READ(regs, ax) != -ENOSYS || thread->nosys == call + 1)
		return RECORD_NONE;
#else
	if ((call & 0xffff) != NR_exit_arm64 && (call & 0xffff) != NR_exit_group_arm64)
		return RECORD_NONE;
#endif
	return call;
}

/* Counts all that THREAD of TASK has done and not returned from. */
static __always_inline void count_last(struct task_struct *task, struct record_thread *thread)
{
	__u32 call = call_unreturned(task, thread);

	pending_flush(thread);
	if (call != RECORD_NONE && !(thread->flags & THREAD_IS_COUNTED))
		count_add(thread->slot, call, 1, 0);
}

/*
 * A program is about to be executed, since Linux 6.10: later the registers are those of the new
 * one, which may be of another architecture.
 */
SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(record_prepare_exec, struct task_struct *task)
{
	struct record_thread *thread = thread_get(task);
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if (thread && !(thread->flags & THREAD_WAITS_FOR_EXEC))
		thread->call = call_of(task, call_number(regs));
	return 0;
}

/* The call by which THREAD has executed a program. */
static __always_inline __u32 call_of_exec(struct record_thread *thread)
{
	if (thread->call != RECORD_NONE)
		return thread->call;
#ifdef __TARGET_ARCH_x86
	if (thread->flags & THREAD_IS_COMPAT)
		return config.compat << 16 | NR_execve_i386;
	return config.native << 16 | NR_execve_x86_64;
#else
	return config.native << 16 | NR_execve_arm64;
#endif
}

/* COMMAND was executed, or a program by one of its processes. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(record_exec, struct task_struct *task)
{
	struct record_thread *thread = thread_get(task);
	struct record_state *state = state_get();
	struct record_node_key key = { .start = START_exec, .entry_file = RECORD_NONE };
	__u32 flags = is_compat_image(task) ? THREAD_IS_COMPAT : 0;

	if (!thread || !state)
		return 0;
	if (thread->flags & THREAD_WAITS_FOR_EXEC) {
		state->began_ns = bpf_ktime_get_boot_ns();
		__sync_fetch_and_add(&state->nr_alive, 1);
		key.parent = RECORD_NONE;
		key.start = START_command;
		/* It returns from an execve that does not count. */
		thread->flags = flags | THREAD_IS_NEW;
	} else {
		pending_flush(thread);
		count_add(thread->slot, call_of_exec(thread), 1, 0);
		thread->flags = flags | THREAD_IS_COUNTED;
		/* This thread is the first one now, whatever it was. */
		if (thread->process_phase < thread->phase)
			thread->process_phase = thread->phase;
		if (config.at_exec)
			point_hit(state, thread, config.at_exec);
		key.parent = thread->slot;
		thread->phase = key.phase = thread->process_phase;
	}
	if (!config.has_enter)
		thread->call = RECORD_NONE;
	key.file = file_number(state, BPF_CORE_READ(task, mm, exe_file));
	thread->slot = slot_enter(state, &key, 0);
	return 0;
}

/*
 * Fills the key of CHILD, which THREAD is making by CALL. Returns the address of its start routine,
 * if it is known.
 */
static __always_inline __u64 child_key(struct task_struct *parent, struct record_thread *thread,
				       struct task_struct *child, struct pt_regs *regs, __u32 call,
				       struct record_node_key *key)
{
	__u64 address = 0;

	*key = (struct record_node_key){
		.parent = thread->slot,
		.start = START_fork,
		.phase = thread->phase,
		.file = slot_file(thread->slot),
		.entry_file = RECORD_NONE,
	};
	if (child->tgid == parent->tgid) {
		struct record_entry entry = { .file = RECORD_NONE };

		address = start_routine_of(parent, child);
		if (address)
			entry = entry_find(parent, key->file, address);
		key->start = START_thread;
		key->entry_file = entry.file;
		key->entry = entry.file == RECORD_LATER ? address : entry.offset;
	} else if (is_vfork(regs, call)) {
		key->start = START_vfork;
	}
	return address;
}

/* The storage of CHILD, new; or NULL. */
static __always_inline struct record_thread *thread_make(struct task_struct *child)
{
	struct record_thread *made = NULL;

	/* The allocator may say no once under pressure (kernel/bpf/bpf_local_storage.c). */
	for (int i = 0; i < 2 && !made; i++)
		made = bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return made;
}

/* A thread of COMMAND's was made, which does not run yet. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(record_fork, struct task_struct *parent, struct task_struct *child)
{
	struct record_thread *thread = thread_get(parent);
	struct record_thread *process, *made;
	struct record_state *state = state_get();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(parent);
	__u32 point = child->tgid == parent->tgid ? config.at_thread : config.at_fork;
	struct record_node_key key;
	__u32 before, call;
	__u64 address;

	if (!thread || !state || thread->flags & THREAD_WAITS_FOR_EXEC)
		return 0;
	call = call_of(parent, call_number(regs));
	before = thread->slot;
	if (point && point_reach(state, parent, thread, point) && thread->slot != before &&
	    call != RECORD_NONE) {
		/* The call that made it is the last one of the phase before. */
		count_add(before, call, 1, 0);
		thread->flags |= THREAD_IS_COUNTED;
	}
	process = config.has_points ? phase_follow(state, parent, thread) : thread;
	address = child_key(parent, thread, child, regs, call, &key);
	made = thread_make(child);
	if (!made) {
		__sync_fetch_and_add(&state->nr_unseen, 1);
		return 0;
	}
	made->slot = slot_enter(state, &key, address);
	made->call = RECORD_NONE;
	made->flags = THREAD_IS_NEW | (thread->flags & THREAD_IS_COMPAT);
	if (key.entry_file == RECORD_LATER)
		made->flags |= THREAD_ENTRY_LATER;
	made->phase = made->process_phase = thread->phase;
	made->reached = process->reached;
	made->listens = process->listens;
	__sync_fetch_and_add(&state->nr_alive, 1);
	if (state->kills)
		bpf_send_signal(SIGKILL);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(record_end, struct task_struct *task)
{
	struct record_thread *thread = thread_get(task);
	struct record_state *state = state_get();

	if (!thread || !state || thread->flags & (THREAD_WAITS_FOR_EXEC | THREAD_HAS_ENDED))
		return 0;
	if (thread->flags & THREAD_ENTRY_LATER)
		entry_retry(thread);
	count_last(task, thread);
	if (config.has_live && thread->call != RECORD_NONE)
		live_tell(state, thread, thread->call, 0, false);
	thread->flags |= THREAD_HAS_ENDED;
	if (__sync_fetch_and_sub(&state->nr_alive, 1) == 1)
		tell(RECORD_TOLD_ENDED);
	return 0;
}

/*
 * Counts what the threads that have not ended have done. For when the other programs are gone:
 * nothing else writes to the storage then.
 */
SEC("iter/task")
int record_flush(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct record_thread *thread;

	if (!task)
		return 0;
	thread = thread_get(task);
	if (!thread || thread->flags & (THREAD_WAITS_FOR_EXEC | THREAD_HAS_ENDED))
		return 0;
	count_last(task, thread);
	thread->flags |= THREAD_IS_COUNTED;
	return 0;
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(record_signal, int signal, struct kernel_siginfo *info, struct k_sigaction *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_thread *thread = thread_get(task);
	struct record_state *state = state_get();
	__u32 number = (__u32)signal;
	__u32 point;

	if (!thread || !state || thread->flags & THREAD_WAITS_FOR_EXEC || signal <= 0 ||
	    signal >= RECORD_SIGNALS_MAX)
		return 0;
	if (thread->flags & THREAD_IS_COMPAT && (__u64)BPF_CORE_READ(action, sa.sa_handler) > 1)
		thread->handlers =
			thread->handlers << 1 | !!(BPF_CORE_READ(action, sa.sa_flags) & SA_SIGINFO);
	/* What was compared above may be the number less one, from which 6.1 concludes nothing. */
	barrier_var(number);
	if (number >= RECORD_SIGNALS_MAX)
		return 0;
	point = config.signals[number];
	if (point)
		point_reach(state, task, thread, point);
	return 0;
}

/* Loaded where there are points in code. The cookie is 1 + the point. */
SEC("uprobe")
int record_code(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_thread *thread = thread_get(task);
	struct record_state *state = state_get();

	if (!thread || !state || thread->flags & THREAD_WAITS_FOR_EXEC)
		return 0;
	point_reach(state, task, thread, bpf_get_attach_cookie(regs));
	return 0;
}

/* The processes of the tree that have not ended, each by the number that the reader knows. */
SEC("iter/task")
int record_alive(struct bpf_iter__task *ctx)
{
	struct task_struct *reader = bpf_get_current_task_btf();
	struct task_struct *task = ctx->task;
	struct record_thread *thread;
	__u32 level;
	__s32 pid;

	if (!task)
		return 0;
	thread = thread_get(task);
	if (!thread || thread->flags & (THREAD_WAITS_FOR_EXEC | THREAD_HAS_ENDED))
		return 0;
	level = BPF_CORE_READ(reader, thread_pid, level);
	pid = pid_at(task, level);
	if (pid > 0)
		bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
