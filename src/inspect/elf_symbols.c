/* SPDX-License-Identifier: MIT */
/*
 * Names first, then symbols: where the few wanted names are among the strings is found in one pass,
 * and the symbols, in another, are compared by that position. Looking up the name of every symbol
 * would read the file in leaps.
 */
#include "inspect/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/search.h"

/* A linker writes a name once, or once more as the end of a longer one. */
#define PLACES_MAX 256
/* Symbols that are read at a time: a whole number of them in a window. */
#define SYMBOLS_STEP (WINDOW_SIZE / sizeof(Elf64_Sym))

struct place {
	uint64_t at;
	size_t which;
};

/* The names as they are sought, with their NULs, and where they are in the strings. */
struct places {
	struct needle needles[ELF_WANTED_MAX];
	uint64_t strings;
	size_t count;
	struct place place[PLACES_MAX];
};

static size_t symbol_size(const struct elf *elf)
{
	return elf->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

bool elf_symtab(const struct elf *elf, struct elf_symbols *ret)
{
	const struct elf_section *table = elf_section(elf, ".symtab");

	if (!table || table->type != SHT_SYMTAB || table->link >= elf->nr_sections)
		return false;
	*ret = (struct elf_symbols){
		.offset = table->offset,
		.count = table->size / symbol_size(elf),
		.strings = elf->sections[table->link].offset,
		.strings_size = elf->sections[table->link].size,
	};
	return true;
}

static void take_name(void *ctx, size_t which, const struct hit *hit)
{
	struct places *places = ctx;

	if (places->count == PLACES_MAX)
		return;
	places->place[places->count].at = hit->offset - places->strings;
	places->place[places->count++].which = which;
}

/* Needles of different sizes are not found in the order of their beginnings. */
static int place_compare(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	return one->at < other->at ? -1 : one->at > other->at;
}

static void take_symbol(const struct elf *elf, const struct places *places, const uint8_t *symbol,
			uint64_t *defined, uint64_t *imported)
{
	uint64_t name = elf_number(elf, symbol, 4);
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->place[middle].at < name)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == places->count || places->place[low].at != name)
		return;

	size_t section = elf->is_64 ? offsetof(Elf64_Sym, st_shndx) : offsetof(Elf32_Sym, st_shndx);

	if (elf_number(elf, symbol + section, 2) == SHN_UNDEF)
		*imported |= UINT64_C(1) << places->place[low].which;
	else
		*defined |= UINT64_C(1) << places->place[low].which;
}

static void read_symbols(const struct elf *elf, const struct elf_symbols *symbols,
			 const struct places *places, uint64_t *defined, uint64_t *imported)
{
	size_t size = symbol_size(elf);

	for (uint64_t next = 0; next < symbols->count;) {
		uint64_t left = symbols->count - next;
		size_t count = left < SYMBOLS_STEP ? (size_t)left : SYMBOLS_STEP;
		uint64_t offset;

		if (__builtin_mul_overflow(next, size, &offset) ||
		    __builtin_add_overflow(offset, symbols->offset, &offset))
			return;

		const uint8_t *bytes = window_get(elf->file, offset, count * size);

		if (!bytes)
			return;
		for (size_t i = 0; i < count; i++)
			take_symbol(elf, places, bytes + i * size, defined, imported);
		next += count;
	}
}

int elf_wanted(const struct elf *elf, const struct elf_symbols *symbols, const char *const *names,
	       size_t nr_names, uint64_t *ret_defined, uint64_t *ret_imported)
{
	struct places *places = calloc(1, sizeof(*places));
	struct search *search = NULL;
	uint64_t defined = 0, imported = 0;
	int err = -ENOMEM;

	if (!places)
		return -ENOMEM;
	places->strings = symbols->strings;
	for (size_t i = 0; i < nr_names; i++)
		places->needles[i] =
			(struct needle){ .bytes = names[i], .size = strlen(names[i]) + 1 };

	const struct needle_group group = { places->needles, nr_names, take_name, places };

	err = search_new(&search, &group, 1);
	if (!err) {
		search_run(search, elf->file, symbols->strings, symbols->strings_size);
		qsort(places->place, places->count, sizeof(places->place[0]), place_compare);
		if (places->count)
			read_symbols(elf, symbols, places, &defined, &imported);
		*ret_defined = defined;
		*ret_imported = imported;
	}
	search_free(search);
	free(places);
	return err;
}
