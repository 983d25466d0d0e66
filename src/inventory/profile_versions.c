/* SPDX-License-Identifier: MIT */
/* Which versions the libraries are that were mapped during the run. */
#include <errno.h>
#include <string.h>

#include "inventory/examine.h"
#include "inventory/profile_private.h"
#include "lib/scarce.h"

#define VERSION_SIZE 64

/*
 * Which version LIBRARY is; where it does not tell it stays unknown, and is counted in *NR_SHORT
 * where it would have, perhaps.
 */
static int find_version(struct profiles *profiles, struct broker *broker,
			struct profile_library *library, uint64_t *nr_short)
{
	struct broker_file file = {
		.kind = BROKER_FILE_PATH,
		.pid = library->pid,
		.ppid = library->ppid,
		.inode = library->inode,
	};
	char version[VERSION_SIZE];
	int err;

	if (library->version || !library->inode || strlen(library->path) >= sizeof(file.path))
		return 0;
	memcpy(file.path, library->path, strlen(library->path) + 1);
	err = examine_version(broker, &file, library->family, version, sizeof(version));
	*nr_short += is_scarce(err);
	if (err)
		return 0;
	library->version = pool_text(&profiles->pool, version, strlen(version));
	return library->version ? 0 : -ENOMEM;
}

/* The size of the directory in PATH, its slash included. */
static size_t directory_size(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* libssl does not tell its version, and comes from the same build as the libcrypto beside it. */
static void infer_version(const struct profile_entry *entry, struct profile_library *library)
{
	size_t size = directory_size(library->path);

	for (size_t i = 0; i < entry->nr_libraries && !library->version; i++) {
		const struct profile_library *other = &entry->libraries[i];

		if (other->family == library->family && directory_size(other->path) == size &&
		    memcmp(other->path, library->path, size) == 0)
			library->version = other->version;
	}
}

int profiles_find_versions(struct profiles *profiles, struct broker *broker, uint64_t *ret_short)
{
	uint64_t nr_short = 0;
	int err = 0;

	for (size_t i = 0; !err && i < profiles->nr_entries; i++) {
		struct profile_entry *entry = profiles->entries[i];

		for (size_t j = 0; !err && j < entry->nr_libraries; j++)
			err = find_version(profiles, broker, &entry->libraries[j], &nr_short);
		for (size_t j = 0; j < entry->nr_libraries; j++)
			infer_version(entry, &entry->libraries[j]);
	}
	if (!err)
		*ret_short = nr_short;
	return err;
}
