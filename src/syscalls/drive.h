/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_DRIVE_H
#define SYSCALLS_DRIVE_H

/*
 * --drive CMD: a command that is run when COMMAND serves and after whose end COMMAND is told to
 * end, by SIGTERM, and after ten seconds more is killed. CMD is split at blanks, there is no shell;
 * CRYPTO_TRACER_PID is COMMAND's process id in its environment. It is not recorded.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/keeper.h"

#define DRIVE_WORDS_MAX	  256
#define DRIVE_PATIENCE_NS UINT64_C(10000000000)

/* Of a run. */
struct drive {
	struct keeper *keeper;
	int command; /* descriptors: of COMMAND, -1: not started, or it had ended by then */
	int pidfd;   /* of CMD, -1: not running */
	pid_t pid;
	bool was_started;
	bool has_ended;
	bool was_told;	   /* COMMAND has been told to end, or had ended */
	bool must_tell;	   /* all that is left of the run is to be told, since COMMAND has ended */
	uint64_t until_ns; /* when it is killed, monotonic time */
	int status;	   /* of CMD: its exit status, or 128 + signal */
	int err;	   /* it could not be executed, negative errno */
};

/*
 * Splits TEXT, which is changed, at blanks into RET, NULL at its end. Returns the number of words,
 * or -EINVAL when there is none, -E2BIG.
 */
int drive_split(char *text, char *ret[static DRIVE_WORDS_MAX + 1]);

void drive_begin(struct drive *drive, struct keeper *keeper);

/*
 * COMMAND, which is process ROOT, can be driven: CMD is started. ROOT is 0 where COMMAND has ended
 * and left others in the background: CMD is not told a process id then.
 */
void drive_start(struct drive *drive, pid_t root);

/*
 * Looks whether CMD has ended and tells COMMAND. Where that has ended, drive_must_tell_all().
 * Returns true when COMMAND has not ended although it was told, and is to be killed. Called every
 * 100 ms and less.
 */
bool drive_is_overdue(struct drive *drive);

/*
 * Whether the caller is to send SIGTERM to all processes that are left of the run: COMMAND, which
 * would have got it, has ended before. True once.
 */
bool drive_must_tell_all(struct drive *drive);

/*
 * The run is over: CMD is ended if it still runs. Returns 0, or a negative errno: drive->err;
 * -ECHILD: it was never started, COMMAND ended before; -ECANCELED: COMMAND ended before it.
 */
int drive_end(struct drive *drive);

#endif /* SYSCALLS_DRIVE_H */
