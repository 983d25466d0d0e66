/* SPDX-License-Identifier: MIT */
#ifndef SET_BPF_H
#define SET_BPF_H

/*
 * The process set: which processes --pid, --name, --uid and COMMAND select. Membership is a word in
 * the task storage of every thread, written by the fork hook before the child runs, so that no
 * instruction of a descendant goes unseen, no pid is ever confused with a reused one, and a process
 * outside costs nothing. Threads carry it too: an exec from a second thread must not lose it.
 */

#include "maps.bpf.h"

#define ANCESTORS_MAX 64
#define CHILDREN_MAX  512

static __always_inline char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Whether --name occurs in COMM, upper or lower case. */
static __always_inline bool name_matches(const char *comm)
{
	__u32 size = config.name_size;

	for (__u32 start = 0; start < COMM_SIZE; start++) {
		__u32 i = 0;

		if (start + size > COMM_SIZE - 1)
			break;
		for (; i < COMM_SIZE - 1; i++) {
			if (i >= size)
				break;
			if (lower(comm[(start + i) & (COMM_SIZE - 1)]) != config.name[i])
				break;
		}
		if (i >= size)
			return true;
	}
	return false;
}

static __always_inline __u32 set_bits(struct task_struct *task)
{
	__u32 *bits = bpf_task_storage_get(&set, task, NULL, 0);

	return bits ? *bits : 0;
}

