/* SPDX-License-Identifier: MIT */
/*
 * The strings are copied, the symbols are read once: looking up the name of every symbol through
 * one window would read the file in leaps. Versions and code are looked at for what was found.
 */
#include "inspect/probe.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/probe_code.h"

/* The names a library exports: 190 KB in libcrypto.so.3, some megabytes in node. */
#define STRINGS_MAX (16U << 20)
/* Symbols that are read at a time: a whole number of them in a window. */
#define SYMBOLS_STEP (WINDOW_SIZE / sizeof(Elf64_Sym))
/* Symbols of a name, in several versions, that are considered, on average. */
#define VERSIONS_MAX 4
#define DYNAMIC_MAX  1024
/* That there may be a shadow stack (Arm, sysvabi64, "Program Property"); newer than some elf.h. */
#define AARCH64_FEATURE_1_GCS (1U << 2)
/* The same and the x86-64 psABI; musl's elf.h has none of them. */
#ifndef GNU_PROPERTY_X86_FEATURE_1_AND
#define GNU_PROPERTY_X86_FEATURE_1_AND	   0xc0000002U
#define GNU_PROPERTY_X86_FEATURE_1_SHSTK   (1U << 1)
#define GNU_PROPERTY_AARCH64_FEATURE_1_AND 0xc0000000U
#endif
/* Set in a symbol's version when it is not the default one (glibc, elf/dl-lookup.c). */
#define VERSION_HIDDEN 0x8000U

struct name {
	const char *text;
	size_t which; /* as the caller counts */
};

struct symbol {
	uint64_t index; /* in the table */
	uint64_t address, size;
	size_t which;
	unsigned int type;
};

struct lookup {
	const struct elf *elf;
	char *strings;
	uint64_t strings_size;
	size_t nr_names, nr_symbols;
	struct name names[PROBE_NAMES_MAX];
	struct symbol symbols[PROBE_NAMES_MAX * VERSIONS_MAX];
	/* The one that was chosen for each name, or NULL. */
	const struct symbol *chosen[PROBE_NAMES_MAX];
};

static int name_compare(const void *a, const void *b)
{
	const struct name *one = a, *other = b;

	return strcmp(one->text, other->text);
}

/* A copy that ends with a NUL whatever the file says. */
static int copy_strings(struct lookup *lookup)
{
	const struct elf_symbols *table = &lookup->elf->dynamic;
	uint64_t size = table->strings_size;

	if (size > STRINGS_MAX)
		return -E2BIG;
	lookup->strings = malloc((size_t)size + 1);
	if (!lookup->strings)
		return -ENOMEM;
	while (lookup->strings_size < size) {
		uint64_t left = size - lookup->strings_size;
		size_t got;
		const void *bytes =
			window_some(lookup->elf->file, table->strings + lookup->strings_size, &got);

		if (!bytes)
			break;
		if (got > left)
			got = (size_t)left;
		memcpy(lookup->strings + lookup->strings_size, bytes, got);
		lookup->strings_size += got;
	}
	lookup->strings[lookup->strings_size] = '\0';
	return 0;
}

