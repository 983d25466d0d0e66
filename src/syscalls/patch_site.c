/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_site.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "inspect/probe_insn_x86.h"
#include "syscalls/patch_function.h"

#define ENDBR64_SIZE 4U
/* Entries of tables of jumps that are looked at for a place: all of any program's. */
#define ENTRIES_MAX (1U << 20)

static const uint8_t endbr64[ENDBR64_SIZE] = { 0xf3, 0x0f, 0x1e, 0xfa };

/* A place and the function it is in. */
struct candidate {
	const struct patch_elf *elf;
	struct patch_function function;
	const uint8_t *code; /* of the function */
	size_t size;
	struct patch_site site;
	bool has_jump; /* one with a target that it does not tell */
};

/* Whether TARGET is behind the first of the bytes that are replaced. */
static bool is_inside(const struct candidate *candidate, uint64_t target)
{
	return target > candidate->site.address &&
	       target - candidate->site.address < candidate->site.size;
}

/* jmp or jcc with a target in it, and no prefix. */
static bool is_branch(const struct insn *insn)
{
	uint8_t first = insn->bytes[0];

	return first == 0xeb || first == 0xe9 || (first & 0xf0) == 0x70 ||
	       (first == 0x0f && insn->bytes[1] >> 4 == 8);
}

/* Memory at a distance from the next instruction: mode 0, register 5. */
static bool is_relative(const struct insn *insn)
{
	return insn->modrm_at && (insn->modrm & 0xc7) == 5;
}

static bool is_return(const struct insn *insn)
{
	return insn->map == MAP_ONE_BYTE && insn->opcode == 0xc3;
}

/*
 * A call would push another return address than the one that unwinders know; what else leaves the
 * straight line is not found at the beginning of a function.
 */
static bool is_movable(const struct insn *insn)
{
	return !insn->is_end || is_branch(insn) || is_return(insn);
}

static int find_function(struct candidate *candidate, char ret_what[static PATCH_WHAT_SIZE])
{
	const struct patch_elf *elf = candidate->elf;
	uint64_t flags = 0, any;

	patch_elf_dynamic(elf, DT_FLAGS, &flags);
	if ((flags & DF_TEXTREL) || patch_elf_dynamic(elf, DT_TEXTREL, &any))
		return patch_refuse(ret_what, "the program's code changes when it is loaded");
	if (!patch_function_find(elf, candidate->site.address, &candidate->function))
		return patch_refuse(ret_what, "nothing tells where its function ends");
	if (candidate->function.end - candidate->function.begin > PATCH_FUNCTION_MAX)
		return patch_refuse(ret_what, "its function is too large to be judged");
	candidate->size = (size_t)(candidate->function.end - candidate->function.begin);
	candidate->code = patch_elf_bytes(elf, candidate->function.begin, candidate->size);
	if (!candidate->code)
		return patch_refuse(ret_what, "its function is not in the file");
	return 0;
}

/* Sees that the place is an instruction, leaves an endbr64 alone, and takes whole instructions. */
static int take_instructions(struct candidate *candidate, char ret_what[static PATCH_WHAT_SIZE])
{
	size_t at = 0, wanted = (size_t)(candidate->site.address - candidate->function.begin);
	struct insn insn;

	for (; at < wanted; at += insn.size)
		if (!insn_read(candidate->code + at, candidate->size - at, &insn))
			return patch_refuse(ret_what, "its function has code that is not known");
	if (at != wanted)
		return patch_refuse(ret_what, "it is not where an instruction begins");
	if (candidate->size - at >= ENDBR64_SIZE &&
	    memcmp(candidate->code + at, endbr64, ENDBR64_SIZE) == 0) {
		candidate->site.address += ENDBR64_SIZE;
		candidate->site.offset += ENDBR64_SIZE;
		at += ENDBR64_SIZE;
	}
	while (candidate->site.size < PATCH_JUMP_SIZE) {
		size_t taken = at + candidate->site.size;

		if (taken >= candidate->size)
			return patch_refuse(ret_what, "its function has no room for a jump");
		if (!insn_read(candidate->code + taken, candidate->size - taken, &insn))
			return patch_refuse(ret_what, "its function has code that is not known");
		if (!is_movable(&insn))
			return patch_refuse(ret_what, "an instruction there cannot be executed "
						      "elsewhere, and a jump needs its room");
		candidate->site.size += insn.size;
	}
	return 0;
}

