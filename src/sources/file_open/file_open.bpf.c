/* SPDX-License-Identifier: MIT */
/*
 * A file of the catalogue was opened, or could not be. One program at the end of each open call: it
 * has the result, the name's page is resident because the kernel has just read it, and one hook
 * costs half of a pair (docs/benchmarks.md).
 */
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "../../bpf/walk.bpf.h"
#include "../../catalogue/match.h"
#include "file_open.h"

/* include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h; the same on x86 and arm64. */
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define AT_FDCWD -100

/* include/uapi/linux/io_uring.h */
#define IORING_OP_OPENAT 18
#define IORING_OP_OPENAT2 28

/* What one of the calls was given; NAME points into the program's memory. */
struct open_call {
	const void *name;
	__u64 flags;
	long result;
	int dirfd;
	__u32 marks;
};

#define NAME_AT sizeof(struct file_open_event)

/* The 16 bytes before the name serve as "what precedes it" while matching, then hold tails. */
#define PAD_AT (NAME_AT - 16)

static __always_inline bool name_is_wanted(__u64 last, __u64 before)
{
	if (!config.by_tail)
		return match_tail(last, before);
	if (!config.nr_tails)
		return true;
	for (__u32 i = 0; i < CONFIG_TAILS_MAX; i++) {
		if (i >= config.nr_tails)
			break;
		if ((last & config.tails[i].mask) == config.tails[i].last)
			return true;
	}
	return false;
}

/* Whether the last 16 bytes of a name say "shared library": ".so" at the end or before a dot. */
static __always_inline bool is_shared_library(__u64 last, __u64 before)
{
	__u8 end = last & 0xff;

	if (end != 'o' && (end < '0' || end > '9'))
		return false;
	for (int shift = 0; shift < 48; shift += 8)
		if (((last >> shift) & 0xffffff) == ('.' << 16 | 's' << 8 | 'o'))
			return true;
	return ((last >> 48 | before << 16) & 0xffffff) == ('.' << 16 | 's' << 8 | 'o') ||
	       ((last >> 56 | before << 8) & 0xffffff) == ('.' << 16 | 's' << 8 | 'o');
}

/* Identity of the file behind descriptor FD of TASK. */
static __always_inline void identity_fill(struct file_open_event *event, struct task_struct *task,
					  unsigned int fd)
{
	struct fdtable *table = task->files->fdt;
	struct file **slot = table->fd;
	struct file *file = NULL;

	if (fd >= table->max_fds)
		return;
	bpf_probe_read_kernel(&file, sizeof(file), slot + fd);
	if (!file)
		return;

	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 dev = BPF_CORE_READ(inode, i_sb, s_dev);

	/* MAJOR and MINOR of include/linux/kdev_t.h. */
	event->dev_major = dev >> 20;
	event->dev_minor = dev & 0xfffff;
	event->inode = BPF_CORE_READ(inode, i_ino);
	event->size = BPF_CORE_READ(inode, i_size);
	if (bpf_core_field_exists(struct inode, i_ctime_sec)) {
		event->ctime_ns = BPF_CORE_READ(inode, i_ctime_sec) * 1000000000ULL +
				  BPF_CORE_READ(inode, i_ctime_nsec);
	} else if (bpf_core_field_exists(struct inode___timespec, i_ctime)) {
		struct inode___timespec *old = (void *)inode;

		event->ctime_ns = BPF_CORE_READ(old, i_ctime.tv_sec) * 1000000000ULL +
				  BPF_CORE_READ(old, i_ctime.tv_nsec);
	} else {
		struct inode___underscores *old = (void *)inode;

		event->ctime_ns = BPF_CORE_READ(old, __i_ctime.tv_sec) * 1000000000ULL +
				  BPF_CORE_READ(old, __i_ctime.tv_nsec);
	}
}

/* Appends the directory that a relative name starts from. */
static __always_inline void dir_append(struct draft *draft, struct file_open_event *event,
				       struct task_struct *task, int dirfd)
{
	struct fs_struct *fs = task->fs;
	struct path *path = &fs->pwd;
	__u32 walked = 0;

	if (dirfd != AT_FDCWD) {
		struct fdtable *table = task->files->fdt;
		struct file **slot = table->fd;
		struct file *file = NULL;

		if (dirfd < 0 || (__u32)dirfd >= table->max_fds)
			return;
		bpf_probe_read_kernel(&file, sizeof(file), slot + dirfd);
		if (!file)
			return;
		path = &file->f_path;
	}
	event->dir = tail_path(draft, path, fs, &walked);
	if (walked & WALK_TRUNCATED)
		event->marks |= OPEN_DIR_CUT;
	if (walked & WALK_OUTSIDE)
		event->marks |= OPEN_OUTSIDE;
}

/* Appends the path of the opened file itself: no symbolic link is left in it. */
static __always_inline void real_append(struct draft *draft, struct file_open_event *event,
					struct task_struct *task, unsigned int fd)
{
	struct fdtable *table = task->files->fdt;
	struct file **slot = table->fd;
	struct file *file = NULL;
	__u32 walked = 0;

	if (fd >= table->max_fds)
		return;
	bpf_probe_read_kernel(&file, sizeof(file), slot + fd);
	if (file)
		event->real = tail_path(draft, &file->f_path, task->fs, &walked);
	if (walked & WALK_TRUNCATED)
		event->marks |= OPEN_DIR_CUT;
}

