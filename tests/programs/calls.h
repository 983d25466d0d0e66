/* SPDX-License-Identifier: MIT */
#ifndef PROGRAMS_CALLS_H
#define PROGRAMS_CALLS_H

/*
 * Programs that make system calls for `syscalls record` to find. Each kind of part of the tree
 *makes a call of its own, which no library makes by itself, and the program says how often:
 *
 *	START CALL COUNT
 *
 * START being what the recording calls the kind: command, fork, vfork, thread, exec, phase.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls that change nothing and have no side effects. */
#define CALL_COMMAND SYS_getppid
#define CALL_FORK    SYS_getpgid
#define CALL_VFORK   SYS_getsid
#define CALL_THREAD  SYS_getpriority
#define CALL_EXEC    SYS_sched_getscheduler

static inline void make_calls(long nr, long times)
{
	for (long i = 0; i < times; i++)
		syscall(nr, 0, 0, 0, 0, 0, 0);
}

static inline void fail(const char *what)
{
	perror(what);
	_exit(1);
}

/* Waits for PID, or all children where that is -1. */
static inline void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) > 0 && pid < 0)
		;
}

#endif /* PROGRAMS_CALLS_H */
