/* SPDX-License-Identifier: MIT */
#ifndef API_USER_BPF_H
#define API_USER_BPF_H

/* The maps of the programs behind api_call, and how the arguments of a call are read. */

#include "../../bpf/alone.bpf.h"
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "api_call.h"

/* Calls under way whose result is awaited: a handshake, a verification in it, a key in that. */
#define FRAMES_MAX 4 /* a power of two */
/* Of the strings of such a call: the name of a host has 253 bytes at most (RFC 1035). */
#define FRAME_TEXT_MAX 256
#define FIXED	       sizeof(struct api_call_event)
/*
 * Where the names of algorithms are in OpenSSL 3.0 to 3.5 (include/crypto/evp.h): type_name in
 * struct evp_cipher_st, evp_md_st, and in evp_mac_st and evp_kdf_st.
 */
#define CIPHER_NAME_AT 104
#define MD_NAME_AT     96
#define METHOD_NAME_AT 16
/* keytype in struct evp_pkey_ctx_st, the same in 3.0 to 3.5. */
#define KEY_NAME_AT 24

/* Whether the program may sleep, so that pages can be read that are not in memory yet. */
#ifndef CAN_SLEEP
#define CAN_SLEEP true
#endif

struct api_frame {
	__u64 cookie;
	__u64 sp;
	__u32 size;
	__u32 reserved;
	__u8 record[FIXED + FRAME_TEXT_MAX];
};

struct api_thread {
	__u32 depth; /* of frames */
	__u32 used;  /* bytes of strings in record */
	__u32 room;  /* how many there may be */
	__u32 reserved;
	__u64 quiet_sp; /* within a function of that stack pointer nothing is told; 0: not */
	struct api_frame frames[FRAMES_MAX];
	/* As much again: a string is read before its size is known. */
	__u8 record[FIXED + 2 * API_TEXT_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct api_thread);
} api_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, API_SLOTS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct api_slot);
} api_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, API_COUNTS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct api_count);
} api_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct api_shared);
} api_shared SEC(".maps");

#define add(counter) __sync_fetch_and_add(&(counter), 1)

static __always_inline struct api_shared *shared_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&api_shared, &zero);
}

/* The integer arguments, by their index; the last two are none. */
struct arguments {
	__u64 at[8];
};

static __always_inline void arguments_get(struct pt_regs *ctx, struct arguments *args)
{
#if defined(__TARGET_ARCH_x86)
	args->at[0] = ctx->di;
	args->at[1] = ctx->si;
	args->at[2] = ctx->dx;
	args->at[3] = ctx->cx;
	args->at[4] = ctx->r8;
	args->at[5] = ctx->r9;
#else
	struct user_pt_regs *regs = (void *)ctx;

	args->at[0] = regs->regs[0];
	args->at[1] = regs->regs[1];
	args->at[2] = regs->regs[2];
	args->at[3] = regs->regs[3];
	args->at[4] = regs->regs[4];
	args->at[5] = regs->regs[5];
#endif
	args->at[6] = 0;
	args->at[7] = 0;
}

/* Brings the page of FROM into memory, where that is possible. */
static __always_inline void page_in(const void *from)
{
	char byte;

	if (CAN_SLEEP)
		bpf_copy_from_user(&byte, 1, from);
}

/* Reads the SIZE bytes at FROM in the program's memory. Returns 0 or a negative errno. */
static __always_inline long user_read(void *to, __u32 size, const void *from)
{
	long err = bpf_probe_read_user(to, size, from);

	if (err && CAN_SLEEP)
		err = bpf_copy_from_user(to, size, from);
	return err;
}

/* Reads a string of less than SIZE bytes. Returns its size with the NUL, or a negative errno. */
static __always_inline long user_string(void *to, __u32 size, const void *from)
{
	long n = bpf_probe_read_user_str(to, size, from);

	if (n >= 0 || !CAN_SLEEP)
		return n;
	page_in(from);
	n = bpf_probe_read_user_str(to, size, from);
	if (n >= 0)
		return n;
	page_in(from + size - 1);
	return bpf_probe_read_user_str(to, size, from);
}

/* Of a function that is only counted. */
static __always_inline void count_call(__u32 slot)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 key = ((__u64)tgid << 32 | slot) + 1;
	__u32 at = (tgid * 0x9e3779b1U ^ slot * 0x85ebca6bU) >> 8;
	struct api_shared *shared;

	for (int i = 0; i < 16; i++) {
		__u32 index = (at + i) & (API_COUNTS_MAX - 1);
		struct api_count *count = bpf_map_lookup_elem(&api_counts, &index);

		if (!count)
			return;
		if (count->key != key) {
			if (count->key || __sync_val_compare_and_swap(&count->key, 0, key))
				continue;
			count->start_ns =
				BPF_CORE_READ((struct task_struct *)bpf_get_current_task(),
					      group_leader, start_boottime);
		}
		add(count->count);
		return;
	}
	shared = shared_get();
	if (shared)
		add(shared->counts_lost);
}

