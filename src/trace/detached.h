/* SPDX-License-Identifier: MIT */
#ifndef TRACE_DETACHED_H
#define TRACE_DETACHED_H

/*
 * Opens the root of a mount of the kernel's file system TYPE ("tracefs") that is attached nowhere:
 * no one else sees it and nothing on the host changes for it (fsmount(2), since Linux 5.2). Returns
 * a descriptor that the caller closes, or a negative errno.
 */
int detached_open(const char *type);

#endif /* TRACE_DETACHED_H */
