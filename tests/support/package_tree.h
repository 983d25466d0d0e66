/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_PACKAGE_TREE_H
#define TESTS_SUPPORT_PACKAGE_TREE_H

/* A root of package databases that is made up, for tests of src/proc/packages*.c. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc/packages.h"

#define PACKAGE_INFO "var/lib/dpkg/info/"

/* The file PATH holds TEXT; with ERR it cannot be opened. */
struct tree_file {
	const char *path;
	const char *text;
	int err;
};

struct tree {
	const struct tree_file *files;
	size_t nr_files;
	size_t nr_opened;
};

static inline int tree_open(void *ctx, const char *path)
{
	struct tree *tree = ctx;

	for (size_t i = 0; i < tree->nr_files; i++) {
		const struct tree_file *file = &tree->files[i];
		int fd;

		if (strcmp(file->path, path) != 0)
			continue;
		if (file->err)
			return file->err;
		fd = memfd_create("file", MFD_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, file->text, strlen(file->text)), strlen(file->text));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		tree->nr_opened++;
		return fd;
	}
	return -ENOENT;
}

static inline int tree_list(void *ctx, int (*take)(void *arg, const char *name), void *arg)
{
	struct tree *tree = ctx;

	for (size_t i = 0; i < tree->nr_files; i++) {
		const char *path = tree->files[i].path;
		int err;

		if (strncmp(path, PACKAGE_INFO, strlen(PACKAGE_INFO)) != 0)
			continue;
		err = take(arg, path + strlen(PACKAGE_INFO));
		if (err)
			return err;
	}
	return 0;
}

static inline int tree_find(struct tree *tree, struct package_query *queries, size_t nr_queries)
{
	const struct package_root root = { .ctx = tree, .open = tree_open, .list = tree_list };

	return packages_find(&root, queries, nr_queries);
}

/* What the tree says of one path. Valid until the next call. */
static inline const char *tree_owner(const struct tree_file *files, size_t nr_files,
				     const char *path)
{
	static struct package_query query;
	struct tree tree = { .files = files, .nr_files = nr_files };

	query = (struct package_query){ .path = path, .package = "left over" };
	assert_int_equal(tree_find(&tree, &query, 1), 0);
	return query.package;
}

#endif /* TESTS_SUPPORT_PACKAGE_TREE_H */
