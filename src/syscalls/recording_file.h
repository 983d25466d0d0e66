/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORDING_FILE_H
#define SYSCALLS_RECORDING_FILE_H

/* Recordings in files. */

#include "syscalls/recording.h"

#define RECORDING_WHAT_SIZE 256

/*
 * Reads the recording in the file PATH, `-` being standard input; at most 256 MiB of it. Returns 0,
 * or a negative errno with what is wrong, for people, in RET_WHAT: "No such file or directory",
 * "not a recording: it is a policy".
 */
int recording_read(const char *path, struct recording **ret,
		   char ret_what[static RECORDING_WHAT_SIZE]);

#endif /* SYSCALLS_RECORDING_FILE_H */
