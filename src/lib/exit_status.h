/* SPDX-License-Identifier: MIT */
#ifndef LIB_EXIT_STATUS_H
#define LIB_EXIT_STATUS_H

#include <sys/wait.h>

/* STATUS, of wait(2) for a process that has ended, as shells have it: 128 and the signal. */
static inline int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif /* LIB_EXIT_STATUS_H */
