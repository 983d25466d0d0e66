/* SPDX-License-Identifier: MIT */
/* Points in code: FUNCTION, FILE:FUNCTION, FILE:0xOFFSET. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/probe_insn_x86.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "syscalls/loader.h"
#include "syscalls/object.h"
#include "syscalls/points_private.h"

/* The longest instruction of x86, Intel's manual volume 2, 2.3.11. */
#define INSN_MAX 15

/* What is sought, and where. */
struct sought {
	struct point *point;
	struct loader *loader;
	char *what;
	char file[POINT_TEXT_SIZE]; /* empty: anywhere */
	const char *name;	    /* of the function, or the offset */
};

/* Whether the last call failed since another process opens files for this one. */
static bool is_kept_out(void)
{
	return object_opener && (errno == EACCES || errno == EPERM);
}

/* Makes the byte at OFFSET of OBJECT, at PATH, the point; takes the descriptor. */
static int settle(struct point *point, struct object *object, const char *path, uint64_t offset)
{
	point->path = realpath(path, NULL);
	/* Who may not go there itself has it as it was named. */
	if (!point->path && is_kept_out())
		point->path = strdup(path);
	if (!point->path)
		return -errno;
	point->fd = steal_fd(&object->fd);
	point->offset = offset;
	return 0;
}

/* Several functions have the name: tells where they are. */
static int refuse_many(const struct sought *sought, struct object *object, const char *path,
		       const struct object_symbol *symbols, int nr)
{
	char list[160] = "", quoted[LOG_QUOTE_SIZE];
	size_t used = 0;

	for (int i = 0; i < nr && used + 24 < sizeof(list); i++) {
		uint64_t offset;

		if (object_code_at(object, symbols[i].address, &offset))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s0x%" PRIx64,
						 used ? ", " : "", offset);
	}
	return points_refuse(sought->what, -EINVAL,
			     "'%s' has several functions of that name; give one as FILE:0xOFFSET, "
			     "at: %s",
			     log_quote(quoted, path), list);
}

/* Looks for the function in OBJECT. Returns 0, -ENOENT, or what is wrong with it. */
static int find_in(const struct sought *sought, struct object *object, const char *path)
{
	struct object_symbol symbols[OBJECT_SYMBOLS_MAX];
	int nr = object_symbols(object, sought->name, symbols);
	int nr_code = 0;
	uint64_t offset;

	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i++)
		if (symbols[i].type != STT_OBJECT &&
		    object_code_at(object, symbols[i].address, &offset))
			symbols[nr_code++] = symbols[i];
	if (nr_code == 0)
		return -ENOENT;
	if (nr_code > 1)
		return refuse_many(sought, object, path, symbols, nr_code);
	if (symbols[0].type == STT_GNU_IFUNC)
		return points_refuse(sought->what, -EINVAL,
				     "which code it is is chosen when the program is loaded");
	object_code_at(object, symbols[0].address, &offset);
	return settle(sought->point, object, path, offset);
}

/* Looks in the file at PATH, and notes what is near. */
static int find_in_file(const struct sought *sought, const char *path, struct object_near *near)
{
	struct object *object;
	int err = object_open(path, &object);

	if (err)
		return err;
	err = find_in(sought, object, path);
	if (err == -ENOENT && near)
		object_near(object, sought->name, near);
	object_close(object);
	return err;
}

static int refuse_function(const struct sought *sought, const char *where,
			   const struct object_near *near)
{
	char list[256] = "", quoted[LOG_QUOTE_SIZE], name[LOG_QUOTE_SIZE];
	size_t used = 0;

	for (size_t i = 0; i < near->nr; i++) {
		size_t size = strlen(log_quote(name, near->names[i]));

		if (used + size + 3 > sizeof(list))
			break;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
					 name);
	}
	return points_refuse(sought->what, -ENOENT, "there is no such function in %s%s%s",
			     log_quote(quoted, where), used ? "; near it: " : "", list);
}

/* A function of the program, or else of a library that it needs. */
static int find_anywhere(const struct sought *sought)
{
	const struct loader *loader = sought->loader;
	struct object_near near = { 0 };
	char where[PATH_MAX + 64];
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && i < loader->nr_files; i++)
		err = find_in_file(sought, loader->files[i].path, &near);
	if (err != -ENOENT)
		return err;
	if (loader->nr_files > 1)
		snprintf(where, sizeof(where), "'%s' and the %zu libraries that it needs",
			 loader->files[0].path, loader->nr_files - 1);
	else
		snprintf(where, sizeof(where), "'%s'", loader->files[0].path);
	return refuse_function(sought, where, &near);
}

