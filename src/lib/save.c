/* SPDX-License-Identifier: MIT */
#include "lib/save.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/output.h"
#include "lib/parent.h"

/* Names that are tried for the file beside. */
#define TRIES 8

/* Where a regular file is, or is to be. */
struct place {
	int dir;
	char name[NAME_MAX + 1];
	bool is_there;
	struct stat st;
};

static void place_close(const struct place *place)
{
	if (place->dir >= 0)
		close(place->dir);
}

/*
 * Opens the directory of PATH, which is no link, and looks for the file. -ELOOP: it is not the one
 * FOUND before, whose number is 0 where there was none.
 */
static int place_open(struct place *place, const char *path, const struct stat *found)
{
	_cleanup_(cleanup_free) char *copy = strdup(path);
	const char *name;
	bool is_ours;

	*place = (struct place){ .dir = -1 };
	if (!copy)
		return -ENOMEM;
	name = basename(copy);
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(place->name, name, strlen(name) + 1);
	place->dir = parent_open(path, O_RDONLY, &is_ours);
	if (place->dir < 0)
		return place->dir;
	if (fstatat(place->dir, place->name, &place->st, AT_SYMLINK_NOFOLLOW) == 0)
		place->is_there = true;
	else if (errno != ENOENT)
		return -errno;
	if (place->is_there && !S_ISREG(place->st.st_mode))
		return -ELOOP;
	if (found->st_ino && (!place->is_there || place->st.st_ino != found->st_ino ||
			      place->st.st_dev != found->st_dev))
		return -ELOOP;
	return 0;
}

/* Makes a new file beside. Returns its descriptor, with its name in OUT, or a negative errno. */
static int beside_open(const struct place *place, char out[static NAME_MAX + 1])
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t random;
		int fd;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -EIO;
		snprintf(out, NAME_MAX + 1, ".%.200s.%016" PRIx64, place->name, random);
		fd = openat(place->dir, out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* The new file takes over what can be seen of the old one. */
static int inherit(const struct place *place, int fd)
{
	if (!place->is_there)
		return 0;
	if (fchown(fd, place->st.st_uid, place->st.st_gid) < 0)
		return -errno;
	return fchmod(fd, place->st.st_mode & 07777) < 0 ? -errno : 0;
}

/* Puts a new file in the place of the old one. -EXDEV: that cannot be done here. */
static int replace(const struct place *place, const void *bytes, size_t size)
{
	char beside[NAME_MAX + 1];
	int fd = beside_open(place, beside);
	int err;

	if (fd < 0)
		return place->is_there && fd != -ENOSPC && fd != -EDQUOT ? -EXDEV : fd;
	err = inherit(place, fd) ? -EXDEV : file_write_fd(fd, bytes, size);
	if (!err && fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		err = -errno;
	close(fd);
	/* A file that is a mount point of its own cannot be replaced. */
	if (!err && renameat(place->dir, beside, place->dir, place->name) < 0)
		err = place->is_there ? -EXDEV : -errno;
	if (err)
		unlinkat(place->dir, beside, 0);
	return err;
}

/* Writes to what is no regular file, or cannot be replaced. */
static int write_directly(const char *path, const void *bytes, size_t size)
{
	struct output output;
	int err = output_open(&output, path, NULL);
	int close_err;

	if (err)
		return err;
	/* What fails is told, not sent elsewhere: that is the caller's. */
	output.is_last = true;
	err = output_write(&output, bytes, size);
	close_err = output_close(&output);
	return err ? err : close_err;
}

/* Where the file FD really is: of another look at its name a link may have become another one. */
static int path_of(int fd, char out[static PATH_MAX], struct stat *ret_st)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fstat(fd, ret_st) < 0)
		return -errno;
	n = readlink(link, out, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	out[n] = '\0';
	return 0;
}

/*
 * Whether PATH is to be replaced, and then where it really is, in OUT, and which file that is. 0:
 * it is written as it is; or a negative errno.
 */
static int find_regular(const char *path, char out[static PATH_MAX], struct stat *ret_found)
{
	struct output output;
	struct stat st;
	int err;

	*ret_found = (struct stat){ 0 };
	if (!path || strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
	    strncmp(path, "/proc/", 6) == 0)
		return 0;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (*path == '\0')
		return -ENOENT;
	if (path[strlen(path) - 1] == '/')
		return -EISDIR;
	memcpy(out, path, strlen(path) + 1);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 1 : -errno;
	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return 0;
	/* Whether a link may be followed, and the file be written, is known there. */
	err = output_open(&output, path, NULL);
	if (err)
		return err;
	err = path_of(output.fd, out, ret_found);
	output_close(&output);
	return err ? err : 1;
}

int save_check(const char *path)
{
	char resolved[PATH_MAX], beside[NAME_MAX + 1];
	struct stat there;
	struct place place;
	struct output output;
	int found = find_regular(path, resolved, &there);
	int fd, err;

	if (found < 0)
		return found;
	if (found == 0) {
		struct stat st;

		/* Opening a pipe waits for its reader, and would be an end of file to it. */
		if (path && stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
			return access(path, W_OK) < 0 ? -errno : 0;
		err = output_open(&output, path, NULL);
		return err ? err : output_close(&output);
	}
	err = place_open(&place, resolved, &there);
	fd = err ? err : beside_open(&place, beside);
	if (fd >= 0) {
		close(fd);
		unlinkat(place.dir, beside, 0);
	}
	/* One that is there could be opened. */
	if (!err && fd < 0 && !place.is_there)
		err = fd;
	place_close(&place);
	return err;
}

int save_file(const char *path, const void *bytes, size_t size)
{
	char resolved[PATH_MAX];
	struct stat there;
	struct place place;
	int found = find_regular(path, resolved, &there);
	int err;

	if (found < 0)
		return found;
	if (found == 0)
		return write_directly(path, bytes, size);
	err = place_open(&place, resolved, &there);
	if (!err)
		err = replace(&place, bytes, size);
	place_close(&place);
	return err == -EXDEV ? write_directly(path, bytes, size) : err;
}
