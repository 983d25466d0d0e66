/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_SITE_H
#define SYSCALLS_PATCH_SITE_H

/*
 * Places in a program where a jump can stand instead of what is there. The instructions that it
 * replaces, whole ones, are executed elsewhere, where they have to do the same; and nothing may
 * jump behind the first of them. An endbr64 stays where it is, the jump comes behind it: whoever
 * comes to the place through a pointer has to find it.
 *
 * In doubt a place is refused. What is not looked for are jumps of 8 bits from a function before or
 * behind into the middle of this one, which no compiler makes.
 */

#include <stddef.h>
#include <stdint.h>

#include "syscalls/patch_elf.h"

#define PATCH_JUMP_SIZE 5U /* e9 and 32 bits */
/* Larger functions are refused. */
#define PATCH_FUNCTION_MAX (1U << 20)
/* What patch_site_move() writes at most. */
#define PATCH_MOVED_MAX 64U

struct patch_site {
	uint64_t offset;  /* of the jump, in the file */
	uint64_t address; /* the same in memory */
	size_t size;	  /* of the instructions that it replaces: PATCH_JUMP_SIZE or more */
};

/*
 * The place for a jump at the instruction at OFFSET of the file. Returns 0, or -EOPNOTSUPP with the
 * reason in RET_WHAT: "its function has no room for a jump".
 */
int patch_site_find(const struct patch_elf *elf, uint64_t offset, struct patch_site *ret,
		    char ret_what[static PATCH_WHAT_SIZE]);

/*
 * Writes the instructions of SITE as they are to stand at address TO, and a jump behind them.
 * Returns their size, or -ERANGE: too far away.
 */
int patch_site_move(const struct patch_elf *elf, const struct patch_site *site, uint64_t to,
		    uint8_t ret[static PATCH_MOVED_MAX]);

/*
 * Puts the distance from the end of a field of 4 bytes at address AT to TARGET into it, as
 * instructions have it. Returns 0 or -ERANGE.
 */
int patch_put_distance(uint8_t *field, uint64_t at, uint64_t target);

#endif /* SYSCALLS_PATCH_SITE_H */
