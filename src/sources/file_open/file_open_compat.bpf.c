/* SPDX-License-Identifier: MIT */
/*
 * Opens by 32-bit system calls, which do not reach the tracepoints of file_open.bpf.c. This hook
 * taxes every call of the host, so it is attached only once a 32-bit program runs (trace/late.c),
 * and not at all where the hook in use sees these calls as well.
 */
#include "file_open.bpf.h"
#include "file_open_compat.bpf.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(file_open_compat_done, struct pt_regs *regs, long ret)
{
#if defined(__TARGET_ARCH_x86)
	struct open_call call = { .result = (int)ret, .dirfd = AT_FDCWD, .marks = OPEN_COMPAT };

	if (is_compat(bpf_get_current_task_btf()) && compat_read(&call, (int)regs->orig_ax, regs))
		return open_done(&call);
#endif
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
