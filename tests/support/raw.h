/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_RAW_H
#define TESTS_SUPPORT_RAW_H

/*
 * Raw records as the kernel side sends them, made piece by piece: the head and the fixed part
 * first, then tails in the order in which they are added.
 */

#include <stddef.h>
#include <stdint.h>

#include "sources/source.h"
#include "wire.h"

/* Larger than anything decode accepts. */
#define RAW_SIZE_MAX (128U << 10)

/* The head that raw_begin() makes. */
#define RAW_TS_NS    5123456789ULL
#define RAW_START_NS 1000000000ULL
#define RAW_PID	     100
#define RAW_PPID     1
#define RAW_UID	     1000
#define RAW_COMM     "demo"

struct raw {
	size_t size;
	_Alignas(8) uint8_t bytes[RAW_SIZE_MAX];
};

/* Makes RAW a record of SOURCE whose fixed part is zero and whose tails are empty. */
void raw_begin(struct raw *raw, enum source_id source);

/* The head, and with the source's own type the fixed part. */
static inline struct event_hdr *raw_hdr(struct raw *raw)
{
	return (struct event_hdr *)raw->bytes;
}

/* Appends SIZE bytes as the tail whose struct is AT bytes from the start of the record. */
void raw_tail(struct raw *raw, size_t at, const void *bytes, size_t size);

/* The same for a C string, without its NUL. */
void raw_tail_text(struct raw *raw, size_t at, const char *text);

/* Appends zeros that belong to no tail until the size is a multiple of 8. */
void raw_pad(struct raw *raw);

#endif /* TESTS_SUPPORT_RAW_H */
