/* SPDX-License-Identifier: MIT */
#ifndef SSH_HANDSHAKE_H
#define SSH_HANDSHAKE_H

#include "../../wire.h"

/*
 * The key exchange that an SSH connection began with, at one of its ends; made in user space of
 * what the tap copied. Codes are those of proto/ssh.h.
 */

/* ssh_handshake_event.marks */
#define SSH_EVENT_HAS_CHOICE	   0x01 /* both have made their offers */
#define SSH_EVENT_POST_QUANTUM	   0x02
#define SSH_EVENT_STRICT	   0x04
#define SSH_EVENT_IMPLICIT_MAC_C2S 0x08 /* the cipher authenticates */
#define SSH_EVENT_IMPLICIT_MAC_S2C 0x10

struct ssh_handshake_event {
	struct event_hdr hdr;
	__u64 duration_ns; /* from the first byte of the connection */
	__u8 local[16];	   /* IPv6; IPv4 as ::ffff:0:0/96 */
	__u8 peer[16];
	__u16 local_port;
	__u16 peer_port;
	__u8 role;    /* enum flow_direction */
	__u8 outcome; /* enum ssh_event_outcome */
	__u8 marks;
	__u8 reserved;
	__u32 host_key_bits;
	__u32 group_bits;
	struct tail client_ident;
	struct tail server_ident;
	struct tail kex;
	struct tail host_key;
	struct tail cipher_c2s;
	struct tail cipher_s2c;
	struct tail mac_c2s;
	struct tail mac_s2c;
	struct tail compression_c2s;
	struct tail compression_s2c;
	struct tail signature;	 /* algorithm */
	struct tail fingerprint; /* of the host key */
	struct tail failure;	 /* text */
	struct tail verdicts;	 /* see sources/verdicts.h */
};

_Static_assert(sizeof(struct ssh_handshake_event) == 208, "struct ssh_handshake_event has changed");

enum ssh_event_outcome {
	SSH_EVENT_INCOMPLETE,
	SSH_EVENT_ESTABLISHED,
	SSH_EVENT_FAILED,
	SSH_EVENT_RESET,
};

#endif /* SSH_HANDSHAKE_H */
