/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_RECORD_PROBE_H
#define SYSCALLS_RECORD_PROBE_H

/* Points in code: uprobes by file and offset, in every process that has the file mapped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BPF_TRACE_UPROBE_MULTI, include/uapi/linux/bpf.h since Linux 6.6 */
#define PROBES_MULTI 48

/*
 * Puts a probe that runs PROGRAM at OFFSET of the file behind descriptor FILE; COOKIE goes to the
 * program. IS_MULTI: as a link for many, for which the program was loaded; such a link is let go of
 * in some milliseconds, the other kind takes 50. Returns the link's descriptor or a negative errno.
 */
int probe_link(int program, bool is_multi, int file, uint64_t offset, uint64_t cookie);

#endif /* SYSCALLS_RECORD_PROBE_H */
