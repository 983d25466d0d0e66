/* SPDX-License-Identifier: MIT */
/*
 * .eh_frame_hdr is a sorted table of functions with their entries in .eh_frame (Linux Standard
 * Base, Core 5.0, chapters 10.6.1 and 10.6.2; DWARF 4, 6.4.1). Only what linkers write is read:
 * numbers of 32 bits relative to themselves or to the table.
 */
#include "syscalls/patch_function.h"

#include <string.h>

/* DW_EH_PE_*, LSB Core 5.0, table 10-1 and 10-2 */
#define ENCODING_FORMAT	  0x0fU
#define ENCODING_absptr	  0x00U
#define ENCODING_udata4	  0x03U
#define ENCODING_udata8	  0x04U
#define ENCODING_sdata4	  0x0bU
#define ENCODING_sdata8	  0x0cU
#define ENCODING_OMIT	  0xffU
#define ENCODING_POINTER  0x1bU /* to itself relative, 32 bits */
#define ENCODING_TABLE	  0x3bU /* to the table relative, 32 bits */

#define TABLE_HEADER_SIZE 12U
#define TABLE_ENTRY_SIZE  8U
/* Larger than any entry that describes a function. */
#define ENTRY_MAX 65536U

/* Reads on, and yields zeros behind the end. */
struct cursor {
	const uint8_t *bytes;
	size_t left;
	bool failed;
};

static uint64_t take(struct cursor *cursor, size_t size)
{
	uint64_t number = 0;

	if (cursor->failed || size > cursor->left) {
		cursor->failed = true;
		return 0;
	}
	memcpy(&number, cursor->bytes, size);
	cursor->bytes += size;
	cursor->left -= size;
	return number;
}

/* A number of 7 bits a byte, DWARF's LEB128. Its sign does not matter here. */
static uint64_t take_leb(struct cursor *cursor)
{
	uint64_t number = 0;

	for (unsigned int shift = 0;; shift += 7) {
		uint64_t byte = take(cursor, 1);

		if (shift < 64)
			number |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
}

/* The size of a number in ENCODING; 0: not known. */
static size_t encoded_size(unsigned int encoding)
{
	switch (encoding & ENCODING_FORMAT) {
	case ENCODING_udata4:
	case ENCODING_sdata4:
		return 4;
	case ENCODING_absptr:
	case ENCODING_udata8:
	case ENCODING_sdata8:
		return 8;
	default:
		return 0;
	}
}

/* What the entries of a kind have in common. */
struct common {
	unsigned int pointer, handlers; /* encodings */
	bool has_data;			/* 'z': a size and what the letters behind it say */
};

/* The entry at ADDRESS without its length. False: not there, empty, or longer than ENTRY_MAX. */
static bool entry_at(const struct patch_elf *elf, uint64_t address, struct cursor *ret)
{
	const uint8_t *head = patch_elf_bytes(elf, address, 4);
	uint32_t size;

	if (!head)
		return false;
	memcpy(&size, head, sizeof(size));
	if (size < 4 || size > ENTRY_MAX || !patch_elf_bytes(elf, address, 4 + (uint64_t)size))
		return false;
	*ret = (struct cursor){ .bytes = head + 4, .left = size };
	return true;
}

static bool read_letters(struct cursor *entry, const char *letters, struct common *common)
{
	for (; *letters; letters++) {
		unsigned int encoding;

		switch (*letters) {
		case 'R':
			common->pointer = (unsigned int)take(entry, 1);
			break;
		case 'L':
			common->handlers = (unsigned int)take(entry, 1);
			break;
		case 'P':
			encoding = (unsigned int)take(entry, 1);
			if (!encoded_size(encoding))
				return false;
			take(entry, encoded_size(encoding));
			break;
		case 'S': /* a frame of a signal */
		case 'B': /* arm64 */
			break;
		default:
			return false;
		}
	}
	return true;
}

/* The entry that others refer to. */
static bool read_common(const struct patch_elf *elf, uint64_t address, struct common *ret)
{
	char letters[16];
	struct cursor entry;
	size_t size;

	if (!entry_at(elf, address, &entry) || take(&entry, 4) != 0)
		return false;

	uint64_t version = take(&entry, 1);

	size = strnlen((const char *)entry.bytes, entry.left);
	if ((version != 1 && version != 3) || size == entry.left || size >= sizeof(letters))
		return false;
	memcpy(letters, entry.bytes, size + 1);
	entry.bytes += size + 1;
	entry.left -= size + 1;
	take_leb(&entry);
	take_leb(&entry);
	if (version == 1)
		take(&entry, 1);
	else
		take_leb(&entry);
	*ret = (struct common){ .pointer = ENCODING_absptr, .handlers = ENCODING_OMIT };
	if (letters[0] == 'z') {
		ret->has_data = true;
		take_leb(&entry);
		if (!read_letters(&entry, letters + 1, ret))
			return false;
	} else if (letters[0]) {
		return false;
	}
	return !entry.failed;
}

/* Reads the entry at ADDRESS, of the function that begins at BEGIN. */
static bool read_entry(const struct patch_elf *elf, uint64_t address, uint64_t begin,
		       struct patch_function *ret)
{
	struct common common;
	struct cursor entry;
	uint64_t handlers = 0, range;
	size_t size;

	if (!entry_at(elf, address, &entry))
		return false;

	uint64_t back = take(&entry, 4);

	/* It is told as a distance from the place of the distance itself. */
	if (!back || !read_common(elf, address + 4 - back, &common))
		return false;
	size = encoded_size(common.pointer);
	if (!size)
		return false;
	take(&entry, size);
	range = take(&entry, size);
	if (common.has_data)
		take_leb(&entry);
	if (common.handlers != ENCODING_OMIT)
		handlers = take(&entry, encoded_size(common.handlers));
	if (entry.failed || !range || range > UINT64_MAX - begin)
		return false;
	*ret = (struct patch_function){
		.begin = begin,
		.end = begin + range,
		.has_handlers = handlers != 0 || (common.handlers != ENCODING_OMIT &&
						  !encoded_size(common.handlers)),
	};
	return true;
}

/* The table in the file: entries of two numbers, relative to its beginning. */
struct table {
	uint64_t address;
	const uint8_t *entries;
	size_t nr;
};

static bool find_table(const struct patch_elf *elf, struct table *ret)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		const uint8_t *bytes;
		uint32_t nr;

		if (segment->p_type != PT_GNU_EH_FRAME || segment->p_filesz < TABLE_HEADER_SIZE)
			continue;
		bytes = patch_elf_bytes(elf, segment->p_vaddr, segment->p_filesz);
		if (!bytes || bytes[0] != 1 || bytes[1] != ENCODING_POINTER ||
		    bytes[2] != ENCODING_udata4 || bytes[3] != ENCODING_TABLE)
			continue;
		memcpy(&nr, bytes + 8, sizeof(nr));
		if (nr > (segment->p_filesz - TABLE_HEADER_SIZE) / TABLE_ENTRY_SIZE)
			continue;
		*ret = (struct table){ segment->p_vaddr, bytes + TABLE_HEADER_SIZE, nr };
		return true;
	}
	return false;
}

