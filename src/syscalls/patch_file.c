/* SPDX-License-Identifier: MIT */
#include "syscalls/patch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/parent.h"

/* Linux, include/uapi/linux/limits.h: XATTR_LIST_MAX, XATTR_SIZE_MAX */
#define ATTRIBUTES_MAX 65536U

#define CAPABILITIES   "security.capability"

/* Names that are tried before it is somebody's intent. */
#define TEMPORARY_MAX 16

static int judge_file(int fd, const struct stat *st, char ret_what[static PATCH_WHAT_SIZE])
{
	if (!S_ISREG(st->st_mode))
		return patch_refuse(ret_what, "is not a regular file");
	if (st->st_mode & (S_ISUID | S_ISGID))
		return patch_refuse(ret_what,
				    "is %s: the rights that it gives would be lost, since "
				    "installing a filter begins with no_new_privs",
				    st->st_mode & S_ISUID ? "setuid" : "setgid");
	if (fgetxattr(fd, CAPABILITIES, NULL, 0) >= 0)
		return patch_refuse(ret_what, "has file capabilities: they would be lost, since "
					      "installing a filter begins with no_new_privs");
	if (st->st_size > (off_t)PATCH_FILE_MAX)
		return patch_refuse(ret_what, "is larger than 1 GiB");
	return 0;
}

static int read_all(struct patch_source *source)
{
	size_t size = (size_t)source->st.st_size;
	ssize_t got;

	/* Room for one byte more, so that there is some of an empty file too. */
	source->bytes = malloc(size + 1);
	if (!source->bytes)
		return -ENOMEM;
	got = file_fill_at(source->fd, source->bytes, size, 0);
	if (got < 0)
		return (int)got;
	source->size = (size_t)got;
	return source->size < size ? -EAGAIN : 0;
}

bool patch_source_is_current(const struct patch_source *source)
{
	const struct stat *before = &source->st;
	struct stat after;

	return fstat(source->fd, &after) == 0 && before->st_size == after.st_size &&
	       before->st_mtim.tv_sec == after.st_mtim.tv_sec &&
	       before->st_mtim.tv_nsec == after.st_mtim.tv_nsec &&
	       before->st_ctim.tv_sec == after.st_ctim.tv_sec &&
	       before->st_ctim.tv_nsec == after.st_ctim.tv_nsec;
}

int patch_source_open(int fd, struct patch_source *ret, char ret_what[static PATCH_WHAT_SIZE])
{
	struct patch_source source = { .fd = fd };
	int err;

	if (fd < 0)
		return fd;
	if (fstat(source.fd, &source.st) < 0)
		err = -errno;
	else
		err = judge_file(source.fd, &source.st, ret_what);
	if (!err)
		err = read_all(&source);
	if (!err && !patch_source_is_current(&source))
		err = -EAGAIN;
	if (err)
		patch_source_close(&source);
	else
		*ret = source;
	return err;
}

void patch_source_close(struct patch_source *source)
{
	free(source->bytes);
	cleanup_fd(&source->fd);
	*source = (struct patch_source){ .fd = -1 };
}

