/* SPDX-License-Identifier: MIT */
#include "inventory/examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/scarce.h"
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
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
		return "no memory or descriptor for it";
	default:
		return "could not be opened";
	}
}

/* The whole of FD up to SIZE bytes, in memory for the caller to free; NULL: -errno in *RET_SIZE. */
static char *read_start(int fd, size_t size, ssize_t *ret_size)
{
	char *bytes = malloc(size ? size : 1);

	/* Less, when it became shorter. */
	*ret_size = bytes ? file_fill_at(fd, bytes, size, 0) : -ENOMEM;
	if (*ret_size >= 0)
		return bytes;
	free(bytes);
	return NULL;
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

int examine_version(struct broker *broker, const struct broker_file *file, uint32_t family,
		    char *out, size_t cap)
{
	_cleanup_(cleanup_fd) int fd = broker_open(broker, file);
	struct program *program = NULL;
	int err = fd < 0 ? fd : examine_program(fd, PROGRAM_LIBRARY, family, &program);

	if (!err && (!program || !program->version || strlen(program->version) >= cap))
		err = -ENOENT;
	if (!err)
		memcpy(out, program->version, strlen(program->version) + 1);
	program_free(program);
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
	/* What is not there cannot be opened: that is no news. */
	if (fd == -EAGAIN || is_scarce(fd))
		object->note = "what is in its place now could not be opened";
	if (fd < 0)
		return 0;
	err = examine_program(fd, PROGRAM_LIBRARY, object->family, &program);
	if (!err && program && program->version) {
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

/* What follows ".so" in the name of OBJECT. */
static const char *suffix_of(const struct inventory_object *object)
{
	const char *slash = strrchr(object->path, '/');
	const char *so = slash ? strstr(slash, ".so") : NULL;

	return so ? so : "";
}

static bool is_same_directory(const struct inventory_object *a, const struct inventory_object *b)
{
	const char *slash = strrchr(a->path, '/');
	size_t size = slash ? (size_t)(slash - a->path) + 1 : 0;

	return strncmp(a->path, b->path, size) == 0 && !strchr(b->path + size, '/');
}

/* The version that the libraries of OBJECT's project tell in PROCESS; NULL: none, or several. */
static const char *version_beside(const struct inventory_process *process,
				  const struct inventory_object *object)
{
	const char *version = NULL;

	for (uint32_t i = 0; i < process->nr_uses; i++) {
		const struct inventory_object *other = process->uses[i].object;

		if (process->uses[i].is_open || other->family != object->family ||
		    !other->program || !other->program->version ||
		    strcmp(suffix_of(other), suffix_of(object)) != 0 ||
		    !is_same_directory(other, object))
			continue;
		if (version && strcmp(version, other->program->version) != 0)
			return NULL;
		version = other->program->version;
	}
	return version;
}

/*
 * libssl does not tell its version, and comes from the same build as the libcrypto beside it that
 * is mapped with it. Where its users have different ones nothing can be said.
 */
static int infer_version(struct inventory_process *process, struct inventory_object *object,
			 bool *is_mixed)
{
	const char *version = version_beside(process, object);

	if (!version || is_mixed[object->position])
		return 0;
	if (!object->inferred_version) {
		object->inferred_version = strdup(version);
		return object->inferred_version ? 0 : -ENOMEM;
	}
	if (strcmp(object->inferred_version, version) != 0) {
		free(object->inferred_version);
		object->inferred_version = NULL;
		is_mixed[object->position] = true;
	}
	return 0;
}

static int infer_versions(struct inventory *inventory)
{
	_cleanup_(cleanup_free) bool *is_mixed = calloc(inventory->nr_objects + 1, sizeof(bool));
	int err = is_mixed ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < inventory->nr_processes; i++) {
		struct inventory_process *process = inventory->processes[i];

		for (uint32_t j = 0; !err && j < process->nr_uses; j++) {
			struct inventory_object *object = process->uses[j].object;

			if (!process->uses[j].is_open && object->program &&
			    !object->program->version)
				err = infer_version(process, object, is_mixed);
		}
	}
	return err;
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
	return infer_versions(inventory);
}
