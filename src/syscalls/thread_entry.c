/* SPDX-License-Identifier: MIT */
#include "syscalls/thread_entry.h"

#include <string.h>

#include "syscalls/loader.h"
#include "syscalls/object.h"

/*
 * Three numbers of 32 bits: bits of the member, how many there are, its offset in bytes (glibc,
 * nptl_db/db_info.c, DB_STRUCT_FIELD).
 */
#define MEMBER_SYMBOL "_thread_db_pthread_start_routine"
#define MEMBER_SIZE   12
/* One number: bytes of the descriptor. */
#define SIZE_SYMBOL "_thread_db_sizeof_pthread"
/* No descriptor is larger. */
#define DESCRIPTOR_MAX 65536

/* Reads SIZE bytes of the variable NAME as numbers of 32 bits. */
static bool read_numbers(struct object *object, const char *name, uint32_t *ret, size_t size)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX];
	uint64_t offset;
	const uint8_t *bytes = NULL;

	if (object_symbols(object, name, symbols) == 1 &&
	    elf_find(&object->elf, symbols[0].address, &offset, NULL))
		bytes = window_get(&object->window, offset, size);
	for (size_t i = 0; bytes && i < size / 4; i++)
		ret[i] = (uint32_t)elf_number(&object->elf, bytes + i * 4, 4);
	return bytes != NULL;
}

static int32_t read_place(struct object *object)
{
	uint32_t member[3];

	if (!object->elf.is_64 || !read_numbers(object, MEMBER_SYMBOL, member, MEMBER_SIZE) ||
	    member[0] != 64 || member[2] > DESCRIPTOR_MAX)
		return 0;
#ifdef __x86_64__
	/* The thread pointer is that to the descriptor. */
	return (int32_t)member[2];
#else
	uint32_t size;

	/* It is behind the descriptor (glibc, sysdeps/aarch64/nptl/tls.h). */
	if (!read_numbers(object, SIZE_SYMBOL, &size, sizeof(size)) || size > DESCRIPTOR_MAX)
		return 0;
	return (int32_t)member[2] - (int32_t)size;
#endif
}

int32_t thread_entry_place(const char *program)
{
	/* Threads were a library of their own before glibc 2.34. */
	static const char *const libraries[] = { "libc.so.6", "libpthread.so.0" };
	struct loader *loader;
	int32_t place = 0;

	if (loader_find(program, &loader))
		return 0;
	for (size_t i = 0; !place && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		const char *path = loader->is_static || loader->is_musl
					   ? NULL
					   : loader_path(loader, libraries[i]);
		struct object *object;

		if (!path || object_open(path, &object))
			continue;
		place = read_place(object);
		object_close(object);
	}
	loader_free(loader);
	return place;
}
