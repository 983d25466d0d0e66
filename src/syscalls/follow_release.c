/* SPDX-License-Identifier: MIT */
/* How a thread that has stopped goes on: followed, or alone. */
#include "syscalls/follow_private.h"

#include <signal.h>

bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* THREAD, which has stopped, goes on alone from here, with SIGNAL. */
void thread_let_go(struct follow *follow, struct follow_thread *thread, int signal)
{
	tracee_detach(thread->tid, signal);
	thread_drop(follow, thread);
}

/* THREAD goes on with SIGNAL. */
void thread_go_on(struct follow *follow, struct follow_thread *thread, int signal)
{
	bool wants_calls = follow->config.wants_calls || thread->process->needs_calls ||
			   thread->process->wants_stop;

	if (thread->process->is_released) {
		thread_let_go(follow, thread, signal);
		return;
	}
	thread->is_stopped = false;
	/* Its end is not told otherwise. */
	thread->is_in_call = thread->is_in_call && wants_calls;
	tracee_resume(thread->tid, wants_calls ? TRACEE_CALLS : TRACEE_CONTINUE, signal);
}

/* THREAD has stopped with PTRACE_EVENT_STOP; SIGNAL is what its whole process is stopped by. */
void thread_go_on_from_event(struct follow *follow, struct follow_thread *thread, int signal)
{
	if (thread->process->is_released) {
		/* Alone it would die of it. It is told of next. */
		if (break_is_pending(thread))
			tracee_resume(thread->tid, TRACEE_CONTINUE, 0);
		else
			thread_let_go(follow, thread, 0);
		return;
	}
	if (!is_stop_signal(signal)) {
		thread_go_on(follow, thread, 0);
		return;
	}
	thread->is_stopped = false;
	tracee_listen(thread->tid);
}

/* Before THREAD goes on with SIGNAL: whether whoever follows wants to do something with it. */
void thread_look_and_go_on(struct follow *follow, struct follow_thread *thread,
			   enum follow_stop stop, int signal)
{
	int stopped_by = -1;
	int err = 0;

	thread->process->wants_stop = false;
	if (follow->config.ops->stopped && !thread->process->is_released)
		err = follow->config.ops->stopped(follow->config.ctx, thread, stop, &stopped_by);
	if (err < 0)
		kill(thread->process->pid, SIGKILL);
	if (stopped_by < 0) {
		thread_go_on(follow, thread, signal);
		return;
	}
	thread->is_in_call = false;
	thread->is_interrupted = false;
	thread_go_on_from_event(follow, thread, stopped_by);
}

static void interrupt(struct follow_thread *thread)
{
	thread->is_interrupted = true;
	tracee_interrupt(thread->tid);
}

/*
 * Whether THREAD, which runs, is in a call that it waits in. It has not run into a breakpoint then
 * without telling, and there are none any more.
 */
static bool is_asleep(const struct follow_thread *thread)
{
	char state = tracee_state(thread->tid);

	return (state == 'S' || state == 'D') && !tracee_has_pending(thread->tid, SIGTRAP);
}

static void release_thread(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	bool may_be_left = follow->config.leaves_sleepers && thread->tid != thread->process->pid;

	if (thread->process != ctx || thread->is_stopped || !thread->has_begun)
		return;
	if (may_be_left && is_asleep(thread)) {
		thread->is_left = true;
		follow->nr_left++;
	} else {
		interrupt(thread);
	}
}

static void wake_thread(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	(void)ctx;
	if (!thread->is_left)
		return;
	thread->is_left = false;
	follow->nr_left--;
	interrupt(thread);
}

void event_wake(struct follow *follow)
{
	bool has_others = false;

	for (const struct follow_process *at = follow->processes; at; at = at->next)
		has_others = has_others || !at->is_released;
	if (follow->nr_left && has_others)
		thread_each(follow, wake_thread, NULL);
}

void process_release(struct follow *follow, struct follow_process *process)
{
	struct follow_thread *thread = NULL;

	process->must_wait = true;
	if (process_wanted(follow, process, true))
		return;
	process->must_wait = false;
	process->is_released = true;
	/* Any thread leads to the memory; the first one may have ended already. */
	for (size_t i = 0; i < FOLLOW_BUCKETS && !thread; i++)
		for (thread = follow->threads[i]; thread && thread->process != process;)
			thread = thread->next;
	if (thread)
		points_update(follow, thread);
	thread_each(follow, release_thread, process);
}
