/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROBE_INSN_X86_H
#define INSPECT_PROBE_INSN_X86_H

/*
 * Instructions of x86-64 in 64-bit mode: how long they are, and which general registers those write
 * that occur in prologues; of the others it says that they write all, and of what is no instruction
 * that it is none. Reads nothing behind the bytes it is given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_RSP 4 /* the stack pointer's number as a register */

enum insn_map {
	MAP_ONE_BYTE,
	MAP_TWO_BYTES, /* behind 0f */
	MAP_OTHER,     /* behind 0f 38, 0f 3a, VEX, EVEX: no groups that matter */
};

struct insn {
	const uint8_t *bytes; /* borrowed */
	size_t left;	      /* bytes that there are */
	size_t size;
	bool is_short;	/* the prefix 66 */
	uint8_t repeat; /* the last of the prefixes f2 and f3, or 0 */
	uint8_t rex;	/* 0: none */
	uint8_t opcode;
	enum insn_map map; /* that the opcode is in */
	uint8_t modrm;
	uint8_t modrm_at;    /* bytes before the ModRM byte; 0: it has none */
	bool is_end;	     /* leaves the straight line, or is nothing that a library does */
	bool is_near;	     /* a branch with a target of 8 bits */
	uint16_t attributes; /* private */
	uint16_t written;    /* a bit for each general register */
	int64_t branch;	     /* of one with a target in it: from the instruction's first byte */
};

/* The instruction at the first of LEFT bytes. False when it is not known or not whole. */
bool insn_read(const uint8_t *bytes, size_t left, struct insn *ret);

static inline int32_t insn_le32(const uint8_t *bytes)
{
	return (int32_t)(bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
			 (uint32_t)bytes[3] << 24);
}

#endif /* INSPECT_PROBE_INSN_X86_H */