/* The first of the sorted names that is not before TEXT. */
static size_t names_find(const struct lookup *lookup, const char *text)
{
	size_t low = 0, high = lookup->nr_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(lookup->names[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_function(unsigned int type, uint64_t section)
{
	/* Code written by hand may have no type; whether it is code, its segment tells. */
	return section != SHN_UNDEF && section != SHN_ABS &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static void take_symbol(struct lookup *lookup, const uint8_t *bytes, uint64_t index)
{
	const struct elf *elf = lookup->elf;
	bool is_64 = elf->is_64;
	uint64_t name = elf_number(elf, bytes, 4);
	size_t info = is_64 ? offsetof(Elf64_Sym, st_info) : offsetof(Elf32_Sym, st_info);
	size_t section = is_64 ? offsetof(Elf64_Sym, st_shndx) : offsetof(Elf32_Sym, st_shndx);
	size_t value = is_64 ? offsetof(Elf64_Sym, st_value) : offsetof(Elf32_Sym, st_value);
	size_t size = is_64 ? offsetof(Elf64_Sym, st_size) : offsetof(Elf32_Sym, st_size);
	unsigned int type = ELF64_ST_TYPE(bytes[info]);

	if (name >= lookup->strings_size || ELF64_ST_BIND(bytes[info]) == STB_LOCAL ||
	    !is_function(type, elf_number(elf, bytes + section, 2)))
		return;

	const char *text = lookup->strings + name;

	for (size_t i = names_find(lookup, text); i < lookup->nr_names; i++) {
		if (strcmp(lookup->names[i].text, text) != 0 ||
		    lookup->nr_symbols == lookup->nr_names * VERSIONS_MAX)
			return;
		lookup->symbols[lookup->nr_symbols++] = (struct symbol){
			.index = index,
			.address = elf_number(elf, bytes + value, elf_word(elf)),
			.size = elf_number(elf, bytes + size, elf_word(elf)),
			.which = lookup->names[i].which,
			.type = type,
		};
	}
}

static void read_symbols(struct lookup *lookup)
{
	const struct elf_symbols *table = &lookup->elf->dynamic;
	size_t size = lookup->elf->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);

	for (uint64_t next = 0; next < table->count;) {
		uint64_t left = table->count - next, offset;
		size_t count = left < SYMBOLS_STEP ? (size_t)left : SYMBOLS_STEP;

		if (__builtin_mul_overflow(next, size, &offset) ||
		    __builtin_add_overflow(offset, table->offset, &offset))
			return;

		const uint8_t *bytes = window_get(lookup->elf->file, offset, count * size);

		if (!bytes)
			return;
		for (size_t i = 0; i < count; i++)
			take_symbol(lookup, bytes + i * size, next + i);
		next += count;
	}
}

/* The offset of the table of versions, one of 16 bits for each symbol. False when there is none. */
static bool find_versions(const struct elf *elf, uint64_t *ret_offset)
{
	const struct elf_segment *dynamic = NULL;
	size_t word = elf_word(elf);

	for (size_t i = 0; i < elf->nr_segments && !dynamic; i++)
		if (elf->segments[i].type == PT_DYNAMIC)
			dynamic = &elf->segments[i];
	if (!dynamic)
		return false;
	for (uint64_t i = 0; i < DYNAMIC_MAX && (i + 1) * 2 * word <= dynamic->size; i++) {
		uint64_t at;
		const uint8_t *entry = __builtin_add_overflow(dynamic->offset, i * 2 * word, &at)
					       ? NULL
					       : window_get(elf->file, at, 2 * word);
		uint64_t tag = entry ? elf_number(elf, entry, word) : DT_NULL;

		if (tag == DT_NULL)
			return false;
		if (tag == DT_VERSYM)
			return elf_find(elf, elf_number(elf, entry + word, word), ret_offset, NULL);
	}
	return false;
}

static bool is_default(const struct elf *elf, uint64_t versions, const struct symbol *symbol)
{
	uint64_t offset;
	const uint8_t *version = __builtin_add_overflow(versions, symbol->index * 2, &offset)
					 ? NULL
					 : window_get(elf->file, offset, 2);

	return !version || !(elf_number(elf, version, 2) & VERSION_HIDDEN);
}

static void choose_symbols(struct lookup *lookup)
{
	uint64_t versions = 0;
	bool has_versions = find_versions(lookup->elf, &versions);

	for (size_t i = 0; i < lookup->nr_symbols; i++) {
		const struct symbol *symbol = &lookup->symbols[i];
		const struct symbol **chosen = &lookup->chosen[symbol->which];

		if (!*chosen || (has_versions && !is_default(lookup->elf, versions, *chosen) &&
				 is_default(lookup->elf, versions, symbol)))
			*chosen = symbol;
	}
}

static void lookup_free(struct lookup *lookup)
{
	if (lookup)
		free(lookup->strings);
	free(lookup);
}

static int lookup_new(struct lookup **ret, const struct elf *elf, const struct probe_want *wants,
		      size_t nr)
{
	if (nr > PROBE_NAMES_MAX)
		return -E2BIG;

	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return -ENOMEM;
	lookup->elf = elf;
	for (size_t i = 0; i < nr; i++)
		lookup->names[i] = (struct name){ wants[i].name, i };
	lookup->nr_names = nr;
	qsort(lookup->names, nr, sizeof(lookup->names[0]), name_compare);

	int err = copy_strings(lookup);

	if (err) {
		lookup_free(lookup);
		return err;
	}
	read_symbols(lookup);
	choose_symbols(lookup);
	*ret = lookup;
	return 0;
}

/*
 * The offset of the byte at ADDRESS that is loaded to be executed, and how many of its segment the
 * file has from there on.
 */
static bool find_code(const struct elf *elf, uint64_t address, uint64_t *ret_offset,
		      uint64_t *ret_size)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];
		uint64_t into = address - segment->address, offset;

		if (segment->type != PT_LOAD || !(segment->flags & PF_X) ||
		    address < segment->address || into >= segment->size ||
		    __builtin_add_overflow(segment->offset, into, &offset) ||
		    offset >= elf->file->size)
			continue;

		uint64_t left = elf->file->size - offset;

		*ret_offset = offset;
		*ret_size = segment->size - into < left ? segment->size - into : left;
		return true;
	}
	return false;
}