static int refuse_branch(char ret_what[static PATCH_WHAT_SIZE])
{
	return patch_refuse(ret_what, "a branch leads behind it, to where the jump would be");
}

/* All branches of its function, as they are executed. */
static int check_function(struct candidate *candidate, char ret_what[static PATCH_WHAT_SIZE])
{
	struct insn insn;

	for (size_t at = 0; at < candidate->size; at += insn.size) {
		uint64_t address = candidate->function.begin + at;

		if (!insn_read(candidate->code + at, candidate->size - at, &insn))
			return patch_refuse(ret_what, "its function has code that is not known");
		if (insn.branch && is_inside(candidate, address + (uint64_t)insn.branch))
			return refuse_branch(ret_what);
		if (is_inside(candidate, address) && insn.size == ENDBR64_SIZE &&
		    memcmp(insn.bytes, endbr64, ENDBR64_SIZE) == 0)
			return refuse_branch(ret_what);
		/* A pointer at a fixed place is looked for as a pointer. */
		if (insn.map == MAP_ONE_BYTE && insn.opcode == 0xff && (insn.modrm >> 3 & 7) == 4 &&
		    !is_relative(&insn))
			candidate->has_jump = true;
	}
	return 0;
}

/*
 * Whether the table of jumps at BASE, distances of 32 bits from it, leads to the place. It has as
 * many entries as lead to code. *LEFT is what may still be looked at of all tables.
 */
static bool table_leads(const struct candidate *candidate, uint64_t base, size_t *left)
{
	for (uint64_t i = 0; *left; i++, --*left) {
		const uint8_t *entry = patch_elf_bytes(candidate->elf, base + i * 4, 4);
		const Elf64_Phdr *load;
		uint64_t target;

		if (!entry)
			return false;
		target = base + (uint64_t)(int64_t)insn_le32(entry);
		load = patch_elf_at_address(candidate->elf, target, 1);
		if (!load || !(load->p_flags & PF_X))
			return false;
		if (is_inside(candidate, target))
			return true;
	}
	return true;
}

/* A switch, in position-independent code: the address of the table is loaded with lea. */
static int check_tables(const struct candidate *candidate, char ret_what[static PATCH_WHAT_SIZE])
{
	size_t left = ENTRIES_MAX;
	struct insn insn;

	for (size_t at = 0; candidate->has_jump && at < candidate->size; at += insn.size) {
		uint64_t next;

		if (!insn_read(candidate->code + at, candidate->size - at, &insn))
			break;
		if (insn.map != MAP_ONE_BYTE || insn.opcode != 0x8d || !is_relative(&insn))
			continue;
		next = candidate->function.begin + at + insn.size;
		if (table_leads(candidate,
				next + (uint64_t)(int64_t)insn_le32(insn.bytes + insn.modrm_at + 1),
				&left))
			return refuse_branch(ret_what);
	}
	return 0;
}

/*
 * Branches of 32 bits may come from anywhere: wherever in the program's code their bytes can be
 * seen, in the middle of other instructions too. By chance that is one place in some thousands.
 */
static bool code_branches(const struct candidate *candidate, const Elf64_Phdr *load)
{
	const uint8_t *code = candidate->elf->bytes + load->p_offset;

	for (uint64_t at = 1; at + 4 <= load->p_filesz; at++) {
		uint64_t target = load->p_vaddr + at + 4 + (uint64_t)(int64_t)insn_le32(code + at);

		if (is_inside(candidate, target) &&
		    ((code[at - 1] & 0xfe) == 0xe8 ||
		     (at > 1 && code[at - 1] >> 4 == 8 && code[at - 2] == 0x0f)))
			return true;
	}
	return false;
}

/* Pointers, and what relocations put where pointers are: words of 64 bits. */
static bool words_point(const struct candidate *candidate, const Elf64_Phdr *load)
{
	const uint8_t *bytes = candidate->elf->bytes + load->p_offset;

	for (uint64_t at = -load->p_vaddr % 8; at + 8 <= load->p_filesz; at += 8) {
		uint64_t word;

		memcpy(&word, bytes + at, sizeof(word));
		if (is_inside(candidate, word))
			return true;
	}
	return false;
}

