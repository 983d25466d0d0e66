/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_USDT_H
#define INSPECT_USDT_H

/*
 * Static probes (USDT) that the makers of a program have put into it: a "nop" in the code, and a
 * note of type 3 called "stapsdt" in the section .note.stapsdt that tells where it is and where its
 * arguments are at that moment (sys/sdt.h of SystemTap; its wiki, "UserSpaceProbeImplementation").
 * The file may be hostile: nothing is read behind a note's end, and every place told lies in a
 * segment that is loaded. Of an ELF file for x86-64 or arm64; other machines have none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/elf.h"
#include "inspect/usdt_where.h"

#define USDT_NAME_MAX	   32 /* of a probe, with its NUL; longer ones are none of ours */
#define USDT_ARGUMENTS_MAX 4  /* further ones are not looked at */

struct usdt_argument {
	int32_t number;
	uint16_t place; /* of the register: bytes into struct pt_regs, on arm64 user_pt_regs */
	uint8_t where;	/* enum usdt_where */
	int8_t size;	/* in bytes: 1, 2, 4 or 8; negative: with a sign */
};

struct usdt_site {
	char name[USDT_NAME_MAX];
	uint64_t offset;    /* in the file */
	uint64_t semaphore; /* where in the file the counter of those who look is; 0: there is none
			     */
	struct usdt_argument arguments[USDT_ARGUMENTS_MAX];
};

/*
 * The probes of PROVIDER in ELF, in the order of the notes: fills RET, room for MAX. Returns how
 * many there are, at most MAX.
 */
size_t usdt_sites(const struct elf *elf, const char *provider, struct usdt_site *ret, size_t max);

#endif /* INSPECT_USDT_H */
