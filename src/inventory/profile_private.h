/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_PRIVATE_H
#define INVENTORY_PROFILE_PRIVATE_H

/* What profile.c collects and profile_document.c tells. */

#include "inventory/profile.h"

#define PROFILE_BUCKETS 4096U
#define PROFILE_NONE	UINT32_MAX

struct profile_entry {
	struct profile profile;
	const struct inventory_object *exe; /* of the target at the start; NULL: another by now */
	struct profile_library *libraries;
	size_t nr_libraries;
	struct profile_file *files;
	size_t nr_files;
	struct profile_program *programs;
	size_t nr_programs;
	char *cmdline;
	uint32_t file_buckets[PROFILE_BUCKETS]; /* of files by path */
};

struct profiles {
	bool follows;
	const struct boot_clock *clock;
	struct profile_entry **entries;
	size_t nr_entries;
	struct profile_member *members;
	size_t nr_members;
	size_t nr_alive;
	uint32_t buckets[PROFILE_BUCKETS]; /* of members by pid */
	uint64_t nr_refused;
	uint64_t scan_ns; /* boot time */
	struct pool pool;
};

#endif /* INVENTORY_PROFILE_PRIVATE_H */
