/* SPDX-License-Identifier: MIT */
#include "lib/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* MAXSYMLINKS, include/linux/namei.h */
#define LINKS_MAX 40

/* A path on its way: the directory that is reached, and what is left to walk. */
struct walk {
	int dir;
	char *rest; /* of PATH_MAX bytes */
	unsigned int nr_links;
};

static int is_ours(int dir, bool *ret)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	*ret = !(st.st_mode & (S_IWGRP | S_IWOTH)) && (st.st_uid == 0 || st.st_uid == geteuid());
	return 0;
}

/* Makes FD the directory that is reached. */
static int enter(struct walk *walk, int fd)
{
	if (fd < 0)
		return -errno;
	cleanup_fd(&walk->dir);
	walk->dir = fd;
	return 0;
}

static int begin(struct walk *walk)
{
	return enter(walk, open(*walk->rest == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Puts what the link FD says before what is left. */
static int put_before(struct walk *walk, int fd)
{
	char target[PATH_MAX];
	size_t size = strlen(walk->rest);
	ssize_t n = readlinkat(fd, "", target, sizeof(target));

	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	if ((size_t)n + 1 + size >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(walk->rest + n + 1, walk->rest, size + 1);
	memcpy(walk->rest, target, (size_t)n);
	walk->rest[n] = '/';
	return *walk->rest == '/' ? begin(walk) : 0;
}

/* Follows the link NAME, which is open at FD. */
static int follow(struct walk *walk, const char *name, int fd)
{
	struct statfs fs;
	bool may_follow = false;
	int err = is_ours(walk->dir, &may_follow);

	if (err)
		return err;
	if (!may_follow || ++walk->nr_links > LINKS_MAX)
		return -ELOOP;
	/* those of /proc are not what they say: proc_pid_cwd(5) */
	if (fstatfs(walk->dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return enter(walk, openat(walk->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
	return put_before(walk, fd);
}

/* Goes on by one name. */
static int step(struct walk *walk)
{
	size_t skip = strspn(walk->rest, "/"), size = strcspn(walk->rest + skip, "/");
	_cleanup_(cleanup_free) char *name = strndup(walk->rest + skip, size);
	_cleanup_(cleanup_fd) int fd = -1;
	struct stat st;

	if (!name)
		return -ENOMEM;
	memmove(walk->rest, walk->rest + skip + size, strlen(walk->rest + skip + size) + 1);
	if (size == 0)
		return 0;
	fd = openat(walk->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow(walk, name, fd);
	return S_ISDIR(st.st_mode) ? enter(walk, steal_fd(&fd)) : -ENOTDIR;
}

int parent_open(const char *path, int flags, bool *ret_is_ours)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash ? (size_t)(slash - path) + 1 : 0;
	_cleanup_(cleanup_free) char *rest = calloc(1, PATH_MAX);
	_cleanup_(cleanup_fd) int dir = -1;
	struct walk walk = { .dir = -1, .rest = rest };
	int err;

	if (!rest)
		return -ENOMEM;
	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(rest, path, size);
	err = begin(&walk);
	while (!err && *walk.rest)
		err = step(&walk);
	dir = walk.dir;
	if (!err)
		err = is_ours(dir, ret_is_ours);
	if (err)
		return err;
	if (flags & O_PATH)
		return steal_fd(&dir);
	err = openat(dir, ".", flags | O_DIRECTORY | O_CLOEXEC);
	return err < 0 ? -errno : err;
}
