/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_LOADER_H
#define SYSCALLS_LOADER_H

/*
 * The libraries that a program needs, found as the dynamic loader of glibc or musl would find them
 * for a COMMAND with our environment (ld.so(8); glibc elf/dl-load.c; musl ldso/dynlink.c): by
 * DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the cache, the default directories. Not those that it
 * loads later by dlopen(3), nor LD_PRELOAD.
 */

#include <stddef.h>

#include "lib/pool.h"
#include "syscalls/object.h"

#define LOADER_FILES_MAX 512

/* The dynamic linker's, ld.so(8). */
#define LOADER_CACHE_PATH "/etc/ld.so.cache"

struct loader_file {
	const char *path;   /* where it is */
	const char *name;   /* as it is needed: "libsqlite3.so.0"; of the program its path */
	const char *soname; /* or NULL */
	size_t parent;	    /* who needs it first */
	/* Directories that it tells, or NULL. */
	const char *rpath, *runpath;
};

struct loader {
	struct pool pool;
	bool is_musl;
	bool is_static; /* it has no loader */
	bool is_64;
	bool is_big_endian;
	uint16_t machine;
	struct loader_file files[LOADER_FILES_MAX]; /* the program first */
	size_t nr_files;
	char *cache; /* /etc/ld.so.cache */
	size_t cache_size;
};

/*
 * Finds what PROGRAM needs, a path. What is not found is left out. Returns 0; -ENOEXEC when it is
 * no ELF file; or another negative errno. loader_free() ends *RET.
 */
int loader_find(const char *program, struct loader **ret);
void loader_free(struct loader *loader);

/*
 * The path of the library called NAME: of what the program needs by name, soname or file name; else
 * where its loader would find it. NULL: nowhere. Valid as long as LOADER.
 */
const char *loader_path(struct loader *loader, const char *name);

#endif /* SYSCALLS_LOADER_H */
