/* SPDX-License-Identifier: MIT */
#ifndef PROC_LDCACHE_H
#define PROC_LDCACHE_H

/*
 * /etc/ld.so.cache: where glibc's dynamic linker finds libraries, as ldconfig(8) writes it. Formats
 * and rules are those of glibc's sysdeps/generic/dl-cache.h, elf/dl-cache.c (what the linker takes)
 * and elf/cache.c (what ldconfig writes and prints). Nothing is allocated or kept; paths are
 * borrowed from the bytes, which may be anybody's: a container has a cache of its own.
 */

#include <stddef.h>

/* A cache with more entries than this is refused. */
#define LDCACHE_ENTRIES_MAX 65536

/* Longer paths are passed over, bytes without the NUL. */
#define LDCACHE_PATH_MAX 4096

/*
 * Calls FOUND for each library in the cache of SIZE bytes at BYTES, with its path (absolute,
 * NUL-terminated, inside BYTES), in the order of the cache; of libraries for every ABI and CPU
 * that it lists, and the same path again where two entries have it. Where the cache has both
 * formats only the new one is read, which has all that the old one has. Stops when FOUND returns
 * non-zero and returns that.
 *
 * Returns 0, or -EBADMSG, FOUND never called, when it is no cache: neither format, of another byte
 * order, or not as large as its entries. An entry whose path does not lie in BYTES, does not end
 * there, is too long or not absolute (ldconfig writes no such) is passed over, the others are told.
 */
int ldcache_parse(const void *bytes, size_t size, int (*found)(void *ctx, const char *path),
		  void *ctx);

#endif /* PROC_LDCACHE_H */
