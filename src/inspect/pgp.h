/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PGP_H
#define INSPECT_PGP_H

/*
 * OpenPGP (RFC 9580; version 4 as in RFC 4880): keys by the headers of their packets and the public
 * numbers' lengths; secret numbers are stepped over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/der.h"
#include "inspect/judge.h"

/*
 * Reads the packets in OCTETS between AT and END: keys are added, sights set. Returns whether the
 * first one is a packet. What an armored file holds is read with is_base64 octets.
 */
bool pgp_read_packets(struct judge *judge, struct octets *octets, size_t at, size_t end);

/*
 * Judges SIZE bytes at BYTES that are not armored. Returns whether they are packets: any that
 * begins like a key or a signature, and others where the name says so.
 */
bool pgp_judge_binary(struct judge *judge, const uint8_t *bytes, size_t size);

#endif /* INSPECT_PGP_H */
