/* SPDX-License-Identifier: MIT */
/*
 * What is asked of a program: System V gABI, chapters 4 and 5, and what Linux (fs/binfmt_elf.c) and
 * glibc (elf/rtld.c, elf/dl-load.c) make of it.
 */
#include "syscalls/patch_elf.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where user space ends on x86-64 with four levels of page tables. */
#define ADDRESS_MAX 0x7ffffffff000U
/* A bound for files that have no end of them. */
#define DYNAMIC_MAX 1024U
#define NOTES_MAX   64U

void patch_say(char what[static PATCH_WHAT_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, PATCH_WHAT_SIZE, format, arguments);
	va_end(arguments);
}

/* Whether the SIZE bytes at OFFSET lie before END. */
static bool is_within(uint64_t offset, uint64_t size, uint64_t end)
{
	return offset <= end && size <= end - offset;
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_ARM:
		return "arm";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "riscv";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	default:
		return "another architecture";
	}
}

static int read_header(struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	Elf64_Ehdr *header = &elf->header;

	if (elf->size >= 2 && memcmp(elf->bytes, "#!", 2) == 0)
		return patch_refuse(ret_what,
				    "is a script: what can be patched is the program that it names "
				    "in its first line");
	if (elf->size < sizeof(*header) || memcmp(elf->bytes, ELFMAG, SELFMAG) != 0)
		return patch_refuse(ret_what, "is not an ELF file");
	memcpy(header, elf->bytes, sizeof(*header));
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return patch_refuse(ret_what, "is big-endian: only x86-64 can be patched");
	if (header->e_machine != EM_X86_64)
		return patch_refuse(ret_what, "is for %s: only x86-64 can be patched",
				    machine_name(header->e_machine));
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return patch_refuse(ret_what, "is for x32: only x86-64 can be patched");
	if (header->e_type == ET_REL || header->e_type == ET_CORE)
		return patch_refuse(ret_what, "is no program but %s",
				    header->e_type == ET_REL ? "an object file" : "a core dump");
	if ((header->e_type != ET_EXEC && header->e_type != ET_DYN) ||
	    header->e_ehsize != sizeof(*header) || header->e_version != EV_CURRENT)
		return patch_refuse(ret_what, "has an ELF header that is not understood");
	return 0;
}

static int read_segments(struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Ehdr *header = &elf->header;
	uint64_t size = (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);

	if (header->e_phentsize != sizeof(Elf64_Phdr) || !header->e_phnum ||
	    !is_within(header->e_phoff, size, elf->size))
		return patch_refuse(ret_what, "has no whole table of segments");
	if (header->e_phnum > PATCH_SEGMENTS_MAX)
		return patch_refuse(ret_what, "has %u segments, more than %d", header->e_phnum,
				    PATCH_SEGMENTS_MAX);
	elf->nr_segments = header->e_phnum;
	memcpy(elf->segments, elf->bytes + header->e_phoff, size);
	return 0;
}

/* Number NR of the segments of TYPE, or NULL. */
static const Elf64_Phdr *segment_of(const struct patch_elf *elf, uint32_t type, size_t nr)
{
	for (size_t i = 0; i < elf->nr_segments; i++)
		if (elf->segments[i].p_type == type && nr-- == 0)
			return &elf->segments[i];
	return NULL;
}

static bool load_is_sound(const struct patch_elf *elf, const Elf64_Phdr *load)
{
	return is_within(load->p_offset, load->p_filesz, elf->size) &&
	       load->p_filesz <= load->p_memsz &&
	       is_within(load->p_vaddr, load->p_memsz, ADDRESS_MAX) &&
	       (load->p_vaddr - load->p_offset) % PATCH_PAGE == 0;
}

/*
 * PT_LOAD ascend and do not overlap (gABI), which glibc relies on. Where the first one begins in
 * the file and in memory is what the others are measured by.
 */
static int check_loads(struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	size_t nr_loads = 0;

	for (size_t i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *load = &elf->segments[i];

		if (load->p_type != PT_LOAD)
			continue;
		if (!load_is_sound(elf, load))
			return patch_refuse(ret_what, "has a segment that cannot be loaded");
		if (load->p_vaddr < elf->load_end)
			return patch_refuse(ret_what, "has segments that overlap or do not ascend");
		if (nr_loads++ == 0)
			elf->first_load = i;
		elf->last_load = i;
		elf->load_end = load->p_vaddr + load->p_memsz;
	}
	if (!nr_loads ||
	    elf->segments[elf->first_load].p_offset > elf->segments[elf->first_load].p_vaddr)
		return patch_refuse(ret_what, "has no first segment to go by");
	return 0;
}

