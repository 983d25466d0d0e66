/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_FRONT_H
#define SYSCALLS_FRONT_H

/*
 * A process in front of the one that traces. What ends a tracer at once leaves its tracees with
 * breakpoints that nobody answers for, and what it has counted is lost. So the process that people
 * know, and kill, only waits: the tracer is its child, is told when it is gone, and then ends in
 * good order. Where the tracer is what was killed, the process in front takes the breakpoints out
 * of memory, as far as nobody has run into one yet.
 *
 * Kept are the addresses and bytes of breakpoints, in memory that both share. Without a process in
 * front all of this does nothing.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "syscalls/breakpoints.h"

/* Processes that are kept; further ones are not repaired. */
#define FRONT_PROCESSES_MAX 4096

/* Breakpoints of each. */
#define FRONT_BREAKPOINTS_MAX 64

/*
 * Splits this process in two. Returns true in the one that goes on; it is in a process group of its
 * own, so that it gets the signals of a terminal only through the one in front, and gets SIGTERM
 * when that is gone. Returns false in the one in front when the other has ended, with its exit
 * status, 128 + signal, in *RET_STATUS. Where no process can be made it goes on alone: true. To be
 * called with one thread, and before stop_install().
 */
bool front_enter(int *ret_status);

/* In a child that becomes COMMAND: the process group is that of the one in front. */
void front_join(void);

/* Keeps what is in the memory of PID, and forgets it. */
void front_keep(pid_t pid, const struct breakpoints *breakpoints);
void front_forget(pid_t pid);

#endif /* SYSCALLS_FRONT_H */
