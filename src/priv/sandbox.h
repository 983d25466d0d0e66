/* SPDX-License-Identifier: MIT */
#ifndef PRIV_SANDBOX_H
#define PRIV_SANDBOX_H

#include <stdbool.h>

/*
 * The system calls that are left after start-up, as a seccomp filter. Anything else fails with
 * EPERM. Needs no_new_privs (privileges_drop()).
 */

/* For the process that reads records and writes the output. Returns 0 or a negative errno. */
int sandbox_enter_reader(void);

/*
 * For the one that opens files for it (priv/broker.h). HAS_PERF_EVENTS: it attaches probes one by
 * one, by perf_event_open(2). HAS_MAPS: it reads and writes the elements of BPF maps. Returns 0 or
 * a negative errno.
 */
int sandbox_enter_broker(bool has_perf_events, bool has_maps);

/*
 * For the one that records system calls with maps of its own (syscalls/engine_bpf.c): it may read
 * files, and end processes. Returns 0 or a negative errno.
 */
int sandbox_enter_recorder(void);

/*
 * For the one that parses recordings, policies and programs, which another process opens for it
 * (cmd/opener.h). Returns 0 or a negative errno.
 */
int sandbox_enter_parser(void);

#endif /* PRIV_SANDBOX_H */
