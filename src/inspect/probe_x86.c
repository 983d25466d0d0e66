/* SPDX-License-Identifier: MIT */
/*
 * x86-64. What the kernel emulates is in its arch/x86/kernel/uprobes.c, branch_setup_xol_ops() and
 * push_setup_xol_ops(): nop (90), jmp (eb, e9), jcc (70-7f, 0f 80-8f) and call (e8) with a relative
 * target, all since 3.16; push of a register (50-57, 41 50-57) since 4.18 at the latest. Of these a
 * place behind the entry may be all but
 *
 * - a call where there may be a shadow stack: from 6.6, which has them for users, up to about 6.17
 *   the emulation does not write it, and the process ends when the callee returns;
 * - what has a prefix: kernels before about 6.17 cannot attach to 66 90;
 * - a nop of several bytes: 6.18 emulates it, older kernels do not. It also makes one of five bytes
 *   a call, which writes below the stack pointer, where a leaf function keeps variables.
 */
#include "inspect/probe_code.h"

#include "inspect/probe.h"
#include "inspect/probe_insn_x86.h"

#define WORD_SIZE 8

static bool is_push(const struct insn *insn)
{
	return insn->size - (insn->rex == 0x41) == 1 &&
	       (insn->bytes[insn->size - 1] & 0xf8) == 0x50;
}

static bool is_call(const struct insn *insn)
{
	return insn->bytes[0] == 0xe8;
}

static bool is_emulated(const struct insn *insn)
{
	uint8_t first = insn->bytes[0];

	return first == 0x90 || first == 0xeb || first == 0xe9 || (first & 0xf0) == 0x70 ||
	       (first == 0x0f && insn->bytes[1] >> 4 == 8) || is_call(insn) || is_push(insn);
}

/* A bit for each general register that is read (System V psABI x86-64, 3.2.3). */
static uint16_t registers_read(uint8_t arguments)
{
	/* rdi, rsi, rdx, rcx, r8, r9 */
	static const uint8_t numbers[PROBE_ARGUMENTS_MAX] = { 7, 6, 2, 1, 8, 9 };
	unsigned int bits = 0;

	for (size_t i = 0; i < PROBE_ARGUMENTS_MAX; i++)
		if (arguments >> i & 1)
			bits |= 1U << numbers[i];
	return (uint16_t)bits;
}

/* A push of eight bytes. Only those that the kernel does not emulate are passed. */
static bool is_any_push(const struct insn *insn)
{
	if (insn->map != MAP_ONE_BYTE || insn->is_short)
		return false;
	return (insn->opcode & 0xf8) == 0x50 || insn->opcode == 0x68 || insn->opcode == 0x6a ||
	       (insn->opcode == 0xff && (insn->modrm >> 3 & 7) == 6);
}

/*
 * Whether INSN moves the stack pointer by a number in it, and how many bytes down: add, sub and lea
 * of 64 bits, with no prefix that would make them something else.
 */
static bool is_move(const struct insn *insn, int64_t *ret_down)
{
	const uint8_t *end = insn->bytes + insn->size;

	if (insn->map != MAP_ONE_BYTE || insn->rex != 0x48 || insn->bytes[0] != insn->rex)
		return false;

	/* Of all three the number comes last. */
	bool is_lea = insn->opcode == 0x8d, is_wide = insn->opcode == 0x81;

	if (is_lea) {
		/* disp8(%rsp),%rsp and disp32(%rsp),%rsp: both have a SIB byte without an index. */
		if ((insn->modrm != 0x64 && insn->modrm != 0xa4) || insn->bytes[3] != 0x24)
			return false;
		is_wide = insn->modrm == 0xa4;
	} else if ((insn->opcode != 0x81 && insn->opcode != 0x83) ||
		   (insn->modrm != 0xc4 && insn->modrm != 0xec)) {
		return false;
	}

	int64_t number = is_wide ? insn_le32(end - 4) : (int8_t)end[-1];

	*ret_down = insn->modrm == 0xec ? number : -number;
	return true;
}

