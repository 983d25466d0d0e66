/* SPDX-License-Identifier: MIT */
#include "inspect/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Notes and dynamic entries that are looked at: a bound for files that have no end of them. */
#define NOTES_MAX   64
#define DYNAMIC_MAX 1024
/* Buckets of a hash table that are read to count symbols. */
#define BUCKETS_MAX (1U << 20)

/* A member of a structure that exists for both sizes. */
#define MEMBER(elf, bytes, type, member)                                                           \
	((elf)->is_64 ? elf_number((elf), (bytes) + offsetof(Elf64_##type, member),                \
				   sizeof(((Elf64_##type *)NULL)->member))                         \
		      : elf_number((elf), (bytes) + offsetof(Elf32_##type, member),                \
				   sizeof(((Elf32_##type *)NULL)->member)))
#define SIZEOF(elf, type) ((elf)->is_64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

uint64_t elf_number(const struct elf *elf, const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[elf->is_big_endian ? i : size - 1 - i];
	return number;
}

/* The entry INDEX of a table, or NULL. ENTRY_SIZE is that of the file, which may be larger. */
static const uint8_t *entry_at(const struct elf *elf, uint64_t table, uint64_t entry_size,
			       uint64_t index, size_t size)
{
	uint64_t offset;

	if (entry_size < size || __builtin_mul_overflow(index, entry_size, &offset) ||
	    __builtin_add_overflow(offset, table, &offset))
		return NULL;
	return window_get(elf->file, offset, size);
}

struct tables {
	uint64_t segments, segment_size, nr_segments;
	uint64_t sections, section_size, nr_sections;
	uint64_t names; /* the section that holds the names of sections */
};

/* gABI, "ELF Header": numbers that do not fit in 16 bits are in the first section's header. */
static void tables_extend(const struct elf *elf, struct tables *tables)
{
	const uint8_t *first =
		entry_at(elf, tables->sections, tables->section_size, 0, SIZEOF(elf, Shdr));

	if (!tables->sections || !first)
		return;
	if (!tables->nr_sections)
		tables->nr_sections = MEMBER(elf, first, Shdr, sh_size);
	if (tables->names == SHN_XINDEX)
		tables->names = MEMBER(elf, first, Shdr, sh_link);
	if (tables->nr_segments == PN_XNUM)
		tables->nr_segments = MEMBER(elf, first, Shdr, sh_info);
}

static bool read_header(struct elf *elf, struct tables *ret)
{
	const uint8_t *ident = window_get(elf->file, 0, EI_NIDENT);

	if (!ident || memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_CLASS] < ELFCLASS32 ||
	    ident[EI_CLASS] > ELFCLASS64 || ident[EI_DATA] < ELFDATA2LSB ||
	    ident[EI_DATA] > ELFDATA2MSB)
		return false;
	elf->is_64 = ident[EI_CLASS] == ELFCLASS64;
	elf->is_big_endian = ident[EI_DATA] == ELFDATA2MSB;

	const uint8_t *header = window_get(elf->file, 0, SIZEOF(elf, Ehdr));

	if (!header)
		return false;
	*ret = (struct tables){
		.segments = MEMBER(elf, header, Ehdr, e_phoff),
		.segment_size = MEMBER(elf, header, Ehdr, e_phentsize),
		.nr_segments = MEMBER(elf, header, Ehdr, e_phnum),
		.sections = MEMBER(elf, header, Ehdr, e_shoff),
		.section_size = MEMBER(elf, header, Ehdr, e_shentsize),
		.nr_sections = MEMBER(elf, header, Ehdr, e_shnum),
		.names = MEMBER(elf, header, Ehdr, e_shstrndx),
	};
	tables_extend(elf, ret);
	return true;
}

static void read_segments(struct elf *elf, const struct tables *tables)
{
	for (uint64_t i = 0; tables->segments && i < tables->nr_segments; i++) {
		const uint8_t *entry =
			entry_at(elf, tables->segments, tables->segment_size, i, SIZEOF(elf, Phdr));

		if (!entry)
			return;
		if (elf->nr_segments == ELF_SEGMENTS_MAX) {
			elf->is_cut = true;
			return;
		}
		elf->segments[elf->nr_segments++] = (struct elf_segment){
			.offset = MEMBER(elf, entry, Phdr, p_offset),
			.address = MEMBER(elf, entry, Phdr, p_vaddr),
			.size = MEMBER(elf, entry, Phdr, p_filesz),
			.align = MEMBER(elf, entry, Phdr, p_align),
			.type = (uint32_t)MEMBER(elf, entry, Phdr, p_type),
			.flags = (uint32_t)MEMBER(elf, entry, Phdr, p_flags),
		};
	}
}

/* The string at OFFSET, before END, cut to SIZE - 1 bytes. False when there are no bytes. */
static bool read_string(const struct elf *elf, uint64_t offset, uint64_t end, char *ret,
			size_t size)
{
	if (offset >= end || offset >= elf->file->size)
		return false;
	if (end > elf->file->size)
		end = elf->file->size;

	size_t taken = end - offset < size - 1 ? (size_t)(end - offset) : size - 1;
	const char *bytes = window_get(elf->file, offset, taken);

	if (!bytes)
		return false;
	taken = strnlen(bytes, taken);
	memcpy(ret, bytes, taken);
	ret[taken] = '\0';
	return true;
}

static uint64_t end_of(uint64_t offset, uint64_t size)
{
	return size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
}

static void read_sections(struct elf *elf, const struct tables *tables)
{
	uint32_t name[ELF_SECTIONS_MAX] = { 0 };
	uint64_t names = 0, names_end = 0;

	for (uint64_t i = 0; tables->sections && i < tables->nr_sections; i++) {
		const uint8_t *entry =
			entry_at(elf, tables->sections, tables->section_size, i, SIZEOF(elf, Shdr));

		if (!entry)
			break;
		if (elf->nr_sections == ELF_SECTIONS_MAX) {
			elf->is_cut = true;
			break;
		}
		name[elf->nr_sections] = (uint32_t)MEMBER(elf, entry, Shdr, sh_name);
		elf->sections[elf->nr_sections++] = (struct elf_section){
			.flags = MEMBER(elf, entry, Shdr, sh_flags),
			.address = MEMBER(elf, entry, Shdr, sh_addr),
			.offset = MEMBER(elf, entry, Shdr, sh_offset),
			.size = MEMBER(elf, entry, Shdr, sh_size),
			.type = (uint32_t)MEMBER(elf, entry, Shdr, sh_type),
			.link = (uint32_t)MEMBER(elf, entry, Shdr, sh_link),
		};
	}

	/* The names may be behind the last section that is kept. */
	const uint8_t *entry = entry_at(elf, tables->sections, tables->section_size, tables->names,
					SIZEOF(elf, Shdr));

	if (entry) {
		names = MEMBER(elf, entry, Shdr, sh_offset);
		names_end = end_of(names, MEMBER(elf, entry, Shdr, sh_size));
	}
	for (size_t i = 0; i < elf->nr_sections; i++)
		read_string(elf, end_of(names, name[i]), names_end, elf->sections[i].name,
			    sizeof(elf->sections[i].name));
}

const struct elf_section *elf_section(const struct elf *elf, const char *name)
{
	for (size_t i = 0; i < elf->nr_sections; i++)
		if (elf->sections[i].type != SHT_NOBITS && elf->sections[i].type != SHT_NULL &&
		    !strcmp(elf->sections[i].name, name))
			return &elf->sections[i];
	return NULL;
}

bool elf_find(const struct elf *elf, uint64_t address, uint64_t *ret_offset, uint64_t *ret_size)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];
		uint64_t into = address - segment->address;

		if (segment->type != PT_LOAD || address < segment->address ||
		    into >= segment->size || segment->offset > UINT64_MAX - into)
			continue;
		*ret_offset = segment->offset + into;
		if (ret_size)
			*ret_size = segment->size - into;
		return true;
	}
	return false;
}

/*
 * DT_GNU_HASH has no count: the last symbol is the last one of the chain that begins furthest. A
 * chain's last entry is odd (glibc, elf/dl-lookup.c: do_lookup_x()).
 */
static uint64_t count_by_gnu_hash(const struct elf *elf, uint64_t offset)
{
	const uint8_t *header = window_get(elf->file, offset, 16);

	if (!header)
		return 0;

	uint64_t nr_buckets = elf_number(elf, header, 4), first = elf_number(elf, header + 4, 4);
	uint64_t buckets = offset + 16 + elf_number(elf, header + 8, 4) * elf_word(elf);
	uint64_t chains = buckets + nr_buckets * 4, last = 0;

	for (uint64_t i = 0; i < nr_buckets && i < BUCKETS_MAX; i++) {
		const uint8_t *bucket = window_get(elf->file, buckets + i * 4, 4);
		uint64_t begin = bucket ? elf_number(elf, bucket, 4) : 0;

		if (!bucket)
			return 0;
		if (begin > last)
			last = begin;
	}
	if (last < first)
		return first;
	for (uint64_t i = 0; i < BUCKETS_MAX; i++, last++) {
		const uint8_t *chain = window_get(elf->file, chains + (last - first) * 4, 4);

		if (!chain)
			return 0;
		if (elf_number(elf, chain, 4) & 1)
			return last + 1;
	}
	return 0;
}

/* How many dynamic symbols there are is only told beside the dynamic section. */
static uint64_t count_symbols(const struct elf *elf, uint64_t hash, uint64_t gnu_hash)
{
	uint64_t offset;

	for (size_t i = 0; i < elf->nr_sections; i++)
		if (elf->sections[i].type == SHT_DYNSYM)
			return elf->sections[i].size / SIZEOF(elf, Sym);
	if (hash && elf_find(elf, hash, &offset, NULL)) {
		const uint8_t *header = window_get(elf->file, offset, 8);

		return header ? elf_number(elf, header + 4, 4) : 0;
	}
	if (gnu_hash && elf_find(elf, gnu_hash, &offset, NULL))
		return count_by_gnu_hash(elf, offset);
	return 0;
}

/* The addresses in the dynamic section, as far as they are of interest. */
struct dynamic {
	uint64_t strings, symbols, hash, gnu_hash;
};

/* False at the end of the section. */
static bool take_dynamic(struct elf *elf, struct dynamic *dynamic, uint64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_NULL:
		return false;
	case DT_STRTAB:
		dynamic->strings = value;
		break;
	case DT_STRSZ:
		elf->dynamic.strings_size = value;
		break;
	case DT_SYMTAB:
		dynamic->symbols = value;
		break;
	case DT_HASH:
		dynamic->hash = value;
		break;
	case DT_GNU_HASH:
		dynamic->gnu_hash = value;
		break;
	case DT_SONAME:
		elf->soname = value;
		break;
	case DT_RPATH:
		elf->rpath = value;
		break;
	case DT_RUNPATH:
		elf->runpath = value;
		break;
	case DT_NEEDED:
		if (elf->nr_needed < ELF_NEEDED_MAX)
			elf->needed[elf->nr_needed++] = value;
		break;
	default:
		break;
	}
	return true;
}

static void read_dynamic(struct elf *elf, const struct elf_segment *segment)
{
	struct dynamic dynamic = { 0 };
	size_t size = SIZEOF(elf, Dyn), word = elf_word(elf);

	for (uint64_t i = 0; i < DYNAMIC_MAX && (i + 1) * size <= segment->size; i++) {
		const uint8_t *entry = entry_at(elf, segment->offset, size, i, size);

		if (!entry || !take_dynamic(elf, &dynamic, elf_number(elf, entry, word),
					    elf_number(elf, entry + word, word)))
			break;
	}
	if (!elf_find(elf, dynamic.strings, &elf->dynamic.strings, NULL))
		elf->dynamic.strings_size = 0;
	if (elf_find(elf, dynamic.symbols, &elf->dynamic.offset, NULL))
		elf->dynamic.count = count_symbols(elf, dynamic.hash, dynamic.gnu_hash);
}

int elf_open(struct elf *elf, struct window *file)
{
	struct tables tables;

	*elf = (struct elf){ .file = file };
	if (!read_header(elf, &tables))
		return -ENOEXEC;
	read_segments(elf, &tables);
	read_sections(elf, &tables);
	for (size_t i = 0; i < elf->nr_segments; i++)
		if (elf->segments[i].type == PT_DYNAMIC) {
			read_dynamic(elf, &elf->segments[i]);
			break;
		}
	return 0;
}

/* Looks for the build id among the notes in SIZE bytes at OFFSET. */
static bool note_build_id(const struct elf *elf, uint64_t offset, uint64_t size, uint64_t align,
			  char ret[static ELF_BUILD_ID_TEXT])
{
	uint64_t end = end_of(offset, size);

	for (unsigned int i = 0; i < NOTES_MAX && offset < end; i++) {
		const uint8_t *note = window_get(elf->file, offset, sizeof(Elf64_Nhdr) + 4);

		if (!note)
			return false;

		uint64_t name_size = elf_number(elf, note, 4), text = elf_number(elf, note + 4, 4);
		bool is_id = elf_number(elf, note + 8, 4) == NT_GNU_BUILD_ID && name_size == 4 &&
			     !memcmp(note + 12, "GNU", 4);
		uint64_t at = offset + 12 + ((name_size + align - 1) & ~(align - 1));
		const uint8_t *id = is_id && text && text <= 20 && at + text <= end
					    ? window_get(elf->file, at, text)
					    : NULL;

		for (size_t byte = 0; id && byte < text; byte++)
			snprintf(ret + 2 * byte, 3, "%02x", id[byte]);
		if (id)
			return true;
		offset = at + ((text + align - 1) & ~(align - 1));
	}
	return false;
}

bool elf_build_id(const struct elf *elf, char ret[static ELF_BUILD_ID_TEXT])
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		/* gABI asks for words of 8 in 64 bits, but linkers keep to 4 unless they say so. */
		if (segment->type == PT_NOTE && note_build_id(elf, segment->offset, segment->size,
							      segment->align == 8 ? 8 : 4, ret))
			return true;
	}
	for (size_t i = 0; i < elf->nr_sections; i++)
		if (elf->sections[i].type == SHT_NOTE &&
		    note_build_id(elf, elf->sections[i].offset, elf->sections[i].size, 4, ret))
			return true;
	return false;
}

bool elf_string(const struct elf *elf, uint64_t at, char ret[static ELF_STRING_MAX])
{
	return at < elf->dynamic.strings_size &&
	       read_string(elf, end_of(elf->dynamic.strings, at),
			   end_of(elf->dynamic.strings, elf->dynamic.strings_size), ret,
			   ELF_STRING_MAX);
}