/* Whether SLOT is within its limit of calls in a second. */
static __always_inline bool rate_allows(struct api_slot *slot)
{
	__u64 now;

	if (slot->is_off)
		return false;
	/* A hit that two CPUs count as one is no matter. */
	if (!slot->limit || ++slot->hits <= slot->limit)
		return true;
	now = bpf_ktime_get_boot_ns();
	if (now - slot->window_ns < 1000000000ULL) {
		slot->is_off = 1;
		return false;
	}
	slot->window_ns = now;
	slot->hits = 0;
	return true;
}

static __always_inline void fault(struct api_call_event *event)
{
	struct api_shared *shared = shared_get();

	event->marks |= API_FAULT;
	if (shared)
		add(shared->faults);
}

/* Appends the string at FROM, at most MAX bytes with its NUL. */
static __always_inline struct tail text_add(struct api_thread *thread, struct api_call_event *event,
					    const void *from, __u32 max)
{
	struct tail tail = {};
	__u32 used = thread->used;
	__u32 room = thread->room - used;
	__u32 size;
	long n;

	if (!from || used >= API_TEXT_MAX || room > API_TEXT_MAX)
		return tail;
	if (room > max)
		room = max;
	/* One more than is kept: else one that just fits would look like one that was cut. */
	size = room + 1;
	/* Up to 6.1 the verifier forgets the limits of what the compiler has put on the stack. */
	barrier_var(used);
	used &= API_TEXT_MAX - 1;
	barrier_var(size);
	if (size > API_TEXT_MAX + 1)
		return tail;
	n = user_string(&thread->record[FIXED + used], size, from);
	if (n <= 0 || n > API_TEXT_MAX + 1) {
		fault(event);
		return tail;
	}
	if (n > room) {
		event->marks |= API_CUT;
		n = room;
	}
	if (n == 0)
		return tail;
	tail.off = FIXED + used;
	tail.size = n - 1;
	thread->used = used + n - 1;
	return tail;
}

/* Appends the name whose address is AT bytes behind POINTER. */
static __always_inline void method_add(struct api_thread *thread, struct api_call_event *event,
				       __u64 pointer, __u32 at)
{
	void *name;

	if (user_read(&name, sizeof(name), (void *)(pointer + at)))
		fault(event);
	else
		event->method = text_add(thread, event, name, API_NAME_MAX);
}

static __always_inline void value_set(struct api_call_event *event, __u32 i, __u64 value)
{
	event->values[i] = value;
	event->marks |= API_VALUE(i);
}

/* The number at FROM, IS_LONG or an int. */
static __always_inline bool number_at(struct api_call_event *event, __u32 i, const void *from,
				      bool is_long)
{
	__u64 value = 0;

	if (!from)
		return false;
	if (user_read(&value, 4, from) || (is_long && user_read(&value, 8, from))) {
		fault(event);
		return false;
	}
	value_set(event, i, is_long ? value : (__u64)(__s64)(__s32)value);
	return true;
}

/* The NID at FROM, an EVP_CIPHER or EVP_MD, or the name of one without. */
static __always_inline bool nid_at(struct api_thread *thread, struct api_call_event *event, __u32 i,
				   __u64 from, __u64 cookie)
{
	if (!number_at(event, i, (void *)from, false))
		return false;
	if (cookie & API_COOKIE_NAMED && event->values[i & 3] == 0)
		method_add(thread, event, from,
			   cookie & API_COOKIE_HASH ? MD_NAME_AT : CIPHER_NAME_AT);
	return true;
}

/*
 * What the commands of SSL_ctrl() and SSL_CTX_ctrl() may have read is in the catalogue: others have
 * keys among their arguments. The command is the first value, its argument the second.
 */
#define TEXT(index, name)                                                                          \
	event->texts[1] = text_add(thread, event, (void *)args->at[(index)&7], 256)
#define NUMBER(index, name)	    value_set(event, 1, (__s64)(__s32)args->at[(index)&7])
#define CODE_AT(index, codes, name) number_at(event, 1, (void *)args->at[(index)&7], false)

/* Returns whether COMMAND is one of them. */
static __always_inline bool control_read(const struct arguments *args, struct api_thread *thread,
					 struct api_call_event *event, int command)
{
	switch (command) {
#define API_COMMAND(number, name, read, ...)                                                       \
	case number:                                                                               \
		read;                                                                              \
		return true;
#include "../../catalogue/api.def"
	}
	return false;
}

