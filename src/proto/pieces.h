/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PIECES_H
#define PROTO_PIECES_H

/*
 * Puts bytes together whose pieces come in any order, more than once and overlapping, as those of a
 * handshake over UDP do. What came first stays. The bytes are the caller's; a struct pieces only
 * says which of them are there, is zero initialised and needs no end.
 */

#include <stdbool.h>
#include <stdint.h>

/* Stretches between holes; a piece that would make one more is not taken. */
#define PIECES_MAX 32

struct piece {
	uint32_t start;
	uint32_t end; /* behind its last byte */
};

/* In order, none empty, no two of them touch. */
struct pieces {
	uint32_t count;
	struct piece list[PIECES_MAX];
};

/*
 * Copies the SIZE bytes at BYTES to WHOLE + AT, except where there are some already. AT + SIZE must
 * be within WHOLE. Returns whether there was room for the piece.
 */
bool pieces_put(struct pieces *pieces, uint8_t *whole, uint32_t at, const uint8_t *bytes,
		uint32_t size);

/* Bytes that are there from the first on, up to the first hole. */
static inline uint32_t pieces_prefix(const struct pieces *pieces)
{
	return pieces->count && pieces->list[0].start == 0 ? pieces->list[0].end : 0;
}

#endif /* PROTO_PIECES_H */
