/* SPDX-License-Identifier: MIT */
#include "inspect/symbols.h"

#include "catalogue/libraries.h"
#include "lib/array.h"

static const char *const names[] = {
#define SYMBOL(family, name) name,
#define MARK(family, name)   name,
#include "inspect/symbols.def"
};

static const struct {
	uint32_t family;
	uint32_t weight; /* 2 are enough */
} rows[] = {
#define SYMBOL(family, name) { LIBRARY_FAMILY_##family, 1 },
#define MARK(family, name)   { LIBRARY_FAMILY_##family, 2 },
#include "inspect/symbols.def"
};

_Static_assert(ARRAY_SIZE(names) <= ELF_WANTED_MAX, "a bit for each");

int symbols_look(const struct elf *elf, const struct elf_symbols *symbols, struct symbols_seen *ret)
{
	return elf_wanted(elf, symbols, names, ARRAY_SIZE(names), &ret->defined, &ret->imported);
}

static uint32_t weight_of(uint64_t seen, uint32_t family)
{
	uint32_t weight = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((seen & UINT64_C(1) << i) && rows[i].family == family)
			weight += rows[i].weight;
	return weight;
}

bool symbols_define(const struct symbols_seen *seen, uint32_t family)
{
	return weight_of(seen->defined, family) >= 2;
}

bool symbols_import(const struct symbols_seen *seen, uint32_t family)
{
	return weight_of(seen->imported, family) >= 1;
}