/* How far below the entry's the stack pointer is behind INSN; -1: not known, and stays so. */
static int64_t stack_behind(const struct insn *insn, int64_t stack)
{
	int64_t down;

	if (stack < 0 || !(insn->written & 1U << INSN_RSP))
		return stack;
	if (is_any_push(insn))
		stack += WORD_SIZE;
	else if (is_move(insn, &down))
		stack += down;
	else
		return -1;
	/* Above it the return address may be overwritten. */
	return stack < 0 || stack > UINT32_MAX ? -1 : stack;
}

/*
 * The first emulated instruction, when what is before it leaves the straight line and the arguments
 * alone.
 */
static bool find_emulated(const struct probe_code *code, struct insn *insn, struct probe_spot *ret)
{
	uint16_t read = registers_read(code->arguments);
	int64_t stack = 0;

	for (size_t at = 0; at <= PROBE_DISTANCE_MAX && at < code->size; at += insn->size) {
		if (!insn_read(code->bytes + at, code->size - at, insn))
			return false;
		if (is_emulated(insn) && (at == 0 || !code->has_shadow_stack || !is_call(insn))) {
			*ret = (struct probe_spot){
				.skipped = (uint32_t)at,
				.stack = stack < 0 ? 0 : (uint32_t)stack,
				.has_stack = stack >= 0,
			};
			return true;
		}
		if (insn->is_end || insn->written & read)
			return false;
		stack = stack_behind(insn, stack);
	}
	return false;
}

static bool is_within(int64_t target, size_t probe)
{
	return target > 0 && target <= (int64_t)probe;
}

/* A branch of 8 bits, two bytes or more, ends at most 128 bytes behind its target. */
static bool has_near_branch(const uint8_t *code, size_t size, size_t probe)
{
	struct insn insn;

	for (size_t at = 0; at < size && at <= probe + 128 - 2; at += insn.size)
		if (!insn_read(code + at, size - at, &insn) ||
		    (insn.is_near && is_within((int64_t)at + insn.branch, probe)))
			return true;
	return false;
}

/*
 * One of 32 bits may be anywhere: wherever its bytes can be seen, in the middle of other
 * instructions or of data too, so that none is overlooked.
 */
static bool has_far_branch(const uint8_t *code, size_t size, size_t probe)
{
	for (size_t at = 1; at + 4 <= size; at++) {
		bool is_branch = (code[at - 1] & 0xfe) == 0xe8 ||
				 (at > 1 && code[at - 1] >> 4 == 8 && code[at - 2] == 0x0f);

		if (is_branch && is_within((int64_t)at + 4 + insn_le32(code + at), probe))
			return true;
	}
	return false;
}

/*
 * Whether a jump may be one through a table of places in the function: through a register, or
 * memory with an index or without a displacement. What is left are calls at the end of a function
 * through a member of a structure or a pointer at a fixed address. Bytes that look like one count.
 */
static bool has_table_jump(const uint8_t *code, size_t size)
{
	for (size_t at = 0; at + 2 <= size; at++) {
		unsigned int mode = code[at + 1] >> 6, base = code[at + 1] & 7;

		if (code[at] == 0xff && (code[at + 1] >> 3 & 7) == 4 &&
		    (mode == 3 || base == 4 || (mode == 0 && base != 5)))
			return true;
	}
	return false;
}

/* Saving a register for the caller is done once a call: no table has places up to there. */
static bool is_save(const struct insn *insn)
{
	uint8_t last = insn->bytes[insn->size - 1];

	return is_push(insn) &&
	       (insn->rex ? last >= 0x54 && last <= 0x57 : last == 0x53 || last == 0x55);
}

bool probe_x86_place(const struct probe_code *code, struct probe_spot *ret)
{
	struct probe_spot spot;
	struct insn insn = { 0 };

	if (!find_emulated(code, &insn, &spot))
		return false;

	size_t at = spot.skipped;

	if (at && (has_near_branch(code->bytes, code->size, at) ||
		   has_far_branch(code->bytes, code->size, at) ||
		   (!is_save(&insn) && has_table_jump(code->bytes, code->size))))
		return false;
	*ret = spot;
	return true;
}
