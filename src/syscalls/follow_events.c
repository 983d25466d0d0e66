/* SPDX-License-Identifier: MIT */
/*
 * What becomes of each stop. A breakpoint is needed once in a process, so that none has to be
 * stepped over as a rule: it is taken away, and the thread that ran into it goes on at the
 * instruction that was there, as do those that ran into it at the same time. Only where two
 * processes share their memory (vfork) it may have to stay: see follow_step.c.
 */
#include "syscalls/follow_private.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "proc/status.h"
#include "proc/text.h"

/* After this many rounds (50 ms) a thread that nobody tells of is taken in all the same. */
#define ADOPT_ROUNDS 4

/* THREAD has been seen to stop, and its maker has told of it: it begins. */
static void begin(struct follow *follow, struct follow_thread *thread)
{
	enum follow_start start = thread->flags & CLONE_THREAD	? FOLLOW_THREAD
				  : thread->flags & CLONE_VFORK ? FOLLOW_VFORK
								: FOLLOW_FORK;
	int signal = WSTOPSIG(thread->status);

	thread->has_begun = true;
	untraced_give(thread);
	/* As the one that made it has it. */
	if (follow->config.leaves_sleepers && follow->config.kills)
		tracee_set(thread->tid, start != FOLLOW_THREAD, false);
	/* A copy of its parent's memory, breakpoints included. */
	if (start != FOLLOW_THREAD)
		points_update(follow, thread);
	FOLLOW_CALL(follow, begun, thread, start);
	if (thread->process->is_released || is_stop_signal(signal)) {
		thread_go_on_from_event(follow, thread, signal);
		return;
	}
	thread_look_and_go_on(follow, thread, FOLLOW_ELSEWHERE, 0);
}

/* Tells where CHILD comes from: MAKER, which has just made it with flags. */
static int announce(struct follow *follow, struct follow_thread *child,
		    const struct follow_thread *maker)
{
	if (child->has_maker)
		return 0;
	child->has_maker = true;
	child->node = maker->node;
	child->mark = maker->mark;
	memcpy(child->comm, maker->comm, sizeof(child->comm));
	child->is_changed = maker->is_changed;
	child->call = maker->call;
	if (child->flags & CLONE_THREAD) {
		process_join(maker->process, child);
		return 0;
	}
	return process_make(follow, child, maker);
}

/* The flags of the clone that THREAD is in; EVENT tells the least of it. */
static uint64_t clone_flags(const struct follow_thread *thread, int event)
{
	uint64_t flags = 0;

	if (tracee_clone_flags(thread->tid, &flags) < 0 || flags == 0)
		return event == PTRACE_EVENT_VFORK ? CLONE_VFORK | CLONE_VM : 0;
	return flags;
}

/* THREAD has made another one. */
static void on_made(struct follow *follow, struct follow_thread *thread, int event)
{
	uint64_t flags = clone_flags(thread, event);
	struct follow_thread *child;
	uint64_t tid;

	thread->is_in_vfork = event == PTRACE_EVENT_VFORK;
	points_reach(follow, thread, flags & CLONE_THREAD ? POINT_THREAD : POINT_FORK);
	FOLLOW_CALL(follow, made, thread);
	if (tracee_message(thread->tid, &tid) == 0) {
		child = thread_find(follow, (pid_t)tid);
		if (!child)
			child = thread_make(follow, (pid_t)tid);
		if (child) {
			child->flags = flags;
			if (announce(follow, child, thread) < 0) {
				follow->nr_unseen++;
				kill((pid_t)tid, SIGKILL);
			} else if (child->is_stopped) {
				begin(follow, child);
			}
		}
	}
	/* In the middle of the call: nothing can be done here. */
	thread_go_on(follow, thread, 0);
}

static void on_exec(struct follow *follow, struct follow_thread *thread)
{
	struct follow_process *process = thread->process;
	struct follow_thread *former;
	uint64_t tid;

	/* The thread that executes takes the place of the first one, and its number. */
	if (tracee_message(thread->tid, &tid) == 0 && (pid_t)tid != thread->tid) {
		former = thread_find(follow, (pid_t)tid);
		if (former && former->process == process) {
			if (follow->config.ops->ended)
				follow->config.ops->ended(follow->config.ctx, thread, 0);
			thread_rename(follow, former, thread->tid);
			thread = former;
			thread->is_stopped = true;
		}
	}
	thread_drop_others(follow, thread);
	thread->is_in_vfork = false;
	/* The first thread now, whatever it was. */
	if (follow->config.leaves_sleepers && follow->config.kills)
		tracee_set(thread->tid, true, false);
	if (process_renew_memory(follow, process) < 0) {
		kill(process->pid, SIGKILL);
		return;
	}
	points_reach(follow, thread, POINT_EXEC);
	if (process->must_wait)
		process_release(follow, process);
	points_update(follow, thread);
	FOLLOW_CALL(follow, executed, thread);
	thread_go_on(follow, thread, 0);
}

