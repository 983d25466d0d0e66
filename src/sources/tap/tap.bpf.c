/* SPDX-License-Identifier: MIT */
/*
 * The packet tap: copies of what new connections begin with, at the sockets of the host, in every
 * network namespace. It only looks: each packet program returns 1, the packet goes on.
 *
 * What is known of a TCP connection is in its socket's storage. Whose it is: who connected or
 * listened, then whoever reads from it first, and last (a parent may hand it to a child). A program
 * for packets runs in interrupts, where the current task is anybody; it may interrupt another of
 * itself, so that records are reserved in the ring, never put together in shared memory, and
 * counters are added to atomically.
 */
#include "../../bpf/emit.bpf.h"
#include "../../bpf/set.bpf.h"
#include "packet.bpf.h"
#include "socket.bpf.h"
#include "tap.h"

/* The sizes that a record may take in the ring: one is reserved before it is filled. */
#define PIECE_SMALL  1024
#define PIECE_MEDIUM 2048
#define PIECE_LARGE  4096
#define PIECES_MAX   9

_Static_assert(PIECES_MAX *(PIECE_LARGE - sizeof(struct tap_event)) > TAP_BYTES_MAX, "pieces");

/* What is told of some bytes of a packet. */
struct piece {
	struct tap_event head;
	__u32 at; /* in the packet */
	__u32 size;
};

static __always_inline void head_of_socket(struct tap_event *event, __u16 type,
					   const struct tap_socket *socket)
{
	struct event_hdr *hdr = &event->hdr;

	event->owner_ns = socket->start_ns;
	head_begin(hdr, SOURCE_tap, type);
	hdr->tgid = socket->tgid;
	hdr->tid = socket->tgid;
	hdr->uid = socket->uid;
	if (socket->has_hole)
		hdr->flags |= TAP_HAS_HOLE;
	if (socket->is_listeners)
		hdr->flags |= TAP_IS_LISTENERS;
}

/* Whether a record may go into the ring: the last quarter is for what is rarer. */
static __always_inline bool has_room(__u64 *ret_used)
{
	*ret_used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	return *ret_used <= config.ring_size / 4 * 3;
}

/* The ends of SK, which is connected, or was: then its port is no longer where it is looked for. */
static __always_inline void name_ends_of(struct tap_event *event, const struct sock *sk)
{
	event->local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	event->peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (sk->__sk_common.skc_family == AF_INET) {
		__u32 local = sk->__sk_common.skc_rcv_saddr;
		__u32 peer = sk->__sk_common.skc_daddr;

		map_v4(event->local, &local);
		map_v4(event->peer, &peer);
		return;
	}
	BPF_CORE_READ_INTO(&event->local, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&event->peer, sk, __sk_common.skc_v6_daddr);
}

