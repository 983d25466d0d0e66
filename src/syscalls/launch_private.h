/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_LAUNCH_PRIVATE_H
#define SYSCALLS_LAUNCH_PRIVATE_H

#include "syscalls/launch.h"

#include <sys/types.h>

/* In the child that becomes COMMAND. CTX is a struct launch_config. */
int launch_prepare(void *ctx);

/* Signals to this process go to PID from now on, those that were held included. */
void launch_pass_signals(pid_t pid);

/* They go to another one; 0: to nobody, launch_signal() tells of them. */
void launch_pass_to(pid_t pid);

/* A signal that nobody got, which is thereby forgotten, or 0. */
int launch_signal(void);

/* Waits for COMMAND, which signals are passed on to until then. Returns 0 or a negative errno. */
int launch_wait(pid_t pid, int *ret_status);

/* launch_run() for several phases. */
int launch_run_phases(const struct launch_config *config, struct launch_result *ret);

#endif /* SYSCALLS_LAUNCH_PRIVATE_H */
