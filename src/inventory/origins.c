/* SPDX-License-Identifier: MIT */
#include "inventory/origins.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalogue/libraries.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "proc/packages.h"

/* The root of PID, as packages.h wants to reach it. */
struct root {
	struct broker *broker;
	uint32_t pid;
};

static int root_open(void *ctx, const char *path)
{
	struct root *root = ctx;

	return broker_open_package(root->broker, root->pid, path);
}

static int root_list(void *ctx, int (*take)(void *arg, const char *name), void *arg)
{
	struct root *root = ctx;
	int fd = broker_open_package_lists(root->broker, root->pid);
	const struct dirent *entry;
	int result = 0;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		result = -errno;
		close(fd);
		return result;
	}
	for (errno = 0; !result && (entry = readdir(dir)); errno = 0)
		if (bytes_end(entry->d_name, strlen(entry->d_name), ".list"))
			result = take(arg, entry->d_name);
	if (!result && errno)
		result = -errno;
	closedir(dir);
	return result;
}

static bool is_library(const struct inventory_object *object)
{
	return object->family != LIBRARY_FAMILY_none && object->nr_users;
}

/* Whether the host's own root has OBJECT under its path. The broker is a process like any other. */
static bool is_of_host(struct broker *broker, const struct inventory_object *object)
{
	struct broker_file file = {
		.kind = BROKER_FILE_PATH,
		.pid = (uint32_t)broker->pid,
		.inode = object->is_deleted ? 0 : object->inode,
	};
	_cleanup_(cleanup_fd) int fd = -1;

	if (object->path_size >= sizeof(file.path))
		return false;
	memcpy(file.path, object->path, object->path_size + 1);
	fd = broker_open(broker, &file);
	return fd >= 0;
}

/*
 * Answers QUERIES from the database of the root of PID. Returns 0, -ENOENT where it has none, or
 * what went wrong.
 */
static int find(struct broker *broker, uint32_t pid, struct package_query *queries,
		size_t nr_queries)
{
	struct root root = { .broker = broker, .pid = pid };
	const struct package_root how = { .ctx = &root, .open = root_open, .list = root_list };
	int err = packages_find(&how, queries, nr_queries);

	if (err != -ENOENT || pid != (uint32_t)broker->pid)
		return err;
	err = broker_ask_rpm(broker, queries, nr_queries);
	/* The broker may execute nothing where there is no rpm. */
	return err == -EACCES ? -ENOENT : err;
}

/* Enters the answer of QUERY; none where WAS_ASKED is that the database was not read. */
static int take_answer(struct inventory *inventory, struct inventory_object *object,
		       const struct package_query *query, bool was_asked)
{
	if (!*query->package) {
		inventory->nr_unasked += !was_asked;
		return 0;
	}
	object->package = strdup(query->package);
	return object->package ? 0 : -ENOMEM;
}

/* Asks the database of the root of PID about the objects that are marked with ROOT. */
static int ask(struct broker *broker, struct inventory *inventory, const uint32_t *roots,
	       uint32_t pid)
{
	_cleanup_(cleanup_free) struct package_query *queries = NULL;
	size_t nr_queries = 0;
	bool was_asked;
	int err;

	for (size_t i = 0; i < inventory->nr_objects; i++)
		nr_queries += roots[i] == pid;
	queries = calloc(nr_queries, sizeof(*queries));
	if (!queries)
		return -ENOMEM;
	nr_queries = 0;
	for (size_t i = 0; i < inventory->nr_objects; i++)
		if (roots[i] == pid)
			queries[nr_queries++].path = inventory->objects[i]->path;
	err = find(broker, pid, queries, nr_queries);
	if (err == -ENOMEM)
		return err;
	was_asked = !err || err == -ENOENT;
	err = 0;
	nr_queries = 0;
	for (size_t i = 0; !err && i < inventory->nr_objects; i++)
		if (roots[i] == pid)
			err = take_answer(inventory, inventory->objects[i], &queries[nr_queries++],
					  was_asked);
	return err;
}

static bool is_among(const uint32_t *pids, size_t nr, uint32_t pid)
{
	for (size_t i = 0; i < nr; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int origins_find(struct broker *broker, struct inventory *inventory)
{
	/* The process through whose root each object is asked about; 0: not asked. */
	_cleanup_(cleanup_free) uint32_t *roots = calloc(inventory->nr_objects + 1, sizeof(*roots));
	uint32_t asked[ORIGINS_ROOTS_MAX];
	size_t nr_asked = 0;
	int err = 0;

	if (!roots)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const struct inventory_object *object = inventory->objects[i];

		if (is_library(object))
			roots[i] = is_of_host(broker, object) ? (uint32_t)broker->pid
							      : object->handle.pid;
	}
	for (size_t i = 0; !err && i < inventory->nr_objects; i++) {
		if (!roots[i] || is_among(asked, nr_asked, roots[i]))
			continue;
		if (nr_asked == ORIGINS_ROOTS_MAX) {
			inventory->nr_unasked++;
			continue;
		}
		asked[nr_asked++] = roots[i];
		err = ask(broker, inventory, roots, roots[i]);
	}
	return err;
}
