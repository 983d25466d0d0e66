/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

/*
 * Memory that ends where the next byte is unmapped: reading or writing one byte too many is a
 * SIGSEGV, also without a sanitizer. What is not given back with guard_free() lives until exit.
 * Failure to get memory ends the test program.
 */

#include <stddef.h>

/* SIZE zeroed, writable bytes, 0 allowed. */
void *guard_alloc(size_t size);

/* A copy of SIZE bytes; BYTES may be NULL when SIZE is 0. */
const void *guard_copy(const void *bytes, size_t size);

/* Gives back what guard_alloc() or guard_copy() returned for the same SIZE. */
void guard_free(const void *memory, size_t size);

#endif /* TESTS_SUPPORT_GUARD_H */
