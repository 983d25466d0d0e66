/* SPDX-License-Identifier: MIT */
#ifndef SOCKET_BPF_H
#define SOCKET_BPF_H

/*
 * What is known of a TCP connection, in its socket's storage: whose it is, where its streams begin,
 * and what of them was told.
 */

#include "../../bpf/maps.bpf.h"
#include <bpf/bpf_endian.h>
#include "packet.bpf.h"
#include "tap.h"

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT	2
#define TCP_CLOSE	7
#define TCP_LISTEN	10

/* Each flag is a byte of its own: different CPUs set them at the same time. */
struct tap_socket {
	__u64 start_ns; /* of the owner */
	__u32 tgid;
	__u32 base_sent; /* sequence number of the first byte */
	__u32 base_received;
	__u32 sent_end;	   /* behind the bytes sent so far: what is before is sent again */
	bool is_done;	   /* nothing more is told */
	bool is_told;	   /* user space knows of it */
	bool has_hole;	   /* a record was lost */
	bool is_checked;   /* its first bytes may begin a handshake */
	bool is_listeners; /* nobody has read: the owner is who listens */
	__u8 role;	   /* enum tap_role */
	bool has_base[2];  /* of what was sent, or received: the base is known */
	bool is_full[2];   /* all that is told of it was told */
	__u8 reserved[2];
	__u32 uid; /* of the owner when it was seen last */
};

_Static_assert(sizeof(struct tap_socket) == 40, "struct tap_socket is padded");

/* Cloned from the listener to the connections it accepts. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct tap_socket);
} tap_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct tap_decided);
} tap_decided SEC(".maps");

/* Where user space says that COOKIE needs no more. */
static __always_inline __u64 *decided_slot(__u64 cookie)
{
	__u32 zero = 0;
	struct tap_decided *decided = bpf_map_lookup_elem(&tap_decided, &zero);

	return decided ? &decided->cookies[cookie & (TAP_DECIDED_MAX - 1)] : NULL;
}

static __always_inline bool is_decided(__u64 cookie)
{
	const __u64 *slot = decided_slot(cookie);

	return slot && *slot == cookie;
}

/* Enters that the current process has the socket. Returns whether it had not. */
static __always_inline bool own(struct tap_socket *socket)
{
	/* Not bpf_get_current_pid_tgid(): programs for packets have that since Linux 6.10. */
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tgid = task->tgid;

	if (!tgid)
		return false;
	if (socket->is_listeners)
		socket->is_listeners = false;
	socket->uid = BPF_CORE_READ(task, cred, uid.val);
	if (socket->tgid == tgid)
		return false;
	socket->tgid = tgid;
	socket->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	return true;
}

/*
 * Enters where the streams begin that is not known yet, as RECEIVED and SENT; in the stream of a
 * client the SYN counts as a byte, too.
 */
static __always_inline void set_bases(struct tap_socket *socket, __u32 received, __u32 sent)
{
	if (!socket->has_base[0]) {
		socket->base_sent = sent + (socket->role == TAP_CLIENT);
		socket->sent_end = socket->base_sent;
		socket->has_base[0] = true;
	}
	if (!socket->has_base[1]) {
		socket->base_received = received;
		socket->has_base[1] = true;
	}
}

/*
 * Finds out the bases where that they are known has not been seen: before the handshake's end, when
 * a server that has got data with the SYN answers already (RFC 7413), and where tap_state was not
 * run. A SYN shows that of its direction.
 */
static __always_inline void learn_bases(struct tap_socket *socket, struct bpf_sock *sk,
					const struct packet *packet, bool is_received)
{
	struct bpf_tcp_sock *tcp;

	if (packet->is_syn) {
		*(is_received ? &socket->base_received : &socket->base_sent) = packet->sequence;
		if (!is_received)
			socket->sent_end = packet->sequence;
		socket->has_base[is_received] = true;
		return;
	}
	if (sk->state == TCP_SYN_SENT)
		return;
	tcp = bpf_tcp_sock(sk);
	if (tcp)
		set_bases(socket, tcp->rcv_nxt - (__u32)tcp->bytes_received,
			  tcp->snd_una - (__u32)tcp->bytes_acked);
}

/* How far an acknowledgement may be from what is expected: no window is larger in practice. */
#define ACKNOWLEDGED_FAR (1U << 24)

/*
 * Whether PACKET, received by SK, may be the peer's: what a stranger has made up acknowledges
 * anything, and is not taken (RFC 5961 section 5). What is sent right now counts only later as
 * sent, so that this is not exact.
 */
