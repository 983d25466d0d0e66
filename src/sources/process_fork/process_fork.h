/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_FORK_H
#define PROCESS_FORK_H

#include "../../wire.h"

/* hdr.type */
#define PROCESS_FORK   0 /* hdr is the child's */
#define PROCESS_RENAME 1 /* hdr has the new name; internal */
#define PROCESS_CRED   2 /* hdr has the user of this moment; internal */

struct process_fork_event {
	struct event_hdr hdr;
};

_Static_assert(sizeof(struct process_fork_event) == 96, "struct process_fork_event has changed");

#endif /* PROCESS_FORK_H */