static __always_inline void event_emit(struct draft *draft, struct task_struct *task,
				       const struct open_call *call, __u32 name_size)
{
	struct file_open_event *event = (void *)draft->scratch->record;

	head_fill(&event->hdr, SOURCE_file_open, 0, task);
	event->flags = call->flags;
	event->inode = 0;
	event->size = 0;
	event->ctime_ns = 0;
	event->dev_major = 0;
	event->dev_minor = 0;
	event->result = call->result < 0 ? call->result : 0;
	event->marks = call->marks;
	event->name.off = NAME_AT;
	event->name.size = name_size;
	event->dir.off = 0;
	event->dir.size = 0;
	event->real.off = 0;
	event->real.size = 0;
	event->reserved = 0;
	if (name_size == PATH_SIZE - 1)
		event->marks |= OPEN_NAME_CUT;
	if (call->result >= 0)
		identity_fill(event, task, call->result);

	bool absolute = draft->scratch->record[NAME_AT] == '/';

	draft->size = NAME_AT + name_size;
	if (!absolute)
		dir_append(draft, event, task, call->dirfd);
	if (config.resolve && call->result >= 0)
		real_append(draft, event, task, call->result);
	emit(draft, LANE_EVENT);
}

static __always_inline int open_done(const struct open_call *call)
{
	struct source_counters *counters = counters_get(SOURCE_file_open);
	struct control *control = control_get();
	struct task_struct *task = bpf_get_current_task_btf();
	struct draft draft;

	if (!counters || !control || !control->on)
		return 0;
	counters->hit++;
	if (!draft_begin(&draft, counters, NAME_AT))
		return 0;

	__u8 *record = draft.scratch->record;

	*(__u64 *)&record[PAD_AT] = 0;
	*(__u64 *)&record[PAD_AT + 8] = (__u64)'/' << 56;

	long n = bpf_probe_read_user_str(&record[NAME_AT], PATH_SIZE, call->name);

	if (n <= 1) {
		counters->rejected++;
		if (n < 0)
			counters->faults++;
		return 0;
	}

	__u32 name_size = (n - 1) & (PATH_SIZE - 1);
	__u64 before = __builtin_bswap64(*(__u64 *)&record[PAD_AT + name_size]);
	__u64 last = __builtin_bswap64(*(__u64 *)&record[PAD_AT + 8 + name_size]);

	if (!name_is_wanted(last, before)) {
		counters->rejected++;
		if (control->sleeping && is_shared_library(last, before))
			emit_nudge(control);
		return 0;
	}
	if (!task_selected(task)) {
		counters->rejected++;
		return 0;
	}
	event_emit(&draft, task, call, name_size);
	return 0;
}

static __always_inline struct pt_regs *task_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

SEC("tp/syscalls/sys_exit_openat")
int file_open_openat(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = task_regs();
	struct open_call call = {
		.name = (void *)PT_REGS_PARM2_SYSCALL(regs),
		.flags = PT_REGS_PARM3_SYSCALL(regs),
		.result = ctx->ret,
		.dirfd = PT_REGS_PARM1_CORE_SYSCALL(regs),
	};

	return open_done(&call);
}

SEC("tp/syscalls/sys_exit_openat2")
int file_open_openat2(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = task_regs();
	struct open_call call = {
		.name = (void *)PT_REGS_PARM2_SYSCALL(regs),
		.result = ctx->ret,
		.dirfd = PT_REGS_PARM1_CORE_SYSCALL(regs),
	};

	/* struct open_how begins with the flags (include/uapi/linux/openat2.h). */
	bpf_probe_read_user(&call.flags, sizeof(call.flags), (void *)PT_REGS_PARM3_SYSCALL(regs));
	return open_done(&call);
}

SEC("tp/syscalls/sys_exit_open")
int file_open_open(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = task_regs();
	struct open_call call = {
		.name = (void *)PT_REGS_PARM1_CORE_SYSCALL(regs),
		.flags = PT_REGS_PARM2_SYSCALL(regs),
		.result = ctx->ret,
		.dirfd = AT_FDCWD,
	};

	return open_done(&call);
}

SEC("tp/syscalls/sys_exit_creat")
int file_open_creat(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = task_regs();
	struct open_call call = {
		.name = (void *)PT_REGS_PARM1_CORE_SYSCALL(regs),
		.flags = O_CREAT | O_WRONLY | O_TRUNC,
		.result = ctx->ret,
		.dirfd = AT_FDCWD,
	};

	return open_done(&call);
}

/*
 * System calls of 32-bit programs do not reach the hooks above. This one taxes every call of the
 * host, so it is attached only once a 32-bit program runs (trace/late.c).
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(file_open_compat, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = task->mm;
	struct open_call call = { .result = (int)ret, .dirfd = AT_FDCWD, .marks = OPEN_COMPAT };

	if (!mm || mm->task_size > 0x100000000ULL)
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
		bpf_probe_read_user(&call.flags, sizeof(call.flags),
				    (void *)(unsigned long)(__u32)regs->dx);
		break;
	default:
		return 0;
	}
	return open_done(&call);
#else
	return 0;
#endif
}

/* Opens through io_uring pass no system call: they are counted, so that coverage can say so. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(file_open_uring, struct io_kiocb *request)
{
	struct control *control = control_get();
	__u8 opcode = request->opcode;

	if (control && control->on &&
	    (opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2))
		__sync_fetch_and_add(&control->uring_opens, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
