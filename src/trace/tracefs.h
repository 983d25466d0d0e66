/* SPDX-License-Identifier: MIT */
#ifndef TRACE_TRACEFS_H
#define TRACE_TRACEFS_H

/*
 * The tracing file system, where the kernel keeps the numbers of its tracepoints. Used where it is
 * mounted; where it is not, through a mount of our own that no one else sees and nothing on the
 * host changes for.
 */

#include <stdbool.h>
#include <stddef.h>

/* Opens the root of tracefs. Returns a descriptor that the caller closes, or a negative errno. */
int tracefs_open(void);

/* Whether it is mounted, or may be where this process may not look. */
bool tracefs_is_mounted(void);

/*
 * The number of tracepoint EVENT ("syscalls/sys_exit_openat"), for perf_event_attr.config. Returns
 * it, or a negative errno: -ENOENT when this kernel has no such tracepoint.
 */
int tracefs_event_id(int tracefs, const char *event);

/*
 * Where tracepoint EVENT has FIELD in what it hands to BPF programs, in bytes from its beginning.
 * Returns that, or a negative errno: -ENOENT when there is no such tracepoint, -ENODATA: no such
 * field.
 */
int tracefs_event_field(int tracefs, const char *event, const char *field);

/* The same of TEXT, the `format` file of a tracepoint. */
int tracefs_parse_field(const char *text, size_t size, const char *field);

#endif /* TRACE_TRACEFS_H */
