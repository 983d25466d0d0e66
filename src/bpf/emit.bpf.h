/* SPDX-License-Identifier: MIT */
#ifndef EMIT_BPF_H
#define EMIT_BPF_H

/*
 * The only way into the ring. A program fills struct scratch.record: head_fill(), its fixed part,
 * then tails with tail_user()/tail_kernel(), and hands it over with emit(). The record is copied
 * into the ring with exactly the bytes that were filled.
 */

#include "maps.bpf.h"

/*
 * Who may use how much of the ring: an exec or exit that is lost breaks the process table, an open
 * that is lost is one line less. The last eighth is theirs alone.
 */
enum lane {
	LANE_CONTROL,
	LANE_EVENT,
};

/* The record under construction: SIZE bytes of scratch->record are filled. */
struct draft {
	struct scratch *scratch;
	struct source_counters *counters;
	__u32 size;
};

/*
 * Members behind a pointer of a task are read by dereference where opens pass, one load each; with
 * BPF_CORE_READ, a call each, everywhere else: for every pointer that is read through a trusted one
 * the verifier searches the kernel's type information from end to end
 * (btf_nested_type_is_trusted(), seen in 6.18), some milliseconds of start-up.
 */

static __always_inline void head_begin(struct event_hdr *hdr, enum source_id source, __u16 type)
{
	hdr->version = WIRE_VERSION;
	hdr->source = source;
	hdr->type = type;
	hdr->flags = 0;
	hdr->size = 0;
	hdr->cpu = bpf_get_smp_processor_id();
	hdr->ts_ns = bpf_ktime_get_boot_ns();
	hdr->reserved = 0;
}

/* Fills the head for the current task, whose group LEADER leads; it began at START_NS. */
static __always_inline void head_fill_current(struct event_hdr *hdr, enum source_id source,
					      __u16 type, struct task_struct *leader,
					      __u64 start_ns, __u32 ppid)
{
	__u64 ids = bpf_get_current_pid_tgid();
	__u64 owner = bpf_get_current_uid_gid();

	head_begin(hdr, source, type);
	hdr->start_ns = start_ns;
	hdr->cgroup = bpf_get_current_cgroup_id();
	hdr->tgid = ids >> 32;
	hdr->tid = (__u32)ids;
	hdr->ppid = ppid;
	hdr->uid = (__u32)owner;
	hdr->gid = owner >> 32;
	bpf_get_current_comm(hdr->thread, sizeof(hdr->thread));
	if (hdr->tgid == hdr->tid)
		__builtin_memcpy(hdr->comm, hdr->thread, sizeof(hdr->comm));
	else
		BPF_CORE_READ_INTO(&hdr->comm, leader, comm);
}

/* Fills the head for the current task: where opens or calls pass. */
static __always_inline void head_fill(struct event_hdr *hdr, enum source_id source, __u16 type)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;

	head_fill_current(hdr, source, type, leader, leader->start_boottime,
			  task->real_parent->tgid);
}

/* The same for moments that are rare, such as an exec. */
static __always_inline void head_fill_rare(struct event_hdr *hdr, enum source_id source, __u16 type)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	head_fill_current(hdr, source, type, leader, BPF_CORE_READ(leader, start_boottime),
			  BPF_CORE_READ(task, real_parent, tgid));
}

/* Fills the head for TASK, which is not the current one and leads its group: a child just made. */
static __always_inline void head_fill_task(struct event_hdr *hdr, enum source_id source, __u16 type,
					   struct task_struct *task)
{
	head_begin(hdr, source, type);
	hdr->start_ns = BPF_CORE_READ(task, start_boottime);
	hdr->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	hdr->tgid = BPF_CORE_READ(task, tgid);
	hdr->tid = BPF_CORE_READ(task, pid);
	hdr->ppid = BPF_CORE_READ(task, real_parent, tgid);
	hdr->uid = BPF_CORE_READ(task, cred, uid.val);
	hdr->gid = BPF_CORE_READ(task, cred, gid.val);
	BPF_CORE_READ_INTO(&hdr->comm, task, comm);
	__builtin_memcpy(hdr->thread, hdr->comm, sizeof(hdr->thread));
}

static __always_inline bool draft_begin(struct draft *draft, struct source_counters *counters,
					__u32 fixed_size)
{
	draft->counters = counters;
	draft->scratch = scratch_get();
	draft->size = fixed_size;
	return draft->scratch != NULL;
}

