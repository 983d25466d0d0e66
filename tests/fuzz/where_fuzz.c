/* SPDX-License-Identifier: MIT */
/*
 * src/syscalls/where.c: whatever the bytes of a file that is executed are, the name of the function
 * at a place in it is one of its strings, or there is none.
 *
 * The input is the file; its last 4 bytes are the place.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "syscalls/where.h"

#define INPUT_MAX 65536

static void check(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[WHERE_SYMBOL_SIZE];
	static int fd = -1;
	uint32_t offset;
	uint64_t into = 0;

	if (size < sizeof(offset) || size > INPUT_MAX)
		return 0;
	if (fd < 0)
		fd = memfd_create("where", MFD_CLOEXEC);
	check(fd >= 0 && ftruncate(fd, 0) == 0);
	check(pwrite(fd, data, size, 0) == (ssize_t)size);
	memcpy(&offset, data + size - sizeof(offset), sizeof(offset));
	memset(name, 'x', sizeof(name));
	if (where_symbol(fd, offset, name, &into) == 0) {
		check(memchr(name, '\0', sizeof(name)) != NULL && name[0]);
		check(memmem(data, size, name, strlen(name)) != NULL);
	}
	return 0;
}
