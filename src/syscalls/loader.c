/* SPDX-License-Identifier: MIT */
#include "syscalls/loader.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "proc/ldcache.h"

#define CACHE_SIZE_MAX (4U << 20)
/* Of DT_RPATH and DT_RUNPATH: those of Nix have some thousand bytes. */
#define LIST_SIZE_MAX 16384

/* Those that glibc has built in, of the distributions; and musl's. */
static const char *const default_dirs[] = {
#ifdef __x86_64__
	"/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"/lib/aarch64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu",
#endif
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
};
#define MUSL_DIRS "/lib:/usr/local/lib:/usr/lib"

/* Who looks for a library, and what was found. */
struct search_for {
	struct loader *loader;
	const char *name;
	char found[PATH_MAX];
	int level; /* of the processor, of the best in the cache so far; -1: none */
};

/*
 * How far the processor has the features of the levels x86-64-vN of the psABI: those that tell them
 * apart.
 */
static int processor_level(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl"))
		return 4;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return 3;
	if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
		return 2;
#endif
	return 0;
}

/* The level that PATH is for; 0: any. */
static int path_level(const char *path)
{
	static const char dir[] = "/glibc-hwcaps/x86-64-v";
	const char *at = strstr(path, dir);

	return at ? at[sizeof(dir) - 1] - '0' : 0;
}

/* Whether PATH is a library that the program could use. */
static bool fits(const struct loader *loader, const char *path)
{
	struct object *object;
	bool result;

	if (object_open(path, &object))
		return false;
	result = object->elf.is_64 == loader->is_64 &&
		 object->elf.is_big_endian == loader->is_big_endian &&
		 object->machine == loader->machine;
	object_close(object);
	return result;
}

/* Looks in the directory DIR of SIZE bytes, best processor first. */
static bool look_in(struct search_for *search, const char *dir, size_t size)
{
	for (int level = search->loader->is_musl ? 0 : processor_level(); level >= 0; level--) {
		char sub[40] = "";
		int n;

		if (level == 1)
			continue;
		if (level > 0)
			snprintf(sub, sizeof(sub), "/glibc-hwcaps/x86-64-v%d", level);
		n = snprintf(search->found, sizeof(search->found), "%.*s%s/%s", (int)size, dir, sub,
			     search->name);
		if (n > 0 && n < (int)sizeof(search->found) && access(search->found, R_OK) == 0 &&
		    fits(search->loader, search->found))
			return true;
	}
	return false;
}

/* The size of the token for the directory of who tells it, if TEXT begins with one. */
static size_t origin_token(const char *text)
{
	if (strncmp(text, "$ORIGIN", 7) == 0)
		return 7;
	return strncmp(text, "${ORIGIN}", 9) == 0 ? 9 : 0;
}

/* Writes the directory DIR with the tokens of ld.so(8) replaced. False: it cannot be told. */
static bool expand(const char *dir, size_t size, const char *origin, char out[static PATH_MAX])
{
	const char *slash = strrchr(origin, '/');
	size_t origin_size = slash ? (size_t)(slash - origin) : 0;
	size_t at = 0, used = 0;

	while (at < size) {
		size_t token = origin_token(dir + at);
		const char *from = token ? origin : dir + at;
		size_t added = token ? origin_size : 1;

		if ((!token && dir[at] == '$') || used + added >= PATH_MAX)
			return false;
		memcpy(out + used, from, added);
		used += added;
		at += token ? token : 1;
	}
	out[used] = '\0';
	return true;
}

/* Looks in the directories of LIST, which the file at ORIGIN tells; "": the working directory. */
static bool look_in_list(struct search_for *search, const char *list, const char *origin)
{
	char dir[PATH_MAX];

	for (; list; list = strpbrk(list, ":;") ? strpbrk(list, ":;") + 1 : NULL) {
		size_t size = strcspn(list, ":;");

		if (size == 0
			    ? look_in(search, ".", 1)
			    : expand(list, size, origin, dir) && look_in(search, dir, strlen(dir)))
			return true;
	}
	return false;
}

