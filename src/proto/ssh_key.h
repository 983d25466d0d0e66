/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SSH_KEY_H
#define PROTO_SSH_KEY_H

/*
 * Public keys and signatures as SSH sends them (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC
 * 8709, PROTOCOL.certkeys of OpenSSH). Results borrow the blob.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"
#include "proto/reader.h"

/* "SHA256:", 43 letters of base64 and a NUL, as ssh-keygen -l prints it. */
#define SSH_FINGERPRINT_SIZE 51

/* The next string (RFC 4251 section 5): its bytes are NULL, and READER is short, without one. */
struct flow_text ssh_string(struct reader *reader);

/* Bits of a number sent as mpint, whose sign is overlooked: that of a modulus is never set. */
uint32_t ssh_mpint_bits(const struct flow_text *mpint);

struct ssh_key {
	struct flow_text type; /* "ssh-rsa"; of a certificate "ssh-rsa-cert-v01@openssh.com" */
	uint32_t bits;	       /* of the modulus or the curve; 0: not known */
};

/* Reads BLOB. Returns false, *RET untouched, when it does not begin with a type. */
bool ssh_key_read(const struct flow_text *blob, struct ssh_key *ret);

/*
 * Writes the fingerprint of BLOB, a whole key. Returns false when libcrypto refuses SHA-256, or
 * there is no memory.
 */
bool ssh_key_fingerprint(const struct flow_text *blob, char ret[static SSH_FINGERPRINT_SIZE]);

#endif /* PROTO_SSH_KEY_H */
