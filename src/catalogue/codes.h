/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_CODES_H
#define CATALOGUE_CODES_H

/*
 * Numbers with names. A table is static, constant data, made from a .def file that holds the source
 * of each fact; what it does not know is printed as a number, never dropped.
 */

#include <stddef.h>
#include <stdint.h>

struct code_entry {
	uint64_t code;
	const char *name;
	const char *help; /* NULL where the name says it all */
};

/* Entries are in ascending order of their codes, each code once. */
struct code_table {
	const char *name;
	const struct code_entry *entries;
	size_t nr_entries;
};

/* The name of CODE, or NULL when TABLE does not have it. */
const char *code_name(const struct code_table *table, uint64_t code);

/* System call errors, positive as in errno(3). The numbers of x86 and arm64. */
extern const struct code_table errno_codes;

/* Signals 1 to 31. The numbers of x86 and arm64. */
extern const struct code_table signal_codes;

/*
 * The name of signal number SIG: a static string, or BUF with "SIGRTMIN+n" or, for a number that
 * has no name, "SIG" and the number. SIGRTMIN is that of glibc and signal(7), 34.
 */
const char *signal_name(int sig, char buf[static 16]);

/* Enough for open_flags_format() whatever the flags. */
#define OPEN_FLAGS_TEXT_MAX 256

/*
 * Writes the flags of open(2) as "O_WRONLY|O_CREAT|0x40000000": the access mode, flags in the order
 * strace prints them, unknown bits as one number. The text is terminated, and cut when CAP bytes
 * are too few. Returns the length of the whole text in bytes.
 */
size_t open_flags_format(uint64_t flags, char *out, size_t cap);

#endif /* CATALOGUE_CODES_H */