/* Tells that a connection has another owner, or is over. */
static __always_inline void tell_change(struct sock *sk, struct tap_socket *socket, __u16 type,
					__u16 flags)
{
	struct source_counters *counters = counters_get(SOURCE_tap);
	struct control *control = control_get();
	struct tap_event *event;
	__u64 used;

	if (!counters || !control || !control->on)
		return;
	count(&counters->hit);
	event = has_room(&used) ? bpf_ringbuf_reserve(&events, sizeof(*event), 0) : NULL;
	if (!event) {
		count(&counters->ring_full);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	head_of_socket(event, type, socket);
	event->hdr.size = sizeof(*event);
	event->hdr.flags |= flags;
	event->cookie = bpf_get_socket_cookie(sk);
	event->role = socket->role;
	name_ends_of(event, sk);
	bpf_ringbuf_submit(event, wake_flags(control, used));
	count(&counters->sent);
}

/* A socket that is used again has the number that it had: what was decided is not about this. */
static __always_inline void undecide(struct sock *sk)
{
	__u64 cookie = bpf_get_socket_cookie(sk);
	__u64 *slot = decided_slot(cookie);

	if (slot && *slot == cookie)
		*slot = 0;
}

static __always_inline void socket_opened(struct sock *sk, __u32 role)
{
	struct tap_socket fresh = { .role = role };
	struct tap_socket *socket = bpf_sk_storage_get(&tap_sockets, sk, NULL, 0);

	if (socket) {
		*socket = fresh;
		socket->is_done = true;
		undecide(sk);
	}
	if (role == TAP_CLIENT && !current_selected())
		return;
	socket = bpf_sk_storage_get(&tap_sockets, sk, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!socket)
		return;
	own(socket);
	socket->is_listeners = role == TAP_SERVER;
	socket->is_done = false;
}

/*
 * From the handshake's end on it is known where in its stream a byte is: with TCP Fast Open (RFC
 * 7413) there may be some in both directions already.
 */
static __always_inline void socket_established(struct sock *sk, bool is_accepted)
{
	struct tap_socket fresh = { .role = TAP_SERVER, .is_listeners = true };
	struct tap_socket *socket = bpf_sk_storage_get(
		&tap_sockets, sk, &fresh, is_accepted ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (!socket || !tcp)
		return;
	/* What a SYN showed that was not taken is not it. */
	socket->has_base[1] = false;
	set_bases(socket, tcp->rcv_nxt - (__u32)tcp->bytes_received,
		  tcp->snd_una - (__u32)tcp->bytes_acked);
	if (is_accepted)
		take_first(sk, socket);
}

/* include/uapi/asm-generic/errno.h: what reset, refusal or a dead peer leave in sk_err. */
static __always_inline void socket_closed(struct sock *sk)
{
	struct tap_socket *socket = bpf_sk_storage_get(&tap_sockets, sk, NULL, 0);

	if (!socket || !socket->is_told || socket->is_done)
		return;
	socket->is_done = true;
	tell_change(sk, socket, TAP_CLOSE, sk->sk_err ? TAP_IS_RESET : 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tap_state, struct sock *sk, int before, int after)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (after == TCP_SYN_SENT)
		socket_opened(sk, TAP_CLIENT);
	else if (after == TCP_LISTEN)
		socket_opened(sk, TAP_SERVER);
	else if (after == TCP_ESTABLISHED)
		socket_established(sk, before != TCP_SYN_SENT);
	else if (after == TCP_CLOSE)
		socket_closed(sk);
	return 0;
}

/* Data was copied to whoever reads: the current process. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tap_read, struct sock *sk)
{
	struct tap_socket *socket = bpf_sk_storage_get(&tap_sockets, sk, NULL, 0);

	if (!socket || socket->is_done || !own(socket))
		return 0;
	if (socket->is_told)
		tell_change(sk, socket, TAP_OWNER, 0);
	return 0;
}

/* Fills a record of SIZE bytes in the ring: the head, then those of the packet. */
static __always_inline bool piece_send(struct __sk_buff *skb, const struct piece *piece,
				       const __u64 total, __u64 wake)
{
	__u8 *bytes = bpf_ringbuf_reserve(&events, total, 0);
	const __u64 cap = total - sizeof(struct tap_event);
	__u64 n = piece->size;

	if (!bytes)
		return false;
	__builtin_memcpy(bytes, &piece->head, sizeof(piece->head));
	/* In this order older verifiers see that 1 <= n <= cap. */
	if (!n || n > cap)
		goto drop;
	n -= 1;
	barrier_var(n);
	if (n > cap - 1)
		n = cap - 1;
	barrier_var(n);
	n += 1;
	if (bpf_skb_load_bytes(skb, piece->at, bytes + sizeof(struct tap_event), n))
		goto drop;
	bpf_ringbuf_submit(bytes, wake);
	return true;
drop:
	bpf_ringbuf_discard(bytes, BPF_RB_NO_WAKEUP);
	return false;
}

VERIFIED_ALONE bool piece_tell(struct __sk_buff *skb, struct piece *piece, __u64 wake)
{
	__u32 total;

	if (!piece)
		return false;
	total = sizeof(struct tap_event) + piece->size;
	piece->head.hdr.size = total;
	piece->head.payload.off = sizeof(struct tap_event);
	piece->head.payload.size = piece->size;
	if (total <= PIECE_SMALL)
		return piece_send(skb, piece, PIECE_SMALL, wake);
	if (total <= PIECE_MEDIUM)
		return piece_send(skb, piece, PIECE_MEDIUM, wake);
	return piece_send(skb, piece, PIECE_LARGE, wake);
}

/* Tells SIZE bytes of the packet in pieces. Returns false when one was lost. */
VERIFIED_ALONE bool tell_bytes(struct __sk_buff *skb, struct piece *piece, __u32 size)
{
	struct source_counters *counters = counters_get(SOURCE_tap);
	struct control *control = control_get();
	__u64 used;

	if (!piece || !counters || !control)
		return false;
	for (int i = 0; i < PIECES_MAX; i++) {
		bool is_sent;

		if (!size)
			break;
		piece->size = size;
		if (piece->size > PIECE_LARGE - sizeof(struct tap_event))
			piece->size = PIECE_LARGE - sizeof(struct tap_event);
		count(&counters->hit);
		is_sent = has_room(&used) && piece_tell(skb, piece, wake_flags(control, used));
		if (!is_sent) {
			count(&counters->ring_full);
			return false;
		}
		count(&counters->sent);
		piece->at += piece->size;
		piece->head.sequence += piece->size;
		size -= piece->size;
	}
	return true;
}

/* Addresses as the socket has them: the packet's may be translated already, or not yet. */
static __always_inline void name_ends(struct tap_event *event, const struct bpf_sock *sk,
				      const struct packet *packet, bool is_received)
{
	event->is_received = is_received;
	event->local_port = is_received ? packet->dest : packet->source;
	event->peer_port = is_received ? packet->source : packet->dest;
	__builtin_memcpy(event->local, is_received ? packet->to : packet->from, 16);
	__builtin_memcpy(event->peer, is_received ? packet->from : packet->to, 16);
	if (!sk->dst_port)
		return;
	event->local_port = sk->src_port;
	event->peer_port = bpf_ntohs(sk->dst_port);
	if (sk->family == AF_INET) {
		__u32 local = sk->src_ip4;
		__u32 peer = sk->dst_ip4;

		map_v4(event->local, &local);
		map_v4(event->peer, &peer);
		return;
	}
	__u32 local[4] = { sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3] };
	__u32 peer[4] = { sk->dst_ip6[0], sk->dst_ip6[1], sk->dst_ip6[2], sk->dst_ip6[3] };

	__builtin_memcpy(event->local, local, 16);
	__builtin_memcpy(event->peer, peer, 16);
}

/* A segment of a connection whose socket is there. */
static __always_inline void tap_segment(struct __sk_buff *skb, struct bpf_sock *sk,
					struct tap_socket *socket, bool is_received)
{
	struct source_counters *counters = counters_get(SOURCE_tap);
	struct control *control = control_get();
	struct packet packet = {};
	struct piece piece = {};
	__u64 cookie;

	if (!counters || !control || !control->on)
		return;
	cookie = bpf_get_socket_cookie(skb);
	if (is_decided(cookie)) {
		socket->is_done = true;
		return;
	}
	if (!packet_read(skb, &packet) || packet.protocol != IPPROTO_TCP)
		return;
	if (!socket->has_base[is_received])
		learn_bases(socket, sk, &packet, is_received);
	if (!packet.size || !socket->has_base[is_received] ||
	    (is_received && !may_be_peers(sk, &packet)) ||
	    !select_news(socket, sk, &packet, is_received))
		return;
	if (is_foreign(skb, socket, &packet, is_received)) {
		socket->is_done = true;
		count(&counters->hit);
		count(&counters->rejected);
		return;
	}
	socket->is_told = true;
	head_of_socket(&piece.head, TAP_SEGMENT, socket);
	piece.head.cookie = cookie;
	piece.head.role = socket->role;
	piece.head.sequence = packet.sequence;
	piece.head.base = is_received ? socket->base_received : socket->base_sent;
	name_ends(&piece.head, sk, &packet, is_received);
	piece.at = packet.at;
	if (!tell_bytes(skb, &piece, packet.size))
		socket->has_hole = true;
}

/*
 * A segment that comes before its connection's socket: with TCP_DEFER_ACCEPT, or when the last part
 * of the handshake of TCP was lost, the client's first bytes are given to who listens. They need
 * not be the very first ones: if those were lost too, only text is known to be nothing.
 */
static __always_inline void tap_at_listener(struct __sk_buff *skb, struct bpf_sock *sk,
					    struct tap_socket *socket)
{
	struct source_counters *counters = counters_get(SOURCE_tap);
	struct control *control = control_get();
	struct packet packet = {};
	struct piece piece = {};
	bool is_nothing;
	bool is_sent;
	__u64 word;

	if (!counters || !control || !control->on || !packet_read(skb, &packet) || !packet.size ||
	    packet.protocol != IPPROTO_TCP)
		return;
	word = first_bytes(skb, packet.at, packet.size);
	is_nothing = !may_begin(word, packet.size, false);
	if (is_nothing && is_text(word, packet.size)) {
		note_first(&packet, true, false);
		count(&counters->hit);
		count(&counters->rejected);
		return;
	}
	head_begin(&piece.head.hdr, SOURCE_tap, TAP_SEGMENT);
	if (socket) {
		piece.head.hdr.tgid = socket->tgid;
		piece.head.hdr.tid = socket->tgid;
		piece.head.hdr.uid = socket->uid;
		piece.head.owner_ns = socket->start_ns;
	}
	piece.head.hdr.flags |= TAP_AT_LISTENER | TAP_IS_LISTENERS;
	piece.head.role = TAP_SERVER;
	piece.head.sequence = packet.sequence;
	name_ends(&piece.head, sk, &packet, true);
	piece.at = packet.at;
	if (packet.size > TAP_BYTES_MAX)
		packet.size = TAP_BYTES_MAX;
	is_sent = tell_bytes(skb, &piece, packet.size);
	note_first(&packet, is_nothing, !is_sent);
}

static __always_inline void tap_datagram(struct __sk_buff *skb, struct bpf_sock *sk,
					 const struct tap_socket *socket, bool is_received)
{
	struct source_counters *counters = counters_get(SOURCE_tap);
	struct control *control = control_get();
	struct tap_socket sender = {};
	struct packet packet = {};
	struct piece piece = {};
	struct tap_quic quic;
	__u8 *shorts = NULL;
	__u32 size, type;
	__u64 word;

	if (!counters || !control || !control->on || !packet_read(skb, &packet) || !packet.size ||
	    packet.protocol != IPPROTO_UDP)
		return;
	word = first_bytes(skb, packet.at, packet.size);
	size = datagram_news(word, packet.size);
	if (!size && (word & 0x80 || !socket))
		return;
	piece.head.cookie = bpf_get_socket_cookie(skb);
	quic = quic_of(piece.head.cookie, &packet, is_received);
	if (!size) {
		shorts = bpf_map_lookup_elem(&tap_quic, &quic);
		if (!shorts || *shorts & 1 << is_received)
			return;
		size = packet.size < DATAGRAM_HEAD ? packet.size : DATAGRAM_HEAD;
	} else if (quic_is_long(word, packet.size, &type) && type == QUIC_INITIAL) {
		quic_begins(sk, &quic);
	}
	/* Only who sends is the current process. */
	if (!is_received)
		own(&sender);
	head_of_socket(&piece.head, TAP_DATAGRAM, &sender);
	name_ends(&piece.head, sk, &packet, is_received);
	piece.at = packet.at;
	/* One record: what is behind it are further datagrams of the same flow. */
	if (size > PIECE_LARGE - sizeof(struct tap_event))
		size = PIECE_LARGE - sizeof(struct tap_event);
	if (size < packet.size)
		piece.head.hdr.flags |= TAP_IS_CUT;
	if (tell_bytes(skb, &piece, size) && shorts)
		*shorts |= 1 << is_received;
}

/*
 * A client that tap_state has not seen connect: the kernel does not run a program while it
 * interrupts the same one. Whose it is shows when it reads.
 */
static __always_inline struct tap_socket *make_up(struct bpf_sock *sk)
{
	struct tap_socket fresh = { .role = TAP_CLIENT };

	if (config.select)
		return NULL;
	return bpf_sk_storage_get(&tap_sockets, sk, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/*
 * Bytes go by before the run has begun: those that follow say nothing any more, and the connection
 * is none that is seen (bpf/iterate.bpf.c).
 */
static __always_inline void tap_missed(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct packet packet = {};

	if (packet_read(skb, &packet) && packet.size)
		bpf_sk_storage_delete(&tap_sockets, sk);
}

/* Most packets are of connections of which all is known: little is done before that is seen. */
static __always_inline int tap_packet(struct __sk_buff *skb, bool is_received)
{
	struct control *control = control_get();
	struct bpf_sock *sk = skb->sk;
	struct tap_socket *socket;

	if (!sk)
		return 1;
	socket = bpf_sk_storage_get(&tap_sockets, sk, NULL, 0);
	if (socket && (socket->is_done || socket->is_full[is_received]))
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	if (sk->protocol == IPPROTO_UDP) {
		tap_datagram(skb, sk, socket, is_received);
		return 1;
	}
	if (sk->protocol != IPPROTO_TCP)
		return 1;
	if (sk->state == TCP_LISTEN) {
		if (is_received)
			tap_at_listener(skb, sk, socket);
		return 1;
	}
	if (!socket && !is_received && sk->state == TCP_SYN_SENT)
		socket = make_up(sk);
	if (!socket)
		return 1;
	if (control && control->on && !control->startup)
		tap_segment(skb, sk, socket, is_received);
	else
		tap_missed(skb, sk);
	return 1;
}

SEC("cgroup_skb/egress")
int tap_sent(struct __sk_buff *skb)
{
	return tap_packet(skb, false);
}

SEC("cgroup_skb/ingress")
int tap_received(struct __sk_buff *skb)
{
	return tap_packet(skb, true);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
