/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_OBJECT_H
#define SYSCALLS_OBJECT_H

/*
 * A program or library as a file: opened, with its tables, and what they are asked. The file may be
 * anything; see inspect/elf.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "inspect/elf.h"
#include "lib/window.h"

/* Functions of one name that are told apart: local ones may be many. */
#define OBJECT_SYMBOLS_MAX 16

struct object {
	int fd; /* -1: none */
	struct stat st;
	struct window window;
	struct elf elf;
	uint16_t machine; /* EM_*, elf.h */
};

/*
 * Who opens files where this process may not: takes an absolute path, returns a descriptor or a
 * negative errno. NULL, as it is at first: this process does.
 */
extern int (*object_opener)(const char *path);

/* Opens the file PATH for reading, so. Returns a descriptor, the caller's, or a negative errno. */
int object_open_file(const char *path);

/* Opens PATH. Returns 0, -ENOEXEC when it is no ELF file, or another negative errno. */
int object_open(const char *path, struct object **ret);

/* Ends it; NULL is fine. */
void object_close(struct object *object);

struct object_symbol {
	uint64_t address, size;
	unsigned int type; /* STT_* */
};

/*
 * The symbols called NAME that OBJECT defines, by address, each address once: of .symtab, else of
 * its debug file by build id, else of .dynsym. Of several versions in .dynsym the default one.
 * Returns how many there are, at most OBJECT_SYMBOLS_MAX, or -ENOMEM.
 */
int object_symbols(struct object *object, const char *name,
		   struct object_symbol ret[static OBJECT_SYMBOLS_MAX]);

/* The function of OBJECT that the byte at ADDRESS is in. False when the tables do not tell. */
bool object_function_at(struct object *object, uint64_t address, struct object_symbol *ret);

/* Names in a file that are like one that is sought. */
#define OBJECT_NEAR_MAX 5
#define OBJECT_NAME_MAX 128

struct object_near {
	size_t nr;
	char names[OBJECT_NEAR_MAX][OBJECT_NAME_MAX]; /* the nearest first */
	size_t distances[OBJECT_NEAR_MAX];
};

/* Adds the names of functions of OBJECT that are like NAME. */
void object_near(struct object *object, const char *name, struct object_near *near);

/*
 * Whether the byte at OFFSET of the file is executed as code, and in *RET_ADDRESS, which may be
 * NULL, the address that it has in the tables.
 */
bool object_is_code(const struct object *object, uint64_t offset, uint64_t *ret_address);

/* Where in the file ADDRESS is, when that is code. */
bool object_code_at(const struct object *object, uint64_t address, uint64_t *ret_offset);

#endif /* SYSCALLS_OBJECT_H */
