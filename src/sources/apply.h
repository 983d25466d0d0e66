/* SPDX-License-Identifier: MIT */
#ifndef SOURCES_APPLY_H
#define SOURCES_APPLY_H

#include "proc/processes.h"
#include "wire.h"

/* Enters the process of HDR into the table, or brings its entry up to date. NULL: table full. */
struct process *process_enter(struct processes *processes, const struct event_hdr *hdr);

/* Brings the entry of HDR's process up to date. */
void process_update(struct process *process, const struct event_hdr *hdr);

#endif /* SOURCES_APPLY_H */
