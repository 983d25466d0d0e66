/* SPDX-License-Identifier: MIT */
/*
 * arm64, little endian. What the kernel simulates is in its arch/arm64/kernel/probes/decode-insn.c,
 * arm_probe_decode_insn(): b, b.cond, cbz, cbnz, tbz, tbnz, adr and adrp since uprobes came to
 * arm64 with 4.10. So it does bl, but before 6.18 without writing the shadow stack (GCS): a place
 * behind the entry only where there is none. It also simulates blr, br and ret, and since 6.13 nop,
 * which are no places here: returns leave that stack alone as well, br may jump through a table.
 *
 * Encodings: Arm Architecture Reference Manual for A-profile, C4.1. A group that is not looked into
 * counts as one that leaves the straight line, atomics as writing every argument.
 *
 * The return address is in x30. Where it was written on the way the stack pointer counts as not
 * known either; so it does where it was signed (paciasp), since then it is no address. bl writes it
 * when it is executed: at the place it is still the caller's.
 */
#include "inspect/probe_code.h"

#include "inspect/probe.h"

#define INSN_SIZE 4
/* Numbers of registers. Where 31 is not the stack pointer it is one that nothing is written to. */
#define LINK 30
#define SP   31

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

static bool is_call(uint32_t insn)
{
	return (insn & 0xfc000000) == 0x94000000;
}

static bool is_emulated(uint32_t insn)
{
	int64_t branch;

	/* b.cond with bit 4 set is bc.cond, which the kernel does not know. */
	if ((insn & 0xff000010) == 0x54000010)
		return false;
	return is_branch(insn, &branch) || (insn & 0x1f000000) == 0x10000000;
}

/* Whether the last five bits of NUMBER are one of REGISTERS, a bit for each: x0, x1 and on. */
static bool is_one_of(uint32_t number, uint32_t registers)
{
	return registers >> (number & 0x1f) & 1;
}

/* ldp, stp and the like: two registers; the address may be written back. */
static bool pair_writes(uint32_t insn, uint32_t registers)
{
	bool is_load = insn & 1U << 22, is_vector = insn & 1U << 26, has_back = insn & 1U << 23;

	return (is_load && !is_vector &&
		(is_one_of(insn, registers) || is_one_of(insn >> 10, registers))) ||
	       (has_back && is_one_of(insn >> 5, registers));
}

/* ldr, str and the like: of one register; the address may be written back. */
static bool single_writes(uint32_t insn, uint32_t registers)
{
	bool is_load = insn & 3U << 22, is_vector = insn & 1U << 26;
	bool has_offset = insn & 1U << 24, is_other = insn & 1U << 21;
	unsigned int form = insn >> 10 & 3;

	/* With bit 21 all but those with a register as offset are atomics and the like. */
	if (!has_offset && is_other && form != 2)
		return registers != 0;
	return (is_load && !is_vector && is_one_of(insn, registers)) ||
	       (!has_offset && !is_other && form & 1 && is_one_of(insn >> 5, registers));
}

/*
 * Of what works on vectors, conversions and moves of floating-point numbers (fcvtzs, fmov) and of
 * an element (umov, smov) may write a general register.
 */
static bool vector_writes(uint32_t insn, uint32_t registers)
{
	bool may_write = (insn & 0x5f000000) == 0x1e000000 || (insn & 0x9fe0ec00) == 0x0e002c00;

	return may_write && is_one_of(insn, registers);
}

/* Whether the straight line goes on behind INSN with the REGISTERS as they were. */
static bool is_passed(uint32_t insn, uint32_t registers)
{
	/* Hints, among them bti, paciasp and nop. */
	if ((insn & 0xfffff01f) == 0xd503201f)
		return true;
	/* mrs: a system register, such as the one for variables of the thread. */
	if ((insn & 0xfff00000) == 0xd5300000)
		return !is_one_of(insn, registers);
	/* Numbers, registers: the last five bits are the one that is written. */
	if ((insn & 0x1c000000) == 0x10000000 || (insn & 0x0e000000) == 0x0a000000)
		return !is_one_of(insn, registers);
	if ((insn & 0x0e000000) == 0x0e000000)
		return !vector_writes(insn, registers);
	if ((insn & 0x38000000) == 0x28000000)
		return !pair_writes(insn, registers);
	return (insn & 0x38000000) == 0x38000000 && !single_writes(insn, registers);
}

