/* SPDX-License-Identifier: MIT */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

/*
 * `-- COMMAND`: a child that is made before this process changes anything of itself, so that it
 * inherits signals, limits and descriptors as they were, and waits until the tracing is in place.
 * It is never signalled: when the tool ends first, COMMAND goes on.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cmd/options.h"
#include "lib/spawn.h"

struct child {
	struct spawned spawned; /* all zero: none */
	pid_t pid;		/* 0: none; stays when it has ended */
	bool has_ended;
	int status; /* as wait(2) gives it */
};

/*
 * Makes the child for OPTIONS->command. TO_STDERR: its standard output goes to standard error.
 * Returns 0 or a negative errno.
 */
int child_start(struct child *child, const struct options *options, bool to_stderr);

/*
 * Lets COMMAND start. Returns 0, or the negative errno for which it could not be executed; the exit
 * status is that of spawn_failed().
 */
int child_release(struct child *child);

/*
 * Opens the program that COMMAND will be, as execvp(3) finds it, and fills PATH. Returns a
 * descriptor, or a negative errno: where it cannot be read, the probes in it come a little later.
 */
int child_open_program(const struct options *options, char path[static PATH_MAX]);

/* Notes whether COMMAND has ended; does not wait. */
void child_poll(struct child *child);

/* The exit status that COMMAND's end gives: its own, or 128 + signal. */
int child_exit_status(const struct child *child);

/* Closes; a child that was never released ends without having executed anything. */
void child_done(struct child *child);

#endif /* CMD_CHILD_H */
