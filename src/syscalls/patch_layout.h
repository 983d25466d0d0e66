/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_LAYOUT_H
#define SYSCALLS_PATCH_LAYOUT_H

/*
 * Where everything comes that is added to a program (patch.h says why there). All places are
 * offsets in the tail of the file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/patch.h"
#include "syscalls/patch_sections.h"
#include "syscalls/patch_site.h"

/* What is added at most. Segments that are loaded are parts; one more has the note. */
#define PATCH_PARTS_MAX	   3
#define PATCH_ADDED_MAX	   (PATCH_PARTS_MAX + 1)
#define PATCH_SECTIONS_MAX 4

struct patch_part {
	uint32_t flags;
	size_t begin, end;
};

struct patch_layout {
	uint64_t offset; /* of the tail in the file */
	uint64_t base;	 /* address of what is loaded, less its offset in the file */
	size_t nr_segments;
	struct patch_part parts[PATCH_PARTS_MAX];
	size_t nr_parts;
	size_t note, note_size;
	size_t filters[PATCH_PHASES_MAX];
	size_t code;			 /* patch_stub_entry */
	size_t points[PATCH_PHASES_MAX]; /* patch_stub_point; not of phase 0 */
	size_t lock;			 /* of the stubs; 0: there is one phase, and none */
	struct patch_section sections[PATCH_SECTIONS_MAX];
	size_t nr_sections;
	size_t table, table_size; /* of section headers; 0: none */
	size_t size;
	/* In the program. */
	struct patch_site sites[PATCH_PHASES_MAX];
};

/*
 * Lays out PLAN's phases in ELF. Returns 0, or -EOPNOTSUPP with the reason in RET_WHAT: it is too
 * large, a phase cannot begin where it should.
 */
int patch_layout_make(const struct patch_elf *elf, const struct patch_plan *plan,
		      struct patch_layout *ret, char ret_what[static PATCH_WHAT_SIZE]);

/* The address of what is AT in the tail. */
uint64_t patch_layout_address(const struct patch_layout *layout, size_t at);

/* Writes the program headers and the note into TAIL. */
void patch_layout_write(const struct patch_elf *elf, const struct patch_plan *plan,
			const struct patch_layout *layout, uint8_t *tail);

/* How far LABEL is behind BEGIN, of the stubs. */
static inline size_t patch_label(const uint8_t *begin, const uint8_t *label)
{
	return (size_t)((uintptr_t)label - (uintptr_t)begin);
}

#endif /* SYSCALLS_PATCH_LAYOUT_H */