/* What the file number BY and those that needed it say, as DT_RPATH. */
static bool look_in_rpaths(struct search_for *search, size_t by)
{
	const struct loader *loader = search->loader;

	if (loader->files[by].runpath && !loader->is_musl)
		return false;
	for (;; by = loader->files[by].parent) {
		const struct loader_file *file = &loader->files[by];

		if (file->rpath && !file->runpath && look_in_list(search, file->rpath, file->path))
			return true;
		/* musl takes both for the same, and passes them on. */
		if (loader->is_musl && file->runpath &&
		    look_in_list(search, file->runpath, file->path))
			return true;
		if (by == 0)
			return false;
	}
}

static int take_cached(void *ctx, const char *path)
{
	struct search_for *search = ctx;
	const char *slash = strrchr(path, '/');
	int level = path_level(path);
	size_t size = strlen(path);

	if (!slash || strcmp(slash + 1, search->name) != 0 || level <= search->level ||
	    level > processor_level() || size >= sizeof(search->found) ||
	    !fits(search->loader, path))
		return 0;
	memcpy(search->found, path, size + 1);
	search->level = level;
	return 0;
}

static bool look_in_cache(struct search_for *search)
{
	search->level = -1;
	if (search->loader->cache)
		ldcache_parse(search->loader->cache, search->loader->cache_size, take_cached,
			      search);
	return search->level >= 0;
}

static bool look_in_defaults(struct search_for *search)
{
	if (search->loader->is_musl)
		return look_in_list(search, MUSL_DIRS, "/");
	for (size_t i = 0; i < sizeof(default_dirs) / sizeof(default_dirs[0]); i++)
		if (look_in(search, default_dirs[i], strlen(default_dirs[i])))
			return true;
	return false;
}

/* Finds search->name for file number BY. */
static bool look(struct search_for *search, size_t by)
{
	const struct loader *loader = search->loader;
	const struct loader_file *file = &loader->files[by];
	const char *environment = getenv("LD_LIBRARY_PATH");

	if (strchr(search->name, '/'))
		return expand(search->name, strlen(search->name), file->path, search->found) &&
		       fits(loader, search->found);
	if (loader->is_musl)
		return (environment && look_in_list(search, environment, file->path)) ||
		       look_in_rpaths(search, by) || look_in_defaults(search);
	return look_in_rpaths(search, by) ||
	       (environment && *environment && look_in_list(search, environment, file->path)) ||
	       (file->runpath && look_in_list(search, file->runpath, file->path)) ||
	       look_in_cache(search) || look_in_defaults(search);
}

/* The string at AT of the dynamic section, however long, or NULL. */
static const char *dynamic_string(struct loader *loader, const struct elf *elf, uint64_t at)
{
	const struct elf_symbols *table = &elf->dynamic;
	uint64_t left = at < table->strings_size ? table->strings_size - at : 0;
	size_t wanted = left < LIST_SIZE_MAX ? (size_t)left : LIST_SIZE_MAX;
	const char *bytes = NULL;
	size_t size;

	/* The table may claim to be larger than the file. */
	while (at && wanted > 0 && !(bytes = window_get(elf->file, table->strings + at, wanted)))
		wanted /= 2;
	size = bytes ? strnlen(bytes, wanted) : 0;
	return size > 0 && size < wanted ? pool_text(&loader->pool, bytes, size) : NULL;
}

static bool is_known(const struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->nr_files; i++)
		if (strcmp(loader->files[i].name, name) == 0 ||
		    (loader->files[i].soname && strcmp(loader->files[i].soname, name) == 0))
			return true;
	return false;
}

/* Enters the file at PATH that file number BY needs as NAME. */
static int add_file(struct loader *loader, const struct elf *elf, const char *path,
		    const char *name, size_t by)
{
	struct loader_file file = {
		.path = pool_text(&loader->pool, path, strlen(path)),
		.name = pool_text(&loader->pool, name, strlen(name)),
		.soname = dynamic_string(loader, elf, elf->soname),
		.rpath = dynamic_string(loader, elf, elf->rpath),
		.runpath = dynamic_string(loader, elf, elf->runpath),
		.parent = by,
	};

	if (!file.path || !file.name)
		return -ENOMEM;
	loader->files[loader->nr_files++] = file;
	return 0;
}

