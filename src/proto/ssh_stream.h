/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SSH_STREAM_H
#define PROTO_SSH_STREAM_H

/*
 * One direction of an SSH connection up to where it is encrypted: the identification line and the
 * packets of the key exchange (RFC 4253 sections 4.2 and 6), not interpreted. Results borrow the
 * bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

/* With CR and LF (RFC 4253 section 4.2). */
#define SSH_IDENT_MAX 255
/* What a server may say before it, all lines together; that is our limit. */
#define SSH_PREAMBLE_MAX 8192
/* A packet with its length and padding (RFC 4253 section 6.1). */
#define SSH_PACKET_MAX 35000
/* Messages of the kex that are kept. What comes behind them is left out. */
#define SSH_KEX_MESSAGES_MAX 8

/* Message numbers (RFC 4253 section 12, RFC 4250 section 4.1). */
enum ssh_message_number {
	SSH_MSG_DISCONNECT = 1,
	SSH_MSG_IGNORE = 2,
	SSH_MSG_DEBUG = 4,
	SSH_MSG_KEXINIT = 20,
	SSH_MSG_NEWKEYS = 21,
	SSH_MSG_KEX_FIRST = 30, /* to 49: what the kex makes of them */
	SSH_MSG_KEX_LAST = 49,
	SSH_MSG_LOCAL_FIRST = 192, /* to 255: extensions of one's own */
};

/* Versions that an identification line allows. */
enum ssh_versions {
	SSH_SPEAKS_1 = 1,
	SSH_SPEAKS_2 = 2, /* "2.0"; "1.99" is both (RFC 4253 section 5.1) */
};

struct ssh_message {
	uint8_t number;
	struct flow_text body; /* behind the number */
};

enum ssh_stream_state {
	SSH_STREAM_WAITS, /* for more */
	SSH_STREAM_ENDED, /* before it was encrypted */
	SSH_STREAM_KEYED, /* SSH_MSG_NEWKEYS: what follows is encrypted */
	SSH_STREAM_LEFT,  /* SSH_MSG_DISCONNECT */
	SSH_STREAM_OLD,	  /* version 1, whose packets are not read */
	SSH_STREAM_BAD,	  /* not as SSH has it */
};

/* Of text and messages that were not seen the bytes are NULL. */
struct ssh_stream {
	enum ssh_stream_state state;
	uint32_t versions;	/* enum ssh_versions */
	struct flow_text ident; /* without CR and LF */
	struct flow_text offer; /* SSH_MSG_KEXINIT behind its number */
	struct flow_text disconnect;
	struct ssh_message kex[SSH_KEX_MESSAGES_MAX];
	size_t nr_kex;
	size_t need; /* where it waits: no call with fewer bytes tells more */
};

/* IS_SERVER: other lines may come before the identification. */
void ssh_stream_read(const struct flow_bytes *from, bool is_server, struct ssh_stream *ret);

#endif /* PROTO_SSH_STREAM_H */
