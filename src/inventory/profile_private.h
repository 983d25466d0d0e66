/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_PRIVATE_H
#define INVENTORY_PROFILE_PRIVATE_H

/* What profile.c keeps, profile_events.c adds and profile_document.c tells. */

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
	struct profile_calls calls;
	struct profile_sessions tls;
	struct profile_sessions ssh;
	struct profile_findings findings; /* of handshakes */
	struct profile_connections connections;
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

/* The member PID that began at BOOT_NS, 0: any that is alive; NULL: none. */
struct profile_member *profile_find_member(struct profiles *profiles, uint32_t pid,
					   uint64_t boot_ns);

/* Enters a process like LIKE into PROFILE, alive. NULL: no room. */
struct profile_member *profile_add_member(struct profiles *profiles, uint32_t profile,
					  const struct profile_member *like);

/* Begins a profile of the process that LIKE is. Returns NULL where there is no room. */
struct profile_entry *profile_add_entry(struct profiles *profiles,
					const struct profile_member *like);

/*
 * The entry for a file that is of interest at NS, made when there is none. Returns 0, with *RET
 * NULL where there are too many, or -ENOMEM.
 */
int profile_add_file(struct profiles *profiles, struct profile_entry *entry, const char *path,
		     size_t size, uint64_t ns, struct profile_file **ret);

/*
 * Enters a library, mapped at NS. Returns 0, with *RET NULL where there are too many, or -ENOMEM.
 */
int profile_add_library(struct profiles *profiles, struct profile_entry *entry, const char *path,
			size_t size, uint64_t ns, struct profile_library **ret);

/* One access more to FILE at NS: what for, and what it contains. */
void profile_note_access(struct profile_file *file, uint64_t ns, uint64_t open_flags,
			 const struct content *content);

/* A copy that lives as long as the profiles; NULL: no memory. */
char *profile_keep(struct profiles *profiles, const char *bytes, size_t size);

/*
 * Room for one more behind the NR_ITEMS of *ITEMS, SIZE bytes each. Their room is a power of two.
 * Returns the new one, zeroed, or NULL.
 */
void *profile_grow(void *items, size_t *nr_items, size_t size);

#endif /* INVENTORY_PROFILE_PRIVATE_H */