/* Whether there is a path, terminated, in the file. */
static bool interp_is_sound(const struct patch_elf *elf, const Elf64_Phdr *interp)
{
	return interp->p_filesz > 1 && interp->p_filesz < PATH_MAX &&
	       is_within(interp->p_offset, interp->p_filesz, elf->size) &&
	       strnlen((const char *)elf->bytes + interp->p_offset, interp->p_filesz) ==
		       interp->p_filesz - 1;
}

/* Without a loader: one of three. */
static int refuse_static(const struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	uint64_t flags = 0;

	if (elf->header.e_type == ET_EXEC)
		return patch_refuse(ret_what, "is statically linked");
	patch_elf_dynamic(elf, DT_FLAGS_1, &flags);
	if (flags & DF_1_PIE)
		return patch_refuse(ret_what, "is statically linked (static-pie)");
	return patch_refuse(ret_what, "is a shared library");
}

static int check_dynamic(const struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Phdr *interp = segment_of(elf, PT_INTERP, 0);
	const Elf64_Phdr *dynamic = segment_of(elf, PT_DYNAMIC, 0);

	if (!interp)
		return refuse_static(elf, ret_what);
	if (segment_of(elf, PT_INTERP, 1) || !interp_is_sound(elf, interp))
		return patch_refuse(ret_what, "does not tell which loader it wants");
	if (!dynamic || !is_within(dynamic->p_offset, dynamic->p_filesz, elf->size))
		return patch_refuse(ret_what, "has no dynamic section");
	if (segment_of(elf, PT_PHDR, 1))
		return patch_refuse(ret_what, "has two tables of segments");
	return 0;
}

static int check_entry(const struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Phdr *load = patch_elf_at_address(elf, elf->header.e_entry, 1);

	if (!load || !(load->p_flags & PF_X))
		return patch_refuse(ret_what, "has no entry point in executable code");
	return 0;
}

/* Linux and glibc keep notes to words of 4, but for properties, with words of 8. */
static bool notes_have_ours(const struct patch_elf *elf, const Elf64_Phdr *notes)
{
	uint64_t align = notes->p_align == 8 ? 8 : 4, at = notes->p_offset, end;

	if (!is_within(at, notes->p_filesz, elf->size))
		return false;
	end = at + notes->p_filesz;
	for (unsigned int i = 0; i < NOTES_MAX; i++) {
		Elf64_Nhdr note;

		if (!is_within(at, sizeof(note), end))
			return false;
		memcpy(&note, elf->bytes + at, sizeof(note));
		at += sizeof(note);
		if (note.n_namesz == sizeof(PATCH_NOTE_NAME) && is_within(at, note.n_namesz, end) &&
		    memcmp(elf->bytes + at, PATCH_NOTE_NAME, sizeof(PATCH_NOTE_NAME)) == 0)
			return true;
		/* Both are of 32 bits: their sum does not overflow. */
		at += (note.n_namesz + align - 1) & ~(align - 1);
		at += (note.n_descsz + align - 1) & ~(align - 1);
	}
	return false;
}

static void find_note(struct patch_elf *elf)
{
	for (size_t i = 0; i < elf->nr_segments; i++)
		if (elf->segments[i].p_type == PT_NOTE && notes_have_ours(elf, &elf->segments[i]))
			elf->has_note = true;
}

Elf64_Shdr patch_elf_section(const struct patch_elf *elf, uint64_t index)
{
	Elf64_Shdr section;

	memcpy(&section, elf->bytes + elf->sections + index * sizeof(section), sizeof(section));
	return section;
}

static int read_sections(struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	const Elf64_Ehdr *header = &elf->header;

	if (!header->e_shoff)
		return 0;
	elf->sections = header->e_shoff;
	elf->nr_sections = header->e_shnum;
	if (header->e_shentsize != sizeof(Elf64_Shdr) ||
	    !is_within(elf->sections, sizeof(Elf64_Shdr), elf->size))
		return patch_refuse(ret_what, "has section headers that are not in the file");
	/* gABI, "ELF Header": a number that does not fit is in the first section's header. */
	if (!elf->nr_sections)
		elf->nr_sections = patch_elf_section(elf, 0).sh_size;
	if (elf->nr_sections > elf->size / sizeof(Elf64_Shdr) ||
	    !is_within(elf->sections, elf->nr_sections * sizeof(Elf64_Shdr), elf->size))
		return patch_refuse(ret_what, "has section headers that are not in the file");
	return 0;
}

