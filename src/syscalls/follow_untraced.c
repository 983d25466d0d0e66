/* SPDX-License-Identifier: MIT */
/*
 * CLONE_UNTRACED: a child that its maker's tracer is not to follow. It would be missing, and have
 * breakpoints in its memory that nobody looks after. The flag has no other meaning, so it is taken
 * from the call, and put back where the program could see that. A thread that made its call
 * unseen, where calls are not looked at, does get such a child.
 */
#include "syscalls/follow_private.h"

#include <linux/sched.h>
#include <sys/syscall.h>

#define I386_CLONE 120

/* Whether the flags are an argument, or the first of struct clone_args in memory. */
static bool is_clone(const struct tracee_call *call)
{
	return call->nr == (call->arch == SYSCALL_ARCH_i386 ? I386_CLONE : SYS_clone);
}

static bool is_clone3(const struct tracee_call *call)
{
	return call->nr == SYS_clone3; /* 435 everywhere */
}

static int set_argument(const struct follow_thread *thread, uint64_t value)
{
	struct tracee_regs regs;
	int err = tracee_regs_get(thread->tid, &regs);

	if (err)
		return err;
	tracee_regs_set_argument(&regs, thread->call.arch, value);
	return tracee_regs_put(thread->tid, &regs);
}

void untraced_take(struct follow_thread *thread)
{
	const struct tracee_call *call = &thread->call;
	uint64_t flags = call->args[0];

	thread->is_changed = false;
	if (!call->is_known)
		return;
	if (is_clone(call)) {
		if (flags & CLONE_UNTRACED)
			thread->is_changed =
				set_argument(thread, flags & ~(uint64_t)CLONE_UNTRACED) == 0;
		return;
	}
	if (!is_clone3(call) ||
	    tracee_read(thread->tid, call->args[0], &flags, sizeof(flags)) < 0 ||
	    !(flags & CLONE_UNTRACED))
		return;
	flags &= ~(uint64_t)CLONE_UNTRACED;
	thread->is_changed = tracee_write(thread->tid, call->args[0], &flags, sizeof(flags)) == 0;
}

void untraced_give(struct follow_thread *thread)
{
	const struct tracee_call *call = &thread->call;
	uint64_t flags;

	if (!thread->is_changed)
		return;
	thread->is_changed = false;
	if (is_clone(call)) {
		set_argument(thread, call->args[0]);
		return;
	}
	if (tracee_read(thread->tid, call->args[0], &flags, sizeof(flags)) < 0)
		return;
	flags |= CLONE_UNTRACED;
	tracee_write(thread->tid, call->args[0], &flags, sizeof(flags));
}
