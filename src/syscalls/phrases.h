/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PHRASES_H
#define SYSCALLS_PHRASES_H

/* How calls and times are put for people. */

#include <stdint.h>
#include <stdio.h>

#define PHRASE_WIDTH 80 /* columns of what is printed */
#define PHRASE_SIZE  64

/* "read", "i386 read", "x86_64 number 999": of this machine's calls the architecture is not said.
 */
const char *phrase_call(char ret[static PHRASE_SIZE], uint32_t arch, uint32_t nr);

/* "812 ns", "4.5 ms", "1.2 s" */
const char *phrase_time(char ret[static PHRASE_SIZE], uint64_t ns);

/*
 * Prints TEXT in lines of at most PHRASE_WIDTH columns, the first one behind LEAD, the others as
 * far in. Foreign bytes in it cannot act on the terminal.
 */
void phrase_print(FILE *out, const char *lead, const char *text);

#endif /* SYSCALLS_PHRASES_H */