/* Hints that sign or check x30 or take its signature off: paciasp and the like, xpaclri. */
static bool is_signing(uint32_t insn)
{
	return (insn & 0xffffff1f) == 0xd503231f || insn == 0xd50320ff;
}

/* cmp, cmn and tst: register 31, where a result would go, is none there. */
static bool is_comparison(uint32_t insn)
{
	/* adds and subs of a number, of a register; ands of a number, of a register */
	return (insn & 0x1f) == SP &&
	       ((insn & 0x3f800000) == 0x31000000 || (insn & 0x3f000000) == 0x2b000000 ||
		(insn & 0x7f800000) == 0x72000000 || (insn & 0x7f000000) == 0x6a000000);
}

/* Whether INSN moves the stack pointer by a number in it, and how many bytes down. */
static bool is_move(uint32_t insn, int64_t *ret_down)
{
	bool is_sub = insn & 1U << 30, is_shifted = insn & 1U << 22;
	bool is_vector = insn & 1U << 26;
	unsigned int size = insn >> 30;
	int64_t number = insn >> 10 & 0xfff;

	if ((insn >> 5 & 0x1f) != SP)
		return false;
	/* add sp, sp, #number; sub */
	if ((insn & 0xbf80001f) == (0x91000000 | SP)) {
		number <<= is_shifted ? 12 : 0;
		*ret_down = is_sub ? number : -number;
		return true;
	}
	/* stp of x or of d registers, with the address written back before */
	if ((insn & 0x3bc00000) == 0x29800000 && size == (is_vector ? 1 : 2)) {
		*ret_down = -signed_bits(insn, 15, 7) * 8;
		return true;
	}
	/* str of one */
	if ((insn & 0x3b600c00) == 0x38000c00 && !(insn & 1U << 23 && !is_vector)) {
		*ret_down = -signed_bits(insn, 12, 9);
		return true;
	}
	return false;
}

/*
 * How far below the entry's the stack pointer is behind INSN, which is passed; -1: not known, or
 * x30 is another, and stays so.
 */
static int64_t stack_behind(uint32_t insn, int64_t stack)
{
	int64_t down = 0;

	if (stack < 0)
		return -1;
	if (!is_move(insn, &down) && !is_comparison(insn) &&
	    (is_signing(insn) || !is_passed(insn, 1U << LINK | 1U << SP)))
		return -1;
	stack += down;
	return stack < 0 || stack > UINT32_MAX ? -1 : stack;
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

/* A place AT bytes behind the entry, where the stack pointer is STACK lower; below 0: not known. */
static struct probe_spot spot_at(size_t at, int64_t stack)
{
	return (struct probe_spot){
		.skipped = (uint32_t)at,
		.stack = stack < 0 ? 0 : (uint32_t)stack,
		.has_stack = stack >= 0,
	};
}

bool probe_arm64_place(const struct probe_code *code, struct probe_spot *ret)
{
	int64_t stack = 0;

	if (code->size % INSN_SIZE)
		return false;
	for (size_t at = 0; at <= PROBE_DISTANCE_MAX && at < code->size; at += INSN_SIZE) {
		uint32_t insn = insn_at(code->bytes, at);

		if (is_emulated(insn) && (!at || !code->has_shadow_stack || !is_call(insn))) {
			if (at && is_reached(code->bytes, code->size, at))
				return false;
			*ret = spot_at(at, stack);
			return true;
		}
		if (!is_passed(insn, code->arguments))
			return false;
		stack = stack_behind(insn, stack);
	}
	return false;
}
