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
	while (!result && (entry = readdir(dir)))
		if (bytes_end(entry->d_name, strlen(entry->d_name), ".list"))
			result = take(arg, entry->d_name);
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

/* Asks the database of the root of PID about the objects that are marked with ROOT. */
static int ask(struct broker *broker, const struct inventory *inventory, const uint32_t *roots,
	       uint32_t pid)
{
	struct root root = { .broker = broker, .pid = pid };
	const struct package_root how = { .ctx = &root, .open = root_open, .list = root_list };
	_cleanup_(cleanup_free) struct package_query *queries = NULL;
	size_t nr_queries = 0;
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
	err = packages_find(&how, queries, nr_queries);
	if (err == -ENOENT && pid == (uint32_t)broker->pid)
		err = broker_ask_rpm(broker, queries, nr_queries);
	if (err == -ENOMEM)
		return err;
	nr_queries = 0;
	for (size_t i = 0; i < inventory->nr_objects; i++) {
		const char *package;

		if (roots[i] != pid)
			continue;
		package = queries[nr_queries++].package;
		if (!*package)
			continue;
		inventory->objects[i]->package = strdup(package);
		if (!inventory->objects[i]->package)
			return -ENOMEM;
	}
	return 0;
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
		bool is_known = !roots[i];

		for (size_t j = 0; j < nr_asked && !is_known; j++)
			is_known = asked[j] == roots[i];
		if (is_known || nr_asked == ORIGINS_ROOTS_MAX)
			continue;
		asked[nr_asked++] = roots[i];
		err = ask(broker, inventory, roots, roots[i]);
	}
	return err;
}
