/* SPDX-License-Identifier: MIT */
/*
 * Sizes and opcodes: Intel SDM volume 2, appendix A. It is ours because no library that is packaged
 * for static linking is small: libcapstone 4 adds 6.7 MB, libzydis and libdistorm3 come as shared
 * objects only.
 */
#include "inspect/probe_insn_x86.h"

/* How an instruction continues, and what it writes; 0 for an opcode that is not known. */
#define KNOWN  0x001
#define MODRM  (0x002 | KNOWN)
#define IMM8   (0x004 | KNOWN)
#define IMM16  (0x008 | KNOWN)
#define IMM32  (0x010 | KNOWN) /* 2 bytes with the prefix 66 */
#define IMM64  (0x020 | KNOWN) /* 8 bytes with REX.W, else as IMM32 */
#define NEAR   (0x040 | IMM8)  /* a branch with a target of 8 bits */
#define FAR    (0x080 | KNOWN) /* a branch with a target of 32 bits */
#define TO_RM  (0x100 | MODRM)
#define TO_REG (0x200 | MODRM)
#define TO_OP  (0x400 | KNOWN)	/* writes the register in its last three bits */
#define BYTE   0x800		/* of TO_RM, TO_REG and TO_OP: a register of 8 bits */
#define STACK  (0x4000 | KNOWN) /* writes the stack pointer besides */
/*
 * ENDS leaves the straight line, or is nothing that a library does. ANY goes on, but writes general
 * registers that are not told here.
 */
#define ENDS		     (0x1000 | KNOWN)
#define ANY		     (0x2000 | KNOWN)

#define HAS(attributes, one) (((attributes) & (one)) == (one))

#define INSN_SIZE_MAX	     15

/* Opcodes of one byte from 40 on; those before are eight times the same. */
static const uint16_t one_byte[256] = {
	[0x50 ... 0x57] = STACK,
	[0x58 ... 0x5f] = TO_OP | STACK,
	[0x63] = TO_REG,
	[0x68] = IMM32 | STACK,
	[0x69] = TO_REG | IMM32,
	[0x6a] = IMM8 | STACK,
	[0x6b] = TO_REG | IMM8,
	[0x6c ... 0x6f] = ENDS,
	[0x70 ... 0x7f] = NEAR | ENDS,
	[0x80] = TO_RM | BYTE | IMM8,
	[0x81] = TO_RM | IMM32,
	[0x83] = TO_RM | IMM8,
	[0x84 ... 0x85] = MODRM,
	[0x86] = TO_RM | TO_REG | BYTE,
	[0x87] = TO_RM | TO_REG,
	[0x88] = TO_RM | BYTE,
	[0x89] = TO_RM,
	[0x8a] = TO_REG | BYTE,
	[0x8b] = TO_REG,
	[0x8c] = TO_RM,
	[0x8d] = TO_REG,
	[0x8e] = MODRM | ENDS,
	[0x8f] = TO_RM | STACK,
	[0x90 ... 0x97] = TO_OP,
	[0x98] = KNOWN,
	[0x99] = ANY,
	[0x9b] = KNOWN,
	[0x9c] = STACK,
	[0x9d] = ENDS,
	[0x9e ... 0x9f] = KNOWN,
	[0xa4 ... 0xa7] = ANY,
	[0xa8] = IMM8,
	[0xa9] = IMM32,
	[0xaa ... 0xaf] = ANY,
	[0xb0 ... 0xb7] = TO_OP | BYTE | IMM8,
	[0xb8 ... 0xbf] = TO_OP | IMM64,
	[0xc0] = TO_RM | BYTE | IMM8,
	[0xc1] = TO_RM | IMM8,
	[0xc2] = IMM16 | ENDS,
	[0xc3] = ENDS,
	[0xc6] = TO_RM | BYTE | IMM8,
	[0xc7] = TO_RM | IMM32,
	[0xc8] = IMM16 | IMM8 | ENDS,
	[0xc9] = STACK,
	[0xca] = IMM16 | ENDS,
	[0xcb ... 0xcc] = ENDS,
	[0xcd] = IMM8 | ENDS,
	[0xcf] = ENDS,
	[0xd0] = TO_RM | BYTE,
	[0xd1] = TO_RM,
	[0xd2] = TO_RM | BYTE,
	[0xd3] = TO_RM,
	[0xd7] = KNOWN,
	[0xd8 ... 0xdf] = MODRM,
	[0xe0 ... 0xe3] = NEAR | ENDS,
	[0xe4 ... 0xe7] = IMM8 | ENDS,
	[0xe8 ... 0xe9] = FAR | ENDS,
	[0xeb] = NEAR | ENDS,
	[0xec ... 0xef] = ENDS,
	[0xf1] = ENDS,
	[0xf4] = ENDS,
	[0xf5] = KNOWN,
	[0xf6] = MODRM | BYTE,
	[0xf7] = MODRM,
	[0xf8 ... 0xf9] = KNOWN,
	[0xfa ... 0xfb] = ENDS,
	[0xfc ... 0xfd] = KNOWN,
	[0xfe] = TO_RM | BYTE,
	[0xff] = TO_RM,
};

