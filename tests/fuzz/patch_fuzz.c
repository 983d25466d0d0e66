/* SPDX-License-Identifier: MIT */
/*
 * src/syscalls/patch.h: whatever a program's file holds, what is made of it and found right is a
 * program: segments that can be loaded and ascend, headers where they are loaded, an entry in code,
 * and all else as it was.
 *
 * The first byte of the input says how many phases there are, each of three numbers of 32 bits
 * behind it where one begins; the rest is the file.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls/patch.h"

#define INPUT_MAX  (256U << 10)
#define POINTS	   3U
#define FILE_AT	   (1 + POINTS * 4)
#define OUTPUT_MAX (4U << 20) /* larger ones have a larger hole, nothing else */

static const struct sock_filter filters[POINTS + 1][2] = {
	{ { .code = BPF_RET, .k = 1 }, { .code = BPF_RET, .k = 2 } },
	{ { .code = BPF_RET, .k = 3 } },
	{ { .code = BPF_RET, .k = 4 } },
	{ { .code = BPF_RET, .k = 5 } },
};

static void check(int condition)
{
	if (!condition)
		abort();
}

static struct patch_plan plan_of(const uint8_t *data)
{
	struct patch_plan plan = { .nr_phases = data[0] % (POINTS + 1) + 1 };

	for (size_t i = 0; i < plan.nr_phases; i++) {
		uint32_t offset = 0;

		if (i)
			memcpy(&offset, data + 1 + (i - 1) * 4, sizeof(offset));
		plan.phases[i] = (struct patch_phase){
			.filter = filters[i],
			.nr = i ? 1 : 2,
			.offset = offset,
			.name = "point",
		};
	}
	return plan;
}

static bool has(const Elf64_Phdr *load, uint64_t address, uint64_t size)
{
	return load->p_type == PT_LOAD && address >= load->p_vaddr &&
	       address - load->p_vaddr <= load->p_filesz &&
	       size <= load->p_filesz - (address - load->p_vaddr);
}

/* As the kernel and the loader go about it. */
static void check_program(const uint8_t *bytes, size_t size)
{
	Elf64_Ehdr header;
	Elf64_Phdr segments[64];
	uint64_t end = 0, table = 0;
	bool has_entry = false, has_table = false;
	const Elf64_Phdr *first = NULL;

	check(size > sizeof(header));
	memcpy(&header, bytes, sizeof(header));
	check(header.e_phnum <= 64);

	size_t table_size = header.e_phnum * sizeof(Elf64_Phdr);

	check(header.e_phoff <= size && table_size <= size - header.e_phoff);
	memcpy(segments, bytes + header.e_phoff, table_size);
	for (size_t i = 0; i < header.e_phnum; i++) {
		const Elf64_Phdr *segment = &segments[i];

		if (segment->p_type == PT_PHDR)
			table = segment->p_vaddr;
		if (segment->p_type != PT_LOAD)
			continue;
		if (!first)
			first = segment;
		check(segment->p_vaddr >= end && segment->p_memsz >= segment->p_filesz);
		end = segment->p_vaddr + segment->p_memsz;
		check(end >= segment->p_vaddr);
		check((segment->p_vaddr - segment->p_offset) % 4096 == 0);
		check(segment->p_offset <= size && segment->p_filesz <= size - segment->p_offset);
		has_entry |= has(segment, header.e_entry, 1) && (segment->p_flags & PF_X);
	}
	check(first && has_entry);
	/* where Linux before 5.18 says that they are */
	uint64_t told = first->p_vaddr - first->p_offset + header.e_phoff;

	check(!table || table == told);
	for (size_t i = 0; i < header.e_phnum; i++)
		has_table |= has(&segments[i], told, table_size);
	check(has_table);
}

static void check_image(const uint8_t *original, size_t size, const struct patch_plan *plan,
			const struct patch_image *image)
{
	size_t file_size = (size_t)image->tail_offset + image->tail_size;
	char what[PATCH_WHAT_SIZE];
	struct patch_image again;
	uint8_t *file;

	check(image->head_size == size && image->tail_offset >= size);
	if (file_size > OUTPUT_MAX)
		return;
	file = calloc(1, file_size);
	check(file != NULL);
	memcpy(file, image->head, size);
	memcpy(file + image->tail_offset, image->tail, image->tail_size);
	if (patch_verify(file, file_size, original, size, plan, what) == 0) {
		check_program(file, file_size);
		check(patch_make(file, file_size, plan, &again, what) != 0);
	}
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char what[PATCH_WHAT_SIZE] = "";
	struct patch_plan plan;
	struct patch_image image;

	if (size < FILE_AT || size > INPUT_MAX)
		return 0;
	plan = plan_of(data);
	if (patch_make(data + FILE_AT, size - FILE_AT, &plan, &image, what) == 0) {
		check_image(data + FILE_AT, size - FILE_AT, &plan, &image);
		patch_image_free(&image);
	} else {
		check(*what && memchr(what, '\0', sizeof(what)));
	}
	return 0;
}
