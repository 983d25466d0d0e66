/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_SYMBOLS_H
#define INSPECT_SYMBOLS_H

/*
 * Crypto libraries by the functions that an ELF file defines or gets from elsewhere (symbols.def).
 * One name could be a coincidence, two are not.
 */

#include "inspect/elf.h"

struct symbols_seen {
	uint64_t defined;  /* a bit for each row of symbols.def */
	uint64_t imported; /* from a shared library */
};

/* Looks for all rows among SYMBOLS. Returns 0 or -ENOMEM. */
int symbols_look(const struct elf *elf, const struct elf_symbols *symbols,
		 struct symbols_seen *ret);

/* Whether functions of FAMILY (enum library_family) are defined in the file. */
bool symbols_define(const struct symbols_seen *seen, uint32_t family);

/* Whether the file gets any function of FAMILY from a shared library. */
bool symbols_import(const struct symbols_seen *seen, uint32_t family);

#endif /* INSPECT_SYMBOLS_H */
