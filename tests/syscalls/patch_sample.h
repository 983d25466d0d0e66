/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYSCALLS_PATCH_SAMPLE_H
#define TESTS_SYSCALLS_PATCH_SAMPLE_H

/*
 * A dynamic program made by hand: position-independent, with a loader, a build id, an .eh_frame and
 * section headers. It has the shape of a program and would not run. patch_sample_begin(), then
 * functions, then patch_sample_end(); bytes may be changed after that.
 */

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE_INTERP	   0x400U
#define SAMPLE_NOTE	   0x440U
#define SAMPLE_TABLE	   0x480U /* .eh_frame_hdr */
#define SAMPLE_FRAMES	   0x600U /* .eh_frame */
#define SAMPLE_SYMBOLS	   0xa00U
#define SAMPLE_RODATA	   0xc00U
#define SAMPLE_CODE	   0x1000U
#define SAMPLE_CODE_SIZE   0x400U
#define SAMPLE_DATA	   0x2000U /* in the file; in memory a page further up */
#define SAMPLE_DATA_VADDR  (SAMPLE_DATA + 0x1000U)
#define SAMPLE_DYNAMIC	   0x2000U
#define SAMPLE_WORDS	   0x2100U /* data */
#define SAMPLE_NAMES	   0x2200U
#define SAMPLE_SECTIONS	   0x2280U
#define SAMPLE_NR_SECTIONS 5U
#define SAMPLE_SIZE	   (SAMPLE_SECTIONS + SAMPLE_NR_SECTIONS * sizeof(Elf64_Shdr))
#define SAMPLE_BSS	   0x5000U
#define SAMPLE_FUNCTIONS   16

enum sample_segment {
	SEGMENT_PHDR,
	SEGMENT_INTERP,
	SEGMENT_READ,
	SEGMENT_CODE,
	SEGMENT_DATA,
	SEGMENT_DYNAMIC,
	SEGMENT_NOTE,
	SEGMENT_FRAMES,
	SEGMENT_STACK,
	NR_SAMPLE_SEGMENTS,
};

struct patch_sample {
	uint8_t bytes[SAMPLE_SIZE];
	uint64_t base; /* 0: position-independent */
	size_t code_size;
	size_t nr_functions;
	struct {
		uint32_t at, size;
		bool has_handlers;
	} functions[SAMPLE_FUNCTIONS];
};

__attribute__((unused)) static void sample_put(struct patch_sample *sample, size_t at,
					       uint64_t number, size_t size)
{
	assert_true(at + size <= sizeof(sample->bytes));
	memcpy(sample->bytes + at, &number, size);
}

__attribute__((unused)) static Elf64_Ehdr *sample_header(struct patch_sample *sample)
{
	return (Elf64_Ehdr *)(void *)sample->bytes;
}

__attribute__((unused)) static Elf64_Phdr *sample_segment(struct patch_sample *sample, size_t index)
{
	return (Elf64_Phdr *)(void *)(sample->bytes + sizeof(Elf64_Ehdr)) + index;
}

__attribute__((unused)) static Elf64_Shdr *sample_section(struct patch_sample *sample, size_t index)
{
	return (Elf64_Shdr *)(void *)(sample->bytes + SAMPLE_SECTIONS) + index;
}

__attribute__((unused)) static void sample_dynamic(struct patch_sample *sample, size_t index,
						   uint64_t tag, uint64_t value)
{
	sample_put(sample, SAMPLE_DYNAMIC + 16 * index, tag, 8);
	sample_put(sample, SAMPLE_DYNAMIC + 16 * index + 8, value, 8);
}

__attribute__((unused)) static void patch_sample_begin(struct patch_sample *sample, uint64_t base)
{
	memset(sample, 0, sizeof(*sample));
	sample->base = base;
	memset(sample->bytes + SAMPLE_CODE, 0xcc, SAMPLE_CODE_SIZE);
}

/*
 * Appends a function of SIZE bytes, aligned to 16. Returns its offset in the file, which is its
 * address less the base.
 */
