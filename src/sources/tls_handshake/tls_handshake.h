/* SPDX-License-Identifier: MIT */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include "../../wire.h"

/*
 * A TLS handshake that ended, at one of its ends; made in user space of what the tap copied. Codes
 * are those of catalogue/tls.h and proto/tls.h.
 */

/* tls_handshake_event.marks */
#define TLS_EVENT_HAS_CHOICE   0x0001 /* version and cipher: the server has answered */
#define TLS_EVENT_HELLO_RETRY  0x0002
#define TLS_EVENT_OUTER_NAME   0x0004
#define TLS_EVENT_HAS_ALERT    0x0008
#define TLS_EVENT_ALERT_HIDDEN 0x0010 /* it is encrypted */
#define TLS_EVENT_EARLY_DATA   0x0020
#define TLS_EVENT_CUT	       0x0040 /* a list or a name was longer */
#define TLS_EVENT_SERVER_ALERT 0x0080 /* the alert is the server's */
#define TLS_EVENT_SSLV2_HELLO  0x0100
#define TLS_EVENT_HAS_HOLE     0x0200 /* records were lost: the end is not known */

struct tls_handshake_event {
	struct event_hdr hdr;
	__u64 duration_ns; /* from the first byte of the connection */
	__u8 local[16];	   /* IPv6; IPv4 as ::ffff:0:0/96 */
	__u8 peer[16];
	__u16 local_port;
	__u16 peer_port;
	__u16 version;
	__u16 cipher;
	__u16 group;
	__u16 signature;
	__u16 dh_bits;
	__u16 marks;
	__u8 role;	/* enum flow_direction */
	__u8 outcome;	/* enum tls_outcome */
	__u8 transport; /* enum tls_transport */
	__u8 starttls;	/* enum starttls_protocol */
	__u8 alert;
	__u8 resumed;		/* enum tls_answer */
	__u8 sends_certificate; /* enum tls_answer: of the client */
	__u8 group_known;	/* enum tls_known, and those that follow */
	__u8 signature_known;
	__u8 alpn_known;
	__u8 certificates_known;
	__u8 why_not_tls13; /* tls_verdict.h */
	__u8 why_not_pq;
	__u8 forward_secrecy;
	__u8 post_quantum;
	__u8 cnsa2;
	__u32 family; /* enum library_family, of the library */
	struct tail server_name;
	struct tail alpn;
	struct tail ja3;
	struct tail ja4;
	struct tail library;	      /* path */
	struct tail offered_alpn;     /* NUL-separated */
	struct tail offered_versions; /* __u32 each, and those that follow */
	struct tail offered_ciphers;
	struct tail offered_groups;
	struct tail offered_signatures;
	struct tail certificates; /* of the server: size as __u32, then DER, each */
	struct tail verdicts;	  /* see sources/verdicts.h */
	struct tail candidates;	  /* paths, where several libraries may have made it */
};

_Static_assert(sizeof(struct tls_handshake_event) == 224, "struct tls_handshake_event has changed");

#endif /* TLS_HANDSHAKE_H */
