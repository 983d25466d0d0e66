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
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct process_exit_event event = {};

	if (!counters || !control)
		return 0;
	if (control->startup)
		set_hand_down(task);
	/*
	 * do_exit() has taken this thread off the count already. Two threads that end at the same
	 * moment may both see zero; user space drops the second record.
	 */
	if (!control->on || BPF_CORE_READ(signal, live.counter) > 0)
		return 0;
	count(&counters->hit);
	if (!current_selected()) {
		count(&counters->rejected);
		return 0;
	}

	head_fill_rare(&event.hdr, SOURCE_process_exit, 0);
	/* What the parent will be told: wait_task_zombie(), kernel/exit.c. */
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		event.status = BPF_CORE_READ(signal, group_exit_code);
	else
		event.status = BPF_CORE_READ(task, group_leader, exit_code);
	event.flags = 0;
	emit_small(&event, counters, LANE_CONTROL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
