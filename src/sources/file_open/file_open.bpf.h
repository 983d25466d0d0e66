/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_BPF_H
#define FILE_OPEN_BPF_H

/* What the programs at the end of an open call share: from the call to the record. */

#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "../../bpf/walk.bpf.h"
#include "../../catalogue/match.h"
#include "../process_fork/process_fork.h"
#include "file_open.h"

/* include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h; the same on x86 and arm64. */
#define O_WRONLY     01
#define O_CREAT	     0100
#define O_TRUNC	     01000
#define AT_FDCWD     -100

#define ENAMETOOLONG 36 /* include/uapi/asm-generic/errno.h */

/* What one of the calls was given; NAME points into the program's memory. */
struct open_call {
	const void *name;
	const void *how; /* of openat2(2): begins with the flags (include/uapi/linux/openat2.h) */
	__u64 flags;
	long result;
	int dirfd;
	__u32 marks;
};

#define NAME_AT sizeof(struct file_open_event)

/* The 16 bytes before the name serve as "what precedes it" while matching, then hold tails. */
#define PAD_AT (NAME_AT - 16)

/* Makes RECORD look as if its name, which is to come, were the only one in a directory. */
static __always_inline void name_begin(__u8 *record)
{
	*(__u64 *)&record[PAD_AT] = 0;
	*(__u64 *)&record[PAD_AT + 8] = (__u64)'/' << 56;
}

/* Eight bytes of RECORD, the last one lowest. */
static __always_inline __u64 name_word(const __u8 *record, __u32 at)
{
	return __builtin_bswap64(*(__u64 *)&record[at]);
}

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

/* The open file behind descriptor FD of TASK, which an open call returned or took. */
static __always_inline struct file *file_of(struct task_struct *task, unsigned int fd)
{
	struct file **slots = task->files->fdt->fd;
	struct file *file = NULL;

	/* FD is in the table: the call has just used it, and tables only grow. */
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

/* The inode's ctime has been a member, then private, then two members. */
static __always_inline __u64 inode_ctime_ns(struct inode *inode)
{
	struct inode___accessor *accessor = (void *)inode;
	struct inode___plain *plain = (void *)inode;
	struct timespec64 time;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		__u32 at = bpf_core_field_offset(struct inode, i_ctime_sec);
		__u32 nsec_at = bpf_core_field_offset(struct inode, i_ctime_nsec) - at;
		__u64 both[3] = {};

		/* They are close to each other: one read for two. */
		if (nsec_at > sizeof(both) - sizeof(__u32) ||
		    bpf_probe_read_kernel(both, sizeof(both), (void *)inode + at))
			return 0;
		/* Since 6.13 bit 31 says that somebody has asked: I_CTIME_QUERIED, linux/fs.h. */
		return both[0] * 1000000000ULL + (*(__u32 *)((char *)both + nsec_at) & ~(1U << 31));
	}
	if (bpf_core_field_exists(accessor->__i_ctime))
		BPF_CORE_READ_INTO(&time, accessor, __i_ctime);
	else
		BPF_CORE_READ_INTO(&time, plain, i_ctime);
	return (__u64)time.tv_sec * 1000000000ULL + (__u64)time.tv_nsec;
}

/* Identity of the file behind descriptor FD of TASK. */
static __always_inline void identity_fill(struct file_open_event *event, struct task_struct *task,
					  unsigned int fd)
{
	struct file *file = file_of(task, fd);

	if (!file)
		return;

	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 dev = BPF_CORE_READ(inode, i_sb, s_dev);

	/* MAJOR and MINOR of include/linux/kdev_t.h. */
	event->dev_major = dev >> 20;
	event->dev_minor = dev & 0xfffff;
	event->inode = BPF_CORE_READ(inode, i_ino);
	event->ctime_ns = inode_ctime_ns(inode);
}

/* Appends the directory that a relative name starts from. */
static __always_inline void dir_append(struct draft *draft, struct file_open_event *event,
				       struct task_struct *task, int dirfd)
{
	struct file *file = NULL;
	__u32 walked = 0;

	if (dirfd == AT_FDCWD) {
		event->dir = tail_cwd(draft, &walked);
	} else {
		/* Any number may be here, when the call has failed. */
		if (dirfd >= 0 && (__u32)dirfd < task->files->fdt->max_fds)
			file = file_of(task, dirfd);
		if (!file)
			return;
		event->dir = tail_path(draft, __builtin_preserve_access_index(&file->f_path),
				       task->fs, &walked);
	}
	if (walked & WALK_TRUNCATED)
		event->marks |= OPEN_DIR_CUT;
	if (walked & WALK_OUTSIDE)
		event->marks |= OPEN_OUTSIDE;
}

/* Appends the path of the opened file itself: no symbolic link is left in it. */
static __always_inline void real_append(struct draft *draft, struct file_open_event *event,
					struct task_struct *task, unsigned int fd)
{
	struct file *file = file_of(task, fd);
	__u32 walked = 0;

	if (file)
		event->real = tail_path(draft, __builtin_preserve_access_index(&file->f_path),
					task->fs, &walked);
	if (walked & WALK_TRUNCATED)
		event->marks |= OPEN_DIR_CUT;
}

