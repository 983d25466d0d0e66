/* SPDX-License-Identifier: MIT */
#ifndef CHECK_SYSCALLS_H
#define CHECK_SYSCALLS_H

/* What of `syscalls` works, tried on processes of its own. */

#include "check/check.h"

/* Fills the verdicts of syscalls_*. Call while there are rights, and before there are threads. */
void check_syscalls(struct check *check);

#endif /* CHECK_SYSCALLS_H */
