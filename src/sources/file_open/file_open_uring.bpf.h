/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_URING_BPF_H
#define FILE_OPEN_URING_BPF_H

/*
 * Opens through io_uring, which pass no system call: taken when a ring has got them, where the
 * name is still in the kernel's memory, and told when they are complete, where the result is. In
 * between any time may pass, and any thread of the process may work on them.
 */

#include "file_open.bpf.h"
#include "file_open_space.bpf.h"

/* include/uapi/linux/io_uring.h */
#define IORING_OP_OPENAT  18
#define IORING_OP_OPENAT2 28

/*
 * REQ_F_CQE_SKIP of the kernel's io_kiocb.flags, by definition IOSQE_CQE_SKIP_SUCCESS of the same
 * header: what succeeds is never said to be complete.
 */
#define REQUEST_SKIPS_SUCCESS (1U << 6)

/* include/uapi/asm-generic/fcntl.h; arm64 has its own. io_uring adds it to what it is given. */
#if defined(__TARGET_ARCH_arm64)
#define O_LARGEFILE 0400000
#else
#define O_LARGEFILE 0100000
#endif

/* struct io_open of io_uring/openclose.c, with what getname() gave; since Linux 7.0 wrapped. */
struct filename {
	const char *name;
} __attribute__((preserve_access_index));

struct open_how {
	__u64 flags;
} __attribute__((preserve_access_index));

struct io_open {
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
} __attribute__((preserve_access_index));

struct delayed_filename {
	struct filename *__incomplete_filename;
} __attribute__((preserve_access_index));

struct io_open___delayed {
	struct delayed_filename filename;
} __attribute__((preserve_access_index));

/*
 * Of names and directories together; what is longer is not told. A batch is complete only when all
 * of it was handed in: so many opens of the catalogue are kept at a time.
 */
#define URING_RECORD_MAX 4352
#define URING_OPENS_MAX	 256

/* A record without its end. The key is the address of the request: nobody else has it meanwhile. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, URING_OPENS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8[URING_RECORD_MAX]);
} uring_opens SEC(".maps");

static __always_inline bool is_open(__u8 opcode)
{
	return opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2;
}

/* The name in the kernel's memory that OPEN was given. */
static __always_inline const char *uring_name(struct io_open *open)
{
	struct io_open___delayed *delayed = (void *)open;

	if (bpf_core_field_exists(open->filename))
		return BPF_CORE_READ(open, filename, name);
	return BPF_CORE_READ(delayed, filename.__incomplete_filename, name);
}

/* Whether the caller is selected: a thread that the kernel made for a ring is in no set itself. */
static __always_inline bool uring_selected(struct task_struct *task)
{
	return task_selected(task->group_leader, (__u32)bpf_get_current_uid_gid());
}

static __always_inline void uring_miss(struct control *control)
{
	__sync_fetch_and_add(&control->uring_opens, 1);
}

/* Forgets one that had the same address and was never seen to be complete. */
static __always_inline void uring_forget(struct control *control, struct io_kiocb *request)
{
	__u64 key = (__u64)request;

	if (!bpf_map_delete_elem(&uring_opens, &key))
		uring_miss(control);
}

/* Keeps the record of DRAFT until REQUEST is complete. */
static __always_inline void uring_keep(struct control *control, struct io_kiocb *request,
				       struct draft *draft)
{
	struct event_hdr *hdr = (struct event_hdr *)draft->scratch->record;
	__u64 key = (__u64)request;

	hdr->size = draft->size;
	if (request->flags & REQUEST_SKIPS_SUCCESS || draft->size > URING_RECORD_MAX ||
	    bpf_map_update_elem(&uring_opens, &key, draft->scratch->record, BPF_ANY))
		uring_miss(control);
}

/* Puts the record of REQUEST together in the space of DRAFT. Returns false when it is not told. */
static __always_inline bool uring_fill(struct control *control, struct io_kiocb *request,
				       struct draft *draft)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_open *open = (void *)request + bpf_core_field_offset(struct io_kiocb, cmd);
	__u8 *record = draft->scratch->record;
	struct open_call call = {};
	__u32 size;
	long n;

	name_begin(record);
	n = bpf_probe_read_kernel_str(&record[NAME_AT], PATH_SIZE, uring_name(open));
	size = (n - 1) & (PATH_SIZE - 1);
	if (n <= 1 ||
	    !name_is_wanted(name_word(record, PAD_AT + 8 + size), name_word(record, PAD_AT + size)))
		return false;
	if (!uring_selected(task) || is_own(control))
		return false;
	call.flags = BPF_CORE_READ(open, how.flags) & ~(__u64)O_LARGEFILE;
	call.dirfd = BPF_CORE_READ(open, dfd);
	/* Its result is a place in the ring's own table. */
	if (BPF_CORE_READ(open, file_slot))
		call.marks = OPEN_NO_FD;
	event_begin(draft, task, &call, size);
	return true;
}

static __always_inline int uring_submitted(struct io_kiocb *request)
{
	struct control *control = control_get();
	struct source_counters *counters = counters_row(COUNTERS_OPENS_APART);
	struct draft draft = { .counters = counters };
	struct open_space *space;

	if (!control || !counters || !control->on || !is_open(request->opcode))
		return 0;
	uring_forget(control, request);
	space = space_take();
	if (!space) {
		uring_miss(control);
		return 0;
	}
	draft.scratch = &space->scratch;
	if (uring_fill(control, request, &draft)) {
		uring_keep(control, request, &draft);
	} else {
		count(&counters->hit);
		count(&counters->rejected);
	}
	space_give(space);
	return 0;
}

/* Tells the open whose record is KEPT, in SPACE: its request ended with RESULT. */
static __always_inline void uring_tell(const struct event_hdr *kept, struct open_space *space,
				       struct source_counters *counters, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct draft draft = { .counters = counters, .scratch = &space->scratch };
	struct file_open_event *event = (void *)space->scratch.record;

	count(&counters->hit);
	bpf_probe_read_kernel(event, URING_RECORD_MAX, kept);
	draft.size = event->hdr.size;
	event->hdr.ts_ns = bpf_ktime_get_boot_ns();
	event->hdr.cpu = bpf_get_smp_processor_id();
	/* What the process left undone is ended by others. */
	event_end(&draft, task, result,
		  !(event->marks & OPEN_NO_FD) && (__u32)task->tgid == event->hdr.tgid);
}

static __always_inline int uring_completed(struct io_kiocb *request)
{
	struct source_counters *counters = counters_row(COUNTERS_OPENS_APART);
	struct control *control = control_get();
	__u64 key = (__u64)request;
	struct open_space *space;
	struct event_hdr *kept;

	/* Not every completion is one of a request. */
	if (!control || !counters || !control->on || !request ||
	    !is_open(BPF_CORE_READ(request, opcode)))
		return 0;
	kept = bpf_map_lookup_elem(&uring_opens, &key);
	if (!kept)
		return 0;
	space = space_take();
	if (space) {
		uring_tell(kept, space, counters, BPF_CORE_READ(request, cqe.res));
		space_give(space);
	} else {
		uring_miss(control);
	}
	bpf_map_delete_elem(&uring_opens, &key);
	return 0;
}

#endif /* FILE_OPEN_URING_BPF_H */
