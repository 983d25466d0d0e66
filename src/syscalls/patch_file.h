/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_PATCH_FILE_H
#define SYSCALLS_PATCH_FILE_H

/*
 * The program that is patched, as a file, and its copy. The copy has no name until it is complete,
 * and then takes one that nothing has: neither half a file nor another one's loss is ever seen.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "syscalls/patch.h"

struct patch_source {
	int fd;
	struct stat st;
	uint8_t *bytes;
	size_t size;
};

/*
 * Reads the program that is open at FD, which is taken over and may be the negative errno for which
 * it could not be opened. Returns 0; -EOPNOTSUPP with the reason in RET_WHAT, of what
 * patch_make() cannot see: setuid, capabilities, not a file; or another negative errno, such as
 * -EAGAIN: it was written to meanwhile. patch_source_close() ends it.
 */
int patch_source_open(int fd, struct patch_source *ret, char ret_what[static PATCH_WHAT_SIZE]);
void patch_source_close(struct patch_source *source);

/* Whether the file is still what was read: true, as far as its times tell. */
bool patch_source_is_current(const struct patch_source *source);

struct patch_output {
	int dir;
	int fd;
	const char *name;   /* that it is to have in DIR: the end of the path that was given */
	char temporary[32]; /* that it has meanwhile; empty: none */
	/* What could not be kept: */
	bool lost_owner;      /* the user may not give files away */
	bool lost_attributes; /* the user may not set some of them */
	bool lost_signature;  /* security.ima, security.evm: they are of other bytes */
};

/*
 * Begins the file PATH, borrowed. IS_NAMED: with a temporary name, as is done where the file system
 * has no files without one. Returns 0, -EEXIST, or another negative errno. patch_output_close()
 * ends it, and without patch_output_publish() the file too.
 */
int patch_output_open(struct patch_output *output, const char *path, bool is_named);

/*
 * Writes IMAGE to FD, borrowed. Returns 0 or a negative errno; RET_WHAT then tells what failed.
 */
int patch_image_write(int fd, const struct patch_image *image,
		      char ret_what[static PATCH_WHAT_SIZE]);

/*
 * Reads back what was written to FD and checks it with patch_verify(). Returns 0, -EOPNOTSUPP with
 * the reason in RET_WHAT, or another negative errno.
 */
int patch_image_verify(int fd, const struct patch_source *source, const struct patch_plan *plan,
		       char ret_what[static PATCH_WHAT_SIZE]);

/*
 * Gives the file owner, mode and extended attributes of that at SOURCE, borrowed. Returns 0 or a
 * negative errno; RET_WHAT then tells what failed: "the extended attribute user.x".
 */
int patch_output_keep(struct patch_output *output, int source,
		      char ret_what[static PATCH_WHAT_SIZE]);

/* Gives it its name, once it is on the disk. Returns 0, -EEXIST, or another negative errno. */
int patch_output_publish(struct patch_output *output);

void patch_output_close(struct patch_output *output);

#endif /* SYSCALLS_PATCH_FILE_H */