__attribute__((unused)) static uint32_t sample_function(struct patch_sample *sample,
							const void *code, size_t size)
{
	uint32_t at = SAMPLE_CODE + (uint32_t)sample->code_size;

	assert_true(sample->nr_functions < SAMPLE_FUNCTIONS);
	assert_true(sample->code_size + size <= SAMPLE_CODE_SIZE);
	memcpy(sample->bytes + at, code, size);
	sample->functions[sample->nr_functions].at = at;
	sample->functions[sample->nr_functions++].size = (uint32_t)size;
	sample->code_size = (sample->code_size + size + 15) & ~(size_t)15;
	return at;
}

/* A common entry, "zLR", then an entry for each function, and the sorted table of them. */
static void sample_frames(struct patch_sample *sample)
{
	static const uint8_t common[] = {
		16, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'L', 'R', 0, 1, 0x78, 16, 2, 0x1b, 0x1b, 0x00,
	};
	size_t at = SAMPLE_FRAMES + sizeof(common);

	memcpy(sample->bytes + SAMPLE_FRAMES, common, sizeof(common));
	sample_put(sample, SAMPLE_TABLE, 0x3b031b01, 4);
	sample_put(sample, SAMPLE_TABLE + 4, SAMPLE_FRAMES - SAMPLE_TABLE - 4, 4);
	sample_put(sample, SAMPLE_TABLE + 8, sample->nr_functions, 4);
	for (size_t i = 0; i < sample->nr_functions; i++) {
		uint32_t function = sample->functions[i].at;
		uint32_t entry = (uint32_t)at;

		sample_put(sample, SAMPLE_TABLE + 12 + i * 8, function - SAMPLE_TABLE, 4);
		sample_put(sample, SAMPLE_TABLE + 16 + i * 8, entry - SAMPLE_TABLE, 4);
		sample_put(sample, at, 20, 4);
		sample_put(sample, at + 4, entry + 4 - SAMPLE_FRAMES, 4);
		sample_put(sample, at + 8, function - (entry + 8), 4);
		sample_put(sample, at + 12, sample->functions[i].size, 4);
		sample_put(sample, at + 16, 4, 1);
		sample_put(sample, at + 17, sample->functions[i].has_handlers ? 0x40 : 0, 4);
		at += 24;
		assert_true(at < SAMPLE_SYMBOLS);
	}
}

static void sample_segments(struct patch_sample *sample)
{
	const Elf64_Phdr segments[NR_SAMPLE_SEGMENTS] = {
		[SEGMENT_PHDR] = { .p_type = PT_PHDR,
				   .p_offset = sizeof(Elf64_Ehdr),
				   .p_filesz = NR_SAMPLE_SEGMENTS * sizeof(Elf64_Phdr) },
		[SEGMENT_INTERP] = { .p_type = PT_INTERP,
				     .p_offset = SAMPLE_INTERP,
				     .p_filesz = sizeof("/lib64/ld.so") },
		[SEGMENT_READ] = { .p_type = PT_LOAD, .p_filesz = SAMPLE_CODE },
		[SEGMENT_CODE] = { .p_type = PT_LOAD,
				   .p_flags = PF_X,
				   .p_offset = SAMPLE_CODE,
				   .p_filesz = SAMPLE_CODE_SIZE },
		[SEGMENT_DATA] = { .p_type = PT_LOAD,
				   .p_flags = PF_W,
				   .p_offset = SAMPLE_DATA,
				   .p_filesz = SAMPLE_NAMES - SAMPLE_DATA,
				   .p_memsz = SAMPLE_BSS },
		[SEGMENT_DYNAMIC] = { .p_type = PT_DYNAMIC,
				      .p_flags = PF_W,
				      .p_offset = SAMPLE_DYNAMIC,
				      .p_filesz = 0x100 },
		[SEGMENT_NOTE] = { .p_type = PT_NOTE,
				   .p_offset = SAMPLE_NOTE,
				   .p_filesz = 36,
				   .p_align = 4 },
		[SEGMENT_FRAMES] = { .p_type = PT_GNU_EH_FRAME,
				     .p_offset = SAMPLE_TABLE,
				     .p_filesz = SAMPLE_FRAMES - SAMPLE_TABLE },
		[SEGMENT_STACK] = { .p_type = PT_GNU_STACK, .p_flags = PF_W },
	};

	for (size_t i = 0; i < NR_SAMPLE_SEGMENTS; i++) {
		Elf64_Phdr *segment = sample_segment(sample, i);

		*segment = segments[i];
		segment->p_flags |= PF_R;
		segment->p_vaddr = sample->base + segment->p_offset;
		if (segment->p_offset >= SAMPLE_DATA)
			segment->p_vaddr += SAMPLE_DATA_VADDR - SAMPLE_DATA;
		segment->p_paddr = segment->p_vaddr;
		if (!segment->p_memsz)
			segment->p_memsz = segment->p_filesz;
		if (segment->p_type == PT_LOAD)
			segment->p_align = 0x1000;
	}
}

