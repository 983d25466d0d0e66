/* SPDX-License-Identifier: MIT */
/*
 * Programs for kernels that lack what the others need: below 5.11, or without type information.
 * Linux 4.15 is to load them, so there is no global data, no CO-RE, no loop, no function call, no
 * helper that came later, no program above 4,096 instructions; keys and values of map helpers are
 * on the stack. Where a member of a kernel structure would be needed there is /proc, later, in user
 * space (trace/reduced_life.c).
 */
#include "reduced.bpf.h"
#include "../catalogue/match.h"

/* include/uapi/linux/sched.h */
#define CLONE_PARENT 0x00008000
#define CLONE_THREAD 0x00010000

/* include/uapi/asm-generic/fcntl.h; the same on x86 and arm64. */
#define O_WRONLY 01
#define O_CREAT	 0100
#define O_TRUNC	 01000
#define AT_FDCWD -100

SEC("tp/task/task_newtask")
int reduced_newtask(void *ctx)
{
	struct raw_config *config = config_get();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct raw_counters *counters;
	struct raw_process *process;
	struct raw_fork *event;
	__u64 flags = 0;

	if (!config)
		return 0;
	context_read(&flags, sizeof(flags), ctx, config->fields[RAW_FIELD_newtask_flags]);
	if (flags & CLONE_THREAD) {
		process = process_get(tgid, true);
		if (process)
			__sync_fetch_and_add(&process->threads, 1);
		return 0;
	}
	if (!config->on)
		return 0;
	event = record_begin(RAW_FORK, &counters);
	if (!event)
		return 0;
	context_read(&event->pid, sizeof(event->pid), ctx, config->fields[RAW_FIELD_newtask_pid]);
	context_read(event->comm, sizeof(event->comm), ctx, config->fields[RAW_FIELD_newtask_comm]);
	event->is_sibling = !!(flags & CLONE_PARENT);
	record_send(ctx, &event->head, RAW_FORK, counters, sizeof(*event));
	return 0;
}

SEC("tp/task/task_rename")
int reduced_rename(void *ctx)
{
	struct raw_config *config = config_on();
	struct raw_counters *counters;
	struct raw_rename *event;

	if (!config)
		return 0;
	event = record_begin(RAW_RENAME, &counters);
	if (!event)
		return 0;
	context_read(&event->tid, sizeof(event->tid), ctx, config->fields[RAW_FIELD_rename_tid]);
	context_read(event->comm, sizeof(event->comm), ctx, config->fields[RAW_FIELD_rename_comm]);
	event->reserved = 0;
	record_send(ctx, &event->head, RAW_RENAME, counters, sizeof(*event));
	return 0;
}

/*
 * Copies the arguments, which are whole only now: afterwards another program's memory is there. Of
 * a script these are not yet the interpreter's.
 */
static __always_inline void arguments_read(struct raw_args *event, const void *argv)
{
	__u32 size = 0;

	event->flags = RAW_ARGS_CUT;
#pragma unroll
	for (int i = 0; i < RAW_NR_ARGS; i++) {
		const void *arg = NULL;
		long n;

		if (bpf_probe_read(&arg, sizeof(arg), argv + i * sizeof(arg))) {
			event->flags = RAW_ARGS_FAULT;
			break;
		}
		if (!arg) {
			event->flags = 0;
			break;
		}
		if (size >= RAW_ARGS_MAX)
			break;
		size &= RAW_ARGS_MAX - 1;
		n = bpf_probe_read_str(event->args + size, RAW_ARG_MAX, arg);
		if (n <= 0) {
			event->flags = RAW_ARGS_FAULT;
			break;
		}
		size += n;
		if (n == RAW_ARG_MAX)
			break;
	}
	event->args_size = size;
}

