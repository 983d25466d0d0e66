/* SPDX-License-Identifier: MIT */
#ifndef PROC_PACKAGES_H
#define PROC_PACKAGES_H

/*
 * Which package of the distribution a file came from: dpkg's and apk's databases are read, rpm is
 * asked through its own query tool. Parses foreign text: bounded, no line longer than stated.
 */

#include <stddef.h>
#include <stdint.h>

#define PACKAGE_TEXT_MAX 160 /* "libssl3:amd64 3.0.17-1~deb12u2" */

/* One question. */
struct package_query {
	const char *path;		 /* absolute, as the file's root has it */
	char package[PACKAGE_TEXT_MAX]; /* answer: "NAME VERSION"; empty: of no package */
};

/*
 * How the databases of one root are reached, so that who asks need not be able to open files.
 * OPEN returns a descriptor that the caller closes, or a negative errno; PATH is relative to the
 * root, one of package_database_paths() or a name from LIST in "var/lib/dpkg/info". LIST calls TAKE
 * for every name in that directory that ends in ".list".
 */
struct package_root {
	void *ctx;
	int (*open)(void *ctx, const char *path);
	int (*list)(void *ctx, int (*take)(void *arg, const char *name), void *arg);
};

/*
 * Answers QUERIES from the dpkg and apk databases of ROOT; /usr-merged systems are known (a file of
 * /usr/lib that the database calls /lib and the other way round). Returns 0, -ENOENT when there is
 * no such database, or another negative errno.
 */
int packages_find(const struct package_root *root, struct package_query *queries,
		  size_t nr_queries);

/*
 * The same by `rpm -qf`, run without a shell and without privileges of its own, at most 10 s, its
 * output bounded. Returns as above; -ENOENT when rpm or its database is not there.
 */
int packages_ask_rpm(struct package_query *queries, size_t nr_queries);

#endif /* PROC_PACKAGES_H */