static int check_program(const struct candidate *candidate, char ret_what[static PATCH_WHAT_SIZE])
{
	const struct patch_elf *elf = candidate->elf;
	const struct patch_site *site = &candidate->site;
	bool is_entry = site->address == candidate->function.begin ||
			site->address == candidate->function.begin + ENDBR64_SIZE;

	/* Handlers of exceptions are told apart in tables of a format of each language's own. */
	if (candidate->function.has_handlers && !is_entry)
		return patch_refuse(ret_what, "its function handles exceptions, and it is not "
					      "where that begins");
	if (is_inside(candidate, elf->header.e_entry) ||
	    patch_function_named(elf, site->address + 1, site->address + site->size))
		return refuse_branch(ret_what);
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *load = &elf->segments[i];

		if (load->p_type == PT_LOAD &&
		    (words_point(candidate, load) ||
		     ((load->p_flags & PF_X) && code_branches(candidate, load))))
			return refuse_branch(ret_what);
	}
	return 0;
}

int patch_site_find(const struct patch_elf *elf, uint64_t offset, struct patch_site *ret,
		    char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Phdr *load = patch_elf_at_offset(elf, offset, 1);
	struct candidate candidate = { .elf = elf };
	int err;

	/* Linkers put headers into executable segments; those change by themselves. */
	if (!load || !(load->p_flags & PF_X) || offset < sizeof(Elf64_Ehdr))
		return patch_refuse(ret_what, "it is not in executable code");
	candidate.site.offset = offset;
	candidate.site.address = load->p_vaddr + (offset - load->p_offset);
	err = find_function(&candidate, ret_what);
	if (!err)
		err = take_instructions(&candidate, ret_what);
	if (!err)
		err = check_function(&candidate, ret_what);
	if (!err)
		err = check_tables(&candidate, ret_what);
	if (!err)
		err = check_program(&candidate, ret_what);
	if (!err)
		*ret = candidate.site;
	return err;
}

int patch_put_distance(uint8_t *field, uint64_t at, uint64_t target)
{
	int64_t distance = (int64_t)(target - (at + 4));
	int32_t narrow = (int32_t)distance;

	if (distance != narrow)
		return -ERANGE;
	memcpy(field, &narrow, sizeof(narrow));
	return 0;
}

/* Writes INSN, which is at address FROM, for address TO. Returns its size or -ERANGE. */
static int move_one(const struct insn *insn, uint64_t from, uint64_t to, uint8_t *ret)
{
	if (is_branch(insn)) {
		/* All get 32 bits: e9, or 0f 80 to 0f 8f. */
		uint8_t last = insn->bytes[insn->bytes[0] == 0x0f];
		int size = 0;

		if ((insn->bytes[0] & 0xfd) != 0xe9) {
			ret[size++] = 0x0f;
			ret[size++] = 0x80 | (last & 0x0f);
		} else {
			ret[size++] = 0xe9;
		}
		return patch_put_distance(ret + size, to + (unsigned int)size,
					  from + (uint64_t)insn->branch)
			       ? -ERANGE
			       : size + 4;
	}
	memcpy(ret, insn->bytes, insn->size);
	if (is_relative(insn)) {
		size_t field = insn->modrm_at + 1U;
		uint64_t distance = (uint64_t)(int64_t)insn_le32(insn->bytes + field);

		/* It counts from the end of the instruction, which an immediate may be before. */
		if (patch_put_distance(ret + field, to + field, from + field + 4 + distance))
			return -ERANGE;
	}
	return (int)insn->size;
}

int patch_site_move(const struct patch_elf *elf, const struct patch_site *site, uint64_t to,
		    uint8_t ret[static PATCH_MOVED_MAX])
{
	const uint8_t *code = elf->bytes + site->offset;
	size_t size = 0;
	struct insn insn;

	for (size_t at = 0; at < site->size; at += insn.size) {
		int moved;

		if (!insn_read(code + at, site->size - at, &insn))
			return -ERANGE;
		moved = move_one(&insn, site->address + at, to + size, ret + size);
		if (moved < 0)
			return moved;
		size += (size_t)moved;
	}
	ret[size] = 0xe9;
	if (patch_put_distance(ret + size + 1, to + size + 1, site->address + site->size))
		return -ERANGE;
	return (int)(size + PATCH_JUMP_SIZE);
}
