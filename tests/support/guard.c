/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* SIZE rounded up to whole pages. */
static size_t usable_size(size_t size)
{
	size_t page = page_size();

	return (size + page - 1) / page * page;
}

void *guard_alloc(size_t size)
{
	size_t usable = usable_size(size);
	char *base = mmap(NULL, usable + page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED || mprotect(base + usable, page_size(), PROT_NONE)) {
		perror("guard_alloc");
		abort();
	}
	return base + usable - size;
}

const void *guard_copy(const void *bytes, size_t size)
{
	void *copy = guard_alloc(size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

void guard_free(const void *memory, size_t size)
{
	uintptr_t end = (uintptr_t)memory + size;
	size_t usable = usable_size(size);

	munmap((void *)(end - usable), usable + page_size());
}
