/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_EXECUTABLE_H
#define SYSCALLS_EXECUTABLE_H

/* The program that a command is: what execvp(3) and the kernel make of its first word. */

#include <limits.h>

#include "inspect/elf.h"
#include "lib/sha256.h"

struct executable {
	char path[PATH_MAX];		  /* without links; of a script that of its interpreter */
	char build_id[ELF_BUILD_ID_TEXT]; /* empty: none, as are the others */
	char sha256[SHA256_TEXT];	  /* of its bytes, hexadecimal */
	char libc[32];			  /* "glibc 2.36", "musl" */
};

/*
 * Fills RET for the command NAME. Returns 0 or the negative errno for which it could not be
 * executed: -ENOENT, -EACCES. What cannot be read is empty.
 */
int executable_find(const char *name, struct executable *ret);

#endif /* SYSCALLS_EXECUTABLE_H */
