/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_SECTIONS_H
#define SYSCALLS_PATCH_SECTIONS_H

/*
 * Section headers for what is added to a program. Nothing that runs it reads them, but strip(1) and
 * its like drop what has none, and disassemblers do not show it. The table moves to where there is
 * room, and so do the names; the old ones stay in the file, unused. Programs without section
 * headers get none.
 */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/patch_elf.h"

struct patch_section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t offset, address, size;
	uint64_t align;
};

/* How many bytes the table with NR more takes; 0: they cannot be added. */
size_t patch_sections_size(const struct patch_elf *elf, const struct patch_section *sections,
			   size_t nr);

/*
 * Writes them at OFFSET of the file, a multiple of 8, into RET of that size, and where they are
 * into RET_HEADER.
 */
void patch_sections_write(const struct patch_elf *elf, const struct patch_section *sections,
			  size_t nr, uint64_t offset, uint8_t *ret, Elf64_Ehdr *ret_header);

#endif /* SYSCALLS_PATCH_SECTIONS_H */