static __always_inline bool may_be_peers(struct bpf_sock *sk, const struct packet *packet)
{
	struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);

	/* Of a SYN to a connection, or back from one, Linux takes no bytes. */
	return tcp && !packet->is_syn &&
	       packet->acknowledged - tcp->snd_una + ACKNOWLEDGED_FAR < 2 * ACKNOWLEDGED_FAR;
}

/*
 * Which part of PACKET, of direction IS_RECEIVED, is news: moves its begin and cuts its end. What
 * the other end has acknowledged, or this end has received without a hole, was told. So was what
 * was sent before, unless a packet of it was dropped on the way here: behind such a hole all counts
 * as news.
 */
static __always_inline bool select_news(struct tap_socket *socket, struct bpf_sock *sk,
					struct packet *packet, bool is_received)
{
	struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);
	__u32 base = is_received ? socket->base_received : socket->base_sent;
	__u32 end = packet->sequence + packet->size;
	__u32 offset = packet->sequence - base;
	__u32 have;

	if (!tcp)
		return false;
	have = is_received ? tcp->rcv_nxt : tcp->snd_una;
	if (!is_received && (__s32)(socket->sent_end - have) > 0)
		have = socket->sent_end;
	if (have - base >= TAP_BYTES_MAX && (__s32)(have - base) > 0)
		socket->is_full[is_received] = true;
	if ((__s32)(end - have) <= 0 || (__s32)offset < 0 || offset >= TAP_BYTES_MAX)
		return false;
	if (!is_received && (__s32)(packet->sequence - have) <= 0)
		socket->sent_end = end;
	if (packet->size > TAP_BYTES_MAX - offset)
		packet->size = TAP_BYTES_MAX - offset;
	return true;
}

/* Whether PACKET's bytes, the first of a direction, allow no handshake. */
static __always_inline bool is_foreign(struct __sk_buff *skb, struct tap_socket *socket,
				       const struct packet *packet, bool is_received)
{
	if (socket->is_checked ||
	    packet->sequence != (is_received ? socket->base_received : socket->base_sent))
		return false;
	socket->is_checked = may_begin(first_bytes(skb, packet->at, packet->size), packet->size,
				       is_received == (socket->role == TAP_CLIENT));
	return !socket->is_checked;
}

/*
 * What came to a listener last. When it makes the socket that happens in the same interrupt: then
 * what was said of it holds for that. On each CPU.
 */
struct tap_first {
	__u32 sequence;
	__u16 port; /* of the peer */
	bool is_foreign;
	bool has_hole; /* the record of it was lost */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_first);
} tap_first SEC(".maps");

static __always_inline void note_first(const struct packet *packet, bool is_foreign, bool has_hole)
{
	__u32 zero = 0;
	struct tap_first *first = bpf_map_lookup_elem(&tap_first, &zero);

	if (!first)
		return;
	first->sequence = packet->sequence;
	first->port = packet->source;
	first->is_foreign = is_foreign;
	first->has_hole = has_hole;
}

/* Enters into SOCKET, of SK, what was said of its first bytes when it was not there yet. */
static __always_inline void take_first(const struct sock *sk, struct tap_socket *socket)
{
	__u32 zero = 0;
	struct tap_first *first = bpf_map_lookup_elem(&tap_first, &zero);

	if (!first || first->port != bpf_ntohs(sk->__sk_common.skc_dport) ||
	    first->sequence != socket->base_received)
		return;
	if (first->is_foreign)
		socket->is_done = true;
	else
		socket->is_told = true;
	/* What the server says now is an answer. */
	socket->is_checked = true;
	socket->has_hole = first->has_hole;
}

/*
 * A QUIC connection: whether it has come so far that 1-RTT packets are sent. They say nothing of
 * what they are, so that only those of sockets with storage are looked at, and of those the first
 * one of each direction.
 */
struct tap_quic {
	__u64 cookie;
	__u8 peer[16];
	__u16 peer_port;
	__u16 reserved[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tap_quic);
	__type(value, __u8); /* directions of which one was told, a bit each */
} tap_quic SEC(".maps");

static __always_inline struct tap_quic quic_of(__u64 cookie, const struct packet *packet,
					       bool is_received)
{
	struct tap_quic quic = {
		.cookie = cookie,
		.peer_port = is_received ? packet->source : packet->dest,
	};

	__builtin_memcpy(quic.peer, is_received ? packet->from : packet->to, sizeof(quic.peer));
	return quic;
}

/* With an Initial packet a connection begins, or may. */
static __always_inline void quic_begins(struct bpf_sock *sk, const struct tap_quic *quic)
{
	struct tap_socket fresh = {};
	__u8 none = 0;

	bpf_sk_storage_get(&tap_sockets, sk, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);
	bpf_map_update_elem(&tap_quic, quic, &none, BPF_ANY);
}

#endif /* SOCKET_BPF_H */