static void sample_sections(struct patch_sample *sample)
{
	static const char names[] = "\0.symtab\0.strtab\0.text\0.shstrtab";
	const Elf64_Shdr sections[SAMPLE_NR_SECTIONS] = {
		[1] = { .sh_name = 1,
			.sh_type = SHT_SYMTAB,
			.sh_offset = SAMPLE_SYMBOLS,
			.sh_size = 8 * sizeof(Elf64_Sym),
			.sh_link = 2,
			.sh_entsize = sizeof(Elf64_Sym) },
		[2] = { .sh_name = 9, .sh_type = SHT_STRTAB, .sh_offset = SAMPLE_NAMES },
		[3] = { .sh_name = 17,
			.sh_type = SHT_PROGBITS,
			.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			.sh_addr = sample->base + SAMPLE_CODE,
			.sh_offset = SAMPLE_CODE,
			.sh_size = SAMPLE_CODE_SIZE },
		[4] = { .sh_name = 23,
			.sh_type = SHT_STRTAB,
			.sh_offset = SAMPLE_NAMES,
			.sh_size = sizeof(names) },
	};

	memcpy(sample->bytes + SAMPLE_NAMES, names, sizeof(names));
	memcpy(sample->bytes + SAMPLE_SECTIONS, sections, sizeof(sections));
}

/* Symbol INDEX, 1 to 7. */
__attribute__((unused)) static void sample_symbol(struct patch_sample *sample, size_t index,
						  unsigned char type, uint64_t value, uint64_t size)
{
	const Elf64_Sym symbol = {
		.st_info = ELF64_ST_INFO(STB_GLOBAL, type),
		.st_shndx = 3,
		.st_value = value,
		.st_size = size,
	};

	memcpy(sample->bytes + SAMPLE_SYMBOLS + index * sizeof(symbol), &symbol, sizeof(symbol));
}

__attribute__((unused)) static void patch_sample_end(struct patch_sample *sample)
{
	static const uint8_t note[] = { 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0 };
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = sample->base ? ET_EXEC : ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = sample->base + SAMPLE_CODE,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = NR_SAMPLE_SEGMENTS,
		.e_shoff = SAMPLE_SECTIONS,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SAMPLE_NR_SECTIONS,
		.e_shstrndx = SAMPLE_NR_SECTIONS - 1,
	};

	memcpy(sample->bytes, &header, sizeof(header));
	sample_segments(sample);
	memcpy(sample->bytes + SAMPLE_INTERP, "/lib64/ld.so", sizeof("/lib64/ld.so"));
	memcpy(sample->bytes + SAMPLE_NOTE, note, sizeof(note));
	memset(sample->bytes + SAMPLE_NOTE + sizeof(note), 0xab, 20);
	sample_frames(sample);
	sample_dynamic(sample, 0, DT_FLAGS_1, DF_1_PIE);
	sample_sections(sample);
}

#endif /* TESTS_SYSCALLS_PATCH_SAMPLE_H */
