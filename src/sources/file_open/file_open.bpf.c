/* SPDX-License-Identifier: MIT */
/*
 * A file of the catalogue was opened, or could not be. One program at the end of each open call: it
 * has the result, the name's page is resident because the kernel has just read it, and one hook
 * costs half of a pair (docs/benchmarks.md). Which of the hooks is used: file_open.c.
 */
#include "file_open.bpf.h"
#include "file_open_compat.bpf.h"
#include "file_open_uring.bpf.h"

/* arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
#if defined(__TARGET_ARCH_x86)
#define NR_OPEN	    2
#define NR_CREAT    85
#define NR_OPENAT   257
#define SYS_OPENAT2 "__x64_sys_openat2"
#elif defined(__TARGET_ARCH_arm64)
#define NR_OPENAT   56
#define SYS_OPENAT2 "__arm64_sys_openat2"
#endif
#define NR_OPENAT2 437

/* The first argument: on arm64 the result has taken its register. */
static __always_inline unsigned long first_argument(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->di;
#else
	return PT_REGS_PARM1_CORE_SYSCALL(regs);
#endif
}

/* Fills CALL for system call NUMBER, given REGS. Returns false when it opens nothing. */
static __always_inline bool call_read(struct open_call *call, int number, struct pt_regs *regs)
{
	switch (number) {
	case NR_OPENAT:
		call->dirfd = first_argument(regs);
		call->name = (void *)PT_REGS_PARM2_SYSCALL(regs);
		call->flags = PT_REGS_PARM3_SYSCALL(regs);
		return true;
	case NR_OPENAT2:
		call->dirfd = first_argument(regs);
		call->name = (void *)PT_REGS_PARM2_SYSCALL(regs);
		call->how = (void *)PT_REGS_PARM3_SYSCALL(regs);
		return true;
#if defined(NR_OPEN)
	case NR_OPEN:
		call->name = (void *)first_argument(regs);
		call->flags = PT_REGS_PARM2_SYSCALL(regs);
		return true;
	case NR_CREAT:
		call->name = (void *)first_argument(regs);
		call->flags = O_CREAT | O_WRONLY | O_TRUNC;
		return true;
#endif
	default:
		return false;
	}
}

/* Attached to the end of open, creat, openat and openat2: one program, loaded once. */
SEC("tp/syscalls/sys_exit_openat")
int file_open_done(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct open_call call = { .result = ctx->ret, .dirfd = AT_FDCWD };

	/* An int and padding there (struct syscall_tp_t, kernel/trace/trace_syscalls.c). */
	return call_read(&call, (int)ctx->id, regs) ? open_done(&call) : 0;
}

/*
 * The other hooks. They are passed by 32-bit system calls, too, and what the call was given is in
 * the registers that the program had when it made it: the same bytes as at the tracepoints, where
 * what the kernel's own functions are given has been changed already.
 */
enum passed {
	PASSED_ANY,
	PASSED_INNER, /* the function that all of them call */
	PASSED_OUTER, /* openat2(2) itself, which refuses some arguments before it calls that */
};

static __always_inline int call_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return BPF_CORE_READ((struct pt_regs___syscallno *)regs, syscallno);
#endif
}

/* Fills CALL, which returned RESULT. Returns false when it opens nothing, or is told elsewhere. */
static __always_inline bool call_made(struct open_call *call, long result, enum passed passed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	int number = call_number(regs);

	*call = (struct open_call){ .result = (int)result, .dirfd = AT_FDCWD };
	if (is_compat(task)) {
		call->marks = OPEN_COMPAT;
		return passed != PASSED_OUTER && compat_read(call, number, regs);
	}
	return (passed != PASSED_INNER || number != NR_OPENAT2) && call_read(call, number, regs);
}

static __always_inline int call_returned(long result, enum passed passed)
{
	struct open_call call;

	return call_made(&call, result, passed) ? open_done(&call) : 0;
}

/* Arguments come before the result: there are three of them here, and one below. */
SEC("fexit/do_sys_openat2")
int file_open_exit(__u64 *ctx)
{
	return call_returned((long)ctx[3], PASSED_INNER);
}

/* Unlike the other pairs below, of which none is preempted, this may run in the middle of that. */
SEC("fexit/" SYS_OPENAT2)
int file_open_exit_openat2(__u64 *ctx)
{
	struct open_call call;

	return call_made(&call, (long)ctx[1], PASSED_OUTER) ? open_done_apart(&call) : 0;
}

SEC("kretprobe/do_sys_openat2")
int file_open_return(struct pt_regs *ctx)
{
	return call_returned((long)PT_REGS_RC(ctx), PASSED_INNER);
}

SEC("kretprobe/" SYS_OPENAT2)
int file_open_return_openat2(struct pt_regs *ctx)
{
	return call_returned((long)PT_REGS_RC(ctx), PASSED_OUTER);
}

/*
 * Refused by the verifier where the kernel keeps a fixed number of places for calls that have not
 * returned yet, one for each opener that waits at a FIFO. They are in the stack of the task since
 * fprobe is made of fgraph (4346ba160409, Linux 6.14), which this structure came with.
 */
struct fprobe_hlist {
	int size;
} __attribute__((preserve_access_index));

SEC("kretprobe.multi/do_sys_openat2")
int file_open_multi(struct pt_regs *ctx)
{
	if (bpf_core_field_offset(struct fprobe_hlist, size) == ~0U)
		return 0;
	return call_returned((long)PT_REGS_RC(ctx), PASSED_INNER);
}

SEC("kretprobe.multi/" SYS_OPENAT2)
int file_open_multi_openat2(struct pt_regs *ctx)
{
	return call_returned((long)PT_REGS_RC(ctx), PASSED_OUTER);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(file_open_any, struct pt_regs *regs, long ret)
{
	return call_returned(ret, PASSED_ANY);
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(file_open_uring, struct io_kiocb *request)
{
	return uring_submitted(request);
}

/* Its name before 6.4. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(file_open_uring_sqe, struct io_kiocb *request)
{
	return uring_submitted(request);
}

/* Behind the request its arguments have changed (Linux 6.16): the result is in the request, too. */
SEC("tp_btf/io_uring_complete")
int file_open_uring_done(__u64 *ctx)
{
	return uring_completed((struct io_kiocb *)ctx[1]);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
