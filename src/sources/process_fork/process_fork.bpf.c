/* SPDX-License-Identifier: MIT */
/*
 * The life of a process between its exec and its exit: fork and a new name. Mostly for the tool's
 * own process table and process set; only forks can be asked for.
 */
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "process_fork.h"

/* NAME, of COMM_SIZE bytes, replaces the one that TASK still has; NULL: it has it already. */
static __always_inline void report(struct source_counters *counters, struct task_struct *task,
				   __u16 type, __u16 flags, const char *name)
{
	struct process_fork_event event = {};

	head_fill_task(&event.hdr, SOURCE_process_fork, type, task);
	event.hdr.flags = flags;
	if (name)
		__builtin_memcpy(event.hdr.comm, name, sizeof(event.hdr.comm));
	emit_small(&event, counters, LANE_CONTROL);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork_done, struct task_struct *parent, struct task_struct *child)
{
	struct source_counters *counters = counters_get(SOURCE_process_fork);
	struct control *control = control_get();

	if (!counters || !control)
		return 0;
	/* Also while off: the set must be right from the moment the hooks are in place. */
	set_fork(control, parent, child);
	if (!control->on || child->tgid == parent->tgid)
		return 0;
	count(&counters->hit);
	if (!task_selected(child, BPF_CORE_READ(child, cred, uid.val))) {
		count(&counters->rejected);
		return 0;
	}
	report(counters, child, PROCESS_FORK, 0, NULL);
	return 0;
}

/*
 * prctl(PR_SET_NAME), /proc/PID/comm; an exec's new name arrives here too, before the exec hook.
 * Mappings come without a name, so the process table has to know it also where none selects.
 */
SEC("tp_btf/task_rename")
int BPF_PROG(process_renamed, struct task_struct *task, const char *comm)
{
	struct source_counters *counters = counters_get(SOURCE_process_fork);
	struct control *control = control_get();
	char name[COMM_SIZE] = {};

	if (!counters || !control || task->tgid != task->pid)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), comm);

	__u32 old = set_bits(task);
	__u32 bits = old;

	if (config.select & (SELECT_NAME | SELECT_NAME_ROOTS))
		bits = bits_named(old, name);
	if (bits != old)
		set_mark(task, bits);
	if (!control->on)
		return 0;
	count(&counters->hit);

	bool selected = bits_selected(bits);

	if ((!selected && !bits_selected(old)) ||
	    !uid_selected(BPF_CORE_READ(task, cred, uid.val))) {
		count(&counters->rejected);
		return 0;
	}
	report(counters, task, PROCESS_RENAME, selected ? 0 : HDR_LEFT_SET, name);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
