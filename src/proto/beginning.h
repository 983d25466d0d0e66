/* SPDX-License-Identifier: MIT */
#ifndef PROTO_BEGINNING_H
#define PROTO_BEGINNING_H

/*
 * Whether a connection may become TLS or SSH, by its first bytes, for the kernel too: compares of
 * one word with constants (starttls.def), no memory, no loop. Those of who speaks first decide. It
 * needs __u64, __u32, bool and __always_inline, which the includer brings (vmlinux.h and
 * bpf_helpers.h, or linux/types.h, stdbool.h and sys/cdefs.h).
 */

/* Byte AT of the literal TEXT, 0 behind its end. */
#define BEGINNING_BYTE(text, at) ((unsigned char)(text "\0\0\0\0\0\0\0")[at])
#define BEGINNING_AT(text, at)	 ((__u64)BEGINNING_BYTE(text, at) << (8 * (at)))
#define BEGINNING_WORD(text)                                                                       \
	(BEGINNING_AT(text, 0) | BEGINNING_AT(text, 1) | BEGINNING_AT(text, 2) |                   \
	 BEGINNING_AT(text, 3) | BEGINNING_AT(text, 4) | BEGINNING_AT(text, 5) |                   \
	 BEGINNING_AT(text, 6) | BEGINNING_AT(text, 7))
/* The bytes of that word which TEXT, without NUL in it, covers. */
#define BEGINNING_HAS(text, at) ((BEGINNING_BYTE(text, at) ? 0xffULL : 0) << (8 * (at)))
#define BEGINNING_COVER(text)                                                                      \
	(BEGINNING_HAS(text, 0) | BEGINNING_HAS(text, 1) | BEGINNING_HAS(text, 2) |                \
	 BEGINNING_HAS(text, 3) | BEGINNING_HAS(text, 4) | BEGINNING_HAS(text, 5) |                \
	 BEGINNING_HAS(text, 6) | BEGINNING_HAS(text, 7))

/* The bytes of a word of which SIZE are known. */
static __always_inline __u64 beginning_known(__u32 size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * (size & 7))) - 1;
}

/*
 * Takes the first SIZE bytes that a side sent in WORD, the first in the lowest byte (on a
 * little-endian machine the load of 8 bytes), with 0 where there are fewer than 8. What is too
 * short to tell may begin.
 */
static __always_inline bool beginning_of_client(__u64 word, __u32 size)
{
	__u64 known = beginning_known(size);

#define BEGINNING_IS_client 1
#define BEGINNING_IS_server 0
#define BEGINNING(side, what, bytes, mask)                                                         \
	if (BEGINNING_IS_##side &&                                                                 \
	    ((word ^ BEGINNING_WORD(bytes)) & BEGINNING_WORD(mask) & known) == 0)                  \
		return true;
#define BEGINNING_TEXT(side, what, text)                                                           \
	if (BEGINNING_IS_##side &&                                                                 \
	    ((word ^ BEGINNING_WORD(text)) & BEGINNING_COVER(text) & known) == 0)                  \
		return true;
#include "starttls.def"
#undef BEGINNING_IS_client
#undef BEGINNING_IS_server
	return false;
}

static __always_inline bool beginning_of_server(__u64 word, __u32 size)
{
	__u64 known = beginning_known(size);

#define BEGINNING_IS_client 0
#define BEGINNING_IS_server 1
#define BEGINNING(side, what, bytes, mask)                                                         \
	if (BEGINNING_IS_##side &&                                                                 \
	    ((word ^ BEGINNING_WORD(bytes)) & BEGINNING_WORD(mask) & known) == 0)                  \
		return true;
#define BEGINNING_TEXT(side, what, text)                                                           \
	if (BEGINNING_IS_##side &&                                                                 \
	    ((word ^ BEGINNING_WORD(text)) & BEGINNING_COVER(text) & known) == 0)                  \
		return true;
#include "starttls.def"
#undef BEGINNING_IS_client
#undef BEGINNING_IS_server
	return false;
}

#endif /* PROTO_BEGINNING_H */
