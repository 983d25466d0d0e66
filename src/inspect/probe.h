/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROBE_H
#define INSPECT_PROBE_H

/*
 * Where in a library a uprobe on an exported function costs little. A uprobe replaces an
 * instruction, which the kernel then emulates or, by far most of them, executes elsewhere in a
 * single step: 0.5 us against 9.6 us a hit, measured on Linux 6.18 in a virtual machine. Most
 * functions have an instruction of the first kind a few bytes behind their entry. A probe there
 * says the same as one at the entry when
 *
 * - it is within PROBE_DISTANCE_MAX bytes and nothing before it branches, calls or returns: every
 *   call passes it;
 * - nothing before it writes a register with an argument that is read there. Others may have gone.
 *   The stack pointer may have moved, by a number that is told where it is known: what is at the
 *   stack pointer at the entry, the return address on x86-64, is that much further up there;
 * - no branch in the function goes behind the entry and not beyond the probe: a call passes it as
 *   often as the entry. What cannot be decoded or be seen whole is taken for such a branch.
 *
 * Where one of these is in doubt the place is the entry. That of a return probe is always the
 * entry: it replaces the word at the stack pointer, which only there is the return address.
 *
 * The file may be hostile: it decides which offset is told, which always lies in a segment that is
 * executed, and no more. Machines that are neither x86-64 nor arm64 have entries only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/elf.h"

#define PROBE_DISTANCE_MAX 63
/* Larger functions are probed at their entry. */
#define PROBE_FUNCTION_MAX WINDOW_SIZE
/* Names that can be asked for at a time. */
#define PROBE_NAMES_MAX 512
/* Integer arguments that can be read: those in registers on all machines. */
#define PROBE_ARGUMENTS_MAX 6

struct probe_want {
	const char *name;  /* of the function, borrowed */
	uint8_t arguments; /* bit I: integer argument I is read. 0: only that it was called. With a
			      bit from PROBE_ARGUMENTS_MAX on the place is the entry. */
};

struct probe_place {
	uint64_t offset; /* in the file */
	uint32_t
		skipped; /* bytes from the entry: offset - skipped is the place of a return probe */
	uint32_t stack;	 /* bytes that the stack pointer is below where it is at the entry */
	bool has_stack;	 /* that is known, and with it where the return address is: on arm64 only
			  * with x30 as at the entry */
	bool is_cheap;	 /* the kernel emulates the instruction there */
};

/*
 * The place for the function that ELF exports as SYMBOL, with ARGUMENTS as in struct probe_want: of
 * several versions the default one, or the first when none is. Returns 0, -ENOENT when it exports
 * no such function, -EOPNOTSUPP when the function is chosen only when the library is loaded
 * (STT_GNU_IFUNC), -E2BIG when the names in the file are larger than any library's, or -ENOMEM.
 */
int probe_place(const struct elf *elf, const char *symbol, uint8_t arguments,
		struct probe_place *ret);

/*
 * The same for NR wants, at most PROBE_NAMES_MAX, with one pass over the file's symbols. RET_ERR[I]
 * tells what probe_place() returns for WANTS[I]; RET[I] is set where that is 0. Returns 0, -E2BIG,
 * also for too many wants, or -ENOMEM; then nothing is set.
 */
int probe_places(const struct elf *elf, const struct probe_want *wants, size_t nr,
		 struct probe_place *ret, int *ret_err);

#endif /* INSPECT_PROBE_H */
