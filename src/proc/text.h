/* SPDX-License-Identifier: MIT */
#ifndef PROC_TEXT_H
#define PROC_TEXT_H

/* The small files of a process below /proc, which the kernel writes anew for each read. */

#include <sys/types.h>

/*
 * Reads /proc/PID/NAME into TEXT: at most SIZE - 1 bytes, what does not fit is left out, and a NUL
 * behind them. Returns how many, or a negative errno: -ENOENT, -ESRCH: there is no such process.
 */
ssize_t proc_text(pid_t pid, const char *name, char *text, size_t size);

/*
 * The children of thread TID of process PID, in RET: as many as there is room for, MAX, and as fit
 * into 4 KiB of text. Returns how many; 0 also where that cannot be read.
 */
size_t proc_children(pid_t pid, pid_t tid, pid_t *ret, size_t max);

#endif /* PROC_TEXT_H */
