/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_EXEC_H
#define PROCESS_EXEC_H

#include "../../wire.h"

/* process_exec_event.flags */
#define EXEC_ARGV_CUT	0x1 /* the argument list was longer than ARGV_SIZE */
#define EXEC_PATH_CUT	0x2 /* exe or cwd lacks its beginning */
#define EXEC_COMPAT	0x4 /* a 32-bit program */
#define EXEC_ARGV_FAULT 0x8 /* the argument list could not be read */

struct process_exec_event {
	struct event_hdr hdr;
	__u32 flags;
	struct tail exe;
	struct tail cwd;
	struct tail argv; /* NUL-separated */
	struct tail cgroup;
	__u32 reserved;
};

_Static_assert(sizeof(struct process_exec_event) == 120, "struct process_exec_event has changed");

#endif /* PROCESS_EXEC_H */
