/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_OCTETS_H
#define INSPECT_OCTETS_H

/*
 * Bytes of a file as its parsers see them: as they are, or within base64 text, where only what is
 * looked at is decoded, three bytes at a time. So a private key is never decoded as a whole: what
 * is stepped over stays text. Nothing is allocated; the bytes are borrowed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes to be read at any offset: as they are, or as base64 that is decoded three bytes at a time.
 * Reading base64 is fast forwards only.
 */
struct octets {
	const uint8_t *bytes; /* raw, or the text */
	size_t bytes_size;
	size_t size; /* once decoded */
	bool is_base64;
	size_t text_at;	 /* where the text of the group after the one held begins */
	size_t group_at; /* offset of the group held, SIZE_MAX: none */
	uint8_t group[3];
};

void octets_raw(struct octets *octets, const void *bytes, size_t size);

/* TEXT may have white space between its letters; it ends at the first byte of another kind. */
void octets_base64(struct octets *octets, const void *text, size_t size);

/* Forgets the last bytes that were decoded. To be called when the octets held a private key. */
void octets_wipe(struct octets *octets);

/* The byte at OFFSET; 0 beyond the end. */
uint8_t octets_at(struct octets *octets, size_t offset);

/* A big-endian number of SIZE (at most 4) bytes. Returns whether all of it is there. */
bool octets_number(struct octets *octets, size_t offset, size_t size, uint32_t *ret);

/* Copies SIZE bytes at OFFSET to OUT. Returns false, with OUT untouched, when they are not there.
 */
bool octets_copy(struct octets *octets, size_t offset, size_t size, void *out);

/* The bits of the SIZE bytes, big-endian, at AT; looks at the first ones that are not 0. */
uint32_t octets_bits(struct octets *octets, size_t at, size_t size);

#endif /* INSPECT_OCTETS_H */
