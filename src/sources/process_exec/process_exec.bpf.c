/* SPDX-License-Identifier: MIT */
/* A program was executed, by whatever call; the process already has its new image. */
#include "../../bpf/cgroup.bpf.h"
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "../../bpf/walk.bpf.h"
#include "process_exec.h"

/* A 32-bit address space: TASK_SIZE_32 of arm64, IA32_PAGE_OFFSET of x86. */
#define COMPAT_TASK_SIZE 0x100000000ULL

static __always_inline void argv_append(struct draft *draft, struct process_exec_event *event,
					struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long size = BPF_CORE_READ(mm, arg_end) - start;

	if (size > ARGV_SIZE - 1) {
		event->flags |= EXEC_ARGV_CUT;
		size = ARGV_SIZE - 1;
	}
	event->argv = tail_user(draft, (void *)start, size, ARGV_SIZE);
	if (size > 0 && event->argv.size == 0)
		event->flags |= EXEC_ARGV_FAULT;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec_done, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
	struct source_counters *counters = counters_get(SOURCE_process_exec);
	struct control *control = control_get();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct draft draft;

	if (!counters || !control || !mm)
		return 0;

	bool compat = BPF_CORE_READ(mm, task_size) <= COMPAT_TASK_SIZE;

	if (compat)
		control->compat_seen = 1;
	if (!control->on)
		return 0;
	count(&counters->hit);
	if (!current_selected() ||
	    !draft_begin(&draft, counters, sizeof(struct process_exec_event))) {
		count(&counters->rejected);
		return 0;
	}

	struct process_exec_event *event = (void *)draft.scratch->record;
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct file *exe = BPF_CORE_READ(mm, exe_file);
	__u32 walked = 0;

	head_fill_rare(&event->hdr, SOURCE_process_exec, 0);
	event->flags = compat ? EXEC_COMPAT : 0;
	event->reserved = 0;
	event->exe = tail_path(&draft, __builtin_preserve_access_index(&exe->f_path), fs, &walked);
	event->cwd = tail_path(&draft, __builtin_preserve_access_index(&fs->pwd), fs, &walked);
	argv_append(&draft, event, mm);
	event->cgroup = tail_kernel_str(&draft, cgroup_name(task), CGROUP_NAME_SIZE);
	if (walked & WALK_TRUNCATED)
		event->flags |= EXEC_PATH_CUT;
	emit(&draft, LANE_CONTROL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
