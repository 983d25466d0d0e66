/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_QUIC_MADE_H
#define TESTS_SUPPORT_QUIC_MADE_H

/*
 * QUIC Initial packets with any payload, made as a sender makes them: the other direction of
 * proto/quic_keys.h. Failure ends the test program.
 */

#include <stddef.h>
#include <stdint.h>

#include "proto/quic_keys.h"

#define QUIC_MADE_MAX 4096

struct quic_made {
	uint32_t version;
	struct flow_text destination, source, token;
	uint64_t number;
	unsigned number_size;	  /* bytes that are sent of it, 1 to 4 */
	struct flow_text payload; /* with the number it becomes at least 4 bytes, with zeros */
};

/* Writes the packet to RET_PACKET, of QUIC_MADE_MAX bytes, and returns its size. */
size_t quic_make(const struct quic_made *made, const struct quic_keys *keys, uint8_t *ret_packet);

#endif /* TESTS_SUPPORT_QUIC_MADE_H */
