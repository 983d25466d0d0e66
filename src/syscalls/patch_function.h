/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_FUNCTION_H
#define SYSCALLS_PATCH_FUNCTION_H

/*
 * Where functions begin and end: from .eh_frame, which stripped programs have too, else from the
 * symbols. A hostile file can lie about it, and gets a copy that does not work.
 */

#include <stdbool.h>
#include <stdint.h>

#include "syscalls/patch_elf.h"

struct patch_function {
	uint64_t begin, end; /* addresses; END is behind it */
	bool has_handlers;   /* exceptions lead into the middle of it */
};

/* The function that has the byte at ADDRESS. False when nothing tells. */
bool patch_function_find(const struct patch_elf *elf, uint64_t address, struct patch_function *ret);

/* Whether a symbol has an address from BEGIN to before END. */
bool patch_function_named(const struct patch_elf *elf, uint64_t begin, uint64_t end);

#endif /* SYSCALLS_PATCH_FUNCTION_H */
