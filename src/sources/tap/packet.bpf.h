/* SPDX-License-Identifier: MIT */
#ifndef PACKET_BPF_H
#define PACKET_BPF_H

/* What of a packet is read: its headers, and what its first bytes make it. */

#include "../../bpf/vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "../../bpf/alone.bpf.h"
#include "../../proto/beginning.h"

/* include/linux/socket.h, include/uapi/linux/in.h, in6.h */
#define AF_INET		2
#define AF_INET6	10
#define IPPROTO_HOPOPTS 0
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_ROUTING 43
#define IPPROTO_DSTOPTS 60

/* RFC 9293 section 3.1 */
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_ACK 0x10

/* RFC 9000 sections 15 and 17.2, RFC 9369 section 3.1 */
#define QUIC_V1	       1
#define QUIC_V2	       0x6b3343cf
#define QUIC_INITIAL   0
#define QUIC_0RTT      1
#define QUIC_HANDSHAKE 2

/* Of a datagram that only has to be noticed. */
#define DATAGRAM_HEAD 64

/* A packet, as far as its headers were read. */
struct packet {
	__u32 at;   /* of the transport header, then of the payload, in the packet */
	__u32 size; /* of the payload */
	__u32 sequence;
	__u32 acknowledged;
	__u16 source;
	__u16 dest;
	__u8 protocol;
	bool is_syn;
	__u8 from[16];
	__u8 to[16];
};

/* Makes OUT the address of IPv4 IN. */
static __always_inline void map_v4(__u8 *out, const void *in)
{
	__builtin_memset(out, 0, 10);
	out[10] = 0xff;
	out[11] = 0xff;
	__builtin_memcpy(out + 12, in, 4);
}

static __always_inline bool read_v4(struct __sk_buff *skb, struct packet *packet)
{
	__u8 header[20];

	if (bpf_skb_load_bytes(skb, 0, header, sizeof(header)))
		return false;
	packet->protocol = header[9];
	packet->at = (header[0] & 0xf) * 4;
	map_v4(packet->from, header + 12);
	map_v4(packet->to, header + 16);
	return packet->at >= sizeof(header);
}

/* With the extension headers that hosts put before TCP and UDP (RFC 8200 section 4). */
static __always_inline bool read_v6(struct __sk_buff *skb, struct packet *packet)
{
	__u8 header[40];
	__u8 next[2];

	if (bpf_skb_load_bytes(skb, 0, header, sizeof(header)))
		return false;
	packet->protocol = header[6];
	packet->at = sizeof(header);
	__builtin_memcpy(packet->from, header + 8, 16);
	__builtin_memcpy(packet->to, header + 24, 16);
	for (int i = 0; i < 4; i++) {
		if (packet->protocol != IPPROTO_HOPOPTS && packet->protocol != IPPROTO_ROUTING &&
		    packet->protocol != IPPROTO_DSTOPTS)
			break;
		if (bpf_skb_load_bytes(skb, packet->at, next, sizeof(next)))
			return false;
		packet->protocol = next[0];
		packet->at += (next[1] + 1) * 8;
	}
	return true;
}

