/* SPDX-License-Identifier: MIT */
/*
 * Reads a patched program as the kernel and the loader will, from its header on, and compares it
 * with the original: nothing here knows where patch.c has put anything.
 */
#include "syscalls/patch.h"

#include <stdbool.h>
#include <string.h>

#ifdef __x86_64__

#include "syscalls/patch_site.h"
#include "syscalls/patch_stub.h"

/* Both programs, and the places in the original that are others in the copy. */
struct pair {
	struct patch_elf copy, original;
	const struct patch_plan *plan;
	struct patch_site sites[PATCH_PHASES_MAX];
};

/* Segments of the original, but for the one that tells where they stand, are all there. */
static int check_segments(const struct pair *pair, char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Ehdr *header = &pair->copy.header;
	const Elf64_Phdr *first = &pair->copy.segments[pair->copy.first_load];
	const Elf64_Phdr *table = patch_elf_at_offset(&pair->copy, header->e_phoff,
						      pair->copy.nr_segments * sizeof(*table));
	size_t found = 0;

	if (!table || table->p_vaddr - table->p_offset != first->p_vaddr - first->p_offset)
		return patch_refuse(ret_what, "has program headers where they are not loaded");
	for (size_t i = 0; i < pair->copy.nr_segments; i++) {
		const Elf64_Phdr *segment = &pair->copy.segments[i];

		if (segment->p_type == PT_PHDR &&
		    (segment->p_offset != header->e_phoff ||
		     segment->p_filesz != pair->copy.nr_segments * sizeof(*segment) ||
		     segment->p_vaddr != table->p_vaddr + (header->e_phoff - table->p_offset)))
			return patch_refuse(ret_what, "has program headers elsewhere than it says");
		if (found < pair->original.nr_segments &&
		    pair->original.segments[found].p_type == segment->p_type &&
		    (segment->p_type == PT_PHDR ||
		     memcmp(&pair->original.segments[found], segment, sizeof(*segment)) == 0))
			found++;
	}
	if (found != pair->original.nr_segments)
		return patch_refuse(ret_what, "lacks a segment of the original");
	return 0;
}

/* Whether NAMES are those of the original, WAS, and perhaps more. */
static bool names_grew(const struct pair *pair, const Elf64_Shdr *names, const Elf64_Shdr *was)
{
	const uint8_t *is_bytes = patch_elf_file(&pair->copy, names->sh_offset, names->sh_size);
	const uint8_t *was_bytes = patch_elf_file(&pair->original, was->sh_offset, was->sh_size);

	return is_bytes && was_bytes && names->sh_size >= was->sh_size &&
	       memcmp(is_bytes, was_bytes, was->sh_size) == 0;
}

/*
 * Section headers of the original, but for the one of their names, which only grew, are all there.
 */
static int check_sections(const struct pair *pair, char ret_what[static PATCH_WHAT_SIZE])
{
	const struct patch_elf *copy = &pair->copy, *original = &pair->original;

	if (copy->nr_sections < original->nr_sections ||
	    copy->header.e_shstrndx != original->header.e_shstrndx)
		return patch_refuse(ret_what, "lacks a section of the original");
	for (uint64_t i = 0; i < original->nr_sections; i++) {
		Elf64_Shdr is = patch_elf_section(copy, i), was = patch_elf_section(original, i);

		if (i == original->header.e_shstrndx && names_grew(pair, &is, &was)) {
			is.sh_offset = was.sh_offset;
			is.sh_size = was.sh_size;
		}
		if (memcmp(&is, &was, sizeof(is)) != 0)
			return patch_refuse(ret_what, "lacks a section of the original");
	}
	return 0;
}

/* All bytes of the original, but for those that have to be others. */
static int check_bytes(const struct pair *pair, char ret_what[static PATCH_WHAT_SIZE])
{
	const uint8_t *was = pair->original.bytes, *is = pair->copy.bytes;
	Elf64_Ehdr header = pair->copy.header;

	header.e_entry = pair->original.header.e_entry;
	header.e_phoff = pair->original.header.e_phoff;
	header.e_phnum = pair->original.header.e_phnum;
	header.e_shoff = pair->original.header.e_shoff;
	header.e_shnum = pair->original.header.e_shnum;
	if (memcmp(&header, &pair->original.header, sizeof(header)) != 0)
		return patch_refuse(ret_what, "has another header");
	for (size_t at = sizeof(header); at < pair->original.size;) {
		size_t end = pair->original.size, next = end;

		for (size_t i = 1; i < pair->plan->nr_phases; i++) {
			const struct patch_site *site = &pair->sites[i];

			if (site->offset >= at && site->offset < end) {
				end = (size_t)site->offset;
				next = end + site->size;
			}
		}
		if (memcmp(was + at, is + at, end - at) != 0)
			return patch_refuse(ret_what, "has other bytes than the original");
		at = next;
	}
	return 0;
}

/* What the four bytes in front of LABEL, of the stub at ADDRESS, hold. */
static uint32_t field_of(const uint8_t *stub, const uint8_t *begin, const uint8_t *label)
{
	uint32_t number;

	memcpy(&number, stub + ((uintptr_t)label - (uintptr_t)begin) - 4, sizeof(number));
	return number;
}

static uint64_t target_of(const uint8_t *stub, uint64_t address, const uint8_t *begin,
			  const uint8_t *label)
{
	return address + ((uintptr_t)label - (uintptr_t)begin) +
	       (uint64_t)(int64_t)(int32_t)field_of(stub, begin, label);
}

