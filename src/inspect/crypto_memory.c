/* SPDX-License-Identifier: MIT */
#include "inspect/crypto_memory.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static __thread bool was_short;

bool crypto_memory_was_short(void)
{
	bool before = was_short;

	was_short = false;
	return before;
}

static void *note(void *memory)
{
	if (!memory)
		was_short = true;
	return memory;
}

/* As CRYPTO_malloc(3): of no size there is nothing. */
static void *take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size ? note(malloc(size)) : NULL;
}

static void give(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

static void *change(void *memory, size_t size, const char *file, int line)
{
	if (size)
		return note(realloc(memory, size));
	give(memory, file, line);
	return NULL;
}

/* Later than its first allocation it is refused: so before main(). */
static void __attribute__((constructor)) begin(void)
{
	CRYPTO_set_mem_functions(take, change, give);
}