/* Finds what file number BY, whose tables are in ELF, needs. */
static int add_needed(struct loader *loader, const struct elf *elf, size_t by)
{
	_cleanup_(cleanup_free) struct search_for *search = malloc(sizeof(*search));
	int err = search ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < elf->nr_needed; i++) {
		char name[ELF_STRING_MAX];
		struct object *object;

		if (loader->nr_files == LOADER_FILES_MAX ||
		    !elf_string(elf, elf->needed[i], name) || is_known(loader, name))
			continue;
		search->loader = loader;
		search->name = name;
		if (!look(search, by) || object_open(search->found, &object))
			continue;
		err = add_file(loader, &object->elf, search->found, name, by);
		object_close(object);
	}
	return err;
}

/* Whether the program has a loader, and whose. */
static void read_interpreter(struct loader *loader, const struct elf *elf)
{
	loader->is_static = true;
	for (size_t i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *segment = &elf->segments[i];
		const char *name;

		if (segment->type != PT_INTERP || segment->size > PATH_MAX)
			continue;
		name = window_get(elf->file, segment->offset, (size_t)segment->size);
		loader->is_static = false;
		loader->is_musl = name && memmem(name, segment->size, "/ld-musl-", 9);
	}
}

static void read_cache(struct loader *loader)
{
	_cleanup_(cleanup_fd) int fd = object_open_file(LOADER_CACHE_PATH);
	ssize_t n;

	loader->cache = fd < 0 ? NULL : malloc(CACHE_SIZE_MAX);
	while (loader->cache && loader->cache_size < CACHE_SIZE_MAX) {
		n = read(fd, loader->cache + loader->cache_size,
			 CACHE_SIZE_MAX - loader->cache_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		loader->cache_size += (size_t)n;
	}
}

static int add_program(struct loader *loader, const char *program)
{
	struct object *object;
	int err = object_open(program, &object);

	if (err)
		return err;
	loader->is_64 = object->elf.is_64;
	loader->is_big_endian = object->elf.is_big_endian;
	loader->machine = object->machine;
	read_interpreter(loader, &object->elf);
	read_cache(loader);
	err = add_file(loader, &object->elf, program, program, 0);
	object_close(object);
	return err;
}

int loader_find(const char *program, struct loader **ret)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int err = loader ? 0 : -ENOMEM;

	if (!err)
		err = strchr(program, '/') ? add_program(loader, program) : -EINVAL;
	/* Breadth first, as the loader does; the list grows meanwhile. */
	for (size_t i = 0; !err && i < loader->nr_files; i++) {
		struct object *object;

		if (object_open(loader->files[i].path, &object))
			continue;
		err = add_needed(loader, &object->elf, i);
		object_close(object);
	}
	if (err) {
		loader_free(loader);
		return err;
	}
	*ret = loader;
	return 0;
}

void loader_free(struct loader *loader)
{
	if (!loader)
		return;
	pool_free(&loader->pool);
	free(loader->cache);
	free(loader);
}

const char *loader_path(struct loader *loader, const char *name)
{
	_cleanup_(cleanup_free) struct search_for *search = NULL;

	for (size_t i = 0; i < loader->nr_files; i++) {
		const struct loader_file *file = &loader->files[i];
		const char *slash = strrchr(file->path, '/');

		if (strcmp(file->name, name) == 0 || (slash && strcmp(slash + 1, name) == 0) ||
		    (file->soname && strcmp(file->soname, name) == 0))
			return file->path;
	}
	search = malloc(sizeof(*search));
	if (!search || strchr(name, '/'))
		return NULL;
	search->loader = loader;
	search->name = name;
	return look(search, 0) ? pool_text(&loader->pool, search->found, strlen(search->found))
			       : NULL;
}
