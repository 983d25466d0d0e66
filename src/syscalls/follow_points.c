/* SPDX-License-Identifier: MIT */
/* Which points are reached, and where their breakpoints are. */
#include "syscalls/follow_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "syscalls/front.h"

/* Whether a point of PROCESS is still ahead that needs its calls to be looked at. */
static bool needs_calls(const struct follow *follow, const struct follow_process *process)
{
	const struct points *points = follow->files.points;

	for (size_t i = process->phase; i < points->nr; i++) {
		enum point_kind kind = points->list[i].kind;

		if (kind == POINT_SYSCALL || kind == POINT_AUTO)
			return true;
		/* Until its file is mapped: mmap(2) is where that happens. */
		if (kind == POINT_CODE && !(process->breakpoints->found >> i & 1))
			return true;
	}
	return false;
}

/* Sets and takes away breakpoints in THREAD's process as it needs them now. */
void points_update(struct follow *follow, struct follow_thread *thread)
{
	struct follow_process *process = thread->process;
	int err = breakpoints_update(process->breakpoints, thread->tid, &follow->files,
				     process_wanted(follow, process, false));

	if (err && err != -ESRCH)
		FOLLOW_CALL(follow, failed, thread, err);
	process->needs_calls = needs_calls(follow, process);
	if (process->breakpoints->nr > 0)
		front_keep(process->pid, process->breakpoints);
}

void follow_reach(struct follow *follow, struct follow_thread *thread, size_t point)
{
	struct follow_process *process = thread->process;
	bool is_late = process->phase > point;

	if (process->reached >> point & 1)
		return;
	process->reached |= 1ULL << point;
	if (!is_late)
		process->phase = (uint32_t)point + 1;
	process->needs_calls = needs_calls(follow, process);
	process->wants_stop = follow->config.ops->stopped != NULL;
	FOLLOW_CALL(follow, reached, thread, point, is_late);
}

/* THREAD's process is at all points of KIND, in their order. */
void points_reach(struct follow *follow, struct follow_thread *thread, enum point_kind kind)
{
	for (size_t i = 0; i < follow->files.points->nr; i++)
		if (follow->files.points->list[i].kind == kind)
			follow_reach(follow, thread, i);
}

/* The breakpoint that THREAD has run into, if that is why it has got a SIGTRAP; or NULL. */
const struct breakpoint *break_find(struct follow_thread *thread, struct tracee_regs *ret)
{
	siginfo_t info;

	if (!thread->process || thread->process->breakpoints->nr == 0 ||
	    ptrace(PTRACE_GETSIGINFO, thread->tid, NULL, &info) < 0 || info.si_code <= 0 ||
	    tracee_regs_get(thread->tid, ret) < 0)
		return NULL;
	return breakpoints_find(thread->process->breakpoints, tracee_regs_break(ret));
}

/* Whether a SIGTRAP of a breakpoint waits for THREAD, which has stopped for something else. */
bool break_is_pending(struct follow_thread *thread)
{
	struct tracee_regs regs;

	return thread->process->breakpoints->nr > 0 && tracee_regs_get(thread->tid, &regs) == 0 &&
	       breakpoints_find(thread->process->breakpoints, tracee_regs_break(&regs)) &&
	       tracee_has_pending(thread->tid, SIGTRAP);
}

/* A call of the machine's own is a point, or makes the process one that serves. */
void points_look_at_call(struct follow *follow, struct follow_thread *thread)
{
	const struct points *points = follow->files.points;
	struct follow_process *process = thread->process;
	uint32_t nr = thread->call.nr;

	if (point_is_listen(nr))
		process->has_listened = true;
	if (point_is_wait(nr) && process->has_listened)
		points_reach(follow, thread, POINT_AUTO);
	for (size_t i = 0; i < points->nr; i++) {
		const struct point *point = &points->list[i];

		if (point->kind != POINT_SYSCALL)
			continue;
		for (size_t j = 0; j < point->nr_calls; j++)
			if (point->calls[j] == nr)
				follow_reach(follow, thread, i);
	}
}

/* The call that THREAD is in, and that succeeded, may have mapped code. */
bool call_maps_code(const struct tracee_call *call)
{
	static const struct {
		enum syscall_arch arch;
		uint32_t nr;
	} calls[] = {
		/* mmap, mprotect, pkey_mprotect; arch/x86/entry/syscalls, asm-generic/unistd.h */
		{ SYSCALL_ARCH_x86_64, 9 },   { SYSCALL_ARCH_x86_64, 10 },
		{ SYSCALL_ARCH_x86_64, 329 }, { SYSCALL_ARCH_i386, 192 },
		{ SYSCALL_ARCH_i386, 125 },   { SYSCALL_ARCH_i386, 380 },
		{ SYSCALL_ARCH_x32, 9 },      { SYSCALL_ARCH_x32, 10 },
		{ SYSCALL_ARCH_x32, 329 },    { SYSCALL_ARCH_arm64, 222 },
		{ SYSCALL_ARCH_arm64, 226 },  { SYSCALL_ARCH_arm64, 288 },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].arch == call->arch && calls[i].nr == call->nr)
			return call->args[2] & PROT_EXEC;
	/* The old mmap of i386 has its arguments in memory. */
	return call->arch == SYSCALL_ARCH_i386 && call->nr == 90;
}