/* The SIZE bytes at ADDRESS, where code is executed that the original does not have. */
static const uint8_t *stub_at(const struct pair *pair, uint64_t address, size_t size)
{
	const Elf64_Phdr *load = patch_elf_at_address(&pair->copy, address, size);

	if (!load || load->p_flags != (PF_R | PF_X) || load->p_offset < pair->original.size)
		return NULL;
	return patch_elf_bytes(&pair->copy, address, size);
}

static int check_filter(const struct pair *pair, size_t phase, uint64_t address, uint32_t nr,
			char ret_what[static PATCH_WHAT_SIZE])
{
	const struct patch_phase *wanted = &pair->plan->phases[phase];
	size_t size = wanted->nr * sizeof(struct sock_filter);
	const uint8_t *filter = patch_elf_bytes(&pair->copy, address, size);

	if (nr != wanted->nr || !filter || memcmp(filter, wanted->filter, size) != 0)
		return patch_refuse(ret_what, "has another filter for phase %zu", phase);
	return 0;
}

static int check_entry(const struct pair *pair, char ret_what[static PATCH_WHAT_SIZE])
{
	const uint8_t *begin = patch_stub_entry;
	uint64_t address = pair->copy.header.e_entry;
	const uint8_t *stub =
		stub_at(pair, address, (uintptr_t)patch_stub_entry_end - (uintptr_t)begin);

	if (!stub ||
	    target_of(stub, address, begin, patch_stub_entry_jump) != pair->original.header.e_entry)
		return patch_refuse(ret_what, "does not go on where the original begins");
	return check_filter(pair, 0, target_of(stub, address, begin, patch_stub_entry_filter),
			    field_of(stub, begin, patch_stub_entry_nr), ret_what);
}

/* The lock is in memory that can be written to, and is free. */
static int check_lock(const struct pair *pair, char ret_what[static PATCH_WHAT_SIZE])
{
	uint64_t entry = pair->copy.header.e_entry;
	const uint8_t *begin = patch_stub_entry;
	const uint8_t *stub =
		stub_at(pair, entry, (uintptr_t)patch_stub_entry_end - (uintptr_t)begin);
	uint64_t lock = stub ? target_of(stub, entry, begin, patch_stub_advance_lock) : 0;
	const Elf64_Phdr *load = patch_elf_at_address(&pair->copy, lock, 4);

	if (!load || load->p_flags != (PF_R | PF_W) || load->p_offset < pair->original.size ||
	    memcmp(patch_elf_bytes(&pair->copy, lock, 4), "\0\0\0", 4) != 0)
		return patch_refuse(ret_what, "has no lock");
	return 0;
}

static int check_point(const struct pair *pair, size_t phase, char ret_what[static PATCH_WHAT_SIZE])
{
	const struct patch_site *site = &pair->sites[phase];
	const uint8_t *begin = patch_stub_point;
	const uint8_t *jump = patch_elf_bytes(&pair->copy, site->address, PATCH_JUMP_SIZE);
	const uint8_t *stub = NULL;
	uint64_t address = 0;

	if (jump && jump[0] == 0xe9) {
		address = target_of(jump, site->address, jump, jump + PATCH_JUMP_SIZE);
		stub = stub_at(pair, address, (uintptr_t)patch_stub_point_end - (uintptr_t)begin);
	}
	if (!stub || field_of(stub, begin, patch_stub_point_phase) != phase ||
	    target_of(stub, address, begin, patch_stub_point_call) !=
		    pair->copy.header.e_entry +
			    ((uintptr_t)patch_stub_advance - (uintptr_t)patch_stub_entry))
		return patch_refuse(ret_what, "does not begin phase %zu", phase);
	return check_filter(pair, phase, target_of(stub, address, begin, patch_stub_point_filter),
			    field_of(stub, begin, patch_stub_point_nr), ret_what);
}

int patch_verify(const uint8_t *bytes, size_t size, const uint8_t *original, size_t original_size,
		 const struct patch_plan *plan, char ret_what[static PATCH_WHAT_SIZE])
{
	struct pair pair = { .plan = plan };
	int err = patch_elf_read(&pair.original, original, original_size, ret_what);

	if (!err)
		err = patch_elf_read(&pair.copy, bytes, size, ret_what);
	if (!err && (!pair.copy.has_note || size <= original_size))
		err = patch_refuse(ret_what, "is not patched");
	for (size_t i = 1; !err && i < plan->nr_phases; i++)
		err = patch_site_find(&pair.original, plan->phases[i].offset, &pair.sites[i],
				      ret_what);
	if (!err)
		err = check_segments(&pair, ret_what);
	if (!err)
		err = check_sections(&pair, ret_what);
	if (!err)
		err = check_bytes(&pair, ret_what);
	if (!err)
		err = check_entry(&pair, ret_what);
	if (!err && plan->nr_phases > 1)
		err = check_lock(&pair, ret_what);
	for (size_t i = 1; !err && i < plan->nr_phases; i++)
		err = check_point(&pair, i, ret_what);
	return err;
}

#else

int patch_verify(const uint8_t *bytes, size_t size, const uint8_t *original, size_t original_size,
		 const struct patch_plan *plan, char ret_what[static PATCH_WHAT_SIZE])
{
	(void)bytes;
	(void)size;
	(void)original;
	(void)original_size;
	(void)plan;
	return patch_refuse(ret_what, "can only be patched on x86-64");
}

#endif
