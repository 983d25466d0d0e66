/* SPDX-License-Identifier: MIT */
#ifndef TAP_H
#define TAP_H

#include "../../wire.h"

/*
 * The first bytes of every new connection, both directions, until somebody knows what it is. A
 * record's owner is the process in its head, by its tgid alone, and owner_ns: the process table has
 * the rest. With tgid 0 nobody has used the socket yet.
 */

#define TAP_BYTES_MAX	32768 /* of each direction of a connection */
#define TAP_DECIDED_MAX 8192  /* slots, a power of two */

/* event_hdr.type */
enum tap_record {
	TAP_SEGMENT,  /* bytes of a TCP connection */
	TAP_DATAGRAM, /* of a UDP flow: a handshake's packet, or what it begins with */
	TAP_OWNER,    /* the connection belongs to another process now; no bytes */
	TAP_CLOSE,    /* it is over; no bytes */
};

/* event_hdr.flags */
#define TAP_AT_LISTENER                                                                            \
	0x1		     /* came before its socket was made: cookie and owner are a listener's \
			      */
#define TAP_HAS_HOLE	 0x2 /* records of this connection were lost before */
#define TAP_IS_CUT	 0x4 /* the datagram was longer */
#define TAP_IS_RESET	 0x8 /* of TAP_CLOSE: by an error, not by both ends */
#define TAP_IS_LISTENERS 0x10 /* the owner is who listens, until a process has read */

enum tap_role {
	TAP_UNKNOWN,
	TAP_CLIENT, /* of TCP: it connected */
	TAP_SERVER,
};

struct tap_event {
	struct event_hdr hdr;
	__u64 cookie;	/* of the socket, see socket(7), SO_COOKIE; 0: none */
	__u64 owner_ns; /* boot time at which the owner was made */
	__u8 local[16]; /* IPv6; IPv4 as ::ffff:0:0/96 */
	__u8 peer[16];
	__u16 local_port;
	__u16 peer_port;
	__u8 is_received; /* else sent by this end */
	__u8 role;	  /* enum tap_role */
	__u16 reserved;
	__u32 sequence; /* of the first byte, as in the TCP header */
	__u32 base;	/* of the first byte of this direction; with TAP_AT_LISTENER unknown, 0 */
	struct tail payload;
	__u32 reserved2;
};

_Static_assert(sizeof(struct tap_event) == 168, "struct tap_event has changed");

/*
 * What user space says to the kernel, in mapped memory: the cookies of connections of which nothing
 * more is needed, each in the slot of its lowest bits. One that is overwritten by another is
 * told on to TAP_BYTES_MAX: no harm.
 */
struct tap_decided {
	__u64 cookies[TAP_DECIDED_MAX];
};

#endif /* TAP_H */
