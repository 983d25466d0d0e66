/* SPDX-License-Identifier: MIT */
/*
 * arm64, little endian. What the kernel simulates is in its arch/arm64/kernel/probes/decode-insn.c,
 * arm_probe_decode_insn(): b, b.cond, cbz, cbnz, tbz, tbnz, adr and adrp since uprobes came to
 * arm64 with 4.10. It also simulates bl, blr, br and ret, and since 6.13 nop, which are no places
 * here: calls and returns do not write the shadow stack (GCS) before 6.18, br may jump through a
 * table.
 *
 * Encodings: Arm Architecture Reference Manual for A-profile, C4.1. An instruction of a group that
 * is not looked into counts as one that writes an argument.
 */
#include "inspect/probe_code.h"

#include "inspect/probe.h"

#define INSN_SIZE 4
/* x0 to x5: the registers that are read (AAPCS64 passes two more). */
#define LAST_ARGUMENT 5

static uint32_t insn_at(const uint8_t *code, size_t at)
{
	return code[at] | (uint32_t)code[at + 1] << 8 | (uint32_t)code[at + 2] << 16 |
	       (uint32_t)code[at + 3] << 24;
}

/* The SIZE bits of INSN from bit AT on, as a signed number. */
static int64_t signed_bits(uint32_t insn, unsigned int at, unsigned int size)
{
	return (int32_t)(insn << (32 - at - size)) >> (32 - size);
}

/* b and bl, b.cond, cbz and cbnz, tbz and tbnz; how far they go in bytes in *RET_BRANCH. */
static bool is_branch(uint32_t insn, int64_t *ret_branch)
{
	if ((insn & 0x7c000000) == 0x14000000)
		*ret_branch = signed_bits(insn, 0, 26) * INSN_SIZE;
	else if ((insn & 0xff000000) == 0x54000000 || (insn & 0x7e000000) == 0x34000000)
		*ret_branch = signed_bits(insn, 5, 19) * INSN_SIZE;
	else if ((insn & 0x7e000000) == 0x36000000)
		*ret_branch = signed_bits(insn, 5, 14) * INSN_SIZE;
	else
		return false;
	return true;
}

static bool is_emulated(uint32_t insn)
{
	int64_t branch;
	bool is_call = (insn & 0xfc000000) == 0x94000000;

	/* b.cond with bit 4 set is bc.cond, which the kernel does not know. */
	if ((insn & 0xff000010) == 0x54000010)
		return false;
	return (is_branch(insn, &branch) && !is_call) || (insn & 0x1f000000) == 0x10000000;
}

static bool is_argument(uint32_t number)
{
	return (number & 0x1f) <= LAST_ARGUMENT;
}

/* ldp, stp and the like: two registers; the address may be written back. */
static bool pair_writes(uint32_t insn)
{
	bool is_load = insn & 1U << 22, is_vector = insn & 1U << 26, has_back = insn & 1U << 23;

	return (is_load && !is_vector && (is_argument(insn) || is_argument(insn >> 10))) ||
	       (has_back && is_argument(insn >> 5));
}

/* ldr, str and the like: of one register; the address may be written back. */
static bool single_writes(uint32_t insn)
{
	bool is_load = insn & 3U << 22, is_vector = insn & 1U << 26;
	bool has_offset = insn & 1U << 24, is_other = insn & 1U << 21;
	unsigned int form = insn >> 10 & 3;

	/* With bit 21 all but those with a register as offset are atomics and the like. */
	if (!has_offset && is_other && form != 2)
		return true;
	return (is_load && !is_vector && is_argument(insn)) ||
	       (!has_offset && !is_other && form & 1 && is_argument(insn >> 5));
}

/* Whether the straight line goes on behind INSN with the arguments as they were. */
static bool is_passed(uint32_t insn)
{
	/* Hints, among them bti, paciasp and nop. */
	if ((insn & 0xfffff01f) == 0xd503201f)
		return true;
	/* mrs: a system register, such as the one for variables of the thread. */
	if ((insn & 0xfff00000) == 0xd5300000)
		return !is_argument(insn);
	/* Numbers, registers, vectors: the last five bits are the one that is written. */
	if ((insn & 0x1c000000) == 0x10000000 || (insn & 0x0e000000) == 0x0a000000 ||
	    (insn & 0x0e000000) == 0x0e000000)
		return !is_argument(insn);
	if ((insn & 0x38000000) == 0x28000000)
		return !pair_writes(insn);
	return (insn & 0x38000000) == 0x38000000 && !single_writes(insn);
}

/* Whether a branch goes behind the entry and not beyond PROBE, or through a register. */
static bool is_reached(const uint8_t *code, size_t size, size_t probe)
{
	for (size_t at = 0; at < size; at += INSN_SIZE) {
		uint32_t insn = insn_at(code, at);
		int64_t branch;

		if (is_branch(insn, &branch) && (int64_t)at + branch > 0 &&
		    (int64_t)at + branch <= (int64_t)probe)
			return true;
		/* br, also with a signed address */
		if ((insn & 0xfefff000) == 0xd61f0000)
			return true;
	}
	return false;
}

bool probe_arm64_place(const uint8_t *code, size_t size, uint32_t *ret_skipped)
{
	if (size % INSN_SIZE)
		return false;
	for (size_t at = 0; at <= PROBE_DISTANCE_MAX && at < size; at += INSN_SIZE) {
		uint32_t insn = insn_at(code, at);

		if (is_emulated(insn)) {
			if (at && is_reached(code, size, at))
				return false;
			*ret_skipped = (uint32_t)at;
			return true;
		}
		if (!is_passed(insn))
			return false;
	}
	return false;
}
