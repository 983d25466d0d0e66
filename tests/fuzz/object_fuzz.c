/* SPDX-License-Identifier: MIT */
/*
 * src/syscalls/object_names.c: whatever the tables of a file hold, a symbol is told once, in order,
 * and the names that are told as near are those of symbols that are there.
 */
#include <stdlib.h>
#include <string.h>

#include "syscalls/object_private.h"

#define INPUT_MAX (256U << 10)

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_table(const struct elf *elf, const struct elf_symbols *table)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX], around;
	struct object_near near = { 0 };
	int nr = symbols_find(elf, table, "main", symbols);

	check(nr >= 0 && nr <= OBJECT_SYMBOLS_MAX);
	for (int i = 1; i < nr; i++)
		check(symbols[i].address > symbols[i - 1].address);
	symbols_near(elf, table, "mains", &near);
	check(near.nr <= OBJECT_NEAR_MAX);
	for (size_t i = 0; i < near.nr; i++) {
		check(memchr(near.names[i], '\0', OBJECT_NAME_MAX) != NULL);
		check(near.names[i][0] != '\0');
		check(i == 0 || near.distances[i] >= near.distances[i - 1]);
	}
	if (symbols_cover(elf, table, 0x401000, &around))
		check(around.address <= 0x401000 && 0x401000 - around.address < around.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct elf elf;
	struct elf_symbols table;
	struct window window;

	if (size > INPUT_MAX)
		return 0;
	window_memory(&window, data, size);
	if (elf_open(&elf, &window))
		return 0;
	check_table(&elf, &elf.dynamic);
	if (elf_symtab(&elf, &table))
		check_table(&elf, &table);
	return 0;
}
