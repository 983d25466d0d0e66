/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_OBJECT_PRIVATE_H
#define SYSCALLS_OBJECT_PRIVATE_H

/* Tables of symbols: object_names.c. */

#include "syscalls/object.h"

/* As object_symbols(), of one table. 0: it has none. */
int symbols_find(const struct elf *elf, const struct elf_symbols *table, const char *name,
		 struct object_symbol ret[static OBJECT_SYMBOLS_MAX]);

/* As object_function_at(), of one table. */
bool symbols_cover(const struct elf *elf, const struct elf_symbols *table, uint64_t address,
		   struct object_symbol *ret);

/* As object_near(), of one table. */
void symbols_near(const struct elf *elf, const struct elf_symbols *table, const char *name,
		  struct object_near *near);

/*
 * Calls TAKE with each symbol of TABLE that is defined, and where its name is among the strings,
 * until it returns true. Returns whether it did.
 */
bool symbols_each(const struct elf *elf, const struct elf_symbols *table,
		  bool (*take)(void *ctx, uint64_t name, const struct object_symbol *symbol),
		  void *ctx);

#endif /* SYSCALLS_OBJECT_PRIVATE_H */
