/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_WHERE_H
#define SYSCALLS_WHERE_H

/*
 * Where the code at an address of a process is: the file, the offset in its bytes, the function.
 * The files are the process's choice and may be anything.
 */

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#define WHERE_SYMBOL_SIZE 128

struct where {
	char file[PATH_MAX]; /* as the process has it; empty: not of a file */
	uint64_t offset;     /* in the file's bytes, or the address where there is none */
	char symbol[WHERE_SYMBOL_SIZE]; /* empty: not known */
	uint64_t into;			/* bytes behind the symbol's beginning */
};

/* Fills RET for ADDRESS in the memory of thread TID, which has to stand still. Of what cannot be
 * read it is empty. */
void where_is(pid_t tid, uint64_t address, struct where *ret);

/*
 * The function of the ELF file open at FD, borrowed, that the byte at OFFSET is in: from .symtab,
 * else .dynsym. Returns 0, -ENOENT: none is known, or another negative errno.
 */
int where_symbol(int fd, uint64_t offset, char ret_name[static WHERE_SYMBOL_SIZE],
		 uint64_t *ret_into);

#endif /* SYSCALLS_WHERE_H */
