/* SPDX-License-Identifier: MIT */
/*
 * Names first, then symbols: where the name is among the strings is found in one pass, the symbols
 * are compared by that position in another. Looking up the name of every symbol would read the file
 * in leaps.
 */
#include "syscalls/object_private.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/probe.h"

/* A linker writes a name once, or once more as the end of a longer one. */
#define PLACES_MAX 64
/* Symbols that are read at a time: a whole number of them in a window. */
#define SYMBOLS_STEP (WINDOW_SIZE / sizeof(Elf64_Sym))
/* Longer names are not found: those of C++ templates have some thousand bytes at most. */
#define NAME_MAX_SIZE 8192
/* Of programs with debug symbols some 10 MB. */
#define STRINGS_MAX (64U << 20)
/* Names are alike when so many letters differ. */
#define NEAR_DISTANCE 3
/* One that contains the other. */
#define NEAR_PART 2

struct places {
	uint64_t at[PLACES_MAX]; /* in the strings */
	size_t nr;
};

/* Where NAME with its NUL is among the strings. */
static void places_find(const struct elf *elf, const struct elf_symbols *table, const char *name,
			struct places *places)
{
	size_t size = strlen(name) + 1;
	uint64_t at = 0;

	places->nr = 0;
	if (size > NAME_MAX_SIZE)
		return;
	while (places->nr < PLACES_MAX && at < table->strings_size) {
		uint64_t left = table->strings_size - at;
		size_t wanted = left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE;
		const char *bytes = window_get(elf->file, table->strings + at, wanted);
		const char *found = bytes ? memmem(bytes, wanted, name, size) : NULL;

		if (found) {
			places->at[places->nr++] = at + (uint64_t)(found - bytes);
			at += (uint64_t)(found - bytes) + 1;
			continue;
		}
		if (!bytes || wanted == left)
			return;
		/* It may begin in this piece and end in the next. */
		at += wanted - (size - 1);
	}
}

static bool has_place(const struct places *places, uint64_t name)
{
	for (size_t i = 0; i < places->nr; i++)
		if (places->at[i] == name)
			return true;
	return false;
}

static uint64_t member(const struct elf *elf, const uint8_t *symbol, size_t offset_64,
		       size_t offset_32, size_t size)
{
	return elf_number(elf, symbol + (elf->is_64 ? offset_64 : offset_32), size);
}

#define MEMBER(elf, symbol, name, size)                                                            \
	member(elf, symbol, offsetof(Elf64_Sym, name), offsetof(Elf32_Sym, name), size)

/* Fills RET from SYMBOL. False when it is only used here, not defined. */
static bool symbol_read(const struct elf *elf, const uint8_t *symbol, struct object_symbol *ret)
{
	uint64_t section = MEMBER(elf, symbol, st_shndx, 2);
	unsigned int type = (unsigned int)MEMBER(elf, symbol, st_info, 1) & 0xf;

	*ret = (struct object_symbol){
		.address = MEMBER(elf, symbol, st_value, elf_word(elf)),
		.size = MEMBER(elf, symbol, st_size, elf_word(elf)),
		.type = type,
	};
	return section != SHN_UNDEF && section != SHN_ABS &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE ||
		type == STT_OBJECT);
}

/* Enters SYMBOL by its address, each once. Returns how many there are then. */
static size_t enter(struct object_symbol *out, size_t nr, const struct object_symbol *symbol)
{
	size_t at = nr;

	for (size_t i = 0; i < nr; i++)
		if (out[i].address == symbol->address)
			return nr;
	if (nr == OBJECT_SYMBOLS_MAX)
		return nr;
	for (; at > 0 && out[at - 1].address > symbol->address; at--)
		out[at] = out[at - 1];
	out[at] = *symbol;
	return nr + 1;
}

