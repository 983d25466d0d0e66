/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_COMPAT_BPF_H
#define FILE_OPEN_COMPAT_BPF_H

/* What opens by 32-bit system calls were given. */

#include "../../bpf/compat.bpf.h"
#include "file_open.bpf.h"

/* Fills CALL for the 32-bit system call NUMBER, given REGS. Returns false when it opens nothing. */
static __always_inline bool compat_read(struct open_call *call, int number, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	/* arch/x86/entry/syscalls/syscall_32.tbl; arguments in bx, cx, dx. */
	switch (number) {
	case 5: /* open */
		call->name = (void *)(unsigned long)(__u32)regs->bx;
		call->flags = (__u32)regs->cx;
		return true;
	case 8: /* creat */
		call->name = (void *)(unsigned long)(__u32)regs->bx;
		call->flags = O_CREAT | O_WRONLY | O_TRUNC;
		return true;
	case 295: /* openat */
		call->dirfd = (int)regs->bx;
		call->name = (void *)(unsigned long)(__u32)regs->cx;
		call->flags = (__u32)regs->dx;
		return true;
	case 437: /* openat2 */
		call->dirfd = (int)regs->bx;
		call->name = (void *)(unsigned long)(__u32)regs->cx;
		call->how = (void *)(unsigned long)(__u32)regs->dx;
		return true;
	}
#endif
	return false;
}

#endif /* FILE_OPEN_COMPAT_BPF_H */
