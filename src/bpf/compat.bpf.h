/* SPDX-License-Identifier: MIT */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

/* 32-bit system calls. */

#include "vmlinux.h"

/* arch/x86/include/asm/thread_info.h: the call was made by `int $0x80` or a 32-bit program. */
#define TS_COMPAT 0x2
#define TIF_32BIT (1UL << 22) /* arch/arm64/include/asm/thread_info.h */

/* Whether the system call that TASK is in is a 32-bit one. */
static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return task->thread_info.flags & TIF_32BIT;
#endif
}

#endif /* COMPAT_BPF_H */
