/* SPDX-License-Identifier: MIT */
#ifndef API_SITE_BPF_H
#define API_SITE_BPF_H

/*
 * Static probes of "crypto_auditing": a library says itself what it does, as keys and values. Words
 * and strings are read, blobs never.
 */

#include "api_user.bpf.h"
#include "../../inspect/usdt_where.h"

/* What an array holds, and what takes the place of its sizes (crau/macros.h of crypto-auditing). */
#define ITEM_STRING ((__u64)-1)
#define ITEM_WORD   ((__u64)-2)

struct site_item {
	__u64 key;
	__u64 value;
	__u64 size;
};

/* The last register, sp: what is behind them is the kernel's. */
#if defined(__TARGET_ARCH_x86)
#define PLACE_MAX 152
#else
#define PLACE_MAX 248
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, API_SITES_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct api_site);
} api_sites SEC(".maps");

/* As many bytes as the argument has, with its sign. */
static __always_inline __u64 site_cut(__u64 value, __s32 size)
{
	switch (size) {
	case 1:
		return (__u8)value;
	case -1:
		return (__s64)(__s8)value;
	case 2:
		return (__u16)value;
	case -2:
		return (__s64)(__s16)value;
	case 4:
		return (__u32)value;
	case -4:
		return (__s64)(__s32)value;
	default:
		return value;
	}
}

static __always_inline __u64 site_argument(struct pt_regs *ctx,
					   const struct api_site_argument *argument)
{
	__s32 size = argument->size;
	__u32 place = argument->place;
	__u64 value = 0;

	if (argument->where == USDT_NUMBER)
		return (__s64)argument->number;
	if (argument->where == USDT_NOWHERE || place > PLACE_MAX ||
	    bpf_probe_read_kernel(&value, sizeof(value), (void *)ctx + place))
		return 0;
	if (argument->where == USDT_MEMORY) {
		const void *from = (void *)value + argument->number;

		value = 0;
		/* What is shorter may be at the end of all memory. */
		if (size == 8 || size == -8)
			user_read(&value, 8, from);
		else if (size == 4 || size == -4)
			user_read(&value, 4, from);
		else
			user_read(&value, 1, from);
	}
	return site_cut(value, size);
}

/* Tells one key and its value. */
VERIFIED_ALONE int site_tell(struct api_thread *thread, struct source_counters *counters,
			     const struct site_item *item, __u64 context, __u64 cookie)
{
	struct api_call_event *event;
	__u32 size;

	if (!thread || !counters || !item)
		return 0;
	event = (void *)thread->record;
	if (item->size != ITEM_WORD && item->size != ITEM_STRING)
		return 0;
	event_begin(event, cookie);
	thread->used = 0;
	thread->room = API_TEXT_MAX;
	head_fill(&event->hdr, SOURCE_api_call, 0);
	event->marks = API_OF_SITE;
	event->texts[0] = text_add(thread, event, (void *)item->key, API_NAME_MAX);
	if (item->size == ITEM_WORD)
		value_set(event, 1, item->value);
	else
		event->texts[1] = text_add(thread, event, (void *)item->value, 2 * API_NAME_MAX);
	value_set(event, 2, context);
	size = FIXED + thread->used;
	if (size <= FIXED + API_TEXT_MAX)
		record_send(counters, thread->record, size);
	return 0;
}

static __always_inline void site_tell_all(struct api_thread *thread,
					  struct source_counters *counters, __u64 array,
					  __u64 nr_items, __u64 context, __u64 cookie)
{
	for (__u32 i = 0; i < API_ITEMS_MAX; i++) {
		struct site_item item;

		if (i >= nr_items)
			break;
		if (user_read(&item, sizeof(item), (void *)(array + i * sizeof(item))))
			break;
		site_tell(thread, counters, &item, context, cookie);
	}
}

static __always_inline void site_hit(struct pt_regs *ctx, struct api_thread *thread,
				     struct source_counters *counters, __u64 cookie)
{
	__u32 index = cookie >> API_COOKIE_ARGUMENTS & (API_SITES_MAX - 1);
	struct api_site *site = bpf_map_lookup_elem(&api_sites, &index);
	__u64 at[API_SITE_ARGUMENTS];
	struct site_item item;

	if (!site)
		return;
	for (int i = 0; i < API_SITE_ARGUMENTS; i++)
		at[i] = site_argument(ctx, &site->arguments[i]);
	item.key = at[1];
	item.value = at[2];
	item.size = site->kind == API_SITE_word ? ITEM_WORD : ITEM_STRING;
	if (site->kind == API_SITE_word || site->kind == API_SITE_string)
		site_tell(thread, counters, &item, at[0], cookie);
	else if (site->kind == API_SITE_data)
		site_tell_all(thread, counters, at[1], at[2], at[0], cookie);
	else if (site->kind == API_SITE_context)
		site_tell_all(thread, counters, at[2], at[3], at[0], cookie);
}

#endif /* API_SITE_BPF_H */
