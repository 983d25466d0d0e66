/* SPDX-License-Identifier: MIT */
#include "syscalls/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "syscalls/loader.h"
#include "syscalls/object.h"

/* As glibc's execvp(3) has it where there is no PATH. */
#define DEFAULT_PATH "/bin:/usr/bin"
/* What executes a script without a first line that says so, execvp(3). */
#define SHELL "/bin/sh"
/* BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h, and how many interpreters of interpreters. */
#define FIRST_LINE_MAX 256
#define SCRIPTS_MAX    5
/* In glibc's banner, csu/version.c. */
#define BANNER "stable release version "

/* Whether PATH can be executed: 0 or a negative errno. */
static int try_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

/* Whether NAME can be executed from the directory DIR of SIZE bytes, none being the present one. */
static int try_in(const char *dir, size_t size, const char *name, char out[static PATH_MAX])
{
	int n = size ? snprintf(out, PATH_MAX, "%.*s/%s", (int)size, dir, name)
		     : snprintf(out, PATH_MAX, "./%s", name);

	return n < PATH_MAX ? try_path(out) : -ENAMETOOLONG;
}

/* The file that NAME is found as, in OUT. */
static int find_name(const char *name, char out[static PATH_MAX])
{
	const char *dirs = getenv("PATH");
	int err = -ENOENT;

	if (!*name)
		return -ENOENT;
	if (strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (strchr(name, '/')) {
		memcpy(out, name, strlen(name) + 1);
		return try_path(out);
	}
	for (dirs = dirs ? dirs : DEFAULT_PATH; dirs;) {
		size_t size = strcspn(dirs, ":");
		int one = try_in(dirs, size, name, out);

		if (one == 0)
			return 0;
		/* It goes on looking, and says so where it finds nothing else. */
		if (one == -EACCES)
			err = one;
		dirs = dirs[size] ? dirs + size + 1 : NULL;
	}
	return err;
}

/*
 * Replaces PATH, a script, by its interpreter. Returns false when it is a program, or nothing that
 * can be told.
 */
static bool follow_script(char path[static PATH_MAX])
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char line[FIRST_LINE_MAX + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, line, FIRST_LINE_MAX);
	size_t start, size;

	if (n < 4 || memcmp(line, "\177ELF", 4) == 0)
		return false;
	line[n] = '\0';
	if (strncmp(line, "#!", 2) != 0) {
		memcpy(path, SHELL, sizeof(SHELL));
		return true;
	}
	line[strcspn(line, "\n")] = '\0';
	start = 2 + strspn(line + 2, " \t");
	size = strcspn(line + start, " \t");
	if (size == 0)
		return false;
	memcpy(path, line + start, size);
	path[size] = '\0';
	return true;
}

/* The version that glibc at PATH says it is, behind "glibc ". */
static void read_version(const char *path, struct executable *ret)
{
	struct object *object;
	const size_t step = WINDOW_SIZE - 64;

	if (object_open(path, &object))
		return;
	for (uint64_t at = 0; at < object->window.size; at += step) {
		size_t size;
		const char *bytes = window_some(&object->window, at, &size);
		const char *found = bytes ? memmem(bytes, size, BANNER, strlen(BANNER)) : NULL;
		size_t left = found ? size - (size_t)(found - bytes) : 0;
		size_t digits;

		if (left <= strlen(BANNER) + 8)
			continue;
		found += strlen(BANNER);
		digits = strspn(found, "0123456789.");
		while (digits > 0 && found[digits - 1] == '.')
			digits--;
		if (digits > 0 && digits < 8) {
			snprintf(ret->libc, sizeof(ret->libc), "glibc %.*s", (int)digits, found);
			break;
		}
	}
	object_close(object);
}

static void find_libc(struct executable *ret)
{
	struct loader *loader;
	const char *path;

	if (loader_find(ret->path, &loader))
		return;
	if (loader->is_musl) {
		snprintf(ret->libc, sizeof(ret->libc), "musl");
	} else if (!loader->is_static) {
		path = loader_path(loader, "libc.so.6");
		if (path)
			read_version(path, ret);
	}
	loader_free(loader);
}

int executable_find(const char *name, struct executable *ret)
{
	char path[PATH_MAX];
	struct object *object;
	int err = find_name(name, path);

	*ret = (struct executable){ 0 };
	if (err)
		return err;
	for (int i = 0; i < SCRIPTS_MAX && follow_script(path); i++)
		if ((err = try_path(path)))
			return err;
	if (!realpath(path, ret->path))
		return -errno;
	/* One that may be executed but not read, or is for another machine: no more is known. */
	if (object_open(ret->path, &object))
		return 0;
	elf_build_id(&object->elf, ret->build_id);
	sha256_file(object->fd, ret->sha256);
	object_close(object);
	find_libc(ret);
	return 0;
}
