/* SPDX-License-Identifier: MIT */
#ifndef PROC_PACKAGES_PRIVATE_H
#define PROC_PACKAGES_PRIVATE_H

/*
 * Shared by the readers of the databases, and what their tests need to reach: the index of the
 * paths that are asked for, which a reader offers every path of every package.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/lines.h"
#include "proc/packages.h"

/* No database is larger, by far; what is beyond is not read. */
#define PACKAGES_FILE_MAX	(256U << 20)

#define PACKAGES_DPKG_STATUS	"var/lib/dpkg/status"
#define PACKAGES_DPKG_INFO	"var/lib/dpkg/info/"
#define PACKAGES_APK_INSTALLED	"lib/apk/db/installed"
#define PACKAGES_APK_INSTALLED3 "usr/lib/apk/db/installed" /* apk 3 with a merged /usr */

struct package_slot {
	uint64_t hash;	/* of the path's merged spelling */
	uint32_t query; /* its number + 1; 0: free */
};

/* Open addressing, at most half full. Borrows the queries. */
struct package_index {
	struct package_query *queries;
	size_t nr_queries;
	size_t nr_open; /* questions whose very path no package had yet */
	struct package_slot *slots;
	size_t mask;
	bool *is_exact; /* of each query: answered by its very path */
};

/* Empties the answers. Returns 0, -E2BIG or -ENOMEM. */
int package_index_new(struct package_index *index, struct package_query *queries,
		      size_t nr_queries);
void package_index_done(struct package_index *index);

/* The package TEXT ("NAME VERSION", terminated) has the file PATH. */
void package_index_offer(struct package_index *index, const char *path, size_t size,
			 const char *text);

/* Return as packages_find(). LINES is theirs to use. */
int packages_find_dpkg(const struct package_root *root, struct package_index *index,
		       struct lines *lines);
int packages_find_apk(const struct package_root *root, struct package_index *index,
		      struct lines *lines);

/* One line of LINES without a CR at its end, as lines_next(). */
int packages_line(struct lines *lines, const char **ret, size_t *ret_size);

/*
 * "NAME VERSION" of the two parts in OUT. Returns false, OUT empty, when one is missing or has
 * blanks, or both do not fit.
 */
bool packages_text(char out[static PACKAGE_TEXT_MAX], const char *name, size_t name_size,
		   const char *version, size_t version_size);

/* packages_ask_rpm() with an other PROGRAM, for at most TIMEOUT_MS. */
int packages_ask_rpm_program(const char *program, unsigned int timeout_ms,
			     struct package_query *queries, size_t nr_queries);

#endif /* PROC_PACKAGES_PRIVATE_H */
