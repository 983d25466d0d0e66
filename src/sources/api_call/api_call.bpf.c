/* SPDX-License-Identifier: MIT */
/*
 * Uses of the kernel's own crypto (api_kernel.def): an AF_ALG socket was bound to an algorithm, or
 * the kernel was given the keys of a TLS session. One program at the end of each system call, as
 * for opens (file_open.bpf.c). Every bind and setsockopt of the host passes here, so that what is
 * no crypto leaves first, by registers where these tell.
 */
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "api_call.h"

/* Numbers of the calls. */
enum {
#define API_KERNEL(id, function, kind, ...) KERNEL_##id,
#include "../../catalogue/api_kernel.def"
};

#define FIXED sizeof(struct api_call_event)

/*
 * struct sockaddr_alg, include/uapi/linux/if_alg.h. Since 4.12 its name ends where the address
 * does, and the last byte counts as NUL (alg_bind(), crypto/af_alg.c). An address has at most 128
 * bytes (_K_SS_MAXSIZE, include/uapi/linux/socket.h).
 */
#define AF_ALG	     38
#define TYPE_AT	     2
#define TYPE_SIZE    14
#define NAME_AT	     24
#define ADDRESS_SIZE 128

/* include/linux/socket.h, include/uapi/linux/tls.h */
#define SOL_TLS 282
#define TLS_TX	1
#define TLS_RX	2

/* What struct tls_crypto_info begins with. No byte more is read: keys follow. */
struct tls_begin {
	__u16 version;
	__u16 cipher;
};

_Static_assert(sizeof(struct tls_begin) == 4, "keys are behind the first four bytes");

/* A call that is told. */
struct kernel_call {
	struct draft draft;
	struct api_call_event *event;
	struct source_counters counters; /* of this call alone */
};

/* Begins the record of a call of FUNCTION that returned RESULT; false when it is not told. */
static __always_inline bool call_begin(struct kernel_call *call, __u32 function, long result)
{
	struct control *control = control_get();
	struct api_call_event *event;

	if (!control || !control->on)
		return false;
	call->counters.hit = 1;
	if (!current_selected() || is_own(control) ||
	    !draft_begin(&call->draft, &call->counters, FIXED)) {
		call->counters.rejected = 1;
		return false;
	}
	event = (void *)call->draft.scratch->record;
	head_fill(&event->hdr, SOURCE_api_call, 0);
	event->result = result;
	event->count = 1;
	__builtin_memset(event->values, 0, sizeof(event->values));
	event->slot = API_SLOT_KERNEL;
	event->function = function;
	event->marks = API_HAS_RESULT;
	__builtin_memset(event->texts, 0, sizeof(event->texts));
	event->method = (struct tail){};
	event->reserved = 0;
	call->event = event;
	return true;
}

/* Atomically: programs of probes, which may move between CPUs, add to the same counters. */
static __always_inline void call_count(const struct kernel_call *call)
{
	struct source_counters *counters = counters_get(SOURCE_api_call);

	if (!counters || !call->counters.hit)
		return;
	__sync_fetch_and_add(&counters->hit, 1);
	__sync_fetch_and_add(&counters->rejected, call->counters.rejected);
	__sync_fetch_and_add(&counters->ring_full, call->counters.ring_full);
	__sync_fetch_and_add(&counters->sent, call->counters.sent);
}

/* Appends the string at FROM in the program's memory: at most SIZE bytes with its NUL. */
static __always_inline struct tail text_append(struct kernel_call *call, const void *from,
					       __u32 size)
{
	struct draft *draft = &call->draft;
	struct tail tail = {};
	__u32 at = draft->size;
	long n;

	barrier_var(at);
	if (at > FIXED + ADDRESS_SIZE || size > ADDRESS_SIZE)
		return tail;
	/* The verifier has seen the limit of another copy of it. */
	barrier_var(size);
	size &= 2 * ADDRESS_SIZE - 1;
	n = bpf_probe_read_user_str(&draft->scratch->record[at], size, from);
	if (n < 0)
		call->event->marks |= API_FAULT;
	if (n <= 1 || n > ADDRESS_SIZE)
		return tail;
	tail.off = at;
	tail.size = n - 1;
	draft->size = at + n - 1;
	return tail;
}

SEC("tp/syscalls/sys_exit_bind")
int kernel_bind(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	const char *address = (const char *)PT_REGS_PARM2_SYSCALL(regs);
	__u32 size = PT_REGS_PARM3_SYSCALL(regs);
	__u16 family;

	/* Addresses of IPv4 and of local sockets without a name are shorter. */
	if (size <= NAME_AT || size > ADDRESS_SIZE ||
	    bpf_probe_read_user(&family, sizeof(family), address) || family != AF_ALG)
		return 0;

	struct kernel_call call = {};

	if (call_begin(&call, KERNEL_bind, ctx->ret)) {
		call.event->texts[0] = text_append(&call, address + TYPE_AT, TYPE_SIZE);
		call.event->texts[1] = text_append(&call, address + NAME_AT, size - NAME_AT);
		emit(&call.draft, LANE_EVENT);
	}
	call_count(&call);
	return 0;
}

SEC("tp/syscalls/sys_exit_setsockopt")
int kernel_setsockopt(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	int level = PT_REGS_PARM2_SYSCALL(regs);
	int option = PT_REGS_PARM3_SYSCALL(regs);
	const void *value = (const void *)PT_REGS_PARM4_SYSCALL(regs);
	int size = PT_REGS_PARM5_SYSCALL(regs);
	struct tls_begin begin;

	if (level != SOL_TLS || (option != TLS_TX && option != TLS_RX) || size < (int)sizeof(begin))
		return 0;

	struct kernel_call call = {};

	if (call_begin(&call, option == TLS_TX ? KERNEL_tls_tx : KERNEL_tls_rx, ctx->ret)) {
		if (bpf_probe_read_user(&begin, sizeof(begin), value)) {
			call.event->marks |= API_FAULT;
		} else {
			call.event->values[0] = begin.version;
			call.event->values[1] = begin.cipher;
			call.event->marks |= API_VALUE(0) | API_VALUE(1);
		}
		emit(&call.draft, LANE_EVENT);
	}
	call_count(&call);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