static size_t symbol_size(const struct elf *elf)
{
	return elf->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

/* COUNT symbols from number NEXT on, or NULL. */
static const uint8_t *symbols_at(const struct elf *elf, const struct elf_symbols *table,
				 uint64_t next, size_t count)
{
	uint64_t offset;

	if (__builtin_mul_overflow(next, symbol_size(elf), &offset) ||
	    __builtin_add_overflow(offset, table->offset, &offset))
		return NULL;
	return window_get(elf->file, offset, count * symbol_size(elf));
}

bool symbols_each(const struct elf *elf, const struct elf_symbols *table,
		  bool (*take)(void *ctx, uint64_t name, const struct object_symbol *symbol),
		  void *ctx)
{
	for (uint64_t next = 0; next < table->count;) {
		uint64_t left = table->count - next;
		size_t count = left < SYMBOLS_STEP ? (size_t)left : SYMBOLS_STEP;
		const uint8_t *symbols = symbols_at(elf, table, next, count);
		struct object_symbol symbol;

		if (!symbols)
			return false;
		for (size_t i = 0; i < count; i++) {
			const uint8_t *bytes = symbols + i * symbol_size(elf);

			if (symbol_read(elf, bytes, &symbol) &&
			    take(ctx, elf_number(elf, bytes, 4), &symbol))
				return true;
		}
		next += count;
	}
	return false;
}

struct taking {
	struct places places;
	struct object_symbol *out;
	size_t nr;
};

static bool take_named(void *ctx, uint64_t name, const struct object_symbol *symbol)
{
	struct taking *taking = ctx;

	if (has_place(&taking->places, name))
		taking->nr = enter(taking->out, taking->nr, symbol);
	return false;
}

/* Leaves only the default version of NAME, where the library says which that is. */
static size_t choose_version(const struct elf *elf, const char *name, struct object_symbol *out,
			     size_t nr)
{
	struct probe_place place;
	uint64_t offset;

	/* No argument that there is: the entry itself. */
	if (nr < 2 || probe_place(elf, name, 1U << PROBE_ARGUMENTS_MAX, &place))
		return nr;
	for (size_t i = 0; i < nr; i++) {
		if (!elf_find(elf, out[i].address, &offset, NULL) || offset != place.offset)
			continue;
		out[0] = out[i];
		return 1;
	}
	return nr;
}

int symbols_find(const struct elf *elf, const struct elf_symbols *table, const char *name,
		 struct object_symbol ret[static OBJECT_SYMBOLS_MAX])
{
	struct taking taking = { .out = ret };

	places_find(elf, table, name, &taking.places);
	if (taking.places.nr)
		symbols_each(elf, table, take_named, &taking);
	if (table == &elf->dynamic)
		taking.nr = choose_version(elf, name, ret, taking.nr);
	return (int)taking.nr;
}

struct cover {
	uint64_t address;
	struct object_symbol *out;
};

static bool take_cover(void *ctx, uint64_t name, const struct object_symbol *symbol)
{
	struct cover *cover = ctx;

	(void)name;
	if (symbol->type != STT_FUNC || cover->address < symbol->address ||
	    cover->address - symbol->address >= symbol->size)
		return false;
	*cover->out = *symbol;
	return true;
}

bool symbols_cover(const struct elf *elf, const struct elf_symbols *table, uint64_t address,
		   struct object_symbol *ret)
{
	struct cover cover = { address, ret };

	return symbols_each(elf, table, take_cover, &cover);
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters have to be changed, added or left out: Levenshtein's distance. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t row[OBJECT_NAME_MAX + 1];

	for (size_t j = 0; j <= b_size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			bool differs = tolower((unsigned char)a[i - 1]) !=
				       tolower((unsigned char)b[j - 1]);
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1, corner + differs);
			corner = above;
		}
	}
	return row[b_size];
}

/* How far TEXT is from NAME; OBJECT_NAME_MAX: nothing alike. */
static size_t distance(const char *name, size_t name_size, const char *text, size_t size)
{
	size_t edits = OBJECT_NAME_MAX;
	size_t difference = name_size > size ? name_size - size : size - name_size;

	if (size >= 3 && difference <= NEAR_DISTANCE && name_size < OBJECT_NAME_MAX)
		edits = edit_distance(name, name_size, text, size);
	if (edits <= NEAR_DISTANCE && edits * 2 <= name_size)
		return edits;
	return name_size >= 3 && strcasestr(text, name) ? NEAR_PART + difference : OBJECT_NAME_MAX;
}

static void near_enter(struct object_near *near, const char *text, size_t size, size_t far)
{
	size_t at = near->nr;

	for (size_t i = 0; i < near->nr; i++)
		if (strcmp(near->names[i], text) == 0)
			return;
	if (near->nr == OBJECT_NEAR_MAX)
		at--;
	else
		near->nr++;
	for (; at > 0 && near->distances[at - 1] > far; at--) {
		near->distances[at] = near->distances[at - 1];
		memcpy(near->names[at], near->names[at - 1], OBJECT_NAME_MAX);
	}
	near->distances[at] = far;
	memcpy(near->names[at], text, size + 1);
}

struct nearing {
	const char *name;
	size_t name_size;
	char *strings;
	uint64_t strings_size;
	struct object_near *near;
};

/* A copy of the strings, which ends with a NUL whatever the file says. */
static int copy_strings(const struct elf *elf, const struct elf_symbols *table,
			struct nearing *nearing)
{
	uint64_t size = table->strings_size;

	nearing->strings = size <= STRINGS_MAX ? malloc((size_t)size + 1) : NULL;
	if (!nearing->strings)
		return -ENOMEM;
	while (nearing->strings_size < size) {
		uint64_t left = size - nearing->strings_size;
		size_t got;
		const void *bytes =
			window_some(elf->file, table->strings + nearing->strings_size, &got);

		if (!bytes)
			break;
		if (got > left)
			got = (size_t)left;
		memcpy(nearing->strings + nearing->strings_size, bytes, got);
		nearing->strings_size += got;
	}
	nearing->strings[nearing->strings_size] = '\0';
	return 0;
}

static bool take_near(void *ctx, uint64_t name, const struct object_symbol *symbol)
{
	struct nearing *nearing = ctx;
	struct object_near *near = nearing->near;
	const char *text;
	size_t size, far;

	if (symbol->type != STT_FUNC || name >= nearing->strings_size)
		return false;
	text = nearing->strings + name;
	size = strnlen(text, OBJECT_NAME_MAX);
	if (size == OBJECT_NAME_MAX)
		return false;
	far = distance(nearing->name, nearing->name_size, text, size);
	if (far < OBJECT_NAME_MAX &&
	    (near->nr < OBJECT_NEAR_MAX || far < near->distances[OBJECT_NEAR_MAX - 1]))
		near_enter(near, text, size, far);
	return false;
}

void symbols_near(const struct elf *elf, const struct elf_symbols *table, const char *name,
		  struct object_near *near)
{
	struct nearing nearing = { .name = name, .name_size = strlen(name), .near = near };

	/* Without memory, or in a file larger than any, nothing is near. */
	if (copy_strings(elf, table, &nearing) == 0)
		symbols_each(elf, table, take_near, &nearing);
	free(nearing.strings);
}
