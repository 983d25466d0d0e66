/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORDING_FILE_H
#define SYSCALLS_RECORDING_FILE_H

/* Recordings in files. */

#include "syscalls/recording.h"

#define RECORDING_WHAT_SIZE 256

/*
 * Reads the recording in the file FD, which is taken over, at most 256 MiB of it. FD may be the
 * negative errno for which it could not be opened. Returns 0, or a negative errno with what is
 * wrong, for people, in RET_WHAT: "No such file or directory", "not a recording: it is a policy".
 */
int recording_read(int fd, struct recording **ret, char ret_what[static RECORDING_WHAT_SIZE]);

#endif /* SYSCALLS_RECORDING_FILE_H */
