/* SPDX-License-Identifier: MIT */
/*
 * Stepping over a breakpoint that has to stay. That is so where processes share their memory, as
 * the child of a vfork does with its parent, and not all of them have reached the point: one that
 * goes on must not take the breakpoint from the others.
 *
 * While the instruction is in its place, all other threads of that memory stand still. The other
 * way, executing a copy of the instruction elsewhere, would let them run, but needs memory in the
 * process to put it, and the instruction decoded and changed where it depends on its address; that
 * is different work for each machine, and a mistake in it breaks the program. Stopping is the same
 * everywhere and rare: points are functions like main loops, vfork children do little.
 */
#include "syscalls/follow_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS	    100000
#define POLLS_MAX   20000 /* 2 s and more */

#define BIT(signal) (1ULL << ((signal)-1))

/* Those that the instruction itself may cause; blocked they would kill (kernel/signal.c). */
#define OWN_SIGNALS                                                                                \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP) | BIT(SIGSYS))

/* Whether code of THREAD may be running, or run before it would tell. */
static bool is_running(const struct follow *follow, const struct follow_thread *thread)
{
	/* From a call that it is in it does not come back unseen where calls are looked at. */
	bool tells = follow->config.wants_calls || thread->process->needs_calls;

	return thread->has_begun && !thread->is_stopped && !thread->is_in_vfork &&
	       !(tells && thread->is_in_call);
}

static void interrupt(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	const struct follow_thread *stepping = ctx;

	if (!thread->process || thread->process->breakpoints != stepping->process->breakpoints ||
	    !is_running(follow, thread) || thread->is_interrupted)
		return;
	thread->is_interrupted = true;
	tracee_interrupt(thread->tid);
}

/*
 * Waits for THREAD to stop. It need not where it is blocked in the kernel: it is stopped before it
 * runs code of its own again.
 */
static void await(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	const struct follow_thread *stepping = ctx;
	int status;

	if (!thread->process || thread->process->breakpoints != stepping->process->breakpoints ||
	    !is_running(follow, thread))
		return;
	for (int i = 0; i < POLLS_MAX; i++) {
		if (waitpid(thread->tid, &status, __WALL | WNOHANG) == thread->tid) {
			thread->is_stopped = true;
			status_keep(follow, thread, status);
			return;
		}
		if (tracee_state(thread->tid) != 'R')
			return;
		nanosleep(&pause, NULL);
	}
}

/*
 * One step of THREAD. *RET_STATUS is another stop, or its end, that came instead, or 0.
 * *RET_STOPS: a SIGSTOP came on the way, and is to be sent again.
 */
static int step(pid_t tid, int *ret_status, bool *ret_stops)
{
	int status;
	int err;

	for (;;) {
		err = tracee_resume(tid, TRACEE_STEP, 0);
		if (err)
			return err;
		while (waitpid(tid, &status, __WALL) < 0)
			if (errno != EINTR)
				return -errno;
		if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP)
			continue;
		if (WIFSTOPPED(status) && status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP) {
			*ret_stops = true;
			continue;
		}
		*ret_status = WIFSTOPPED(status) && status >> 16 == 0 && WSTOPSIG(status) == SIGTRAP
				      ? 0
				      : status;
		return 0;
	}
}

int step_over(struct follow *follow, struct follow_thread *thread,
	      const struct breakpoint *breakpoint)
{
	const struct breakpoint here = *breakpoint;
	bool stops = false;
	uint64_t mask = 0;
	int status = 0;
	int set;
	int err;

	thread_each(follow, interrupt, thread);
	thread_each(follow, await, thread);
	err = tracee_signal_mask(thread->tid, &mask);
	if (!err)
		err = tracee_set_signal_mask(thread->tid, ~OWN_SIGNALS | mask);
	if (!err)
		err = breakpoint_clear(&here, thread->tid);
	if (err)
		return err;
	err = step(thread->tid, &status, &stops);
	set = breakpoint_set(&here, thread->tid);
	if (stops)
		syscall(SYS_tgkill, thread->process->pid, thread->tid, SIGSTOP);
	if (!err && status)
		status_keep(follow, thread, status);
	if (!err && (!status || WIFSTOPPED(status)))
		err = tracee_set_signal_mask(thread->tid, mask);
	return err ? err : set;
}
