/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_ACCOUNTS_H
#define PIPELINE_ACCOUNTS_H

/*
 * Which parts of a path name a person: the usual places of home directories, and those that the
 * passwd file puts elsewhere. Also which accounts are the system's own. Read once, then constant;
 * the object owns all it holds. Accounts of a directory service are not listed there: their homes
 * are found when they are in one of the usual places.
 */

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/appender.h"
#include "pipeline/pathname.h"

/* At most this many homes, and this many names of system accounts; longer lines are skipped. */
#define ACCOUNTS_MAX	  4096
#define ACCOUNTS_LINE_MAX 4096

/* A longer home directory is skipped. */
#define ACCOUNTS_HOME_MAX 255

struct accounts;

/* A path and the person in it. Borrows the path. */
struct judged_path {
	const char *bytes; /* as it was given if that is normal, else in .normal */
	size_t size;
	bool has_person;
	size_t start; /* what names the person: bytes START up to END, */
	size_t end;
	const char *text; /* to be replaced by this */
	struct pathname normal;
};

/*
 * Reads a file of the passwd(5) format. A file that does not exist has no accounts. Returns 0 or a
 * negative errno.
 */
int accounts_read(struct accounts **ret, const char *passwd_path);

void accounts_free(struct accounts *accounts);

/* How many lines of the file were skipped because of a limit above. */
size_t accounts_nr_skipped(const struct accounts *accounts);

/* Whether NAME is an account of the file that belongs to no person: uid below 1000, or nobody. */
bool accounts_is_system(const struct accounts *accounts, const char *name, size_t size);

/*
 * Finds the person in PATH, in any spelling. IS_ROOTED: a path that begins with a slash begins at
 *the root. A path without one is taken as below the root, which it may be. What shows a replacement
 *already has no person.
 *
 *	/home/x           /home/USER      also below /var, /export, and /Users/x
 *	/root             /home/ROOT
 *	/run/user/1000    /run/user/UID   also /var/run/user
 *	/run/media/x      /run/media/USER
 *	/var/lib/docker/volumes/x_data    /var/lib/docker/volumes/USERID_data
 *	a home of the file elsewhere      /home/USER, as its parents may name people too
 */
void accounts_judge(const struct accounts *accounts, const char *path, size_t size, bool is_rooted,
		    struct judged_path *ret);

/* Appends the path without the person. */
void judged_path_append(const struct judged_path *path, struct appender *to);

#endif /* PIPELINE_ACCOUNTS_H */