#undef TEXT
#undef NUMBER
#undef CODE_AT

#define WORD(s)                                                                                    \
	((__u64)(s)[0] | (__u64)(s)[1] << 8 | (__u64)(s)[2] << 16 | (__u64)(s)[3] << 24 |          \
	 (__u64)(s)[4] << 32 | (__u64)(s)[5] << 40 | (__u64)(s)[6] << 48 | (__u64)(s)[7] << 56)

/*
 * Whether the value of the setting whose name begins with WORD, eight bytes, may be read. Of
 * EVP_PKEY_CTX_ctrl_str(3), where others take keys and passwords.
 */
static __always_inline bool setting_is_public(__u64 word)
{
	static const char names[][9] = {
#define API_SETTING(begin) begin,
#include "../../catalogue/api.def"
	};

	for (__u32 i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word == WORD(names[i]))
			return true;
	return false;
}

/* A setting's name and, in the place after it, its value. */
static __always_inline void setting_read(const struct arguments *args, struct api_thread *thread,
					 struct api_call_event *event, __u32 index)
{
	__u64 word = 0;

	event->texts[0] = text_add(thread, event, (void *)args->at[(index)&7], API_NAME_MAX);
	if (event->texts[0].size == 0)
		return;
	/* Strings are at the beginning of what was free: a shorter name ends with its NUL. */
	__builtin_memcpy(&word, &thread->record[FIXED], sizeof(word));
	if (event->texts[0].size < sizeof(word))
		word &= (1ULL << 8 * (event->texts[0].size & 7)) - 1;
	if (setting_is_public(word))
		event->texts[1] =
			text_add(thread, event, (void *)args->at[(index + 1) & 7], API_NAME_MAX);
}

/* Reads argument I of the call in THREAD's record as COOKIE says. Returns whether it has a value.
 */
VERIFIED_ALONE int argument_read(const struct arguments *args, struct api_thread *thread,
				 __u64 cookie, __u32 i)
{
	__u32 argument = cookie >> (API_COOKIE_ARGUMENTS + 8 * i) & 0xff;
	struct api_call_event *event;
	__u64 value;

	if (!args || !thread || i >= API_VALUES_MAX)
		return false;
	event = (void *)thread->record;
	value = args->at[(argument >> 4) & 7];
	switch (argument & 0xf) {
	case API_WIRE_text:
		event->texts[i] = text_add(thread, event, (void *)value, API_TEXT_MAX);
		return value != 0;
	case API_WIRE_name:
		event->texts[i] = text_add(thread, event, (void *)value, API_NAME_MAX);
		return value != 0;
	case API_WIRE_number:
		value_set(event, i, value);
		return true;
	case API_WIRE_int_in:
		if (!value || user_read(&value, sizeof(value), (void *)value))
			return false;
		/* fall through */
	case API_WIRE_int_at:
		return nid_at(thread, event, i, value, cookie);
	case API_WIRE_long_at:
		return number_at(event, i, (void *)value, true);
	case API_WIRE_method:
		if (value)
			method_add(thread, event, value, METHOD_NAME_AT);
		return value != 0;
	case API_WIRE_key_of:
		if (value && cookie & API_COOKIE_NAMED)
			method_add(thread, event, value, KEY_NAME_AT);
		return value != 0;
	case API_WIRE_versions:
		return number_at(event, i, (void *)value, false);
	case API_WIRE_control:
		value_set(event, i, (__s64)(__s32)value);
		return control_read(args, thread, event, value);
	case API_WIRE_setting:
		setting_read(args, thread, event, argument >> 4);
		return true;
	}
	return false;
}

/* Sends the SIZE bytes at RECORD, whose head was filled. */
static __always_inline void record_send(struct source_counters *counters, void *record, __u32 size)
{
	struct event_hdr *hdr = record;
	struct control *control = control_get();
	__u64 used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (!control)
		return;
	add(counters->hit);
	if (control->startup) {
		add(counters->rejected);
		return;
	}
	hdr->size = size;
	/* The rest is for what happens less often. */
	if (used > config.ring_size / 4 * 3 ||
	    bpf_ringbuf_output(&events, record, size, wake_flags(control, used)))
		add(counters->ring_full);
	else
		add(counters->sent);
}

static __always_inline void event_begin(struct api_call_event *event, __u64 cookie)
{
	event->result = 0;
	event->count = 1;
	__builtin_memset(event->values, 0, sizeof(event->values));
	event->slot = cookie & API_COOKIE_SLOT_MASK;
	event->function = 0;
	event->marks = 0;
	__builtin_memset(event->texts, 0, sizeof(event->texts));
	event->method = (struct tail){};
	event->reserved = 0;
}

#endif /* API_USER_BPF_H */