/* Opcodes behind 0f; those behind 0f 38 and 0f 3a are all alike. */
static const uint16_t two_bytes[256] = {
	[0x00 ... 0x03] = MODRM | ENDS,
	[0x05] = ENDS,
	[0x0b] = ENDS,
	[0x0d] = MODRM,
	[0x10 ... 0x1d] = MODRM,
	[0x1e] = MODRM,
	[0x1f] = MODRM,
	[0x28 ... 0x2b] = MODRM,
	[0x2c ... 0x2d] = TO_REG,
	[0x2e ... 0x2f] = MODRM,
	[0x30 ... 0x33] = ENDS,
	[0x40 ... 0x50] = TO_REG,
	[0x51 ... 0x6f] = MODRM,
	[0x70 ... 0x73] = MODRM | IMM8,
	[0x74 ... 0x76] = MODRM,
	[0x77] = KNOWN,
	[0x7c ... 0x7d] = MODRM,
	[0x7e] = TO_RM,
	[0x7f] = MODRM,
	[0x80 ... 0x8f] = FAR | ENDS,
	[0x90 ... 0x9f] = TO_RM | BYTE,
	[0xa0 ... 0xa1] = STACK,
	[0xa2] = ANY,
	[0xa3] = MODRM,
	[0xa4] = TO_RM | IMM8,
	[0xa5] = TO_RM,
	[0xa7] = MODRM | ENDS,
	[0xa8 ... 0xa9] = STACK,
	[0xab] = TO_RM,
	[0xac] = TO_RM | IMM8,
	[0xad] = TO_RM,
	[0xae] = TO_RM,
	[0xaf] = TO_REG,
	[0xb0] = TO_RM | BYTE,
	[0xb1] = TO_RM,
	[0xb3] = TO_RM,
	[0xb6 ... 0xb8] = TO_REG,
	[0xb9] = MODRM | ENDS,
	[0xba] = TO_RM | IMM8,
	[0xbb] = TO_RM,
	[0xbc ... 0xbf] = TO_REG,
	[0xc0] = TO_RM | TO_REG | BYTE,
	[0xc1] = TO_RM | TO_REG,
	[0xc2] = MODRM | IMM8,
	[0xc3] = MODRM,
	[0xc4] = MODRM | IMM8,
	[0xc5] = TO_REG | IMM8,
	[0xc6] = MODRM | IMM8,
	[0xc7] = MODRM | ENDS,
	[0xc8 ... 0xcf] = TO_OP,
	[0xd0 ... 0xd6] = MODRM,
	[0xd7] = TO_REG,
	[0xd8 ... 0xfe] = MODRM,
	[0xff] = MODRM | ENDS,
};

static bool read_byte(struct insn *insn, uint8_t *ret)
{
	if (insn->size >= insn->left || insn->size >= INSN_SIZE_MAX)
		return false;
	*ret = insn->bytes[insn->size++];
	return true;
}

static bool skip_bytes(struct insn *insn, size_t size)
{
	uint8_t skipped;

	while (size--)
		if (!read_byte(insn, &skipped))
			return false;
	return true;
}

/* None but 66 and REX changes a size: addresses of 32 bits (67) are written like those of 64. */
static bool read_prefixes(struct insn *insn)
{
	uint8_t byte;

	for (;;) {
		if (!read_byte(insn, &byte))
			return false;
		if (byte == 0x66)
			insn->is_short = true;
		else if (byte == 0xf2 || byte == 0xf3)
			insn->repeat = byte;
		else if (byte != 0x67 && byte != 0xf0 && byte != 0x2e && byte != 0x36 &&
			 byte != 0x3e && byte != 0x26 && byte != 0x64 && byte != 0x65)
			break;
	}
	if ((byte & 0xf0) == 0x40) {
		insn->rex = byte;
		if (!read_byte(insn, &byte))
			return false;
	}
	insn->opcode = byte;
	return true;
}

