/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_sections.h"

#include <stdbool.h>
#include <string.h>

/* The section with the names of sections. False: there is none, or it is numbered elsewhere. */
static bool find_names(const struct patch_elf *elf, Elf64_Shdr *ret)
{
	uint64_t index = elf->header.e_shstrndx;

	if (index == SHN_UNDEF || index >= SHN_LORESERVE || index >= elf->nr_sections)
		return false;
	*ret = patch_elf_section(elf, index);
	return ret->sh_type == SHT_STRTAB && !(ret->sh_flags & SHF_ALLOC) &&
	       patch_elf_file(elf, ret->sh_offset, ret->sh_size);
}

/* Of all names, old and new, with room up to the table. */
static size_t names_size(const Elf64_Shdr *names, const struct patch_section *sections, size_t nr)
{
	size_t size = (size_t)names->sh_size;

	for (size_t i = 0; i < nr; i++)
		size += strlen(sections[i].name) + 1;
	return size;
}

static size_t table_at(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

size_t patch_sections_size(const struct patch_elf *elf, const struct patch_section *sections,
			   size_t nr)
{
	Elf64_Shdr names;

	/* A name has 32 bits, and a number of sections that needs more than 16 stands elsewhere. */
	if (!find_names(elf, &names) || !elf->header.e_shnum ||
	    elf->nr_sections + nr >= SHN_LORESERVE || names.sh_size > UINT32_MAX / 2)
		return 0;
	return table_at(names_size(&names, sections, nr)) +
	       (size_t)(elf->nr_sections + nr) * sizeof(Elf64_Shdr);
}

void patch_sections_write(const struct patch_elf *elf, const struct patch_section *sections,
			  size_t nr, uint64_t offset, uint8_t *ret, Elf64_Ehdr *ret_header)
{
	Elf64_Shdr names;

	if (!find_names(elf, &names))
		return;

	size_t size = names_size(&names, sections, nr), at = (size_t)names.sh_size;
	uint8_t *table = ret + table_at(size);
	size_t old_size = (size_t)elf->nr_sections * sizeof(Elf64_Shdr);

	memcpy(ret, elf->bytes + names.sh_offset, at);
	memcpy(table, elf->bytes + elf->sections, old_size);
	for (size_t i = 0; i < nr; i++) {
		const Elf64_Shdr section = {
			.sh_name = (Elf64_Word)at,
			.sh_type = sections[i].type,
			.sh_flags = sections[i].flags,
			.sh_addr = sections[i].address,
			.sh_offset = sections[i].offset,
			.sh_size = sections[i].size,
			.sh_addralign = sections[i].align,
		};

		memcpy(ret + at, sections[i].name, strlen(sections[i].name) + 1);
		at += strlen(sections[i].name) + 1;
		memcpy(table + old_size + i * sizeof(section), &section, sizeof(section));
	}
	names.sh_offset = offset;
	names.sh_size = size;
	memcpy(table + elf->header.e_shstrndx * sizeof(names), &names, sizeof(names));
	ret_header->e_shoff = offset + table_at(size);
	ret_header->e_shnum = (Elf64_Half)(elf->nr_sections + nr);
}
