/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_KILL_LOG_H
#define SYSCALLS_KILL_LOG_H

/*
 * For which call a process was killed. Nothing tells its parent; but the kernel writes a record of
 * it to its log (SECCOMP_RET_KILL_PROCESS, seccomp(2)), as long as no audit daemon takes them all
 * and they are not too many at a time. Who may read the log may look there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/numbers.h"

struct killed_call {
	enum syscall_arch arch;
	uint32_t nr;
	uint64_t address; /* behind the instruction that made the call */
};

/* Opens the log at its end, where what comes from now on will be. Returns a descriptor or a
 * negative errno. */
int kill_log_open(void);

/* Looks in the log at FD for the end of process PID, for 200 ms at most. */
bool kill_log_find(int fd, pid_t pid, struct killed_call *ret);

/* Whether LINE, a record of the log, tells the end of PID, as the kernel's kernel/auditsc.c has it.
 */
bool kill_log_parse(const char *line, size_t size, pid_t pid, struct killed_call *ret);

#endif /* SYSCALLS_KILL_LOG_H */
