/* SPDX-License-Identifier: MIT */
#ifndef TRACE_UPROBE_LINK_H
#define TRACE_UPROBE_LINK_H

/* Links of programs to uprobes, by file and offset, in every process that has the file mapped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * BPF_TRACE_UPROBE_MULTI of enum bpf_attach_type, include/uapi/linux/bpf.h since Linux 6.6; the
 * headers of older systems lack it.
 */
#define UPROBE_MULTI 48

/* Probes of one kind in one file. */
struct uprobe_batch {
	int program;
	bool is_return;
	const char *path;
	const uint64_t *offsets;
	const uint64_t *cookies; /* NULL: none */
	uint32_t nr;
};

/*
 * Links all probes of BATCH at once, for which the program was loaded; such a link is let go of in
 * some milliseconds, the other kind takes 50. The kernel refuses all where it refuses one. Returns
 * the link's descriptor, the caller's, or a negative errno.
 */
int uprobe_link_multi(const struct uprobe_batch *batch);

/* Links the I-th probe of BATCH; the link keeps its event. Returns as uprobe_link_multi(). */
int uprobe_link_single(const struct uprobe_batch *batch, uint32_t i, int perf_type);

/* The type of uprobes for perf_event_open(2), or a negative errno. */
int uprobe_perf_type(void);

#endif /* TRACE_UPROBE_LINK_H */
