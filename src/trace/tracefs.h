/* SPDX-License-Identifier: MIT */
#ifndef TRACE_TRACEFS_H
#define TRACE_TRACEFS_H

/*
 * The tracing file system, where the kernel keeps the numbers of its tracepoints. Used where it is
 * mounted; where it is not, through a mount of our own that no one else sees and nothing on the
 * host changes for.
 */

#include <stdbool.h>

/* Opens the root of tracefs. Returns a descriptor that the caller closes, or a negative errno. */
int tracefs_open(void);

/* Whether it is mounted, or may be where this process may not look. */
bool tracefs_is_mounted(void);

/*
 * The number of tracepoint EVENT ("syscalls/sys_exit_openat"), for perf_event_attr.config. Returns
 * it, or a negative errno: -ENOENT when this kernel has no such tracepoint.
 */
int tracefs_event_id(int tracefs, const char *event);

#endif /* TRACE_TRACEFS_H */