static __always_inline int exec_begin(void *ctx, __u32 argument)
{
	struct raw_config *config = config_get();
	__u64 ids = bpf_get_current_pid_tgid();
	struct raw_counters *counters;
	struct raw_process *process;
	const void *argv = NULL;
	struct raw_args *event;
	__u64 size;

	if (!config)
		return 0;
	if (ids >> 32 != (__u32)ids) {
		process = process_get(ids >> 32, true);
		if (process)
			process->is_executing = 1;
	}
	if (!config->on)
		return 0;
	event = record_begin(RAW_ARGS, &counters);
	if (!event)
		return 0;
	context_read(&argv, sizeof(argv), ctx,
		     config->fields[RAW_FIELD_call_arguments] + 8 * argument);
	arguments_read(event, argv);
	size = event->args_size;
	if (size > RAW_ARGS_MAX + RAW_ARG_MAX)
		size = RAW_ARGS_MAX + RAW_ARG_MAX;
	record_send(ctx, &event->head, RAW_ARGS, counters, sizeof(*event) + size);
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int reduced_execve(void *ctx)
{
	return exec_begin(ctx, 1);
}

SEC("tp/syscalls/sys_enter_execveat")
int reduced_execveat(void *ctx)
{
	return exec_begin(ctx, 2);
}

/* Whether it has failed or not: no thread of the process executes any more. */
SEC("tp/syscalls/sys_exit_execve")
int reduced_execve_done(void *ctx)
{
	struct raw_process *process = process_get(bpf_get_current_pid_tgid() >> 32, false);

	if (process)
		process->is_executing = 0;
	return 0;
}

SEC("tp/sched/sched_process_exec")
int reduced_exec(void *ctx)
{
	struct raw_config *config = config_get();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct raw_counters *counters;
	struct raw_exec *event;
	__u32 place = 0;
	long n;

	if (!config)
		return 0;
	/* Its other threads are gone, killed without being told of here. */
	bpf_map_delete_elem(&reduced_processes, &tgid);
	if (!config->on)
		return 0;
	event = record_begin(RAW_EXEC, &counters);
	if (!event)
		return 0;
	context_read(&event->old_tid, sizeof(event->old_tid), ctx,
		     config->fields[RAW_FIELD_exec_old_tid]);
	/* A __data_loc: the size above the offset. */
	context_read(&place, sizeof(place), ctx, config->fields[RAW_FIELD_exec_name]);
	n = bpf_probe_read_str(event->name, RAW_NAME_MAX, ctx + (place & 0xffff));
	if (n < 0 || n > RAW_NAME_MAX)
		n = 0;
	event->name_size = n;
	record_send(ctx, &event->head, RAW_EXEC, counters, sizeof(*event) + (__u64)n);
	return 0;
}

/* How the current process is about to end. The first reason counts, but exit_group(2) is final. */
static __always_inline void end_note(bool is_made, enum raw_end end, __u32 code)
{
	struct raw_process *process = process_get(bpf_get_current_pid_tgid() >> 32, is_made);

	if (!process || process->end == RAW_END_GROUP ||
	    (end != RAW_END_GROUP && process->end != RAW_END_UNKNOWN))
		return;
	process->end = end;
	process->code = code;
}

SEC("tp/syscalls/sys_enter_exit_group")
int reduced_exit_group(void *ctx)
{
	struct raw_config *config = config_get();
	__u32 code = 0;

	if (!config)
		return 0;
	context_read(&code, sizeof(code), ctx, config->fields[RAW_FIELD_call_arguments]);
	end_note(true, RAW_END_GROUP, code);
	return 0;
}

/* Of the other threads it tells nothing: wait(2) has the code of the first. */
SEC("tp/syscalls/sys_enter_exit")
int reduced_exit_call(void *ctx)
{
	struct raw_config *config = config_get();
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 code = 0;

	if (!config || ids >> 32 != (__u32)ids)
		return 0;
	context_read(&code, sizeof(code), ctx, config->fields[RAW_FIELD_call_arguments]);
	end_note(true, RAW_END_CALL, code);
	return 0;
}

/*
 * Signals whose default is not to kill: SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
 * SIGURG, SIGWINCH (signal(7); the same numbers on x86 and arm64).
 */
#define SIGKILL 9
#define HARMLESS                                                                                   \
	(1ULL << 17 | 1ULL << 18 | 1ULL << 19 | 1ULL << 20 | 1ULL << 21 | 1ULL << 22 |             \
	 1ULL << 23 | 1ULL << 28)

static __always_inline bool is_harmless(__u32 number)
{
	return !number || number > 64 || (number < 32 && (HARMLESS & 1ULL << number));
}

/*
 * Who is killed by a signal is delivered SIGKILL instead, unless it leaves a core dump
 * (complete_signal(), kernel/signal.c): which one it was is known when it is sent.
 */
SEC("tp/signal/signal_generate")
int reduced_signal_sent(void *ctx)
{
	struct raw_config *config = config_get();
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 number = 0;
	__u32 result = 1;
	__u32 pid = 0;

	if (!config)
		return 0;
	context_read(&number, sizeof(number), ctx, config->fields[RAW_FIELD_sent_number]);
	context_read(&result, sizeof(result), ctx, config->fields[RAW_FIELD_sent_result]);
	context_read(&pid, sizeof(pid), ctx, config->fields[RAW_FIELD_sent_pid]);
	/* TRACE_SIGNAL_DELIVERED; others are ignored, or there already. */
	if (result || is_harmless(number))
		return 0;
	if (pid == (__u32)ids)
		pid = ids >> 32;
	bpf_map_update_elem(&reduced_signals, &pid, &number, BPF_ANY);
	return 0;
}

SEC("tp/signal/signal_deliver")
int reduced_signal(void *ctx)
{
	struct raw_config *config = config_get();
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 tgid = ids >> 32;
	__u32 *sent = bpf_map_lookup_elem(&reduced_signals, &tgid);
	__u64 handler = 1;
	__u32 number = 0;

	if (!config)
		return 0;
	context_read(&number, sizeof(number), ctx, config->fields[RAW_FIELD_signal_number]);
	context_read(&handler, sizeof(handler), ctx, config->fields[RAW_FIELD_signal_handler]);
	if (handler) {
		if (sent && *sent == number)
			bpf_map_delete_elem(&reduced_signals, &tgid);
		return 0;
	}
	if (is_harmless(number))
		return 0;
	if (number == SIGKILL && sent)
		number = *sent;
	/* Further threads of one that has been reported leave no entry behind. */
	end_note(tgid == (__u32)ids, RAW_END_SIGNAL, number);
	return 0;
}

/* Whether the current thread, of PROCESS (NULL: it has one thread), is the last to end. */
static __always_inline bool is_last(struct raw_process *process, bool is_first)
{
	if (!is_first) {
		if (!process)
			return false;
		__sync_fetch_and_add(&process->threads, -1);
		return process->is_headless && process->threads <= 0;
	}
	if (!process || (process->end != RAW_END_CALL && !process->is_executing))
		return true;
	/* Before the count is looked at, which others look at in the other order. */
	process->is_headless = 1;
	return process->threads <= 0;
}

SEC("tp/sched/sched_process_exit")
int reduced_exit(void *ctx)
{
	struct raw_config *config = config_get();
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 tgid = ids >> 32;
	struct raw_process *process = process_get(tgid, false);
	struct raw_counters *counters;
	struct raw_exit *event;

	if (!config || !is_last(process, tgid == (__u32)ids))
		return 0;
	if (config->on) {
		event = record_begin(RAW_EXIT, &counters);
		if (!event)
			return 0;
		event->end = process ? process->end : RAW_END_UNKNOWN;
		event->code = process ? process->code : 0;
		record_send(ctx, &event->head, RAW_EXIT, counters, sizeof(*event));
	}
	bpf_map_delete_elem(&reduced_processes, &tgid);
	bpf_map_delete_elem(&reduced_signals, &tgid);
	return 0;
}

/* The N-th arguments of a call are its name, flags and dirfd; below 0: it has none. */
static __always_inline int open_begin(void *ctx, int name, int flags, int dirfd, __u32 is_how)
{
	struct raw_config *config = config_on();
	struct raw_call call = { .flags = O_CREAT | O_WRONLY | O_TRUNC,
				 .dirfd = AT_FDCWD,
				 .is_how = is_how };
	__u64 ids = bpf_get_current_pid_tgid();
	__u32 at;

	if (!config)
		return 0;
	at = config->fields[RAW_FIELD_call_arguments];
	context_read(&call.name, sizeof(call.name), ctx, at + 8 * name);
	if (flags >= 0)
		context_read(&call.flags, sizeof(call.flags), ctx, at + 8 * flags);
	if (dirfd >= 0)
		context_read(&call.dirfd, sizeof(call.dirfd), ctx, at + 8 * dirfd);
	bpf_map_update_elem(&reduced_calls, &ids, &call, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_enter_open")
int reduced_open(void *ctx)
{
	return open_begin(ctx, 0, 1, -1, 0);
}

SEC("tp/syscalls/sys_enter_creat")
int reduced_creat(void *ctx)
{
	return open_begin(ctx, 0, -1, -1, 0);
}

SEC("tp/syscalls/sys_enter_openat")
int reduced_openat(void *ctx)
{
	return open_begin(ctx, 1, 2, 0, 0);
}

SEC("tp/syscalls/sys_enter_openat2")
int reduced_openat2(void *ctx)
{
	return open_begin(ctx, 1, 2, 0, 1);
}

static __always_inline bool name_is_wanted(const struct raw_config *config, __u64 last,
					   __u64 before)
{
	if (!config->by_tail)
		return match_tail(last, before);
	if (!config->nr_tails)
		return true;
#pragma unroll
	for (__u32 i = 0; i < CONFIG_TAILS_MAX; i++)
		if (i < config->nr_tails && (last & config->tails[i].mask) == config->tails[i].last)
			return true;
	return false;
}

/* Reads the name, whose page is resident because the kernel has just read it. 0: not wanted. */
static __always_inline __u32 name_read(const struct raw_config *config, struct raw_open *event,
				       const struct raw_call *call, struct raw_counters *counters)
{
	__u64 words[2];
	__u32 size;
	long n;

	*(__u64 *)&event->before[0] = 0;
	*(__u64 *)&event->before[8] = (__u64)'/' << 56;
	n = bpf_probe_read_str(event->name, RAW_NAME_MAX, (const void *)call->name);
	if (n < 0)
		counters->faults++;
	if (n <= 1 || n > RAW_NAME_MAX)
		return 0;
	size = (n - 1) & (RAW_NAME_MAX - 1);
	/* The last 16 bytes of BEFORE and NAME, which begins where BEFORE ends. */
	bpf_probe_read(words, sizeof(words), event->before + size);
	if (!name_is_wanted(config, __builtin_bswap64(words[1]), __builtin_bswap64(words[0])))
		return 0;
	return size + 1;
}

/* Attached to the end of all of them. */
SEC("tp/syscalls/sys_exit_openat")
int reduced_open_done(void *ctx)
{
	struct raw_config *config = config_on();
	__u64 ids = bpf_get_current_pid_tgid();
	struct raw_counters *counters;
	struct raw_call *found;
	struct raw_open *event;
	struct raw_call call;
	__u64 size;

	if (!config)
		return 0;
	found = bpf_map_lookup_elem(&reduced_calls, &ids);
	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&reduced_calls, &ids);
	event = record_begin(RAW_OPEN, &counters);
	if (!event)
		return 0;
	size = name_read(config, event, &call, counters);
	if (!size)
		return 0;
	if (call.is_how)
		bpf_probe_read(&call.flags, sizeof(call.flags), (const void *)call.flags);
	event->flags = call.flags;
	event->dirfd = call.dirfd;
	event->name_size = size;
	context_read(&event->result, sizeof(event->result), ctx,
		     config->fields[RAW_FIELD_call_result]);
	if (size > RAW_NAME_MAX)
		return 0;
	record_send(ctx, &event->head, RAW_OPEN, counters, sizeof(*event) + size);
	return 0;
}

static __always_inline int move_tell(void *ctx, __u32 is_root)
{
	struct raw_config *config = config_on();
	struct raw_counters *counters;
	struct raw_move *event;

	if (!config)
		return 0;
	event = record_begin(RAW_MOVE, &counters);
	if (!event)
		return 0;
	event->is_root = is_root;
	event->reserved = 0;
	record_send(ctx, &event->head, RAW_MOVE, counters, sizeof(*event));
	return 0;
}

/* These two are attached to the ends of the calls, too; the first to those of fchdir(2). */
SEC("tp/syscalls/sys_enter_chdir")
int reduced_chdir(void *ctx)
{
	return move_tell(ctx, 0);
}

SEC("tp/syscalls/sys_enter_chroot")
int reduced_chroot(void *ctx)
{
	return move_tell(ctx, 1);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