/* Opcode maps of VEX and EVEX: 1 is that behind 0f, 2 behind 0f 38, 3 behind 0f 3a; 5 and 6 new. */
static uint16_t vector_attributes(unsigned int map, uint8_t opcode)
{
	bool has_immediate = (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
			     (opcode >= 0xc4 && opcode <= 0xc6);

	if (map == 1 && opcode == 0x77)
		return ANY;
	if (map == 3 || (map == 1 && has_immediate))
		return MODRM | IMM8 | ANY;
	return map == 1 || map == 2 || map == 5 || map == 6 ? MODRM | ANY : 0;
}

/* c5 has one byte more before the opcode, c4 two, 62 three. */
static bool read_vector(struct insn *insn)
{
	unsigned int nr_bytes = insn->opcode == 0xc5 ? 1 : insn->opcode == 0xc4 ? 2 : 3;
	unsigned int map = 1;
	uint8_t first = 0;

	if (insn->rex || insn->is_short || !read_byte(insn, &first) ||
	    !skip_bytes(insn, nr_bytes - 1))
		return false;
	if (nr_bytes == 2)
		map = first & 0x1f;
	else if (nr_bytes == 3)
		map = first & 0x0f;
	insn->map = MAP_OTHER;
	if (!read_byte(insn, &insn->opcode))
		return false;
	insn->attributes = vector_attributes(map, insn->opcode);
	return true;
}

static bool read_opcode(struct insn *insn)
{
	if (!read_prefixes(insn))
		return false;
	if (insn->opcode == 0xc4 || insn->opcode == 0xc5 || insn->opcode == 0x62)
		return read_vector(insn);
	if (insn->opcode == 0x0f) {
		insn->map = MAP_TWO_BYTES;
		if (!read_byte(insn, &insn->opcode))
			return false;
		insn->attributes = two_bytes[insn->opcode];
		if (insn->opcode == 0x38 || insn->opcode == 0x3a) {
			insn->map = MAP_OTHER;
			insn->attributes = ANY | (insn->opcode == 0x38 ? MODRM : MODRM | IMM8);
			return read_byte(insn, &insn->opcode);
		}
	} else if (insn->opcode < 0x40) {
		/* add, or, adc, sbb, and, sub, xor, cmp: of a register or memory and a register,
		 * the other way round, of al or eax and a number. */
		static const uint16_t forms[8] = { TO_RM | BYTE, TO_RM, TO_REG | BYTE,
						   TO_REG,	 IMM8,	IMM32 };

		insn->attributes = forms[insn->opcode & 7];
		if (insn->opcode >= 0x38 && HAS(insn->attributes, MODRM))
			insn->attributes = MODRM;
	} else {
		insn->attributes = one_byte[insn->opcode];
	}
	return insn->attributes != 0;
}

/* Where the three bits in the middle of the ModRM byte say what the instruction is. */
static uint16_t group_attributes(const struct insn *insn)
{
	/* test; not, neg; mul, div write rdx */
	static const uint16_t group_f6[8] = {
		[0 ... 1] = MODRM | IMM8,
		[2 ... 3] = TO_RM | BYTE,
		[4 ... 7] = MODRM | ANY,
	};
	static const uint16_t group_f7[8] = {
		[0 ... 1] = MODRM | IMM32,
		[2 ... 3] = TO_RM,
		[4 ... 7] = MODRM | ANY,
	};
	/* inc, dec; call, jmp; push */
	static const uint16_t group_fe[8] = { [0 ... 1] = TO_RM | BYTE };
	static const uint16_t group_ff[8] = {
		[0 ... 1] = TO_RM,
		[2 ... 5] = MODRM | ENDS,
		[6] = MODRM | STACK,
	};
	unsigned int which = insn->modrm >> 3 & 7;

	switch (insn->opcode) {
	case 0x80 ... 0x83: /* cmp writes nothing */
		return insn->attributes & (uint16_t)(which == 7 ? MODRM | ~TO_RM : ~0);
	case 0x8f: /* XOP */
	case 0xc6: /* xabort */
	case 0xc7: /* xbegin */
		return which == 0 ? insn->attributes : 0;
	case 0xf6:
		return group_f6[which];
	case 0xf7:
		return group_f7[which];
	case 0xfe:
		return group_fe[which];
	case 0xff:
		return group_ff[which];
	default:
		return insn->attributes;
	}
}

/* The same behind 0f. */
static uint16_t escaped_attributes(const struct insn *insn)
{
	if (insn->opcode == 0xba && (insn->modrm >> 3 & 7) == 4) /* bt */
		return MODRM | IMM8;
	/* movq; movd, which may write a general register, has another prefix or none */
	if (insn->opcode == 0x7e && insn->repeat == 0xf3)
		return MODRM;
	/* rdssp, with endbr64 and endbr32 beside it */
	if (insn->opcode == 0x1e && insn->modrm != 0xfa && insn->modrm != 0xfb)
		return TO_RM;
	return insn->attributes;
}

/* The ModRM byte with what belongs to its address. */
static bool read_modrm(struct insn *insn)
{
	if (!HAS(insn->attributes, MODRM))
		return true;
	if (!read_byte(insn, &insn->modrm))
		return false;
	insn->modrm_at = (uint8_t)(insn->size - 1);
	if (insn->map == MAP_TWO_BYTES)
		insn->attributes = escaped_attributes(insn);
	else if (insn->map == MAP_ONE_BYTE)
		insn->attributes = group_attributes(insn);

	unsigned int mode = insn->modrm >> 6, base = insn->modrm & 7;
	uint8_t sib;

	if (mode == 3)
		return true;
	if (base == 4) {
		if (!read_byte(insn, &sib))
			return false;
		base = sib & 7;
	}
	if (mode == 1)
		return skip_bytes(insn, 1);
	return mode == 0 && base != 5 ? true : skip_bytes(insn, 4);
}

static uint16_t register_bit(const struct insn *insn, unsigned int number, bool is_extended)
{
	/* Without REX those of 8 bits from the fifth on are ah, ch, dh, bh. */
	if (HAS(insn->attributes, BYTE) && !insn->rex)
		number &= 3;
	return (uint16_t)(1U << (number + (is_extended ? 8 : 0)));
}

static void judge_writes(struct insn *insn)
{
	if (HAS(insn->attributes, ANY))
		insn->written = UINT16_MAX;
	if (HAS(insn->attributes, STACK))
		insn->written |= 1U << INSN_RSP;
	if (HAS(insn->attributes, TO_RM) && insn->modrm >> 6 == 3)
		insn->written |= register_bit(insn, insn->modrm & 7, insn->rex & 1);
	if (HAS(insn->attributes, TO_REG))
		insn->written |= register_bit(insn, insn->modrm >> 3 & 7, insn->rex & 4);
	if (HAS(insn->attributes, TO_OP))
		insn->written |= register_bit(insn, insn->opcode & 7, insn->rex & 1);
}

static bool read_immediate(struct insn *insn)
{
	bool is_wide = insn->rex & 8;
	size_t size = 0;

	if (HAS(insn->attributes, IMM8))
		size += 1;
	if (HAS(insn->attributes, IMM16))
		size += 2;
	if (HAS(insn->attributes, IMM64) && is_wide)
		size += 8;
	else if (insn->attributes & (IMM32 | IMM64) & ~KNOWN)
		size += insn->is_short && !is_wide ? 2 : 4;
	if (HAS(insn->attributes, FAR)) {
		/* What 66 makes of it depends on who made the processor. */
		if (insn->is_short)
			return false;
		size += 4;
	}
	if (!skip_bytes(insn, size))
		return false;

	const uint8_t *end = insn->bytes + insn->size;

	if (HAS(insn->attributes, FAR))
		insn->branch = (int64_t)insn->size + insn_le32(end - 4);
	else if (HAS(insn->attributes, NEAR))
		insn->branch = (int64_t)insn->size + (int8_t)end[-1];
	return true;
}

bool insn_read(const uint8_t *bytes, size_t left, struct insn *ret)
{
	*ret = (struct insn){ .bytes = bytes, .left = left };
	if (!read_opcode(ret) || !read_modrm(ret) || !ret->attributes || !read_immediate(ret))
		return false;
	ret->is_end = HAS(ret->attributes, ENDS);
	ret->is_near = HAS(ret->attributes, NEAR);
	judge_writes(ret);
	return true;
}
