/* SPDX-License-Identifier: MIT */
/* The last thread of a process is gone. */
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "process_exit.h"

/* include/linux/sched/signal.h */
#define SIGNAL_GROUP_EXIT 0x4

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit_done, struct task_struct *task)
{
	struct source_counters *counters = counters_get(SOURCE_process_exit);
	struct control *control = control_get();
	struct signal_struct *signal = task->signal;
	struct draft draft;

	if (!counters || !control)
		return 0;
	if (control->startup)
		set_hand_down(task);
	/*
	 * do_exit() has taken this thread off the count already. Two threads that end at the same
	 * moment may both see zero; user space drops the second record.
	 */
	if (!control->on || signal->live.counter > 0)
		return 0;
	counters->hit++;
	if (!task_selected(task) ||
	    !draft_begin(&draft, counters, sizeof(struct process_exit_event))) {
		counters->rejected++;
		return 0;
	}

	struct process_exit_event *event = (void *)draft.scratch->record;

	head_fill(&event->hdr, SOURCE_process_exit, 0, task);
	/* What the parent will be told: wait_task_zombie(), kernel/exit.c. */
	event->status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code
							  : task->group_leader->exit_code;
	event->reserved = 0;
	emit(&draft, LANE_CONTROL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