/* A file of a name that nobody can know before. */
static int open_named(struct patch_output *output)
{
	for (int i = 0; i < TEMPORARY_MAX; i++) {
		uint64_t number;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -EIO;
		snprintf(output->temporary, sizeof(output->temporary), ".ct-%016llx",
			 (unsigned long long)number);
		output->fd = openat(output->dir, output->temporary,
				    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (output->fd >= 0)
			return 0;
		output->temporary[0] = '\0';
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int open_output(struct patch_output *output, bool is_named)
{
	struct stat st;

	if (fstatat(output->dir, output->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (!is_named)
		output->fd = openat(output->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (output->fd >= 0)
		return 0;
	/* open(2): the first where the file system has none, the others from before 3.11 */
	if (!is_named && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return -errno;
	return open_named(output);
}

int patch_output_open(struct patch_output *output, const char *path, bool is_named)
{
	const char *slash = strrchr(path, '/');
	bool is_ours;
	int err;

	*output = (struct patch_output){
		.dir = -1,
		.fd = -1,
		.name = slash ? slash + 1 : path,
	};
	if (!*output->name || !strcmp(output->name, ".") || !strcmp(output->name, ".."))
		return -EISDIR;
	output->dir = parent_open(path, O_RDONLY, &is_ours);
	err = output->dir < 0 ? output->dir : open_output(output, is_named);
	if (err)
		patch_output_close(output);
	return err;
}

static int write_at(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
	while (size) {
		ssize_t put = pwrite(fd, bytes, size, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		size -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

/* The attribute NAME of SOURCE, unless the copy has it. */
static int keep_attribute(struct patch_output *output, int source, const char *name)
{
	_cleanup_(cleanup_free) char *value = malloc(ATTRIBUTES_MAX);
	_cleanup_(cleanup_free) char *other = malloc(ATTRIBUTES_MAX);
	ssize_t size, other_size;

	if (!value || !other)
		return -ENOMEM;
	if (!strcmp(name, "security.ima") || !strcmp(name, "security.evm")) {
		output->lost_signature = true;
		return 0;
	}
	size = fgetxattr(source, name, value, ATTRIBUTES_MAX);
	if (size < 0)
		return -errno;
	other_size = fgetxattr(output->fd, name, other, ATTRIBUTES_MAX);
	if (other_size == size && !memcmp(value, other, (size_t)size))
		return 0;
	if (fsetxattr(output->fd, name, value, (size_t)size, 0) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	output->lost_attributes = true;
	return 0;
}

static int keep_attributes(struct patch_output *output, int source,
			   char ret_what[static PATCH_WHAT_SIZE])
{
	_cleanup_(cleanup_free) char *names = malloc(ATTRIBUTES_MAX);
	ssize_t size;

	if (!names)
		return -ENOMEM;
	size = flistxattr(source, names, ATTRIBUTES_MAX);
	if (size < 0 && errno == ENOTSUP)
		return 0;
	if (size < 0) {
		patch_say(ret_what, "the list of extended attributes");
		return -errno;
	}
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		int err = keep_attribute(output, source, name);

		if (err) {
			patch_say(ret_what, "the extended attribute %s", name);
			return err;
		}
	}
	return 0;
}

/*
 * The owner first, as changing that clears bits of the mode, and lists of access rights last, as
 * they have the mode's bits in them.
 */
static int keep_owner(struct patch_output *output, const struct stat *st,
		      char ret_what[static PATCH_WHAT_SIZE])
{
	struct stat own;

	patch_say(ret_what, "the owner and the mode");
	if (fstat(output->fd, &own) < 0)
		return -errno;
	if (own.st_uid != st->st_uid || own.st_gid != st->st_gid) {
		if (fchown(output->fd, st->st_uid, st->st_gid) < 0) {
			if (errno != EPERM)
				return -errno;
			output->lost_owner = true;
		}
	}
	return fchmod(output->fd, st->st_mode & 07777) < 0 ? -errno : 0;
}

int patch_image_write(int fd, const struct patch_image *image,
		      char ret_what[static PATCH_WHAT_SIZE])
{
	int err;

	patch_say(ret_what, "its bytes");
	err = write_at(fd, image->head, image->head_size, 0);
	return err ? err : write_at(fd, image->tail, image->tail_size, image->tail_offset);
}

int patch_output_keep(struct patch_output *output, int source,
		      char ret_what[static PATCH_WHAT_SIZE])
{
	struct stat st;
	int err;

	if (fstat(source, &st) < 0)
		return -errno;
	err = keep_owner(output, &st, ret_what);
	return err ? err : keep_attributes(output, source, ret_what);
}

int patch_image_verify(int fd, const struct patch_source *source, const struct patch_plan *plan,
		       char ret_what[static PATCH_WHAT_SIZE])
{
	struct stat st;
	void *bytes;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Nobody else has it open: it does not become shorter. */
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	err = patch_verify(bytes, (size_t)st.st_size, source->bytes, source->size, plan, ret_what);
	munmap(bytes, (size_t)st.st_size);
	return err;
}

/* Without a name it gets one by a link, which replaces nothing. */
static int link_output(const struct patch_output *output)
{
	char self[32];

	/* That needs a right that few have, but no /proc. */
	if (linkat(output->fd, "", output->dir, output->name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT && errno != EPERM && errno != EINVAL)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	return linkat(AT_FDCWD, self, output->dir, output->name, AT_SYMLINK_FOLLOW) < 0 ? -errno
											: 0;
}

static int rename_output(struct patch_output *output)
{
	/* renameat2(2), which musl has no function for before 1.2.5. */
	if (syscall(SYS_renameat2, output->dir, output->temporary, output->dir, output->name,
		    RENAME_NOREPLACE) == 0) {
		output->temporary[0] = '\0';
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* The file system cannot; patch_output_close() takes the other name away. */
	return linkat(output->dir, output->temporary, output->dir, output->name, 0) < 0 ? -errno
											: 0;
}

int patch_output_publish(struct patch_output *output)
{
	int err;

	if (fsync(output->fd) < 0)
		return -errno;
	err = output->temporary[0] ? rename_output(output) : link_output(output);
	/* The file is there; whether its name survives a loss of power is the best that is done. */
	if (!err)
		(void)!fsync(output->dir);
	return err;
}

void patch_output_close(struct patch_output *output)
{
	if (output->temporary[0])
		unlinkat(output->dir, output->temporary, 0);
	cleanup_fd(&output->fd);
	cleanup_fd(&output->dir);
	*output = (struct patch_output){ .dir = -1, .fd = -1 };
}
