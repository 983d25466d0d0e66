/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_EXAMINE_H
#define INVENTORY_EXAMINE_H

/*
 * Looks into the files of an inventory: libraries for their version, programs for what is built
 * into them, certificates and keys for what they are. The broker opens them, through a process that
 * has them, so that it is the very file; each is read once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"
#include "priv/broker.h"

#define EXAMINE_LIBRARIES 0x1
#define EXAMINE_PROGRAMS  0x2
#define EXAMINE_FILES	  0x4

struct examine_options {
	bool deep;	   /* look for constants of algorithms, too */
	unsigned int what; /* EXAMINE_* */
	uint64_t now_ns;   /* since the epoch, for what has expired */
};

struct examine_counts {
	size_t nr_examined;
	size_t nr_failed; /* could not be opened or read */
};

/* Returns 0 or -ENOMEM; what could not be looked into has a note. */
int examine_run(struct broker *broker, struct inventory *inventory,
		const struct examine_options *options, struct examine_counts *ret);

/*
 * The version of the library of FAMILY that FILE, of kind BROKER_FILE_PATH, names, in OUT of CAP
 * bytes. Returns 0, -ENOENT when it does not tell, or another negative errno.
 */
int examine_version(struct broker *broker, const struct broker_file *file, uint32_t family,
		    char *out, size_t cap);

/* The same for one file that was opened, FD, borrowed: certificates and keys. */
int examine_content(int fd, const char *path, uint64_t now_ns, struct content_stat *ret_stat,
		    struct content **ret);

#endif /* INVENTORY_EXAMINE_H */
