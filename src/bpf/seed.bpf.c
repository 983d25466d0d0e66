/* SPDX-License-Identifier: MIT */
/*
 * One pass over the tasks that exist at start: puts them into the process set and tells user space
 * about each process that is in it.
 */
#include "cgroup.bpf.h"
#include "set.bpf.h"

SEC("iter/task")
int seed_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_seed seed = {};
	__u32 bits;

	if (!task)
		return 0;
	if (config.select & (SELECT_TREE | SELECT_NAME | SELECT_NAME_ROOTS)) {
		bits = set_bits(task) | bits_at_start(task);
		set_mark(task, bits);
		if (!bits_selected(bits))
			return 0;
	}
	if (task->pid != task->tgid || !uid_selected(BPF_CORE_READ(task, cred, uid.val)))
		return 0;
	/* All its threads have ended, its parent has not asked: it does nothing any more. */
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		return 0;
	seed.start_ns = task->start_boottime;
	seed.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	seed.tgid = task->tgid;
	seed.ppid = BPF_CORE_READ(task, real_parent, tgid);
	seed.uid = BPF_CORE_READ(task, cred, uid.val);
	seed.gid = BPF_CORE_READ(task, cred, gid.val);

	seed.root = (__u64)BPF_CORE_READ(task, fs, root.dentry) ^
		    (__u64)BPF_CORE_READ(task, fs, root.mnt) << 1;

	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	seed.compat = mm && BPF_CORE_READ(mm, task_size) <= 0x100000000ULL;
	BPF_CORE_READ_INTO(&seed.comm, task, comm);
	bpf_probe_read_kernel_str(seed.cgroup_name, sizeof(seed.cgroup_name), cgroup_name(task));
	bpf_seq_write(ctx->meta->seq, &seed, sizeof(seed));
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
