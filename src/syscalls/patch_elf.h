/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_ELF_H
#define SYSCALLS_PATCH_ELF_H

/*
 * A program as it is to be patched: an ELF file in memory that the kernel starts through a loader.
 * It is judged more strictly than inspect/elf.h does, which reads whatever it can: what is not
 * understood here is not rewritten. The file may be hostile. A struct patch_elf borrows its bytes.
 */

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATCH_PAGE 4096U
/* With those that are added they are fewer than inspect/elf.h keeps, and fit a page (kernel). */
#define PATCH_SEGMENTS_MAX 56
#define PATCH_WHAT_SIZE	   512

/* The note by which a patched program is known; its name with the NUL. */
#define PATCH_NOTE_NAME "crypto-tracer"
#define PATCH_NOTE_TYPE 1U

struct patch_elf {
	const uint8_t *bytes;
	size_t size;
	Elf64_Ehdr header;
	Elf64_Phdr segments[PATCH_SEGMENTS_MAX];
	size_t nr_segments;
	size_t first_load, last_load; /* places in segments[]; PT_LOAD ascend by address */
	uint64_t load_end;	      /* address behind the last one, in memory */
	bool has_note;		      /* it is patched */
	/* The section headers: none, or all of them in the file. */
	uint64_t sections, nr_sections;
};

/* Writes a text for people into WHAT, cut to its size. */
void patch_say(char what[static PATCH_WHAT_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The same with the reason why something is not done, and what is returned then. A sentence without
 * its subject, which is the program: "is a script".
 */
#define patch_refuse(...) (patch_say(__VA_ARGS__), -EOPNOTSUPP)

/* Reads SIZE bytes, borrowed. Returns 0, or -EOPNOTSUPP with the reason in RET_WHAT. */
int patch_elf_read(struct patch_elf *elf, const uint8_t *bytes, size_t size,
		   char ret_what[static PATCH_WHAT_SIZE]);

/* Section header INDEX of nr_sections. */
Elf64_Shdr patch_elf_section(const struct patch_elf *elf, uint64_t index);

/* The segment that has the SIZE bytes at OFFSET of the file, or at ADDRESS; NULL: none. */
const Elf64_Phdr *patch_elf_at_offset(const struct patch_elf *elf, uint64_t offset, uint64_t size);
const Elf64_Phdr *patch_elf_at_address(const struct patch_elf *elf, uint64_t address,
				       uint64_t size);

/* The SIZE bytes at OFFSET of the file, or NULL. */
const uint8_t *patch_elf_file(const struct patch_elf *elf, uint64_t offset, uint64_t size);

/* The SIZE bytes of the file that are loaded at ADDRESS, or NULL. */
const uint8_t *patch_elf_bytes(const struct patch_elf *elf, uint64_t address, uint64_t size);

/* The first entry TAG of the dynamic section. False when there is none. */
bool patch_elf_dynamic(const struct patch_elf *elf, int64_t tag, uint64_t *ret);

#endif /* SYSCALLS_PATCH_ELF_H */
