/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_MATCH_H
#define CATALOGUE_MATCH_H

/*
 * Whether a file name may be in the catalogue (files.def), for the kernel: no memory, no loop, no
 * map, only compares of two words with constants. What it lets through files.c then decides
 * exactly. It needs __u64 and __always_inline, which the includer brings (vmlinux.h and
 * bpf_helpers.h, or linux/types.h and sys/cdefs.h).
 *
 * A name is given by its last 16 bytes, in two words that read backwards: the last byte of the name
 * is the lowest byte of LAST, the one before it the next, and the ninth from the end is the lowest
 * byte of BEFORE. On a little-endian machine that is the byte-swapped load of the 8 bytes. For a
 * name shorter than 16 bytes the byte before its first is '/', and what is before that is 0: a
 * relative "id_rsa" then looks like the end of "/home/x/.ssh/id_rsa".
 *
 * Nothing in the catalogue is ever turned away. What is let through though it is not in the
 * catalogue shares the last 16 bytes of a FILE_NAME pattern that is longer, "/" included.
 */

#define MATCH_ONES 0x0101010101010101ULL
#define MATCH_HIGH 0x8080808080808080ULL
#define MATCH_DOTS (MATCH_ONES * '.')

/* Byte AT, counted from the end, of the string literal TEXT in its place in a word; 0 beyond. */
#define MATCH_BYTE(text, at)                                                                       \
	((at) < sizeof(text) - 1                                                                   \
		 ? (__u64)(unsigned char)(text)[(at) < sizeof(text) - 1 ? sizeof(text) - 2 - (at)  \
									: 0]                       \
			   << (8 * ((at)&7))                                                       \
		 : 0)

/* The word of the literal TEXT that begins FROM (0 or 8) bytes from its end. */
#define MATCH_WORD(text, from)                                                                     \
	(MATCH_BYTE(text, (from) + 0) | MATCH_BYTE(text, (from) + 1) |                             \
	 MATCH_BYTE(text, (from) + 2) | MATCH_BYTE(text, (from) + 3) |                             \
	 MATCH_BYTE(text, (from) + 4) | MATCH_BYTE(text, (from) + 5) |                             \
	 MATCH_BYTE(text, (from) + 6) | MATCH_BYTE(text, (from) + 7))

/* The bytes of that word which TEXT covers. */
#define MATCH_MASK(text, from)                                                                     \
	(sizeof(text) - 1 <= (from)	  ? 0ULL                                                   \
	 : sizeof(text) - 1 >= (from) + 8 ? ~0ULL                                                  \
					  : (1ULL << (8 * ((sizeof(text) - 1 - (from)) & 7))) - 1)

/* What match_hashed() recognised. */
#define MATCH_CERTIFICATE 1
#define MATCH_CRL	  2

/* Bit 7 of each byte of WORD that is within FIRST to LAST, both ASCII. */
static __always_inline __u64 match_range(__u64 word, unsigned char first, unsigned char last)
{
	__u64 low = word & ~MATCH_HIGH;

	return (low + (0x80 - first) * MATCH_ONES) & ~(low + (0x7f - last) * MATCH_ONES) & ~word &
	       MATCH_HIGH;
}

/* WORD with its ASCII capitals made small. */
static __always_inline __u64 match_lower(__u64 word)
{
	return word | match_range(word, 'A', 'Z') >> 2;
}

/* Bit 7 of the byte of LAST that holds its last dot; 0 when there is none. */
static __always_inline __u64 match_dot(__u64 last)
{
	__u64 zero_at_dot = last ^ MATCH_DOTS;
	/* The lowest bit is exact, those above it may be the borrow of the subtraction. */
	__u64 dots = (zero_at_dot - MATCH_ONES) & ~zero_at_dot & MATCH_HIGH;

	return dots & -dots;
}

/*
 * The names that openssl-rehash(1) gives: eight hexadecimal digits, a dot, an 'r' for a CRL, and
 * one or two decimal digits. Takes lower-cased words and match_dot() of LAST. Returns
 * MATCH_CERTIFICATE, MATCH_CRL or 0.
 */
static __always_inline int match_hashed(__u64 last, __u64 before, __u64 dot)
{
	unsigned char end = last & 0xff, second = last >> 8 & 0xff, third = last >> 16 & 0xff;
	int crl = 0, shift;

	if (end < '0' || end > '9')
		return 0;
	if (dot == 0x80ULL << 8)
		shift = 16;
	else if (dot == 0x80ULL << 16)
		shift = 24;
	else if (dot == 0x80ULL << 24)
		shift = 32;
	else
		return 0;
	if (shift == 32) {
		if (third != 'r' || second < '0' || second > '9')
			return 0;
		crl = 1;
	} else if (shift == 24) {
		crl = second == 'r';
		if (!crl && (second < '0' || second > '9'))
			return 0;
	}

	__u64 stem = last >> shift | before << (64 - shift);
	__u64 hex = match_range(stem, '0', '9') | match_range(stem, 'a', 'f');

	if (hex != MATCH_HIGH || (before >> shift & 0xff) != '/')
		return 0;
	return crl ? MATCH_CRL : MATCH_CERTIFICATE;
}

/*
 * The three tests below are chains of compares of one value with constants, which clang turns into
 * binary searches. An extension of up to 8 bytes equals what follows the last dot, dot included.
 */
static __always_inline int match_extension(__u64 last, __u64 dot)
{
	/* Without a dot this is all of LAST, and no pattern is without a dot. */
	__u64 extension = last & ((dot << 1) - 1);

#define FILE_EXT(end, type, kind)                                                                  \
	if (sizeof(end) - 1 <= 8 && extension == MATCH_WORD(end, 0))                               \
		return 1;
#include "files.def"
	return 0;
}

/* Base names of up to 6 bytes, which with their slash do not fill LAST. */
static __always_inline int match_short_name(__u64 last)
{
#define FILE_NAME(name, type, kind)                                                                \
	if (sizeof("/" name) - 1 < 8 &&                                                            \
	    (last & MATCH_MASK("/" name, 0)) == MATCH_WORD("/" name, 0))                           \
		return 1;
#include "files.def"
	return 0;
}

/*
 * WORD, in a way that the compiler cannot see through. Compares with it stay behind the compare of
 * LAST that guards them; moved in front of it, they break up the chain that becomes a search.
 */
static __always_inline __u64 match_opaque(__u64 word)
{
	asm volatile("" : "+r"(word));
	return word;
}

/* Patterns that fill LAST and reach into BEFORE. */
static __always_inline int match_long(__u64 last, __u64 before)
{
#define MATCH_BOTH(text)                                                                           \
	(last == MATCH_WORD(text, 0) &&                                                            \
	 (match_opaque(before) & MATCH_MASK(text, 8)) == MATCH_WORD(text, 8))
#define FILE_EXT(end, type, kind)                                                                  \
	if (sizeof(end) - 1 > 8 && MATCH_BOTH(end))                                                \
		return 1;
#define FILE_NAME(name, type, kind)                                                                \
	if (sizeof("/" name) - 1 >= 8 && MATCH_BOTH("/" name))                                     \
		return 1;
#include "files.def"
#undef MATCH_BOTH
	return 0;
}

/* Whether a name with these last 16 bytes may be in the catalogue. Takes any case. */
static __always_inline int match_tail(__u64 last, __u64 before)
{
	last = match_lower(last);
	before = match_lower(before);

	__u64 dot = match_dot(last);

	return match_extension(last, dot) || match_short_name(last) || match_long(last, before) ||
	       match_hashed(last, before, dot);
}

#endif /* CATALOGUE_MATCH_H */
