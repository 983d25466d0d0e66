/* SPDX-License-Identifier: MIT */
#ifndef PROTO_READER_H
#define PROTO_READER_H

/*
 * Reads the bytes of a peer from front to back. What is not there reads as 0 or as nothing and sets
 * is_short, which stays: a parser reads a whole structure and looks once. Nothing is copied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *at;
	size_t left;
	bool is_short; /* something was asked for that was not there */
};

static inline struct reader reader_of(const void *bytes, size_t size)
{
	return (struct reader){ .at = bytes, .left = size };
}

/* The next SIZE bytes, or NULL, with what is left gone too. */
static inline const uint8_t *reader_skip(struct reader *reader, size_t size)
{
	const uint8_t *bytes = reader->at;

	if (size > reader->left) {
		reader->is_short = true;
		reader->left = 0;
		return NULL;
	}
	if (size > 0) /* there may be no bytes at all, NULL */
		reader->at += size;
	reader->left -= size;
	return bytes;
}

/* A number of SIZE bytes, at most 4, in network order. */
static inline uint32_t reader_number(struct reader *reader, size_t size)
{
	const uint8_t *bytes = reader_skip(reader, size);
	uint32_t number = 0;

	for (size_t i = 0; bytes && i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

static inline uint8_t reader_u8(struct reader *reader)
{
	return (uint8_t)reader_number(reader, 1);
}

static inline uint16_t reader_u16(struct reader *reader)
{
	return (uint16_t)reader_number(reader, 2);
}

static inline uint32_t reader_u24(struct reader *reader)
{
	return reader_number(reader, 3);
}

static inline uint32_t reader_u32(struct reader *reader)
{
	return reader_number(reader, 4);
}

/* A reader of the next SIZE bytes: of none, and short, where they are not all there. */
static inline struct reader reader_part(struct reader *reader, size_t size)
{
	bool is_short = size > reader->left;
	const uint8_t *bytes = reader_skip(reader, size);

	return (struct reader){ .at = bytes, .left = is_short ? 0 : size, .is_short = is_short };
}

/*
 * The same for bytes with their size, a number of SIZE_SIZE bytes, in front (RFC 8446 section 3.4):
 * short too where that number is not all there.
 */
static inline struct reader reader_vector(struct reader *reader, size_t size_size)
{
	struct reader part = reader_part(reader, reader_number(reader, size_size));

	part.is_short |= reader->is_short;
	return part;
}

#endif /* PROTO_READER_H */
