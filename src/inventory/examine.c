/* SPDX-License-Identifier: MIT */
#include "inventory/examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/stop.h"

/* Other processes that are tried when one has gone. */
#define RETRIES 3

/* Why OBJECT was not looked into, for people. */
static const char *reason(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "no permission";
	case -ENOENT:
	case -ESRCH:
	case -ESTALE:
		return "gone";
	case -EINVAL:
		return "not a regular file";
	case -EAGAIN:
		return "too many files at once";
	default:
		return "could not be opened";
	}
}

/* The whole of FD up to SIZE bytes, in memory for the caller to free; NULL: -errno in *RET_SIZE. */
static char *read_start(int fd, size_t size, ssize_t *ret_size)
{
	char *bytes = malloc(size ? size : 1);
	size_t got = 0;

	*ret_size = -ENOMEM;
	if (!bytes)
		return NULL;
	while (got < size) {
		ssize_t n = pread(fd, bytes + got, size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*ret_size = -errno;
			free(bytes);
			return NULL;
		}
		if (n == 0) /* it became shorter */
			break;
		got += (size_t)n;
	}
	*ret_size = (ssize_t)got;
	return bytes;
}

int examine_content(int fd, const char *path, uint64_t now_ns, struct content_stat *ret_stat,
		    struct content **ret)
{
	struct stat before;
	struct stat after;
	ssize_t size;
	char *bytes;
	int err;

	if (fstat(fd, &before) < 0)
		return -errno;
	*ret_stat = (struct content_stat){
		.mode = before.st_mode & 07777,
		.uid = before.st_uid,
		.gid = before.st_gid,
		/* The directories above are not looked at. */
		.is_public_place = true,
	};
	bytes = read_start(
		fd, before.st_size > CONTENT_SIZE_MAX ? CONTENT_SIZE_MAX : (size_t)before.st_size,
		&size);
	if (!bytes)
		return (int)size;
	err = content_inspect(bytes, (size_t)size, before.st_size > size, path, ret_stat, now_ns,
			      ret);
	/* It may hold a key. */
	explicit_bzero(bytes, (size_t)size);
	free(bytes);
	/* Written while it was read: what was seen may be of two versions. */
	if (!err &&
	    (fstat(fd, &after) < 0 || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
	     after.st_mtim.tv_nsec != before.st_mtim.tv_nsec || after.st_size != before.st_size)) {
		content_free(*ret);
		*ret = NULL;
		return -ESTALE;
	}
	return err;
}

/* What OBJECT is to be looked at as: EXAMINE_*, or 0. */
static unsigned int kind_of(const struct inventory_object *object)
{
	if (object->family != LIBRARY_FAMILY_none && object->nr_users)
		return EXAMINE_LIBRARIES;
	if (object->is_program)
		return EXAMINE_PROGRAMS;
	return object->nr_users && object->class && content_is_told(object->class->kind)
		       ? EXAMINE_FILES
		       : 0;
}

static struct broker_file file_of(const struct inventory_object *object)
{
	struct broker_file file = {
		.kind = object->handle.kind,
		.pid = object->handle.pid,
		.fd = object->handle.fd,
		.start_ns = object->handle.start_ns,
		.inode = object->inode,
		.from = object->handle.from,
		.to = object->handle.to,
	};

	return file;
}

/* Opens OBJECT as the process has it; by its name where the kernel does not allow that. */
static int open_once(struct broker *broker, const struct inventory_object *object)
{
	struct broker_file file = file_of(object);
	int fd = broker_open(broker, &file);

	if (fd >= 0 || object->is_deleted || file.kind != BROKER_FILE_MAP ||
	    object->path_size >= sizeof(file.path))
		return fd;
	file.kind = BROKER_FILE_PATH;
	memcpy(file.path, object->path, object->path_size + 1);
	return broker_open(broker, &file);
}

/* A process may have ended meanwhile; another may have the same file. */
static int open_object(struct broker *broker, const struct inventory *inventory,
		       struct inventory_object *object)
{
	int fd = open_once(broker, object);

	for (int i = 0; i < RETRIES && (fd == -ESRCH || fd == -ENOENT || fd == -ESTALE); i++) {
		if (!inventory_next_handle(inventory, object))
			break;
		fd = open_once(broker, object);
	}
	return fd;
}

