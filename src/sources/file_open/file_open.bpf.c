/* SPDX-License-Identifier: MIT */
/*
 * A file of the catalogue was opened, or could not be. One program at the end of each open call: it
 * has the result, the name's page is resident because the kernel has just read it, and one hook
 * costs half of a pair (docs/benchmarks.md).
 */
#include "file_open.bpf.h"

/* arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
#if defined(__TARGET_ARCH_x86)
#define NR_OPEN	  2
#define NR_CREAT  85
#define NR_OPENAT 257
#elif defined(__TARGET_ARCH_arm64)
#define NR_OPENAT 56
#endif
#define NR_OPENAT2 437

/* include/uapi/linux/io_uring.h */
#define IORING_OP_OPENAT  18
#define IORING_OP_OPENAT2 28

/* The first argument: on arm64 the result has taken its register. */
static __always_inline unsigned long first_argument(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->di;
#else
	return PT_REGS_PARM1_CORE_SYSCALL(regs);
#endif
}

/* Attached to the end of open, creat, openat and openat2: one program, loaded once. */
SEC("tp/syscalls/sys_exit_openat")
int file_open_done(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct open_call call = { .result = ctx->ret, .dirfd = AT_FDCWD };

	/* An int and padding there (struct syscall_tp_t, kernel/trace/trace_syscalls.c). */
	switch ((int)ctx->id) {
	case NR_OPENAT:
		call.dirfd = first_argument(regs);
		call.name = (void *)PT_REGS_PARM2_SYSCALL(regs);
		call.flags = PT_REGS_PARM3_SYSCALL(regs);
		break;
	case NR_OPENAT2:
		call.dirfd = first_argument(regs);
		call.name = (void *)PT_REGS_PARM2_SYSCALL(regs);
		call.how = (void *)PT_REGS_PARM3_SYSCALL(regs);
		break;
#if defined(NR_OPEN)
	case NR_OPEN:
		call.name = (void *)first_argument(regs);
		call.flags = PT_REGS_PARM2_SYSCALL(regs);
		break;
	case NR_CREAT:
		call.name = (void *)first_argument(regs);
		call.flags = O_CREAT | O_WRONLY | O_TRUNC;
		break;
#endif
	default:
		return 0;
	}
	return open_done(&call);
}

/* Opens through io_uring pass no system call: they are counted, so that coverage can say so. */
static __always_inline int uring_count(struct io_kiocb *request)
{
	struct control *control = control_get();
	__u8 opcode = request->opcode;

	if (control && control->on && (opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2))
		__sync_fetch_and_add(&control->uring_opens, 1);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(file_open_uring, struct io_kiocb *request)
{
	return uring_count(request);
}

/* Its name before 6.4. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(file_open_uring_sqe, struct io_kiocb *request)
{
	return uring_count(request);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