/* SYMBOL may be NULL. */
static int find_entry(const struct elf *elf, const struct symbol *symbol, uint64_t *ret_offset,
		      uint64_t *ret_size)
{
	if (!symbol)
		return -ENOENT;
	if (symbol->type == STT_GNU_IFUNC)
		return -EOPNOTSUPP;
	return find_code(elf, symbol->address, ret_offset, ret_size) ? 0 : -ENOENT;
}

/* EM_NONE for machines whose code is not looked at. */
static uint64_t find_machine(const struct elf *elf)
{
	const uint8_t *machine = window_get(elf->file, offsetof(Elf64_Ehdr, e_machine), 2);

	return machine && elf->is_64 && !elf->is_big_endian ? elf_number(elf, machine, 2) : EM_NONE;
}

/*
 * Whether the notes in SEGMENT may say that the code is for MACHINE's shadow stacks: the property's
 * type, its size of 4 and the bit, wherever they follow each other.
 */
static bool notes_allow(const struct elf *elf, const struct elf_segment *segment, uint64_t machine)
{
	bool is_x86 = machine == EM_X86_64;
	uint64_t property =
		is_x86 ? GNU_PROPERTY_X86_FEATURE_1_AND : GNU_PROPERTY_AARCH64_FEATURE_1_AND;
	uint64_t bit = is_x86 ? GNU_PROPERTY_X86_FEATURE_1_SHSTK : AARCH64_FEATURE_1_GCS;
	bool is_small = segment->size <= WINDOW_SIZE;
	const uint8_t *bytes =
		is_small ? window_get(elf->file, segment->offset, (size_t)segment->size) : NULL;

	if (!bytes)
		return true;
	for (size_t at = 0; at + 12 <= segment->size; at += 4)
		if (elf_number(elf, bytes + at, 4) == property &&
		    elf_number(elf, bytes + at + 4, 4) == 4 &&
		    elf_number(elf, bytes + at + 8, 4) & bit)
			return true;
	return false;
}

/*
 * Whether a process with the file may have a shadow stack. glibc gives it one only when all that is
 * loaded says that it may (sysdeps/x86/dl-cet.c). Who forces one on other code (its tunables
 * x86_shstk=on and aarch64_gcs=3) is not reckoned with.
 */
static bool has_shadow_stack(const struct elf *elf, uint64_t machine)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		uint32_t type = elf->segments[i].type;

		if ((type == PT_NOTE || type == PT_GNU_PROPERTY) &&
		    notes_allow(elf, &elf->segments[i], machine))
			return true;
	}
	return elf->is_cut;
}

/* CODE is what is known of the code of any function. */
static int find_place(const struct elf *elf, uint64_t machine, const struct symbol *symbol,
		      struct probe_code code, struct probe_place *ret)
{
	struct probe_place place = { 0 };
	struct probe_spot spot = { .has_stack = true };
	uint64_t available;
	int err = find_entry(elf, symbol, &place.offset, &available);

	if (err)
		return err;

	/* Of a function without a size, or not wholly in the file, the branches are unknown. */
	bool is_whole =
		symbol->size && symbol->size <= available && symbol->size <= PROBE_FUNCTION_MAX;

	code.size = (size_t)symbol->size;
	if (is_whole && code.arguments < 1U << PROBE_ARGUMENTS_MAX)
		code.bytes = window_get(elf->file, place.offset, code.size);
	if (code.bytes && machine == EM_X86_64)
		place.is_cheap = probe_x86_place(&code, &spot);
	else if (code.bytes && machine == EM_AARCH64)
		place.is_cheap = probe_arm64_place(&code, &spot);
	place.skipped = spot.skipped;
	place.stack = spot.stack;
	place.has_stack = spot.has_stack;
	place.offset += place.skipped;
	*ret = place;
	return 0;
}

int probe_places(const struct elf *elf, const struct probe_want *wants, size_t nr,
		 struct probe_place *ret, int *ret_err)
{
	struct lookup *lookup;
	int err = lookup_new(&lookup, elf, wants, nr);

	if (err)
		return err;

	uint64_t machine = find_machine(elf);
	struct probe_code code = { .has_shadow_stack = has_shadow_stack(elf, machine) };

	for (size_t i = 0; i < nr; i++) {
		code.arguments = wants[i].arguments;
		ret_err[i] = find_place(elf, machine, lookup->chosen[i], code, &ret[i]);
	}
	lookup_free(lookup);
	return 0;
}

int probe_place(const struct elf *elf, const char *symbol, uint8_t arguments,
		struct probe_place *ret)
{
	const struct probe_want want = { symbol, arguments };
	int place_err, err = probe_places(elf, &want, 1, ret, &place_err);

	return err ? err : place_err;
}
