/* SPDX-License-Identifier: MIT */
/*
 * Calls of the functions of crypto libraries. One program stands at the place of every probe, one
 * at the return of those whose result is told; the cookie of a probe says what it is (api_call.h).
 *
 * A thread may be interrupted here and another take its CPU, so that everything under construction
 * belongs to the thread, and counters are added to atomically.
 */
#include "api_user.bpf.h"
#include "api_site.bpf.h"

/* Whether the thread is in a function whose inner calls are not the program's own. */
static __always_inline bool is_quiet(struct api_thread *thread, __u64 sp)
{
	if (!thread->quiet_sp)
		return false;
	/* The stack grows down: one that was left without passing its return, by longjmp(3). */
	if (sp >= thread->quiet_sp) {
		thread->quiet_sp = 0;
		return false;
	}
	return true;
}

/* Whether a frame at the top is of a call that was left in another way than by returning. */
static __always_inline bool is_left(const struct api_frame *frame, __u64 cookie, __u64 sp)
{
	/* Another function at the same place was jumped to, and returns together with it. */
	return frame->sp < sp ||
	       (frame->sp == sp && !((frame->cookie ^ cookie) & API_COOKIE_SLOT_MASK));
}

/* Keeps the record under construction until the function returns. */
static __always_inline void frame_push(struct api_thread *thread, __u64 cookie, __u64 sp)
{
	__u32 size = FIXED + thread->used;
	struct api_frame *frame;
	struct api_shared *shared;

	for (int i = 0; i < FRAMES_MAX; i++) {
		__u32 top = thread->depth - 1;

		if (top >= FRAMES_MAX)
			break;
		barrier_var(top);
		top &= FRAMES_MAX - 1;
		if (!is_left(&thread->frames[top], cookie, sp))
			break;
		thread->depth = top;
	}
	if (thread->depth >= FRAMES_MAX) {
		shared = shared_get();
		if (shared)
			add(shared->frames_lost);
		return;
	}
	frame = &thread->frames[thread->depth];
	if (size > sizeof(frame->record))
		size = sizeof(frame->record);
	frame->cookie = cookie;
	frame->sp = sp;
	frame->size = size;
	bpf_probe_read_kernel(frame->record, size, thread->record);
	thread->depth++;
}

/* Tells of the call, or keeps it until its result is known. */
static __always_inline void call_take(const struct arguments *args, __u64 sp,
				      struct source_counters *counters, struct api_thread *thread,
				      __u64 cookie)
{
	struct api_call_event *event = (void *)thread->record;
	bool is_used;

	event_begin(event, cookie);
	thread->used = 0;
	thread->room = cookie & API_COOKIE_RESULT ? FRAME_TEXT_MAX : API_TEXT_MAX;
	head_fill(&event->hdr, SOURCE_api_call, 0);
	is_used = argument_read(args, thread, cookie, 0);
	if (!is_used && (cookie & API_COOKIE_REQUIRED))
		return;
	argument_read(args, thread, cookie, 1);
	argument_read(args, thread, cookie, 2);
	if (cookie & API_COOKIE_RESULT) {
		frame_push(thread, cookie, sp);
		return;
	}

	__u32 size = FIXED + thread->used;

	if (size > FIXED + API_TEXT_MAX)
		return;
	record_send(counters, thread->record, size);
}

/*
 * Returns 1 where the probe is of no use to this process: the kernel then takes it out of its
 * memory (UPROBE_HANDLER_REMOVE, include/linux/uprobes.h). Not by user or name, which may change.
 */
static __always_inline int unselected(const struct control *control)
{
	return (config.select & ~SELECT_INHERIT) == SELECT_TREE && !control->startup;
}

extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;

/* current_selected(), which follows a pointer that a program that may sleep has to hold. */
static __always_inline bool caller_selected(void)
{
	bool is_selected;

	if (!CAN_SLEEP || !bpf_rcu_read_lock)
		return current_selected();
	bpf_rcu_read_lock();
	is_selected = current_selected();
	bpf_rcu_read_unlock();
	return is_selected;
}

/*
 * Whether the caller is in the file of the probe: of such a function its place is one where the
 * return address is known (struct probe_place.has_stack), on arm64 in x30.
 */
