/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_WAITING_H
#define SYSCALLS_WAITING_H

/* Whether a program serves, as seen from outside. */

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether a thread of process ROOT, or of its descendants, waits for work right now: it is in one
 * of the calls of point_is_wait(). Takes the right to trace them (proc_pid_syscall(5)); false
 * without.
 */
bool waiting_for_work(pid_t root);

#endif /* SYSCALLS_WAITING_H */
