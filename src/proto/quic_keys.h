/* SPDX-License-Identifier: MIT */
#ifndef PROTO_QUIC_KEYS_H
#define PROTO_QUIC_KEYS_H

/*
 * Takes the protection off Initial packets, whose keys anyone can make who has seen the first
 * connection ID of the client: RFC 9001 section 5, RFC 9369 section 3.3. They hide nothing from an
 * observer; the tag only shows that a packet belongs to the connection and has come whole.
 *
 * What libcrypto needs is kept for the life of the process, also room for one payload: of one
 * thread only. Its queue of errors is left empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/quic_packet.h"

#define QUIC_NR_VERSIONS 2

struct quic_keys {
	uint8_t key[16];
	uint8_t iv[12];
	uint8_t mask_key[16]; /* of the header protection */
};

/*
 * Makes libcrypto load what the functions below need, which after that open no file and make no
 * system call but for memory. Once; further calls do nothing. Returns 0 or -EIO.
 */
int quic_keys_prepare(void);

/* Gives back what quic_keys_prepare() got. */
void quic_keys_release(void);

/* A number below QUIC_NR_VERSIONS, or -1 when Initial packets of the version cannot be read. */
int quic_version_index(uint32_t version);

/*
 * Makes the keys of both directions from the connection ID, of a version by its index. Returns
 * false when libcrypto fails or is not prepared.
 */
bool quic_keys_make(int version, struct flow_text cid,
		    struct quic_keys ret_keys[NR_FLOW_DIRECTIONS]);

/*
 * The payload of an Initial packet, valid until the next call, where its tag is right. NEXT is the
 * number above the largest one known of this sender, 0 at first; *RET_NUMBER is the packet's.
 */
bool quic_packet_open(const struct quic_packet *packet, const struct quic_keys *keys, uint64_t next,
		      struct flow_text *ret_payload, uint64_t *ret_number);

/* Whether a Retry packet answers a client that called the server CID: RFC 9001 section 5.8. */
bool quic_retry_is_authentic(const struct quic_packet *packet, struct flow_text cid);

#endif /* PROTO_QUIC_KEYS_H */
