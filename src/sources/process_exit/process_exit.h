/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_EXIT_H
#define PROCESS_EXIT_H

#include "../../wire.h"

struct process_exit_event {
	struct event_hdr hdr;
	__u32 status; /* as wait(2) gives it */
	__u32 reserved;
};

_Static_assert(sizeof(struct process_exit_event) == 104, "struct process_exit_event has changed");

#endif /* PROCESS_EXIT_H */