/*
 * Appends N bytes at FROM, kernel memory. N is at most MAX, a power of two; more is cut. Returns
 * the tail, empty when nothing could be read.
 */
#define tail_append(draft, read, from, n, max)                                                     \
	({                                                                                         \
		struct tail tail_ = { .off = (draft)->size };                                      \
		__u32 at_ = (draft)->size;                                                         \
		__u32 n_ = (n);                                                                    \
		if (n_ > (max)-1)                                                                  \
			n_ = (max)-1;                                                              \
		barrier_var(n_);                                                                   \
		n_ &= (max)-1;                                                                     \
		if (at_ < RECORD_MAX - (max) && n_ > 0 &&                                          \
		    read(&(draft)->scratch->record[at_], n_, from) == 0) {                         \
			tail_.size = n_;                                                           \
			(draft)->size = at_ + n_;                                                  \
		}                                                                                  \
		tail_;                                                                             \
	})

#define tail_kernel(draft, from, n, max) tail_append(draft, bpf_probe_read_kernel, from, n, max)
#define tail_user(draft, from, n, max)	 tail_append(draft, bpf_probe_read_user, from, n, max)

/* Appends the NUL-terminated kernel string at FROM without its NUL, at most MAX - 1 bytes. */
#define tail_kernel_str(draft, from, max)                                                          \
	({                                                                                         \
		struct tail tail_ = { .off = (draft)->size };                                      \
		__u32 at_ = (draft)->size;                                                         \
		if (at_ < RECORD_MAX - (max)) {                                                    \
			long n_ = bpf_probe_read_kernel_str(&(draft)->scratch->record[at_], (max), \
							    from);                                 \
			if (n_ > 1 && n_ <= (max)) {                                               \
				tail_.size = n_ - 1;                                               \
				(draft)->size = at_ + n_ - 1;                                      \
			}                                                                          \
		}                                                                                  \
		tail_;                                                                             \
	})

/*
 * Whether the record wakes the consumer. A wake-up is an interrupt to this CPU itself, 15 us in a
 * virtual machine, so it is left out where it is not needed.
 */
static __always_inline __u64 wake_flags(struct control *control, __u64 used)
{
	__u32 consumer = control->consumer;

	if (consumer == CONSUMER_BUSY ||
	    (consumer == CONSUMER_GATHERING && used <= config.ring_size / 8))
		return BPF_RB_NO_WAKEUP;
	/* Once is enough, until it waits again. */
	control->consumer = CONSUMER_BUSY;
	return BPF_RB_FORCE_WAKEUP;
}

/* Hands over the SIZE bytes of RECORD, which begins with its head and has no more than RECORD_MAX.
 */
static __always_inline void emit_bytes(void *record, __u64 size, struct source_counters *counters,
				       enum lane lane)
{
	struct control *control = control_get();
	__u64 used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (!control)
		return;
	/* Nothing of the time before all processes are known is shown: the ring stays free. */
	if (lane == LANE_EVENT && control->startup) {
		count(&counters->rejected);
		return;
	}
	((struct event_hdr *)record)->size = size;
	barrier_var(size);
	if (size > RECORD_MAX || (lane == LANE_EVENT && used > config.ring_size / 8 * 7) ||
	    bpf_ringbuf_output(&events, record, size, wake_flags(control, used)))
		count(&counters->ring_full);
	else
		count(&counters->sent);
}

static __always_inline void emit(struct draft *draft, enum lane lane)
{
	/* As wide as the helper's argument: what is compared is what is handed on. */
	__u64 size = draft->size;

	emit_bytes(draft->scratch->record, size, draft->counters, lane);
}

/*
 * The same for RECORD, a struct on the stack: where that is enough nothing is shared with a program
 * that takes this one's place on the CPU in the middle of it (see maps.bpf.h, scratch).
 */
#define emit_small(record, counters, lane) emit_bytes(record, sizeof(*(record)), counters, lane)

/* Wakes a sleeping consumer without a record: see lib_load in docs/design.md. */
static __always_inline void emit_nudge(struct control *control)
{
	if (control->consumer != CONSUMER_SLEEPING)
		return;
	control->consumer = CONSUMER_BUSY;

	void *bytes = bpf_ringbuf_reserve(&events, 8, 0);

	if (bytes)
		bpf_ringbuf_discard(bytes, BPF_RB_FORCE_WAKEUP);
}

#endif /* EMIT_BPF_H */
