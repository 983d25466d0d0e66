/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INSPECT_ELF_SAMPLE_H
#define TESTS_INSPECT_ELF_SAMPLE_H

/*
 * ELF files made by hand, of any class and byte order. Bytes are loaded at SAMPLE_BASE plus their
 * offset in the file. sample_begin(), then sections and segments, then sample_end().
 */

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE_MAX	(192U << 10)
#define SAMPLE_BASE	0x400000U
#define SAMPLE_DATA	0x400U
#define SAMPLE_SECTIONS 16
#define SAMPLE_SEGMENTS 8

struct sample_section {
	uint64_t name, type, flags, offset, size, link;
};

struct sample {
	uint8_t bytes[SAMPLE_MAX];
	size_t size;
	bool is_64, is_big;
	size_t nr_sections, nr_segments;
	struct sample_section sections[SAMPLE_SECTIONS];
	char names[512];
	size_t names_size;
};

__attribute__((unused)) static void sample_number(struct sample *sample, size_t at, uint64_t number,
						  size_t size)
{
	for (size_t i = 0; i < size; i++)
		sample->bytes[at + (sample->is_big ? size - 1 - i : i)] =
			(uint8_t)(number >> 8 * i);
}

__attribute__((unused)) static void sample_begin(struct sample *sample, bool is_64, bool is_big)
{
	memset(sample, 0, sizeof(*sample));
	sample->is_64 = is_64;
	sample->is_big = is_big;
	sample->size = SAMPLE_DATA;
	sample->nr_sections = 1;
	sample->names_size = 1;
	memcpy(sample->bytes, ELFMAG, SELFMAG);
	sample->bytes[EI_CLASS] = is_64 ? ELFCLASS64 : ELFCLASS32;
	sample->bytes[EI_DATA] = is_big ? ELFDATA2MSB : ELFDATA2LSB;
	sample->bytes[EI_VERSION] = EV_CURRENT;
}

/* Appends SIZE bytes, aligned to 16. Returns their offset. */
__attribute__((unused)) static size_t sample_bytes(struct sample *sample, const void *bytes,
						   size_t size)
{
	size_t at = (sample->size + 15) & ~(size_t)15;

	assert_true(at + size <= sizeof(sample->bytes));
	if (size)
		memcpy(sample->bytes + at, bytes, size);
	sample->size = at + size;
	return at;
}

/* Appends a section. Returns its index. */
__attribute__((unused)) static size_t sample_section(struct sample *sample, const char *name,
						     uint64_t type, uint64_t flags,
						     const void *bytes, size_t size)
{
	assert_true(sample->nr_sections < SAMPLE_SECTIONS);
	assert_true(sample->names_size + strlen(name) < sizeof(sample->names));
	sample->sections[sample->nr_sections] = (struct sample_section){
		.name = sample->names_size,
		.type = type,
		.flags = flags,
		.offset = sample_bytes(sample, bytes, size),
		.size = size,
	};
	memcpy(sample->names + sample->names_size, name, strlen(name));
	sample->names_size += strlen(name) + 1;
	return sample->nr_sections++;
}

__attribute__((unused)) static size_t sample_rodata(struct sample *sample, const void *bytes,
						    size_t size)
{
	return sample_section(sample, ".rodata", SHT_PROGBITS, SHF_ALLOC, bytes, size);
}