static __always_inline __u32 read_be32(const __u8 *bytes)
{
	return (__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Reads the headers of SKB, which begins with the IP header. False: not for us. */
VERIFIED_ALONE bool packet_read(struct __sk_buff *skb, struct packet *packet)
{
	__u8 header[20];
	__u8 version;
	bool is_void = false;

	if (!packet || bpf_skb_load_bytes(skb, 0, &version, 1))
		return false;
	if (version >> 4 == 4 ? !read_v4(skb, packet) : !read_v6(skb, packet))
		return false;
	if (packet->protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, packet->at, header, 20))
			return false;
		packet->sequence = read_be32(header + 4);
		packet->acknowledged = read_be32(header + 8);
		packet->at += (header[12] >> 4) * 4;
		/* The flag takes a number of its own (RFC 9293 section 3.4); RFC 7413 has data
		 * there. */
		packet->is_syn = header[13] & TCP_FLAG_SYN;
		packet->sequence += packet->is_syn;
		/* Nobody takes bytes from such a one (section 3.10.7). */
		is_void =
			header[13] & TCP_FLAG_RST || !(header[13] & (TCP_FLAG_SYN | TCP_FLAG_ACK));
	} else if (packet->protocol == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, packet->at, header, 8))
			return false;
		packet->sequence = 0;
		packet->at += 8;
	} else {
		return false;
	}
	packet->source = (__u16)(header[0] << 8 | header[1]);
	packet->dest = (__u16)(header[2] << 8 | header[3]);
	packet->size = !is_void && skb->len > packet->at ? skb->len - packet->at : 0;
	return true;
}

/* The first of SIZE bytes at AT, the first one in the lowest byte, as many as there are. */
VERIFIED_ALONE __u64 first_bytes(struct __sk_buff *skb, __u32 at, __u32 size)
{
	__u64 word = 0;

	if (size >= sizeof(word)) {
		bpf_skb_load_bytes(skb, at, &word, sizeof(word));
		return word;
	}
	for (__u32 i = 0; i < sizeof(word) - 1; i++) {
		__u8 byte = 0;

		if (i >= size)
			break;
		bpf_skb_load_bytes(skb, at + i, &byte, 1);
		word |= (__u64)byte << 8 * i;
	}
	return word;
}

/*
 * Whether a TCP connection, on which SIZE bytes are the first and WORD holds their first ones, may
 * become TLS or SSH. With a server's greeting other things may follow than with a client's words.
 */
VERIFIED_ALONE bool may_begin(__u64 word, __u32 size, bool from_server)
{
	return from_server ? beginning_of_server(word, size) : beginning_of_client(word, size);
}

/* Whether the first of SIZE bytes, in WORD, are printable, as those of a request. */
VERIFIED_ALONE bool is_text(__u64 word, __u32 size)
{
	if (size < 4)
		return false;
	for (__u32 i = 0; i < 8; i++) {
		__u8 byte = word >> 8 * i;

		if (i >= size)
			break;
		if (byte < 0x20 || byte > 0x7e)
			return false;
	}
	return true;
}

/*
 * Whether a datagram that begins with WORD holds a packet of QUIC with a long header (RFC 9000
 * section 17.2, RFC 9369 section 3.2), of which type in *RET. The fixed bit may be anything (RFC
 * 9287).
 */
static __always_inline bool quic_is_long(__u64 word, __u32 size, __u32 *ret)
{
	__u32 version = bpf_ntohl((__u32)(word >> 8));

	if (!(word & 0x80) || size < 7 || (version != QUIC_V1 && version != QUIC_V2))
		return false;
	/* Version 2 counts the types from another one. */
	*ret = ((__u32)(word >> 4) - (version == QUIC_V2)) & 3;
	return true;
}

/*
 * How much of a datagram that begins with WORD is told. QUIC: Initial, Retry and Version
 * Negotiation packets as they are, of a Handshake packet that it was there. DTLS (RFC 6347 section
 * 4.1): records of a handshake, and alerts.
 */
VERIFIED_ALONE __u32 datagram_news(__u64 word, __u32 size)
{
	__u32 first = word & 0xff;
	__u32 type;

	if (first >= 0x14 && first <= 0x16 && (word >> 8 & 0xff) == 0xfe)
		return size >= 13 ? size : 0;
	if (quic_is_long(word, size, &type)) {
		if (type == QUIC_0RTT)
			return 0;
		return type == QUIC_HANDSHAKE && size > DATAGRAM_HEAD ? DATAGRAM_HEAD : size;
	}
	/* Version Negotiation. */
	return first & 0x80 && size >= 7 && !(__u32)(word >> 8) ? size : 0;
}

#endif /* PACKET_BPF_H */