static int examine_program(int fd, enum program_depth depth, uint32_t family, struct program **ret)
{
	struct window window;
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	err = window_open(&window, fd, (uint64_t)st.st_size,
			  depth == PROGRAM_DEEP ? PROGRAM_BUDGET_DEEP : PROGRAM_BUDGET);
	if (err)
		return err;
	err = program_inspect(&window, depth, family, ret);
	window_close(&window);
	return err;
}

/* Which version has taken the place of OBJECT, a library that is gone. */
static int examine_replacement(struct broker *broker, struct inventory_object *object)
{
	struct broker_file file = file_of(object);
	struct program *program = NULL;
	_cleanup_(cleanup_fd) int fd = -1;
	int err;

	if (object->path_size >= sizeof(file.path))
		return 0;
	file.kind = BROKER_FILE_PATH;
	file.inode = 0;
	memcpy(file.path, object->path, object->path_size + 1);
	fd = broker_open(broker, &file);
	if (fd < 0)
		return 0;
	err = examine_program(fd, PROGRAM_LIBRARY, object->family, &program);
	if (!err && program->version) {
		object->disk_version = strdup(program->version);
		err = object->disk_version ? 0 : -ENOMEM;
	}
	program_free(program);
	return err == -ENOMEM ? err : 0;
}

static int examine_object(struct broker *broker, const struct inventory *inventory,
			  struct inventory_object *object, const struct examine_options *options,
			  struct examine_counts *counts)
{
	unsigned int kind = kind_of(object);
	_cleanup_(cleanup_fd) int fd = open_object(broker, inventory, object);
	int err;

	if (fd < 0) {
		object->note = reason(fd);
		counts->nr_failed++;
		return 0;
	}
	if (kind != EXAMINE_FILES)
		err = examine_program(fd,
				      kind == EXAMINE_LIBRARIES ? PROGRAM_LIBRARY
				      : options->deep		? PROGRAM_DEEP
								: PROGRAM_USUAL,
				      object->family, &object->program);
	else
		err = examine_content(fd, object->path, options->now_ns, &object->stat,
				      &object->content);
	if (err == -ENOMEM)
		return err;
	if (err) {
		object->note = reason(err);
		counts->nr_failed++;
		return 0;
	}
	object->has_stat = object->content != NULL;
	counts->nr_examined++;
	return kind == EXAMINE_LIBRARIES && object->is_deleted ? examine_replacement(broker, object)
							       : 0;
}

/* The directory of OBJECT, and what follows ".so" in its name. */
static void take_apart(const struct inventory_object *object, size_t *ret_dir_size,
		       const char **ret_suffix)
{
	const char *slash = strrchr(object->path, '/');
	const char *so = slash ? strstr(slash, ".so") : NULL;

	*ret_dir_size = slash ? (size_t)(slash - object->path) : 0;
	*ret_suffix = so ? so : "";
}

/*
 * libssl does not tell its version, and works with the libcrypto of the same build alone: the one
 * beside it.
 */
static int infer_version(const struct inventory *inventory, struct inventory_object *object)
{
	const char *suffix;
	size_t dir_size;

	if (object->family == LIBRARY_FAMILY_none || !object->program || object->program->version)
		return 0;
	take_apart(object, &dir_size, &suffix);
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct inventory_object *other = inventory->objects[i];
		const char *other_suffix;
		size_t other_size;

		if (other->family != object->family || other->is_deleted != object->is_deleted ||
		    other->dev_major != object->dev_major ||
		    other->dev_minor != object->dev_minor || !other->program ||
		    !other->program->version)
			continue;
		take_apart(other, &other_size, &other_suffix);
		if (other_size != dir_size || strncmp(other->path, object->path, dir_size) != 0 ||
		    strcmp(other_suffix, suffix) != 0)
			continue;
		object->inferred_version = strdup(other->program->version);
		return object->inferred_version ? 0 : -ENOMEM;
	}
	return 0;
}

int examine_run(struct broker *broker, struct inventory *inventory,
		const struct examine_options *options, struct examine_counts *ret)
{
	*ret = (struct examine_counts){ 0 };
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		struct inventory_object *object = inventory->objects[i];
		int err;

		if (!(kind_of(object) & options->what))
			continue;
		if (stop_signal())
			return -EINTR;
		err = examine_object(broker, inventory, object, options, ret);
		if (err)
			return err;
	}
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		int err = infer_version(inventory, inventory->objects[i]);

		if (err)
			return err;
	}
	return 0;
}
