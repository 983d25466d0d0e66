/* SPDX-License-Identifier: MIT */
#ifndef FILE_OPEN_SPACE_BPF_H
#define FILE_OPEN_SPACE_BPF_H

/*
 * Where programs put records together that may run in the middle of the one that tells most opens,
 * or of each other: not in the space of their CPU. What they count is apart, too
 * (COUNTERS_OPENS_APART), so that the one which all opens pass need not add at once.
 */

#include "file_open.bpf.h"

#define OPEN_SPACES 8 /* a power of two; what they tell is rare */

struct open_space {
	__u64 is_taken;
	struct scratch scratch;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OPEN_SPACES);
	__type(key, __u32);
	__type(value, struct open_space);
} open_spaces SEC(".maps");

/* A space that nobody has, to be given back; NULL: there is none. */
static __always_inline struct open_space *space_take(void)
{
	__u32 first = bpf_get_smp_processor_id();

	for (__u32 i = 0; i < OPEN_SPACES; i++) {
		__u32 index = (first + i) & (OPEN_SPACES - 1);
		struct open_space *space = bpf_map_lookup_elem(&open_spaces, &index);

		if (space && !__sync_val_compare_and_swap(&space->is_taken, 0, 1))
			return space;
	}
	return NULL;
}

static __always_inline void space_give(struct open_space *space)
{
	__sync_lock_test_and_set(&space->is_taken, 0);
}

/* As open_done(), in a program that may run in the middle of another one which calls that. */
static __always_inline int open_done_apart(const struct open_call *call)
{
	struct source_counters *counters = counters_row(COUNTERS_OPENS_APART);
	struct control *control = control_get();
	struct draft draft = { .counters = counters, .size = NAME_AT };
	struct open_space *space;

	if (!counters || !control || !control->on)
		return 0;
	space = space_take();
	if (!space) {
		__sync_fetch_and_add(&control->opens_without_space, 1);
		return 0;
	}
	draft.scratch = &space->scratch;
	open_tell(&draft, control, call, false);
	space_give(space);
	return 0;
}

#endif /* FILE_OPEN_SPACE_BPF_H */
