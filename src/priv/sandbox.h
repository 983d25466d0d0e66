/* SPDX-License-Identifier: MIT */
#ifndef PRIV_SANDBOX_H
#define PRIV_SANDBOX_H

/*
 * The system calls that are left after start-up, as a seccomp filter. Anything else fails with
 * EPERM. Needs no_new_privs (privileges_drop()).
 */

/* For the process that reads records and writes the output. Returns 0 or a negative errno. */
int sandbox_enter_reader(void);

#define SANDBOX_PROBES 0x1 /* attaches probes one by one, by perf_event_open(2) */
#define SANDBOX_MAPS   0x2 /* reads and writes the elements of BPF maps */
#define SANDBOX_RINGS  0x4 /* opens perf rings */

/*
 * For the one that opens files for it (priv/broker.h), USES being SANDBOX_* bits. Returns 0 or a
 * negative errno.
 */
int sandbox_enter_broker(unsigned int uses);

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
