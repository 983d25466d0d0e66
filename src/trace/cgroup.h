/* SPDX-License-Identifier: MIT */
#ifndef TRACE_CGROUP_H
#define TRACE_CGROUP_H

#include <stdbool.h>

/*
 * The root of the cgroup2 hierarchy, to which programs for packets are attached. Every kernel with
 * control groups has it, also where the host uses the older hierarchies: then through a mount of
 * our own.
 */

/* Opens it. Returns a descriptor that the caller closes, or a negative errno. */
int cgroup_open(void);

/*
 * Whether CGROUP, from cgroup_open(), is the root of the whole host: within a cgroup namespace it
 * is that of the namespace, and others' sockets are not seen.
 */
bool cgroup_is_whole(int cgroup);

#endif /* TRACE_CGROUP_H */
