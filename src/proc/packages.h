/* SPDX-License-Identifier: MIT */
#ifndef PROC_PACKAGES_H
#define PROC_PACKAGES_H

/*
 * Which package of the distribution a file came from: dpkg's and apk's databases are read, rpm is
 * asked through its own query tool. Parses foreign text: bounded, lines of LINES_SIZE bytes or more
 * and what a maximum below leaves out belong to no package. Keeps nothing between calls.
 */

#include <stddef.h>
#include <stdint.h>

#define PACKAGE_TEXT_MAX 160 /* "libssl3 3.0.17-1~deb12u2"; what does not fit is not told */
/* At most this many questions at a time, and this many packages of a database are known. */
#define PACKAGE_QUERIES_MAX 65536
#define PACKAGES_MAX	    65536

/* One question. */
struct package_query {
	const char *path; /* absolute and normal, as the file's root has it; borrowed */
	char package[PACKAGE_TEXT_MAX]; /* answer: "NAME VERSION"; empty: of no package */
};

/*
 * How the databases of one root are reached, so that who asks need not be able to open files.
 * OPEN returns a descriptor that the caller of it closes, or a negative errno; PATH is relative to
 * the root, one of packages_database_paths() or a name from LIST in "var/lib/dpkg/info". LIST calls
 * TAKE for every name in that directory that ends in ".list", until TAKE returns other than 0,
 * which it returns; else 0, or a negative errno.
 */
struct package_root {
	void *ctx;
	int (*open)(void *ctx, const char *path);
	int (*list)(void *ctx, int (*take)(void *arg, const char *name), void *arg);
};

/* The files that OPEN may be asked for, besides dpkg's lists. Static. */
const char *const *packages_database_paths(size_t *ret_nr);

/*
 * Answers QUERIES from the dpkg and apk databases of ROOT. Systems with a merged /usr are known: a
 * file of /usr/lib that the database calls /lib, and the other way round; a package that has the
 * very path goes first. Packages of which dpkg says that their files are gone (config-files) have
 * none; diversions are not looked at. Returns 0, -ENOENT when there is no such database, -E2BIG for
 * too many questions, or another negative errno: that of the first file that could not be read,
 * with what the others say answered all the same.
 */
int packages_find(const struct package_root *root, struct package_query *queries,
		  size_t nr_queries);

/*
 * The same by `rpm -qf` of this host's root, run without a shell, as nobody when this process is
 * root, for at most 10 s and 1 MiB of output in all. Blocks; asked to end by a signal (lib/stop.h)
 * it gives up with -EINTR. Returns as above; -ENOENT when rpm or its database is not there,
 * -ETIMEDOUT, -EFBIG, -EIO when rpm ended too early: what it said before is answered. Forks: call
 * it where that is allowed.
 */
int packages_ask_rpm(struct package_query *queries, size_t nr_queries);

#endif /* PROC_PACKAGES_H */
