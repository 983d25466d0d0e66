/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_SSH_H
#define INSPECT_SSH_H

/*
 * Keys of SSH: the blob that every format has for the public part (RFC 4253, 6.6; RFC 5656, 3.1;
 * RFC 8709, 4; PROTOCOL.certkeys and PROTOCOL.u2f of OpenSSH), private keys of OpenSSH
 * (PROTOCOL.key) and of PuTTY (its manual, appendix C). In private keys nothing behind the public
 * part is read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/der.h"
#include "inspect/judge.h"

/* Letters of a key type, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com" being the longest. */
#define SSH_TYPE_MAX 64

/* Whether the SIZE bytes at TYPE name a type of key ("ssh-ed25519"), or of certificate. */
bool ssh_type_is_known(const char *type, size_t size);
bool ssh_type_is_certificate(const char *type, size_t size);

/*
 * Reads type, curve and bits of the blob at AT of OCTETS into *RET. Returns false, *RET untouched,
 * when it is no key.
 */
bool ssh_read_blob(struct octets *octets, size_t at, struct key *ret);

/* Adds the key "openssh-key-v1" in OCTETS. Returns whether there is one. */
bool ssh_read_openssh(struct judge *judge, struct octets *octets);

/* Judges a file of PuTTY ("PuTTY-User-Key-File-3: ..."). Returns whether it is one. */
bool ssh_judge_putty(struct judge *judge, const char *text, size_t size);

#endif /* INSPECT_SSH_H */