/* Fills what is known of CALL before it has ended, behind its name of NAME_SIZE bytes. */
static __always_inline void event_begin(struct draft *draft, struct task_struct *task,
					const struct open_call *call, __u32 name_size)
{
	struct file_open_event *event = (void *)draft->scratch->record;

	head_fill(&event->hdr, SOURCE_file_open, 0);
	event->flags = call->flags;
	if (call->how)
		bpf_probe_read_user(&event->flags, sizeof(event->flags), call->how);
	event->inode = 0;
	event->ctime_ns = 0;
	event->dev_major = 0;
	event->dev_minor = 0;
	event->result = 0;
	event->marks = call->marks;
	event->name.off = NAME_AT;
	event->name.size = name_size;
	event->dir.off = 0;
	event->dir.size = 0;
	event->real.off = 0;
	event->real.size = 0;
	event->reserved = 0;

	bool absolute = draft->scratch->record[NAME_AT] == '/';

	draft->size = NAME_AT + name_size;
	if (!absolute)
		dir_append(draft, event, task, call->dirfd);
}

/* Adds what became of it: RESULT, and the file when that is a descriptor of TASK (HAS_FD). */
static __always_inline void event_end(struct draft *draft, struct task_struct *task, long result,
				      bool has_fd)
{
	struct file_open_event *event = (void *)draft->scratch->record;

	event->result = result < 0 ? result : 0;
	if (result >= 0 && has_fd) {
		identity_fill(event, task, result);
		if (config.resolve)
			real_append(draft, event, task, result);
	}
	emit(draft, LANE_EVENT);
}

static __always_inline void event_emit(struct draft *draft, struct task_struct *task,
				       const struct open_call *call, __u32 name_size)
{
	struct file_open_event *event = (void *)draft->scratch->record;

	event_begin(draft, task, call, name_size);
	/* As long as a name may be, or the beginning of one that is longer. */
	if (name_size == PATH_SIZE - 1 && call->result == -ENAMETOOLONG)
		event->marks |= OPEN_NAME_CUT;
	event_end(draft, task, call->result, true);
}

/*
 * A library is about to be mapped, which wakes no one and tells no user. The kernel has no hook for
 * new credentials either, so a process whose user is not its parent's says here who it is.
 */
static __always_inline void library_opened(struct draft *draft, struct control *control)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 uid = (__u32)bpf_get_current_uid_gid();

	if (uid == BPF_CORE_READ(task, real_parent, cred, uid.val)) {
		emit_nudge(control);
		return;
	}
	draft->counters = counters_get(SOURCE_process_fork);
	if (!draft->counters)
		return;
	count(&draft->counters->hit);
	if ((config.select & (SELECT_TREE | SELECT_NAME)) &&
	    !bits_selected(process_bits(bpf_get_current_task_btf()))) {
		count(&draft->counters->rejected);
		return;
	}

	struct event_hdr *hdr = (struct event_hdr *)draft->scratch->record;

	head_fill_rare(hdr, SOURCE_process_fork, PROCESS_CRED);
	if (!uid_selected(uid))
		hdr->flags = HDR_LEFT_SET;
	draft->size = sizeof(struct process_fork_event);
	emit(draft, LANE_CONTROL);
}

/* IS_ALONE: nothing else adds to counters of this row and CPU in the middle of the program. */
static __always_inline void open_count(__u64 *counter, bool is_alone)
{
	if (is_alone)
		++*counter;
	else
		count(counter);
}

/* Tells CALL, when it is of interest. The space of DRAFT is the program's own while it runs. */
static __always_inline void open_tell(struct draft *draft, struct control *control,
				      const struct open_call *call, bool is_alone)
{
	struct source_counters *counters = draft->counters;
	__u8 *record = draft->scratch->record;

	open_count(&counters->hit, is_alone);
	name_begin(record);

	long n = bpf_probe_read_user_str(&record[NAME_AT], PATH_SIZE, call->name);

	if (n <= 1) {
		open_count(&counters->rejected, is_alone);
		if (n < 0)
			open_count(&counters->faults, is_alone);
		return;
	}

	__u32 name_size = (n - 1) & (PATH_SIZE - 1);
	__u64 before = name_word(record, PAD_AT + name_size);
	__u64 last = name_word(record, PAD_AT + 8 + name_size);

	if (!name_is_wanted(last, before)) {
		open_count(&counters->rejected, is_alone);
		if (is_shared_library(last, before))
			library_opened(draft, control);
		return;
	}
	if (!current_selected() || is_own(control)) {
		open_count(&counters->rejected, is_alone);
		return;
	}
	event_emit(draft, bpf_get_current_task_btf(), call, name_size);
}

static __always_inline int open_done(const struct open_call *call)
{
	struct source_counters *counters = counters_get(SOURCE_file_open);
	struct control *control = control_get();
	struct draft draft;

	if (counters && control && control->on && draft_begin(&draft, counters, NAME_AT))
		open_tell(&draft, control, call, true);
	return 0;
}

#endif /* FILE_OPEN_BPF_H */