/* Where the instructions begin that are around ADDRESS, if that is not one of them. */
static bool is_inside(struct object *object, uint64_t address, uint64_t *ret_before)
{
	struct object_symbol function = { 0 };
	uint64_t at;

	if (object->machine != EM_X86_64 || !object->elf.is_64 ||
	    !object_function_at(object, address, &function))
		return false;
	for (at = function.address; at < address;) {
		uint64_t offset, left;
		const uint8_t *bytes;
		struct insn insn;

		if (!elf_find(&object->elf, at, &offset, &left))
			return false;
		left = left < INSN_MAX ? left : INSN_MAX;
		bytes = window_get(&object->window, offset, (size_t)left);
		/* Data, or what this decoder does not know: nothing is said. */
		if (!bytes || !insn_read(bytes, (size_t)left, &insn) || !insn.size)
			return false;
		*ret_before = at;
		at += insn.size;
	}
	return at != address;
}

static int find_offset(const struct sought *sought, const char *path, uint64_t wanted)
{
	uint64_t address = 0, before = 0;
	struct object *object;
	int err = object_open(path, &object);

	if (err)
		return err;
	if (!object_is_code(object, wanted, &address))
		err = points_refuse(sought->what, -EINVAL,
				    "0x%" PRIx64 " is no offset of code in the file", wanted);
	else if (is_inside(object, address, &before))
		err = points_refuse(sought->what, -EINVAL,
				    "0x%" PRIx64 " is inside an instruction, which begins at "
				    "0x%" PRIx64,
				    wanted, wanted - (address - before));
	else
		err = settle(sought->point, object, path, wanted);
	object_close(object);
	return err;
}

/* A hexadecimal number behind 0x, and nothing else. */
static bool parse_offset(const char *text, uint64_t *ret)
{
	char *end;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || !text[2] ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return false;
	errno = 0;
	*ret = strtoull(text + 2, &end, 16);
	return errno == 0;
}

/* The path of the file that is named, in OUT. */
static int find_path(const struct sought *sought, char out[static PATH_MAX])
{
	char quoted[LOG_QUOTE_SIZE];
	const char *path = sought->file;

	if (!strchr(path, '/'))
		path = loader_path(sought->loader, path);
	if (!path)
		return points_refuse(
			sought->what, -ENOENT,
			"'%s' is neither a path nor a library that the program's loader "
			"finds",
			log_quote(quoted, sought->file));
	if (realpath(path, out))
		return 0;
	if (is_kept_out() && strlen(path) < PATH_MAX)
		memcpy(out, path, strlen(path) + 1);
	else
		return points_refuse(sought->what, -errno, "'%s': %s", log_quote(quoted, path),
				     strerror(errno));
	return 0;
}

static int find_in_named(const struct sought *sought)
{
	char path[PATH_MAX], where[PATH_MAX + 2];
	struct object_near near = { 0 };
	uint64_t offset;
	int err = find_path(sought, path);

	if (err)
		return err;
	if (parse_offset(sought->name, &offset))
		err = find_offset(sought, path, offset);
	else
		err = find_in_file(sought, path, &near);
	snprintf(where, sizeof(where), "'%s'", path);
	if (err == -ENOENT && !sought->what[0])
		return refuse_function(sought, where, &near);
	return err;
}

int points_code_find(struct point *point, const char *program,
		     char ret_what[static POINT_WHAT_SIZE])
{
	struct sought sought = { .point = point, .what = ret_what, .name = point->text };
	const char *colon = strrchr(point->text, ':');
	uint64_t offset;
	int err;

	if (colon) {
		memcpy(sought.file, point->text, (size_t)(colon - point->text));
		sought.name = colon + 1;
	}
	if (!*sought.name || (colon && !*sought.file))
		return points_refuse(ret_what, -EINVAL,
				     "not FUNCTION, FILE:FUNCTION or FILE:0xOFFSET");
	if (!colon && parse_offset(sought.name, &offset))
		return points_refuse(ret_what, -EINVAL,
				     "an offset needs the file that it is in: FILE:0xOFFSET");
	err = loader_find(program, &sought.loader);
	if (!err)
		err = colon ? find_in_named(&sought) : find_anywhere(&sought);
	if (err && !ret_what[0])
		points_refuse(ret_what, err, "%s",
			      err == -ENOEXEC ? "no program or library (ELF file)"
					      : strerror(-err));
	loader_free(sought.loader);
	return err;
}