static uint64_t table_number(const struct table *table, size_t index, size_t which)
{
	int32_t number;

	memcpy(&number, table->entries + index * TABLE_ENTRY_SIZE + which * 4, sizeof(number));
	return table->address + (uint64_t)(int64_t)number;
}

static bool find_by_frame(const struct patch_elf *elf, uint64_t address, struct patch_function *ret)
{
	struct table table;
	size_t low = 0, high;

	if (!find_table(elf, &table))
		return false;
	/* The last one that begins at ADDRESS or before. */
	for (high = table.nr; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (table_number(&table, middle, 0) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low &&
	       read_entry(elf, table_number(&table, low - 1, 1), table_number(&table, low - 1, 0),
			  ret) &&
	       address >= ret->begin && address < ret->end;
}

/* The first section of TYPE, a table of symbols: gABI allows one. False: none that is sound. */
static bool find_symbols(const struct patch_elf *elf, uint32_t type, Elf64_Shdr *ret)
{
	for (uint64_t i = 0; i < elf->nr_sections; i++) {
		*ret = patch_elf_section(elf, i);
		if (ret->sh_type == type)
			return ret->sh_entsize == sizeof(Elf64_Sym) &&
			       patch_elf_file(elf, ret->sh_offset, ret->sh_size);
	}
	return false;
}

typedef bool each_symbol_fn(const Elf64_Sym *symbol, void *ctx);

/* Calls EACH with the symbols that have addresses, until it returns true. */
static bool each_symbol(const struct patch_elf *elf, each_symbol_fn *each, void *ctx)
{
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		Elf64_Shdr table;

		if (!find_symbols(elf, types[i], &table))
			continue;
		for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size;
		     at += sizeof(Elf64_Sym)) {
			Elf64_Sym symbol;

			memcpy(&symbol, elf->bytes + table.sh_offset + at, sizeof(symbol));
			if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS &&
			    ELF64_ST_TYPE(symbol.st_info) != STT_TLS && each(&symbol, ctx))
				return true;
		}
	}
	return false;
}

struct sought {
	uint64_t begin, end;
	struct patch_function function;
};

static bool symbol_has(const Elf64_Sym *symbol, void *ctx)
{
	struct sought *sought = ctx;

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || sought->begin < symbol->st_value ||
	    sought->begin - symbol->st_value >= symbol->st_size ||
	    symbol->st_size > UINT64_MAX - symbol->st_value)
		return false;
	sought->function = (struct patch_function){
		.begin = symbol->st_value, .end = symbol->st_value + symbol->st_size,
		/* Without .eh_frame nothing can be thrown. */
	};
	return true;
}

static bool symbol_is_within(const Elf64_Sym *symbol, void *ctx)
{
	const struct sought *sought = ctx;

	return symbol->st_value >= sought->begin && symbol->st_value < sought->end;
}

bool patch_function_find(const struct patch_elf *elf, uint64_t address, struct patch_function *ret)
{
	struct sought sought = { .begin = address };

	if (find_by_frame(elf, address, ret))
		return true;
	if (!each_symbol(elf, symbol_has, &sought))
		return false;
	*ret = sought.function;
	return true;
}

bool patch_function_named(const struct patch_elf *elf, uint64_t begin, uint64_t end)
{
	struct sought sought = { .begin = begin, .end = end };

	return each_symbol(elf, symbol_is_within, &sought);
}