/* A program header for SIZE bytes at OFFSET. */
__attribute__((unused)) static void sample_segment(struct sample *sample, uint64_t type,
						   uint64_t flags, uint64_t offset, uint64_t size)
{
	size_t at =
		(sample->is_64 ? 64 : 52) +
		sample->nr_segments++ * (sample->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

#define PUT(class, member, number)                                                                 \
	sample_number(sample, at + offsetof(class, member), (number),                              \
		      sizeof(((class *)NULL)->member))
#define PUT_BOTH(name, member, number)                                                             \
	do {                                                                                       \
		if (sample->is_64)                                                                 \
			PUT(Elf64_##name, member, number);                                         \
		else                                                                               \
			PUT(Elf32_##name, member, number);                                         \
	} while (0)
	assert_true(sample->nr_segments <= SAMPLE_SEGMENTS);
	PUT_BOTH(Phdr, p_type, type);
	PUT_BOTH(Phdr, p_flags, flags);
	PUT_BOTH(Phdr, p_offset, offset);
	PUT_BOTH(Phdr, p_vaddr, SAMPLE_BASE + offset);
	PUT_BOTH(Phdr, p_filesz, size);
	PUT_BOTH(Phdr, p_memsz, size);
	PUT_BOTH(Phdr, p_align, 4);
}

static void sample_put_section(struct sample *sample, size_t at,
			       const struct sample_section *section)
{
	PUT_BOTH(Shdr, sh_name, section->name);
	PUT_BOTH(Shdr, sh_type, section->type);
	PUT_BOTH(Shdr, sh_flags, section->flags);
	PUT_BOTH(Shdr, sh_addr, SAMPLE_BASE + section->offset);
	PUT_BOTH(Shdr, sh_offset, section->offset);
	PUT_BOTH(Shdr, sh_size, section->size);
	PUT_BOTH(Shdr, sh_link, section->link);
}

static void sample_put_header(struct sample *sample, size_t sections)
{
	const size_t at = 0;

	PUT_BOTH(Ehdr, e_type, ET_DYN);
	PUT_BOTH(Ehdr, e_version, EV_CURRENT);
	PUT_BOTH(Ehdr, e_phoff, sample->is_64 ? 64 : 52);
	PUT_BOTH(Ehdr, e_phentsize, sample->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	PUT_BOTH(Ehdr, e_phnum, sample->nr_segments);
	if (!sections)
		return;
	PUT_BOTH(Ehdr, e_shoff, sections);
	PUT_BOTH(Ehdr, e_shentsize, sample->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
	PUT_BOTH(Ehdr, e_shnum, sample->nr_sections);
	PUT_BOTH(Ehdr, e_shstrndx, sample->nr_sections - 1);
}

/* Writes the headers; without those of sections when they are to be stripped. */
__attribute__((unused)) static void sample_end(struct sample *sample, bool has_sections)
{
	sample_segment(sample, PT_LOAD, PF_R, 0, sample->size);
	if (!has_sections) {
		sample_put_header(sample, 0);
		return;
	}

	size_t names = sample_section(sample, ".shstrtab", SHT_STRTAB, 0, sample->names,
				      sample->names_size + sizeof(".shstrtab"));
	size_t size = sample->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	size_t at = sample_bytes(sample, NULL, 0);

	/* Its own name came after its bytes. */
	memcpy(sample->bytes + sample->sections[names].offset, sample->names, sample->names_size);
	assert_true(at + size * sample->nr_sections <= sizeof(sample->bytes));
	for (size_t i = 1; i < sample->nr_sections; i++)
		sample_put_section(sample, at + i * size, &sample->sections[i]);
	sample->size = at + size * sample->nr_sections;
	sample_put_header(sample, at);
}

/* Texts that become a table of strings. */
struct sample_strings {
	char bytes[2048];
	size_t size;
};

static size_t sample_string(struct sample_strings *strings, const char *text)
{
	size_t at = strings->size;

	assert_true(at + strlen(text) < sizeof(strings->bytes));
	memcpy(strings->bytes + at, text, strlen(text) + 1);
	strings->size += strlen(text) + 1;
	return at;
}

/* A table of symbols: names before the NULL are defined, those after it imported. */
static void sample_symbol_table(struct sample *sample, struct sample_strings *strings,
				const char *const *names, size_t nr_defined, size_t *ret_at,
				size_t *ret_count)
{
	size_t size = sample->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), count = 1;
	size_t at = sample_bytes(sample, NULL, 0), first = at;

	for (size_t i = 0; names && names[i]; i++, count++) {
		at = first + count * size;
		PUT_BOTH(Sym, st_name, sample_string(strings, names[i]));
		PUT_BOTH(Sym, st_shndx, i < nr_defined ? 1 : SHN_UNDEF);
	}
	sample->size = first + count * size;
	*ret_at = first;
	*ret_count = count;
}

/* What a linked program has: NEEDED and SYMBOLS end with NULL. HASH: DT_HASH, DT_GNU_HASH or 0. */
struct sample_linked {
	const char *soname;
	const char *const *needed;
	const char *const *symbols;
	size_t nr_defined;
	uint64_t hash;
};

/* DT_HASH has the count; DT_GNU_HASH one bucket with one chain over all symbols but the first. */
static size_t sample_hash(struct sample *sample, uint64_t kind, size_t count)
{
	size_t at = sample_bytes(sample, NULL, 0);

	sample_number(sample, at, 1, 4);
	sample_number(sample, at + 4, kind == DT_HASH ? count : 1, 4);
	sample_number(sample, at + 8, 1, 4);
	if (kind == DT_HASH) {
		sample->size = at + 8;
		return at;
	}

	size_t bucket = at + 16 + (sample->is_64 ? 8 : 4);

	sample_number(sample, bucket, 1, 4);
	for (size_t i = 1; i < count; i++)
		sample_number(sample, bucket + 4 * i, i + 1 == count ? 7 : 6, 4);
	sample->size = bucket + 4 * count;
	return at;
}

__attribute__((unused)) static void sample_link(struct sample *sample,
						const struct sample_linked *linked)
{
	struct sample_strings strings = { .size = 1 };
	size_t symbols, count, hash, word = sample->is_64 ? 8 : 4;
	uint64_t entries[40][2], nr_entries = 0;

	for (size_t i = 0; linked->needed && linked->needed[i]; i++) {
		entries[nr_entries][0] = DT_NEEDED;
		entries[nr_entries++][1] = sample_string(&strings, linked->needed[i]);
	}
	if (linked->soname) {
		entries[nr_entries][0] = DT_SONAME;
		entries[nr_entries++][1] = sample_string(&strings, linked->soname);
	}
	sample_symbol_table(sample, &strings, linked->symbols, linked->nr_defined, &symbols,
			    &count);
	hash = sample_hash(sample, linked->hash, count);

	size_t at = sample_bytes(sample, strings.bytes, strings.size);
	const uint64_t rest[][2] = {
		{ DT_STRTAB, SAMPLE_BASE + at },
		{ DT_STRSZ, strings.size },
		{ DT_SYMTAB, SAMPLE_BASE + symbols },
		{ linked->hash ? linked->hash : DT_DEBUG, SAMPLE_BASE + hash },
		{ DT_NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++, nr_entries++)
		memcpy(entries[nr_entries], rest[i], sizeof(rest[i]));
	at = sample_bytes(sample, NULL, 0);
	for (size_t i = 0; i < nr_entries; i++) {
		sample_number(sample, at + 2 * i * word, entries[i][0], word);
		sample_number(sample, at + (2 * i + 1) * word, entries[i][1], word);
	}
	sample->size = at + nr_entries * 2 * word;
	sample_segment(sample, PT_DYNAMIC, PF_R, at, nr_entries * 2 * word);
}

/* A .symtab with its .strtab. */
__attribute__((unused)) static void sample_symtab(struct sample *sample, const char *const *names,
						  size_t nr_defined)
{
	struct sample_strings strings = { .size = 1 };
	size_t at, count, table = sample_section(sample, ".symtab", SHT_SYMTAB, 0, NULL, 0);

	sample_symbol_table(sample, &strings, names, nr_defined, &at, &count);
	sample->sections[table].offset = at;
	sample->sections[table].size =
		count * (sample->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));
	sample->sections[table].link =
		sample_section(sample, ".strtab", SHT_STRTAB, 0, strings.bytes, strings.size);
}

/* A note NAME of TYPE with SIZE bytes. */
__attribute__((unused)) static void sample_note(struct sample *sample, const char *name,
						uint32_t type, const void *text, size_t size)
{
	size_t name_size = strlen(name) + 1, at = sample_bytes(sample, NULL, 0);
	size_t text_at = at + 12 + ((name_size + 3) & ~(size_t)3);

	sample_number(sample, at, name_size, 4);
	sample_number(sample, at + 4, size, 4);
	sample_number(sample, at + 8, type, 4);
	memcpy(sample->bytes + at + 12, name, name_size);
	memcpy(sample->bytes + text_at, text, size);
	sample->size = text_at + ((size + 3) & ~(size_t)3);
	sample_segment(sample, PT_NOTE, PF_R, at, sample->size - at);
}

#endif /* TESTS_INSPECT_ELF_SAMPLE_H */
