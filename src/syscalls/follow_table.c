/* SPDX-License-Identifier: MIT */
/* Who is followed. */
#include "syscalls/follow_private.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>

#include "syscalls/front.h"

static struct follow_thread **bucket(struct follow *follow, pid_t tid)
{
	return &follow->threads[(unsigned int)tid & (FOLLOW_BUCKETS - 1)];
}

struct follow_thread *thread_find(const struct follow *follow, pid_t tid)
{
	struct follow_thread *thread = follow->threads[(unsigned int)tid & (FOLLOW_BUCKETS - 1)];

	while (thread && thread->tid != tid)
		thread = thread->next;
	return thread;
}

static void insert(struct follow *follow, struct follow_thread *thread)
{
	struct follow_thread **at = bucket(follow, thread->tid);

	thread->next = *at;
	*at = thread;
}

static void take_out(struct follow *follow, const struct follow_thread *thread)
{
	struct follow_thread **at = bucket(follow, thread->tid);

	while (*at != thread)
		at = &(*at)->next;
	*at = thread->next;
}

struct follow_thread *thread_make(struct follow *follow, pid_t tid)
{
	struct follow_thread *thread;

	if (follow->nr_threads == FOLLOW_THREADS_MAX)
		return NULL;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	insert(follow, thread);
	follow->nr_threads++;
	return thread;
}

/* Takes PROCESS out of the list and frees it. */
static void process_free(struct follow *follow, struct follow_process *process)
{
	struct follow_process **at = &follow->processes;

	while (*at != process)
		at = &(*at)->next;
	*at = process->next;
	front_forget(process->pid);
	free(process);
}

/* PROCESS no longer uses its memory: others may have waited for that. */
static void leave_memory(struct follow *follow, struct follow_process *process)
{
	struct breakpoints *table = process->breakpoints;
	bool is_shared = table && table->nr_users > 1;

	process->breakpoints = NULL;
	breakpoints_drop(table);
	if (!is_shared)
		return;
	for (struct follow_process *other = follow->processes; other; other = other->next)
		if (other->breakpoints == table && other->must_wait)
			process_release(follow, other);
}

static void process_leave(struct follow *follow, struct follow_process *process)
{
	if (!process || --process->nr_threads > 0)
		return;
	leave_memory(follow, process);
	process_free(follow, process);
}

static void forget_status(struct follow *follow, struct follow_thread *thread)
{
	struct follow_thread *before = NULL;

	if (!thread->has_status)
		return;
	for (struct follow_thread *at = follow->first_status; at && at != thread;
	     at = at->next_status)
		before = at;
	if (before)
		before->next_status = thread->next_status;
	else
		follow->first_status = thread->next_status;
	if (follow->last_status == thread)
		follow->last_status = before;
	thread->has_status = false;
}

void thread_drop(struct follow *follow, struct follow_thread *thread)
{
	struct follow_process *process = thread->process;

	forget_status(follow, thread);
	take_out(follow, thread);
	follow->nr_threads--;
	follow->nr_left -= thread->is_left;
	free(thread);
	process_leave(follow, process);
}

void thread_rename(struct follow *follow, struct follow_thread *thread, pid_t tid)
{
	struct follow_thread *old = thread_find(follow, tid);

	if (old == thread)
		return;
	if (old)
		thread_drop(follow, old);
	take_out(follow, thread);
	thread->tid = tid;
	insert(follow, thread);
}

void thread_each(struct follow *follow,
		 void (*take)(struct follow *, struct follow_thread *, void *), void *ctx)
{
	for (size_t i = 0; i < FOLLOW_BUCKETS; i++) {
		struct follow_thread *thread = follow->threads[i];

		while (thread) {
			struct follow_thread *next = thread->next;

			take(follow, thread, ctx);
			thread = next;
		}
	}
}

static void drop_other(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	const struct follow_thread *const *kept = ctx;
	const struct follow_ops *ops = follow->config.ops;

	if (thread == *kept || thread->process != (*kept)->process)
		return;
	if (ops->ended && thread->has_begun)
		ops->ended(follow->config.ctx, thread, 0);
	thread_drop(follow, thread);
}

void thread_drop_others(struct follow *follow, const struct follow_thread *thread)
{
	if (thread->process->nr_threads > 1)
		thread_each(follow, drop_other, &thread);
}

void process_join(struct follow_process *process, struct follow_thread *thread)
{
	thread->process = process;
	process->nr_threads++;
}

int process_make(struct follow *follow, struct follow_thread *thread,
		 const struct follow_thread *maker)
{
	struct follow_process *process = calloc(1, sizeof(*process));
	const struct follow_process *parent = maker ? maker->process : NULL;

	if (!process)
		return -ENOMEM;
	if (parent)
		*process = *parent;
	process->pid = thread->tid;
	process->nr_threads = 0;
	process->must_wait = false;
	if (!parent)
		process->breakpoints = breakpoints_new();
	else if (thread->flags & CLONE_VM)
		process->breakpoints->nr_users++;
	else
		process->breakpoints = breakpoints_copy(parent->breakpoints);
	if (!process->breakpoints) {
		free(process);
		return -ENOMEM;
	}
	process->next = follow->processes;
	follow->processes = process;
	process_join(process, thread);
	return 0;
}

int process_renew_memory(struct follow *follow, struct follow_process *process)
{
	struct breakpoints *table = breakpoints_new();

	if (!table)
		return -ENOMEM;
	leave_memory(follow, process);
	process->breakpoints = table;
	return 0;
}

uint64_t process_wanted(const struct follow *follow, const struct follow_process *process,
			bool others)
{
	uint64_t wanted = 0;

	if (!others && !process->is_released && !process->must_wait)
		wanted = follow->files.code & ~process->reached;
	if (process->breakpoints->nr_users == 1)
		return wanted;
	for (const struct follow_process *other = follow->processes; other; other = other->next)
		if (other != process && other->breakpoints == process->breakpoints &&
		    !other->is_released && !other->must_wait)
			wanted |= follow->files.code & ~other->reached;
	return wanted;
}

void status_keep(struct follow *follow, struct follow_thread *thread, int status)
{
	thread->status = status;
	thread->has_status = true;
	thread->next_status = NULL;
	if (follow->last_status)
		follow->last_status->next_status = thread;
	else
		follow->first_status = thread;
	follow->last_status = thread;
}

struct follow_thread *status_take(struct follow *follow)
{
	struct follow_thread *thread = follow->first_status;

	if (thread)
		forget_status(follow, thread);
	return thread;
}

struct follow_process *follow_next(const struct follow *follow, struct follow_process *after)
{
	return after ? after->next : follow->processes;
}