static void on_entry(struct follow *follow, struct follow_thread *thread,
		     const struct tracee_call *call)
{
	bool is_again = thread->is_again &&
			(call->nr == thread->call.nr || call->nr == SYS_restart_syscall);

	thread->is_again = false;
	if (!is_again) {
		thread->call = *call;
		thread->is_in_call = true;
		untraced_take(thread);
		FOLLOW_CALL(follow, enters, thread);
		if (call->is_known && call->arch == syscall_arch_native())
			points_look_at_call(follow, thread);
		FOLLOW_CALL(follow, entered, thread);
	}
	thread_look_and_go_on(follow, thread, FOLLOW_AT_ENTRY, 0);
}

/*
 * Whether THREAD makes its call again, for no reason but that it is traced: a signal that it
 * ignores woke it. Without a tracer it would have gone on waiting, so it still is in that call. The
 * results are those of include/linux/errno.h, with which the kernel restarts a call itself.
 */
static bool is_made_again(struct follow_thread *thread, int64_t result)
{
	if (result == -EINTR)
		return tracee_restart(thread->tid) > 0;
	return (result == -512 || result == -513 || result == -514 || result == -516) &&
	       !tracee_has_pending(thread->tid, 0);
}

static void on_exit_of_call(struct follow *follow, struct follow_thread *thread, int64_t result)
{
	/* -ENOSYS and the like are results as well, of at most 4095: include/linux/err.h. */
	bool has_failed = result < 0 && result >= -4095;

	if (thread->is_in_call && has_failed && is_made_again(thread, result)) {
		thread->is_again = true;
		thread_look_and_go_on(follow, thread, FOLLOW_AT_EXIT, 0);
		return;
	}
	untraced_give(thread);
	if (thread->is_in_call) {
		if (!has_failed && follow->files.code && call_maps_code(&thread->call))
			points_update(follow, thread);
		FOLLOW_CALL(follow, returned, thread, result);
	}
	thread->is_in_call = false;
	thread_look_and_go_on(follow, thread, FOLLOW_AT_EXIT, 0);
}

/* THREAD, which is to be let go, stops in a call. */
static void on_last_call(struct follow *follow, struct follow_thread *thread,
			 const struct tracee_call *call)
{
	/*
	 * Having been asked to stop it would not get far in this call: it fails with EINTR before
	 * it waits. There is another stop then, in which that is mended.
	 */
	if (call->moment == TRACEE_ENTRY && thread->is_interrupted) {
		thread->is_stopped = false;
		tracee_resume(thread->tid, TRACEE_CONTINUE, 0);
		return;
	}
	if (call->moment == TRACEE_EXIT)
		tracee_restart(thread->tid);
	thread_let_go(follow, thread, 0);
}

static void on_call(struct follow *follow, struct follow_thread *thread)
{
	struct tracee_call call;

	thread->is_in_vfork = false;
	if (tracee_call_get(thread->tid, &call) < 0)
		thread_go_on(follow, thread, 0);
	else if (thread->process->is_released)
		on_last_call(follow, thread, &call);
	else if (call.moment == TRACEE_ENTRY)
		on_entry(follow, thread, &call);
	else
		on_exit_of_call(follow, thread, call.result);
}

static void on_signal(struct follow *follow, struct follow_thread *thread, int signal)
{
	const struct points *points = follow->files.points;
	/* Nobody but a tracer ever sees those: the kernel drops them. */
	bool is_ignored = tracee_ignores(thread->tid, signal);
	uint32_t phase = thread->process->phase;

	if (is_ignored)
		tracee_restart(thread->tid);
	for (size_t i = 0; i < points->nr && !is_ignored && !thread->process->is_released; i++)
		if (points->list[i].kind == POINT_SIGNAL && points->list[i].signal == signal)
			follow_reach(follow, thread, i);
	/*
	 * Nothing is done here, between a signal and what it does: when the registers are those of
	 * its function there is another stop.
	 */
	if (thread->process->phase != phase && follow->config.ops->stopped)
		tracee_interrupt(thread->tid);
	thread_go_on(follow, thread, signal);
}

