/* SPDX-License-Identifier: MIT */
/*
 * Opens by 32-bit system calls, which do not reach the tracepoints of file_open.bpf.c. This hook
 * taxes every call of the host, so it is attached only once a 32-bit program runs (trace/late.c).
 */
#include "file_open.bpf.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(file_open_compat_done, struct pt_regs *regs, long ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct open_call call = { .result = (int)ret, .dirfd = AT_FDCWD, .marks = OPEN_COMPAT };

	if (!mm || BPF_CORE_READ(mm, task_size) > 0x100000000ULL)
		return 0;
#if defined(__TARGET_ARCH_x86)
	/* arch/x86/entry/syscalls/syscall_32.tbl; arguments in bx, cx, dx. */
	switch ((__u32)regs->orig_ax) {
	case 5: /* open */
		call.name = (void *)(unsigned long)(__u32)regs->bx;
		call.flags = (__u32)regs->cx;
		break;
	case 8: /* creat */
		call.name = (void *)(unsigned long)(__u32)regs->bx;
		call.flags = O_CREAT | O_WRONLY | O_TRUNC;
		break;
	case 295: /* openat */
		call.dirfd = (int)regs->bx;
		call.name = (void *)(unsigned long)(__u32)regs->cx;
		call.flags = (__u32)regs->dx;
		break;
	case 437: /* openat2 */
		call.dirfd = (int)regs->bx;
		call.name = (void *)(unsigned long)(__u32)regs->cx;
		call.how = (void *)(unsigned long)(__u32)regs->dx;
		break;
	default:
		return 0;
	}
	return open_done(&call);
#else
	return 0;
#endif
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
