/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_LAUNCH_H
#define SYSCALLS_LAUNCH_H

/*
 * Runs COMMAND under filters. One filter is there before COMMAND is executed, and the kernel does
 * the rest. Where there are several, COMMAND and its descendants are followed (follow.h): at each
 * point the next filter is put into all threads of the process that has reached it, and a process
 * in its last phase is let go. Whatever goes wrong on that way ends the process: none goes on with
 * less than it is to have. So does the end of the launcher, as long as a process is followed.
 */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/points.h"

/* The filter of a phase, and what it means for the launcher. */
struct launch_phase {
	struct sock_fprog filter;
	/* Both mmap(2) and munmap(2) are allowed in it, and so is prctl(2). */
	bool allows_memory;
	bool allows_prctl;
};

#define LAUNCH_PHASES_MAX (POINTS_MAX + 1)

struct launch_config {
	char *const *command;
	const struct points *points; /* one less than phases */
	const struct launch_phase *phases;
	size_t nr_phases;
	bool sets_nnp;	    /* no_new_privs, before the first filter */
	unsigned int flags; /* of seccomp(2), for all of them */
	bool suspends;	    /* filters are off while the next one is put in: takes CAP_SYS_ADMIN */
	/* What went wrong, or is to be known, for people; called before it has consequences. */
	void (*tell)(void *ctx, const char *sentence);
	void *ctx;
};

struct launch_result {
	pid_t pid;		   /* that COMMAND had */
	int status;		   /* of it, as wait(2) has it */
	bool has_filter;	   /* the first filter was installed: what failed was execve(2) */
	bool has_failed;	   /* something was told, and a process killed for it */
	uint64_t hits[POINTS_MAX]; /* processes that reached each point */
};

/*
 * Runs COMMAND to its end, and, with several phases, until all its processes are in the last one or
 * have ended. INT, TERM, HUP and QUIT that others send to this process are passed on to it; those
 * of a terminal it gets itself. Returns 0, or the negative errno for which it was not executed.
 */
int launch_run(const struct launch_config *config, struct launch_result *ret);

#endif /* SYSCALLS_LAUNCH_H */