static void on_break(struct follow *follow, struct follow_thread *thread,
		     const struct breakpoint *breakpoint, struct tracee_regs *regs)
{
	/* points_update() may move it. */
	const struct breakpoint here = *breakpoint;

	tracee_regs_set_pc(regs, here.address);
	if (tracee_regs_put(thread->tid, regs) < 0)
		return;
	if (!thread->process->is_released) {
		for (size_t i = 0; i < follow->files.points->nr; i++)
			if (here.points >> i & 1)
				follow_reach(follow, thread, i);
		points_update(follow, thread);
		breakpoint = breakpoints_find(thread->process->breakpoints, here.address);
		if (breakpoint && breakpoint->is_set && step_over(follow, thread, breakpoint) < 0)
			kill(thread->process->pid, SIGKILL);
	}
	thread_look_and_go_on(follow, thread, FOLLOW_ELSEWHERE, 0);
}

static void on_event_stop(struct follow *follow, struct follow_thread *thread, int signal)
{
	if (thread->is_interrupted && !is_stop_signal(signal))
		tracee_restart(thread->tid);
	thread->is_interrupted = false;
	if (thread->process->is_released || is_stop_signal(signal))
		thread_go_on_from_event(follow, thread, signal);
	else
		thread_look_and_go_on(follow, thread, FOLLOW_ELSEWHERE, 0);
}

static void on_stop(struct follow *follow, struct follow_thread *thread, int status)
{
	const struct breakpoint *breakpoint;
	struct tracee_regs regs;
	int signal = WSTOPSIG(status);
	int event = status >> 16;

	switch (event) {
	case PTRACE_EVENT_STOP:
		on_event_stop(follow, thread, signal);
		return;
	case PTRACE_EVENT_EXEC:
		on_exec(follow, thread);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_made(follow, thread, event);
		return;
	case PTRACE_EVENT_VFORK_DONE:
		thread->is_in_vfork = false;
		thread_go_on(follow, thread, 0);
		return;
	default:
		break;
	}
	if (signal == (SIGTRAP | 0x80)) {
		on_call(follow, thread);
		return;
	}
	breakpoint = signal == SIGTRAP ? break_find(thread, &regs) : NULL;
	if (breakpoint)
		on_break(follow, thread, breakpoint, &regs);
	else
		on_signal(follow, thread, signal);
}

static void on_end(struct follow *follow, struct follow_thread *thread, int status)
{
	if (thread->tid == follow->root) {
		follow->has_root_ended = true;
		follow->root_status = status;
	}
	if (thread->has_begun)
		FOLLOW_CALL(follow, ended, thread, status);
	thread_drop(follow, thread);
}

/* Thread TID, stopped, cannot be followed. */
static void leave_out(struct follow *follow, pid_t tid)
{
	follow->nr_unseen++;
	if (follow->config.needs_all)
		kill(tid, SIGKILL);
	else
		tracee_detach(tid, 0);
}

void event_take(struct follow *follow, pid_t tid, int status)
{
	struct follow_thread *thread = thread_find(follow, tid);

	if (!WIFSTOPPED(status)) {
		if (thread)
			on_end(follow, thread, status);
		return;
	}
	if (!thread) {
		/* It was made just now, and is faster than the one that made it. */
		thread = thread_make(follow, tid);
		if (!thread) {
			leave_out(follow, tid);
			return;
		}
	}
	thread->is_stopped = true;
	follow->nr_left -= thread->is_left;
	thread->is_left = false;
	if (thread->has_begun) {
		on_stop(follow, thread, status);
		return;
	}
	thread->status = status;
	if (thread->has_maker)
		begin(follow, thread);
}

void event_begin(struct follow *follow, struct follow_thread *thread)
{
	thread->has_begun = thread->has_maker = true;
	points_update(follow, thread);
	FOLLOW_CALL(follow, begun, thread, FOLLOW_COMMAND);
	thread_go_on(follow, thread, 0);
}

/* The number on the line NAME of a status file. */
static pid_t number_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? (pid_t)strtol(at + strlen(name), NULL, 10) : 0;
}

static void adopt(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	struct follow_thread *maker;
	char text[STATUS_TEXT_MAX];
	pid_t pid;

	(void)ctx;
	if (thread->has_maker || !thread->is_stopped || ++thread->nr_waits < ADOPT_ROUNDS ||
	    proc_text(thread->tid, "status", text, sizeof(text)) < 0)
		return;
	pid = number_of(text, "\nTgid:");
	if (pid != thread->tid)
		thread->flags = CLONE_THREAD | CLONE_VM;
	else
		pid = number_of(text, "\nPPid:");
	maker = thread_find(follow, pid);
	if (!maker || !maker->has_begun)
		maker = thread_find(follow, follow->root);
	if (maker && maker->has_begun && maker != thread && announce(follow, thread, maker) == 0) {
		begin(follow, thread);
		return;
	}
	/* Nobody is left that it could come from. */
	leave_out(follow, thread->tid);
	thread_drop(follow, thread);
}

void event_adopt(struct follow *follow)
{
	thread_each(follow, adopt, NULL);
}