static void extend(uint64_t *end, uint64_t offset, uint64_t size)
{
	if (size <= UINT64_MAX - offset && offset + size > *end)
		*end = offset + size;
}

/*
 * Programs that carry their data behind what is ELF look for it from the end of the file, where
 * the copy has something else.
 */
static int check_end(const struct patch_elf *elf, char ret_what[static PATCH_WHAT_SIZE])
{
	uint64_t end = sizeof(Elf64_Ehdr);

	extend(&end, elf->header.e_phoff, elf->nr_segments * sizeof(Elf64_Phdr));
	extend(&end, elf->sections, elf->nr_sections * sizeof(Elf64_Shdr));
	for (size_t i = 0; i < elf->nr_segments; i++)
		extend(&end, elf->segments[i].p_offset, elf->segments[i].p_filesz);
	for (uint64_t i = 0; i < elf->nr_sections; i++) {
		Elf64_Shdr section = patch_elf_section(elf, i);

		if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
			extend(&end, section.sh_offset, section.sh_size);
	}
	for (uint64_t i = end; i < elf->size; i++)
		if (elf->bytes[i])
			return patch_refuse(ret_what,
					    "has %llu bytes of its own behind the ELF file, which "
					    "it would look for at the end of the copy",
					    (unsigned long long)(elf->size - end));
	return 0;
}

int patch_elf_read(struct patch_elf *elf, const uint8_t *bytes, size_t size,
		   char ret_what[static PATCH_WHAT_SIZE])
{
	static int (*const steps[])(struct patch_elf *, char *) = {
		read_header,
		read_segments,
		check_loads,
		read_sections,
	};
	static int (*const checks[])(const struct patch_elf *, char *) = {
		check_dynamic,
		check_entry,
		check_end,
	};

	*elf = (struct patch_elf){ .bytes = bytes, .size = size };
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int err = steps[i](elf, ret_what);

		if (err)
			return err;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int err = checks[i](elf, ret_what);

		if (err)
			return err;
	}
	find_note(elf);
	return 0;
}

const Elf64_Phdr *patch_elf_at_offset(const struct patch_elf *elf, uint64_t offset, uint64_t size)
{
	for (size_t i = elf->first_load; i < elf->nr_segments; i++) {
		const Elf64_Phdr *load = &elf->segments[i];

		if (load->p_type == PT_LOAD && offset >= load->p_offset &&
		    is_within(offset - load->p_offset, size, load->p_filesz))
			return load;
	}
	return NULL;
}

const Elf64_Phdr *patch_elf_at_address(const struct patch_elf *elf, uint64_t address, uint64_t size)
{
	for (size_t i = elf->first_load; i < elf->nr_segments; i++) {
		const Elf64_Phdr *load = &elf->segments[i];

		if (load->p_type == PT_LOAD && address >= load->p_vaddr &&
		    is_within(address - load->p_vaddr, size, load->p_filesz))
			return load;
	}
	return NULL;
}

const uint8_t *patch_elf_file(const struct patch_elf *elf, uint64_t offset, uint64_t size)
{
	return is_within(offset, size, elf->size) ? elf->bytes + offset : NULL;
}

const uint8_t *patch_elf_bytes(const struct patch_elf *elf, uint64_t address, uint64_t size)
{
	const Elf64_Phdr *load = patch_elf_at_address(elf, address, size);

	return load ? elf->bytes + load->p_offset + (address - load->p_vaddr) : NULL;
}

bool patch_elf_dynamic(const struct patch_elf *elf, int64_t tag, uint64_t *ret)
{
	const Elf64_Phdr *dynamic = segment_of(elf, PT_DYNAMIC, 0);

	if (!dynamic || !is_within(dynamic->p_offset, dynamic->p_filesz, elf->size))
		return false;
	for (uint64_t i = 0; i < dynamic->p_filesz / sizeof(Elf64_Dyn) && i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;

		memcpy(&entry, elf->bytes + dynamic->p_offset + i * sizeof(entry), sizeof(entry));
		if (entry.d_tag == DT_NULL)
			return false;
		if (entry.d_tag == tag) {
			*ret = entry.d_un.d_val;
			return true;
		}
	}
	return false;
}
