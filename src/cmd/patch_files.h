/* SPDX-License-Identifier: MIT */
#ifndef CMD_PATCH_FILES_H
#define CMD_PATCH_FILES_H

/*
 * The files of `syscalls patch`: opened, made and named by the process that has the user's rights,
 * for the one that parses and writes them (cmd/opener.h). Beside the program and the policy that
 * are programs and libraries (ELF files), for the functions in them, and the linker's cache.
 */

#include <limits.h>
#include <stdbool.h>

#include "cmd/options.h"
#include "syscalls/patch_file.h"

/* As opener_enter(). Returns true in the child, whose object_open() is served from then on. */
bool patch_files_enter(const struct options *options, int *ret_status);

/*
 * The program, the caller's, and where it really is. Returns a descriptor for patch_source_open(),
 * or a negative errno.
 */
int patch_files_program(char ret_path[static PATH_MAX]);

/* Begins the copy that --output names. Returns a descriptor, the caller's, or a negative errno. */
int patch_files_copy(void);

/* What became of the copy. */
struct patch_files_result {
	/* As in struct patch_output. */
	bool lost_owner;
	bool lost_attributes;
	bool lost_signature;
	char what[PATCH_WHAT_SIZE]; /* that failed; empty: its name */
};

/*
 * Gives the copy owner, mode and attributes of the program, and then its name. Returns 0 or a
 * negative errno.
 */
int patch_files_publish(struct patch_files_result *ret);

#endif /* CMD_PATCH_FILES_H */
