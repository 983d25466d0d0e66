/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SHORT_MEMORY_H
#define TESTS_SUPPORT_SHORT_MEMORY_H

/*
 * Allocations that fail, of all that is linked to the test: for tests of one program, after
 * cmocka.h. Not under sanitizers, who have an allocator of their own.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* This allocation fails, of those that are made once it is set; 0: none, and when it has. */
static unsigned int fails_at;
/* So do those that follow; fails_at stays 1 then. */
static bool fails_on;

/* errno is what callers of libc's own functions are told by (malloc(3)). */
static inline bool has_failed(void)
{
	if (!fails_at || --fails_at)
		return false;
	fails_at = fails_on;
	errno = ENOMEM;
	return true;
}

#ifndef __SANITIZE_ADDRESS__
#define CAN_FAIL true

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	return has_failed() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return has_failed() ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *memory, size_t size)
{
	return has_failed() ? NULL : __libc_realloc(memory, size);
}
#else
#define CAN_FAIL false
#endif

static inline void need_failures(void)
{
	if (CAN_FAIL)
		return;
	print_message("the sanitizer has the allocator\n");
	skip();
}

#endif /* TESTS_SUPPORT_SHORT_MEMORY_H */
