/* SPDX-License-Identifier: MIT */
#ifndef PROC_USERS_H
#define PROC_USERS_H

/*
 * The names of users, from a file of the passwd(5) format. Read once, then constant: by the time
 * that names are needed no file can be opened. NSS is not asked: it loads plug-ins and may talk to
 * the network; accounts of a directory service have no name here. Owns the names, until
 * users_free().
 */

#include <stddef.h>
#include <stdint.h>

/* At most this many accounts; names longer than this are left out (useradd(8) allows 32). */
#define USERS_MAX     65536
#define USER_NAME_MAX 255
/* What is read of the file at most, bytes. */
#define USERS_FILE_MAX (16U << 20)

struct users;

/* Reads PATH. A file that does not exist has no accounts. Returns 0 or a negative errno. */
int users_new(struct users **ret, const char *path);
void users_free(struct users *users);

/* The name of UID, of several the first in the file, as getpwuid(3) has it; NULL when it has none.
 */
const char *users_name(const struct users *users, uint32_t uid);

size_t users_count(const struct users *users);

#endif /* PROC_USERS_H */
