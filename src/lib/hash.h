/* SPDX-License-Identifier: MIT */
#ifndef LIB_HASH_H
#define LIB_HASH_H

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, piece by piece, for tables in memory. */

#include <stdint.h>

#define HASH_BEGIN 2166136261U

static inline uint32_t hash_byte(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * 16777619U;
}

static inline uint32_t hash_number(uint32_t hash, uint32_t number)
{
	for (unsigned int shift = 0; shift < 32; shift += 8)
		hash = hash_byte(hash, (unsigned char)(number >> shift));
	return hash;
}

/* TEXT and its NUL, so that two texts are not one; NULL is neither of these. */
static inline uint32_t hash_text(uint32_t hash, const char *text)
{
	if (!text)
		return hash;
	do
		hash = hash_byte(hash, (unsigned char)*text);
	while (*text++);
	return hash;
}

#endif /* LIB_HASH_H */
