/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_H
#define SYSCALLS_PATCH_H

/*
 * A program that installs filters itself: the bytes of an ELF file, made from those of another one.
 *
 * What is there stays where it is, in the file and in memory, but for the header, and the code at
 * points. Behind it come, page by page, a segment to read (program headers, a note, the filters)
 * and one to execute (patch_stub.S). The program headers move there since there is no room for more
 * where they are. The new segments are as far from the first one in memory as in the file: Linux
 * before 5.18 tells the loader an address for the headers that is right only then. So there may be
 * a hole in the file, as large as what the program has in memory only (.bss).
 *
 * Nothing here reads or writes a file: syscalls/patch_file.h.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/patch_elf.h"

#define PATCH_PHASES_MAX 65
/* Larger programs are refused. */
#define PATCH_FILE_MAX (1U << 30)

struct patch_phase {
	const struct sock_filter *filter; /* borrowed */
	size_t nr;			  /* 1 to BPF_MAXINSNS */
	/* Where it begins: the offset in the file of an instruction. Not of phase 0. */
	uint64_t offset;
	const char *name; /* of that, for messages; of foreign text made safe for people */
};

struct patch_plan {
	struct patch_phase phases[PATCH_PHASES_MAX];
	size_t nr_phases; /* 1 and more */
};

/*
 * A file in two parts: as many bytes as the original has, then a hole, then TAIL. Owns its memory;
 * patch_image_free() ends it.
 */
struct patch_image {
	uint8_t *head;
	size_t head_size;
	uint64_t tail_offset;
	uint8_t *tail;
	size_t tail_size;
};

/*
 * Makes the image of the program of SIZE bytes, which may be anything. Returns 0; -EOPNOTSUPP with
 * the reason in RET_WHAT, for people: a sentence whose subject is the program ("is a script");
 * -ENOMEM.
 */
int patch_make(const uint8_t *bytes, size_t size, const struct patch_plan *plan,
	       struct patch_image *ret, char ret_what[static PATCH_WHAT_SIZE]);

void patch_image_free(struct patch_image *image);

/*
 * Reads the SIZE bytes of a finished file, of the original of ORIGINAL_SIZE bytes and PLAN, anew
 * and sees that it is what was meant. Returns 0 or -EOPNOTSUPP with what is wrong in RET_WHAT.
 */
int patch_verify(const uint8_t *bytes, size_t size, const uint8_t *original, size_t original_size,
		 const struct patch_plan *plan, char ret_what[static PATCH_WHAT_SIZE]);

#endif /* SYSCALLS_PATCH_H */
