/* SPDX-License-Identifier: MIT */
#include "syscalls/object.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "syscalls/object_private.h"

/* Large programs have tables of some 100 MB; each is read a few times. */
#define READ_MAX  (4ULL << 30)

#define DEBUG_DIR "/usr/lib/debug/.build-id"

int (*object_opener)(const char *path);

int object_open_file(const char *path)
{
	int fd;

	if (object_opener)
		return object_opener(path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int object_open(const char *path, struct object **ret)
{
	struct object *object = calloc(1, sizeof(*object));
	const uint8_t *machine;
	int err = 0;

	if (!object)
		return -ENOMEM;
	object->fd = object_open_file(path);
	if (object->fd < 0)
		err = object->fd;
	else if (fstat(object->fd, &object->st) < 0)
		err = -errno;
	else if (!S_ISREG(object->st.st_mode))
		err = S_ISDIR(object->st.st_mode) ? -EISDIR : -ENOEXEC;
	else
		err = window_open(&object->window, object->fd, (uint64_t)object->st.st_size,
				  READ_MAX);
	if (!err)
		err = elf_open(&object->elf, &object->window);
	if (err) {
		object_close(object);
		return err;
	}
	machine = window_get(&object->window, offsetof(Elf64_Ehdr, e_machine), 2);
	if (machine)
		object->machine = (uint16_t)elf_number(&object->elf, machine, 2);
	*ret = object;
	return 0;
}

void object_close(struct object *object)
{
	if (!object)
		return;
	window_close(&object->window);
	if (object->fd >= 0)
		close(object->fd);
	free(object);
}

bool object_is_code(const struct object *object, uint64_t offset, uint64_t *ret_address)
{
	for (size_t i = 0; i < object->elf.nr_segments; i++) {
		const struct elf_segment *segment = &object->elf.segments[i];

		if (segment->type != PT_LOAD || !(segment->flags & PF_X) ||
		    offset < segment->offset || offset - segment->offset >= segment->size)
			continue;
		if (ret_address)
			*ret_address = segment->address + (offset - segment->offset);
		return true;
	}
	return false;
}

bool object_code_at(const struct object *object, uint64_t address, uint64_t *ret_offset)
{
	uint64_t offset;

	if (!elf_find(&object->elf, address, &offset, NULL) ||
	    !object_is_code(object, offset, NULL))
		return false;
	*ret_offset = offset;
	return true;
}

/* The debug file of OBJECT, where packages of debug symbols put it, or NULL. */
static struct object *open_debug(const struct object *object)
{
	char id[ELF_BUILD_ID_TEXT], other[ELF_BUILD_ID_TEXT];
	char path[sizeof(DEBUG_DIR) + ELF_BUILD_ID_TEXT + 16];
	struct object *debug;

	if (!elf_build_id(&object->elf, id) || strlen(id) < 4)
		return NULL;
	snprintf(path, sizeof(path), DEBUG_DIR "/%.2s/%s.debug", id, id + 2);
	if (object_open(path, &debug))
		return NULL;
	if (elf_build_id(&debug->elf, other) && strcmp(id, other) == 0)
		return debug;
	object_close(debug);
	return NULL;
}

/* Calls USE for each table of symbols, the best one first, until it returns other than 0. */
static int each_table(struct object *object,
		      int (*use)(const struct elf *elf, const struct elf_symbols *table, void *ctx),
		      void *ctx)
{
	struct elf_symbols table;
	struct object *debug;
	int result = 0;

	if (elf_symtab(&object->elf, &table))
		result = use(&object->elf, &table, ctx);
	debug = result ? NULL : open_debug(object);
	if (debug && elf_symtab(&debug->elf, &table))
		result = use(&debug->elf, &table, ctx);
	object_close(debug);
	return result ? result : use(&object->elf, &object->elf.dynamic, ctx);
}

struct wanted {
	const char *name;
	struct object_symbol *out;
};

static int find_name(const struct elf *elf, const struct elf_symbols *table, void *ctx)
{
	struct wanted *wanted = ctx;

	return symbols_find(elf, table, wanted->name, wanted->out);
}

int object_symbols(struct object *object, const char *name,
		   struct object_symbol ret[static OBJECT_SYMBOLS_MAX])
{
	struct wanted wanted = { name, ret };

	return each_table(object, find_name, &wanted);
}

struct covering {
	uint64_t address;
	struct object_symbol *out;
};

static int find_cover(const struct elf *elf, const struct elf_symbols *table, void *ctx)
{
	struct covering *covering = ctx;

	return symbols_cover(elf, table, covering->address, covering->out);
}

bool object_function_at(struct object *object, uint64_t address, struct object_symbol *ret)
{
	struct covering covering = { address, ret };

	return each_table(object, find_cover, &covering) != 0;
}

struct likeness {
	const char *name;
	struct object_near *near;
};

static int find_near(const struct elf *elf, const struct elf_symbols *table, void *ctx)
{
	struct likeness *likeness = ctx;

	symbols_near(elf, table, likeness->name, likeness->near);
	return 0;
}

void object_near(struct object *object, const char *name, struct object_near *near)
{
	struct likeness likeness = { name, near };

	each_table(object, find_near, &likeness);
}