static __always_inline void set_mark(struct task_struct *task, __u32 bits)
{
	__u32 *old = bpf_task_storage_get(&set, task, NULL, 0);

	if (old) {
		*old = bits;
		return;
	}
	if (!bits)
		return;
	/* The allocator may say no once under pressure (kernel/bpf/bpf_local_storage.c). */
	for (int i = 0; i < 2; i++) {
		old = bpf_task_storage_get(&set, task, &bits, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (old)
			return;
	}

	struct control *control = control_get();

	if (control)
		__sync_fetch_and_add(&control->set_lost, 1);
}

/* Whether BITS select a process, its user aside. */
static __always_inline bool bits_selected(__u32 bits)
{
	return (!(config.select & SELECT_TREE) || (bits & SET_TREE)) &&
	       (!(config.select & SELECT_NAME) || (bits & SET_NAME));
}

static __always_inline bool uid_selected(__u32 uid)
{
	if (!(config.select & SELECT_UID))
		return true;
	for (__u32 i = 0; i < CONFIG_UIDS_MAX; i++) {
		if (i >= config.nr_uids)
			break;
		if (config.uids[i] == uid)
			return true;
	}
	return false;
}

/*
 * The bits of the process of TASK. Its name is the first thread's, which the others need not have
 * had when they were made.
 */
static __always_inline __u32 process_bits(struct task_struct *task)
{
	__u32 bits = set_bits(task);

	if (!(config.select & (SELECT_NAME | SELECT_NAME_ROOTS)) || task->pid == task->tgid)
		return bits;
	return (bits & ~SET_NAME) | set_bits(task->group_leader);
}

/* Whether events of TASK, a process of user UID, are reported. */
static __always_inline bool task_selected(struct task_struct *task, __u32 uid)
{
	if ((config.select & (SELECT_TREE | SELECT_NAME)) && !bits_selected(process_bits(task)))
		return false;
	return uid_selected(uid);
}

/* Whether events of the current task are reported. */
static __always_inline bool current_selected(void)
{
	if (!(config.select & (SELECT_TREE | SELECT_NAME | SELECT_UID)))
		return true;
	return task_selected(bpf_get_current_task_btf(), (__u32)bpf_get_current_uid_gid());
}

/*
 * Whether this is the tool itself, or its broker, which opens what others have opened to look into
 * it. Their pids are those of the tool's pid namespace.
 */
static __always_inline bool is_own(const struct control *control)
{
	struct bpf_pidns_info ids = {};

	if (!config.pidns_inode)
		ids.tgid = bpf_get_current_pid_tgid() >> 32;
	else if (bpf_get_ns_current_pid_tgid(config.pidns_dev, config.pidns_inode, &ids,
					     sizeof(ids)))
		return false;
	return ids.tgid == control->broker || ids.tgid == control->worker;
}

/* The bits of a process called COMM that had OLD. */
static __always_inline __u32 bits_named(__u32 old, const char *comm)
{
	__u32 bits = old & ~SET_NAME;

	if (!(config.select & (SELECT_NAME | SELECT_NAME_ROOTS)) || !name_matches(comm))
		return bits;
	if (config.select & SELECT_NAME_ROOTS)
		bits |= SET_TREE;
	return bits | SET_NAME;
}

static __always_inline bool is_root(__u32 tgid)
{
	return bpf_map_lookup_elem(&roots, &tgid) != NULL;
}

/* Whether TASK or one of its ancestors is a root. Costs up to 64 steps: start-up only. */
static __always_inline bool has_root_ancestor(struct task_struct *task)
{
	for (int i = 0; i < ANCESTORS_MAX; i++) {
		__u32 tgid = BPF_CORE_READ(task, tgid);

		if (is_root(tgid))
			return true;
		if (tgid <= 1)
			return false;
		task = BPF_CORE_READ(task, real_parent);
	}
	return false;
}

/*
 * The bits of TASK while the set is being made. One whose name starts a tree becomes a root, for
 * the second pass to find its descendants by.
 */
static __always_inline __u32 bits_at_start(struct task_struct *task)
{
	char comm[COMM_SIZE];
	__u32 one = 1;
	__u32 tgid = task->tgid;
	__u32 bits = 0;

	if (is_root(tgid) || ((config.select & SELECT_INHERIT) && has_root_ancestor(task)))
		bits = SET_TREE;
	BPF_CORE_READ_INTO(&comm, task, group_leader, comm);
	bits = bits_named(bits, comm);
	if ((config.select & SELECT_NAME_ROOTS) && (bits & SET_NAME))
		bpf_map_update_elem(&roots, &tgid, &one, BPF_ANY);
	return bits;
}

/* sched_process_fork: CHILD, not yet running, takes its place in the set. */
static __always_inline void set_fork(struct control *control, struct task_struct *parent,
				     struct task_struct *child)
{
	if (!(config.select & (SELECT_TREE | SELECT_NAME | SELECT_NAME_ROOTS)))
		return;

	__u32 bits = process_bits(parent);

	if (child->tgid != parent->tgid) {
		char comm[COMM_SIZE];

		if (!(config.select & SELECT_INHERIT))
			bits &= ~SET_TREE;
		/* It is called like the thread that made it. */
		BPF_CORE_READ_INTO(&comm, child, comm);
		bits = bits_named(bits, comm);
	}
	if (control->startup && (config.select & SELECT_INHERIT) && !(bits & SET_TREE) &&
	    has_root_ancestor(parent))
		bits |= SET_TREE;
	set_mark(child, bits);
}

/*
 * sched_process_exit while starting: a dying member's children are about to move to another parent,
 * and their chain of parents would no longer tell. They become roots.
 */
static __always_inline void set_hand_down(struct task_struct *task)
{
	__u32 one = 1;

	if (!(config.select & SELECT_INHERIT) || !has_root_ancestor(task))
		return;

	struct list_head *head = (void *)task + bpf_core_field_offset(struct task_struct, children);
	struct list_head *at = BPF_CORE_READ(task, children.next);

	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (!at || at == head)
			break;

		struct task_struct *child =
			(void *)at - bpf_core_field_offset(struct task_struct, sibling);
		__u32 tgid = BPF_CORE_READ(child, tgid);

		bpf_map_update_elem(&roots, &tgid, &one, BPF_ANY);
		at = BPF_CORE_READ(child, sibling.next);
	}
}

#endif /* SET_BPF_H */
