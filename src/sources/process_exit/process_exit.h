/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_EXIT_H
#define PROCESS_EXIT_H

#include "../../wire.h"

/* process_exit_event.flags */
#define EXIT_STATUS_UNKNOWN 0x1 /* nobody could tell: made in user space only */

struct process_exit_event {
	struct event_hdr hdr;
	__u32 status; /* as wait(2) gives it */
	__u32 flags;
};

_Static_assert(sizeof(struct process_exit_event) == 104, "struct process_exit_event has changed");

#endif /* PROCESS_EXIT_H */
