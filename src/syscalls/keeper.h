/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_KEEPER_H
#define SYSCALLS_KEEPER_H

/*
 * A second process, made before the tool changes anything of itself, that keeps the rights of the
 * user and does what takes them when the tool has given them up: it makes COMMAND and what drives
 * it, which so have the user's own rights, signals and descriptors, and writes the output. It
 * parses nothing.
 *
 * When the tool ends without having said so, killed or crashed, the keeper ends what the tool was
 * recording, or lets it go, and writes what has been counted. It waits for requests one at a time,
 * and ends with the tool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "syscalls/record_object.h"
#include "syscalls/recording.h"

enum keeper_program {
	KEEPER_COMMAND,
	KEEPER_DRIVE,
	NR_KEEPER_PROGRAMS,
};

struct keeper_config {
	/* argv of each; NULL: there is none. */
	char *const *programs[NR_KEEPER_PROGRAMS];
	/*
	 * Called in the keeper: writes SIZE bytes, a recording as recording_render() makes it.
	 * Returns 0 or a negative errno.
	 */
	int (*write)(void *ctx, const char *bytes, size_t size);
	void *ctx;
};

struct keeper {
	pid_t pid; /* 0: none */
	int fd;	   /* to it */
};

/* Makes it. CONFIG is borrowed until then. Returns 0 or a negative errno. */
int keeper_start(struct keeper *keeper, const struct keeper_config *config);

/* Ends it; what it has made goes on. Safe on a zeroed one. */
void keeper_stop(struct keeper *keeper);

/*
 * Makes a process for PROGRAM, which waits. COMMAND_PID, unless it is 0, goes into its environment
 * as CRYPTO_TRACER_PID. Returns 0 with its number and a descriptor, the caller's, that can be read
 * from when it has ended; or a negative errno: -EPIPE, the keeper is gone.
 */
int keeper_make(struct keeper *keeper, enum keeper_program program, pid_t command_pid,
		pid_t *ret_pid, int *ret_pidfd);

/* Lets it execute the program. Returns 0, or the negative errno for which it could not be. */
int keeper_release(struct keeper *keeper, enum keeper_program program);

/* Waits for its end. Returns 0 with what wait(2) says in *RET_STATUS, or a negative errno. */
int keeper_reap(struct keeper *keeper, enum keeper_program program, int *ret_status);

/* What the keeper needs to end a run for the tool. */
struct keeper_guard {
	struct record_fds fds; /* borrowed */
	bool kills;	       /* the tree; else it is let go */
	/* Of the run: the id, started_ns and was_filtered. */
	struct recording_run run;
	/* An empty recording, with its phases and all that is said of COMMAND. */
	const struct recording *recording;
};

/*
 * From now on the keeper guards the run: until keeper_save() or keeper_relieve(). Returns 0 or a
 * negative errno.
 */
int keeper_guard(struct keeper *keeper, const struct keeper_guard *guard);

/* There is no run, and nothing of it. */
int keeper_relieve(struct keeper *keeper);

/* The run is over; RECORDING has all there is by now, for the case that the tool is killed. */
int keeper_save(struct keeper *keeper, const struct recording *recording);

/* Has RECORDING written, which is the last. Returns 0 or a negative errno. */
int keeper_write(struct keeper *keeper, const struct recording *recording);

#endif /* SYSCALLS_KEEPER_H */