static __always_inline bool is_inside(struct pt_regs *ctx, const struct api_slot *slot)
{
	__u64 ip = PT_REGS_IP(ctx);
	__u64 from;

#if defined(__TARGET_ARCH_x86)
	if (bpf_probe_read_user(&from, sizeof(from), (void *)(PT_REGS_SP(ctx) + slot->stack)))
		return false;
#else
	from = ((struct user_pt_regs *)ctx)->regs[30];
#endif
	if (slot->also && from - (ip + slot->also) + API_ALSO_NEAR < 2 * API_ALSO_NEAR)
		return false;
	return from >= ip - slot->before && from < ip + slot->behind;
}

SEC("uprobe")
int api_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 index = cookie & API_COOKIE_SLOT_MASK;
	__u32 first = cookie >> API_COOKIE_ARGUMENTS & 0xff;
	struct api_slot *slot = bpf_map_lookup_elem(&api_slots, &index);
	struct control *control = control_get();
	struct source_counters *counters = counters_get(SOURCE_api_call);
	struct api_thread *thread;
	struct arguments args;

	if (!slot || !control || !counters || !control->on)
		return 0;
	if (!caller_selected())
		return unselected(control);
	if (is_own(control) || slot->generation != cookie >> API_COOKIE_GENERATION ||
	    !rate_allows(slot))
		return 0;
	if (cookie & API_COOKIE_COUNT) {
		count_call(index);
		return 0;
	}
	if (cookie & API_COOKIE_SITE)
		goto known;
	arguments_get(ctx, &args);
	if (slot->only && (__u32)args.at[(first >> 4) & 7] != slot->only)
		return 0;
	if (cookie & API_COOKIE_OUTSIDE && is_inside(ctx, slot))
		return 0;
	/* A cipher goes on as it was set up: for every record of TLS, once. */
	if (cookie & API_COOKIE_REQUIRED && !args.at[(first >> 4) & 7])
		return 0;
known:
	thread = bpf_task_storage_get(&api_threads, bpf_get_current_task_btf(), NULL,
				      BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		add(counters->hit);
		add(counters->ring_full);
		return 0;
	}
	if (cookie & API_COOKIE_SITE) {
		site_hit(ctx, thread, counters, cookie);
		return 0;
	}
	if (is_quiet(thread, PT_REGS_SP(ctx)))
		return 0;
	if (cookie & API_COOKIE_QUIET)
		thread->quiet_sp = PT_REGS_SP(ctx);
	else
		call_take(&args, PT_REGS_SP(ctx), counters, thread, cookie);
	return 0;
}

/* The stack pointer at the entry of the function that returns here. */
static __always_inline __u64 sp_at_entry(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return PT_REGS_SP(ctx) - sizeof(__u64); /* of the return address, which is gone */
#else
	return PT_REGS_SP(ctx);
#endif
}

/* Whether FRAME is of the call that returns: the set it was entered with may be gone by now. */
static __always_inline bool is_returning(const struct api_frame *frame, __u64 cookie, __u64 sp)
{
	return frame->sp == sp && !((frame->cookie ^ cookie) & API_COOKIE_SLOT_MASK);
}

SEC("uprobe")
int api_return(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u64 sp = sp_at_entry(ctx);
	struct source_counters *counters = counters_get(SOURCE_api_call);
	struct api_thread *thread;

	thread = bpf_task_storage_get(&api_threads, bpf_get_current_task_btf(), NULL, 0);
	if (!thread || !counters)
		return 0;
	if (cookie & API_COOKIE_QUIET) {
		/* Not where it was called by another such function. */
		if (sp >= thread->quiet_sp)
			thread->quiet_sp = 0;
		return 0;
	}
	for (int i = FRAMES_MAX - 1; i >= 0; i--) {
		struct api_frame *frame = &thread->frames[i];
		struct api_call_event *event = (void *)frame->record;
		__u32 size = frame->size;

		if ((__u32)i >= thread->depth || !is_returning(frame, cookie, sp))
			continue;
		thread->depth = i;
		head_fill(&event->hdr, SOURCE_api_call, 0);
		event->result = PT_REGS_RC(ctx);
		event->marks |= API_HAS_RESULT;
		if (size <= sizeof(frame->record))
			record_send(counters, frame->record, size);
		return 0;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
