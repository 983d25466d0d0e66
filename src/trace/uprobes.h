/* SPDX-License-Identifier: MIT */
#ifndef TRACE_UPROBES_H
#define TRACE_UPROBES_H

/*
 * The programs behind api_call, and their places in libraries. They are loaded while there are
 * rights; the broker (priv/broker.h) attaches them later, file by file, and lets go of them at the
 * end. Memory that they share with user space is mapped before, so that nobody needs bpf(2) to read
 * it.
 *
 * A set of probes is one link where the kernel has uprobe_multi (Linux 6.6), else one for each
 * probe. To let go of a link takes the kernel 50 ms and more: at the end several threads do so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "priv/broker.h"
#include "sources/api_call/api_call.h"
#include "trace/session.h"

/* Files, each with a set of probes, at a time. */
#define UPROBES_SETS_MAX 1024

struct bpf_object;

struct uprobe_set {
	int *links; /* descriptors; NULL: none */
	size_t nr_links;
};

struct uprobes {
	struct bpf_object *object;
	bool is_multi;
	int enter; /* descriptors of the programs */
	int leave;
	int perf_type;		  /* of perf_event_open(2), where there are no links for many; -1 */
	struct api_slot *slots;	  /* API_SLOTS_MAX */
	struct api_site *sites;	  /* API_SITES_MAX */
	struct api_count *counts; /* API_COUNTS_MAX */
	struct api_shared *shared;
	/* The broker's. */
	struct uprobe_set sets[UPROBES_SETS_MAX];
	size_t nr_sets; /* those let go of among them */
};

/*
 * Loads the programs around the maps of SESSION. Returns 0 or a negative errno: -EINVAL where the
 * kernel has no cookies for uprobes (before 5.15).
 */
int uprobes_load(struct uprobes *uprobes, struct session *session);

/* Makes UPROBES what the broker of CONFIG attaches and lets go of. Call before broker_start(). */
void uprobes_offer(struct uprobes *uprobes, struct broker_config *config);

/*
 * Attaches to the file behind descriptor FD; CTX is the struct uprobes. Returns the number of the
 * set, with how many probes the kernel refused in *RET_FAILED; or a negative errno: then nothing is
 * attached.
 */
int uprobes_attach(void *ctx, int fd, const struct broker_probe *probes, size_t nr_probes,
		   uint32_t *ret_failed);

/* Lets go of set number SET. Returns 0 or -ENOENT. */
int uprobes_detach(void *ctx, uint32_t set);

/* Lets go of all of them, unloads and unmaps. Safe on a zeroed one. */
void uprobes_close(struct uprobes *uprobes);

#endif /* TRACE_UPROBES_H */
