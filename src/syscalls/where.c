/* SPDX-License-Identifier: MIT */
#include "syscalls/where.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/elf.h"
#include "proc/maps.h"
#include "syscalls/object_private.h"

/* What may be read of a file: the tables of the largest programs. */
#define BUDGET	  (256U << 20)

#define PATH_SIZE (PATH_MAX + 64)

/* Names of one function that are looked at. */
#define NAMES_MAX 8

/* The best of the symbols so far. */
struct best {
	uint64_t address; /* that is sought */
	uint64_t value;
	uint64_t names[NAMES_MAX]; /* in the strings */
	size_t nr_names;	   /* 0: none was found */
};

/* Whether SYMBOL is a function that ADDRESS is in; one without a size may be. */
static bool covers(const struct object_symbol *symbol, uint64_t address)
{
	return (symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC) &&
	       symbol->address <= address &&
	       (symbol->size == 0 || address - symbol->address < symbol->size);
}

static bool take_symbol(void *ctx, uint64_t name, const struct object_symbol *symbol)
{
	struct best *best = ctx;

	if (!covers(symbol, best->address) || (best->nr_names > 0 && symbol->address < best->value))
		return false;
	if (best->nr_names == 0 || symbol->address > best->value)
		best->nr_names = 0;
	best->value = symbol->address;
	if (best->nr_names < NAMES_MAX)
		best->names[best->nr_names++] = name;
	return false;
}

/* Copies the name at AT of SYMBOLS, cut. Returns 0 or -ENOENT. */
static int read_name(const struct elf *elf, const struct elf_symbols *symbols, uint64_t at,
		     char ret[static WHERE_SYMBOL_SIZE])
{
	uint64_t left = at < symbols->strings_size ? symbols->strings_size - at : 0;
	size_t size = left < WHERE_SYMBOL_SIZE - 1 ? (size_t)left : WHERE_SYMBOL_SIZE - 1;
	const char *bytes = size ? window_get(elf->file, symbols->strings + at, size) : NULL;

	if (!bytes || !*bytes)
		return -ENOENT;
	size = strnlen(bytes, size);
	memcpy(ret, bytes, size);
	ret[size] = '\0';
	return 0;
}

/* Of the names that BEST has, one that people call it by: libc.so.6 has write and __write. */
static int choose_name(const struct elf *elf, const struct elf_symbols *symbols,
		       const struct best *best, char ret[static WHERE_SYMBOL_SIZE])
{
	int err = -ENOENT;

	for (size_t i = best->nr_names; i-- > 0 && (err || ret[0] == '_');) {
		char name[WHERE_SYMBOL_SIZE];

		if (read_name(elf, symbols, best->names[i], name))
			continue;
		memcpy(ret, name, sizeof(name));
		err = 0;
	}
	return err;
}

/* The address that the byte at OFFSET has in the tables. False where it is not loaded. */
static bool address_of(const struct elf *elf, uint64_t offset, uint64_t *ret)
{
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (segment->type == PT_LOAD && offset >= segment->offset &&
		    offset - segment->offset < segment->size) {
			*ret = segment->address + (offset - segment->offset);
			return true;
		}
	}
	return false;
}

static int symbol_in(struct window *window, uint64_t offset,
		     char ret_name[static WHERE_SYMBOL_SIZE], uint64_t *ret_into)
{
	struct elf_symbols symbols;
	struct best best = { 0 };
	struct elf elf;
	int err = elf_open(&elf, window);

	if (err)
		return err;
	if (!address_of(&elf, offset, &best.address))
		return -ENOENT;
	if (elf_symtab(&elf, &symbols))
		symbols_each(&elf, &symbols, take_symbol, &best);
	if (best.nr_names == 0) {
		symbols = elf.dynamic;
		symbols_each(&elf, &symbols, take_symbol, &best);
	}
	if (best.nr_names == 0)
		return -ENOENT;
	*ret_into = best.address - best.value;
	return choose_name(&elf, &symbols, &best, ret_name);
}

int where_symbol(int fd, uint64_t offset, char ret_name[static WHERE_SYMBOL_SIZE],
		 uint64_t *ret_into)
{
	struct window window;
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	err = window_open(&window, fd, (uint64_t)st.st_size, BUDGET);
	if (err)
		return err;
	err = symbol_in(&window, offset, ret_name, ret_into);
	window_close(&window);
	return err;
}

/* The mapping that is sought. */
struct search {
	uint64_t address;
	struct map map; /* without its path */
	struct where *ret;
	bool is_found;
};

static int take_map(void *ctx, const struct map *map)
{
	struct search *search = ctx;
	size_t size;

	if (search->address < map->start || search->address >= map->end)
		return 0;
	search->is_found = true;
	search->map = *map;
	search->map.path = NULL;
	if (map->path && map->path_size < sizeof(search->ret->file)) {
		size = maps_path(map, search->ret->file, sizeof(search->ret->file) - 1);
		search->ret->file[size] = '\0';
		search->ret->offset = search->address - map->start + map->offset;
	}
	return 1;
}

/* Opens the file that is mapped. Returns a descriptor or a negative errno. */
static int open_mapped(pid_t tid, const struct search *search)
{
	char path[PATH_SIZE];
	struct stat st;
	int fd;

	/* takes a capability, but is that very file */
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid,
		 search->map.start, search->map.end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/%d/root%s", tid, search->ret->file);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == search->map.inode)
		return fd;
	close(fd);
	return -ESTALE;
}

void where_is(pid_t tid, uint64_t address, struct where *ret)
{
	struct search search = { .address = address, .ret = ret };
	int fd;

	ret->file[0] = ret->symbol[0] = '\0';
	ret->offset = address;
	ret->into = 0;
	maps_each_of(tid, take_map, &search);
	if (!search.is_found || !ret->file[0])
		return;
	fd = open_mapped(tid, &search);
	if (fd < 0)
		return;
	if (where_symbol(fd, ret->offset, ret->symbol, &ret->into))
		ret->symbol[0] = '\0';
	close(fd);
}
