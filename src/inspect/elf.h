/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_ELF_H
#define INSPECT_ELF_H

/*
 * Reads the tables of an ELF file (System V gABI, chapters 4 and 5) through a window: 64 and 32
 * bits, both byte orders, with or without section headers. The file may be hostile: every number in
 * it is checked before use, what does not fit is left out, no work grows faster than the file. A
 * struct elf borrows its window and owns nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/window.h"

/* What is kept; real programs have fewer. Further ones are overlooked. */
#define ELF_SECTIONS_MAX 128
#define ELF_SEGMENTS_MAX 64
#define ELF_NEEDED_MAX	 128
/* Section names are cut to this, with the NUL; so are strings that callers read. */
#define ELF_NAME_MAX   32
#define ELF_STRING_MAX 256
/* Hexadecimal digits of a build id of at most 20 bytes (SHA-1), and the NUL. */
#define ELF_BUILD_ID_TEXT 41
/* Symbols that can be asked for at a time: a bit each. */
#define ELF_WANTED_MAX 64

struct elf_section {
	char name[ELF_NAME_MAX];
	uint64_t flags, address, offset, size;
	uint32_t type, link;
};

struct elf_segment {
	uint64_t offset, address, size, align;
	uint32_t type, flags;
};

/* A table of symbols with the strings that are their names. */
struct elf_symbols {
	uint64_t offset, count;
	uint64_t strings, strings_size;
};

struct elf {
	struct window *file;
	bool is_64;
	bool is_big_endian;
	bool is_cut; /* it has more sections or segments than are kept */
	size_t nr_sections, nr_segments;
	struct elf_section sections[ELF_SECTIONS_MAX];
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	/* Of the dynamic section, as the dynamic loader reads it: */
	struct elf_symbols dynamic;
	uint64_t soname;	 /* an offset in its strings; 0: none */
	uint64_t rpath, runpath; /* likewise */
	size_t nr_needed;
	uint64_t needed[ELF_NEEDED_MAX];
};

/* Reads the headers of FILE, borrowed. Returns 0, or -ENOEXEC when it is no ELF file. */
int elf_open(struct elf *elf, struct window *file);

/* The section called NAME with bytes in the file, or NULL. */
const struct elf_section *elf_section(const struct elf *elf, const char *name);

/*
 * Where in the file the byte at ADDRESS is when the program is loaded, and in *RET_SIZE, which may
 * be NULL, how many bytes of the segment are there. False when no segment has it.
 */
bool elf_find(const struct elf *elf, uint64_t address, uint64_t *ret_offset, uint64_t *ret_size);

/* The NT_GNU_BUILD_ID note in hexadecimal. False when there is none. */
bool elf_build_id(const struct elf *elf, char ret[static ELF_BUILD_ID_TEXT]);

/* A string of the dynamic section: elf->soname, elf->needed[i]. False when it cannot be read. */
bool elf_string(const struct elf *elf, uint64_t at, char ret[static ELF_STRING_MAX]);

/* The symbols of the section .symtab, which may be stripped away. False when there are none. */
bool elf_symtab(const struct elf *elf, struct elf_symbols *ret);

/*
 * Which of NR_NAMES names, at most ELF_WANTED_MAX of at most SEARCH_NEEDLE_SIZE_MAX - 1 bytes, are
 * among SYMBOLS: bit I stands for NAMES[I]. Reads strings and symbols once each. Returns 0 or
 * -ENOMEM.
 */
int elf_wanted(const struct elf *elf, const struct elf_symbols *symbols, const char *const *names,
	       size_t nr_names, uint64_t *ret_defined, uint64_t *ret_imported);

/* The number of 1, 2, 4 or 8 bytes at BYTES, in the file's byte order. */
uint64_t elf_number(const struct elf *elf, const uint8_t *bytes, size_t size);

/* The size of an address in the file, in bytes. */
static inline size_t elf_word(const struct elf *elf)
{
	return elf->is_64 ? 8 : 4;
}

#endif /* INSPECT_ELF_H */
