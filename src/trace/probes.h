/* SPDX-License-Identifier: MIT */
#ifndef TRACE_PROBES_H
#define TRACE_PROBES_H

/*
 * Which functions of which files have probes. A file, a library or a program with one inside, is
 * known by device and inode and looked into once: where the functions of the catalogue begin, and
 * what is read there. The broker attaches; this process only asks. A slot is the number of a probe:
 * events carry it (sources/api_call/api_call.h).
 *
 * Owns all it knows. Bounded: beyond the limits files are not probed, and counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/api.h"
#include "priv/broker.h"
#include "trace/uprobes.h"

#define PROBED_FILES_MAX 16384

/* A file that was looked into, with or without success. */
struct probed_file {
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t family;  /* enum library_family; none: not a crypto library, and has none inside */
	const char *path; /* as the process that had it first names it */
	int err;	  /* why it has no probes; 0 also when there is nothing to probe */
	/* Private. */
	struct broker_file *file; /* how it is opened; NULL where it has no probes */
	uint32_t first_slot;
	uint32_t nr_slots;
	int set; /* of the broker; -1: none */
	uint8_t generation;
	bool is_overlay; /* of overlayfs: see find_twin() */
	uint64_t size;
	uint64_t ctime_ns;
	uint32_t next;
};

/* A function that is no longer watched, or not all of the time. */
struct probe_lapse {
	const struct api_function *function;
	const struct probed_file *file;
};

struct probe_counts {
	uint64_t files; /* with probes */
	uint64_t probes;
	uint64_t sites_refused; /* of plan_make() */
	uint64_t sites;		/* static ones among them */
	uint64_t failed;	/* files that could not be opened or probed */
	uint64_t foreign;	/* files for another machine than this one, such as 32-bit ones */
	uint64_t single;	/* functions in other files that the kernel refused to probe */
	uint64_t refused;	/* beyond a limit */
	uint64_t lapsed;	/* probes that were called too often */
	uint64_t unlooked;	/* where no copies were looked for: scarce.h */
};

struct probes;

/* GROUP: which functions. UPROBES and BROKER are borrowed. Returns 0 or -ENOMEM. */
int probes_new(struct probes **ret, struct uprobes *uprobes, struct broker *broker,
	       enum api_group group);
void probes_free(struct probes *probes);

/*
 * The file of this device and inode, or NULL when it is not known yet. One without probes is
 * another one by now when CTIME_NS, since the epoch, is not what it was; 0: that is not known.
 */
const struct probed_file *probes_find(const struct probes *probes, uint32_t dev_major,
				      uint32_t dev_minor, uint64_t inode, uint64_t ctime_ns);

/*
 * Looks into FILE, opened through the broker and called PATH of SIZE bytes, unless it is known, and
 * has its functions probed. Returns the file, also when it has no probes, or NULL: it cannot be
 * opened, or there is no memory for it (counted).
 */
const struct probed_file *probes_add(struct probes *probes, const struct broker_file *file,
				     const char *path, size_t size);

/* What the probe of SLOT is of. False for a slot that is not taken. */
bool probes_at(const struct probes *probes, uint32_t slot, const struct api_function **ret_function,
	       const struct probed_file **ret_file);

/* Detaches the probes that are called more often than their limit. Takes 50 ms where there are. */
void probes_police(struct probes *probes);

/* The I-th of counts.lapsed. */
const struct probe_lapse *probes_lapse(const struct probes *probes, size_t i);

/* Counts that at a place where there may be copies none could be looked for. */
void probes_count_unlooked(struct probes *probes);

const struct probe_counts *probes_counts(const struct probes *probes);

#endif /* TRACE_PROBES_H */
