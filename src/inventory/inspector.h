/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_INSPECTOR_H
#define INVENTORY_INSPECTOR_H

/*
 * What the files that events name contain: each is opened by the broker and looked into once, and
 * again only when it has changed. Owns what it hands out. Bounded: the INSPECTOR_FILES_MAX used
 * last are kept, and no more than INSPECTOR_PER_SECOND new ones are looked into, so that a storm of
 * opens never waits for its files.
 */

#include <stdbool.h>
#include <stdint.h>

#include "inspect/content.h"
#include "priv/broker.h"

#define INSPECTOR_FILES_MAX  512
#define INSPECTOR_PER_SECOND 200

struct inspector;

/* A file that was opened, as the event tells it. */
struct inspector_file {
	uint32_t pid;
	uint32_t ppid;
	uint64_t start_ns;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t inode; /* this and the next, 0: not known */
	uint64_t ctime_ns;
	const char *path; /* as the process names it, absolute */
	size_t path_size;
};

struct inspector_counts {
	uint64_t nr_examined;
	uint64_t nr_failed;    /* gone, or no permission */
	uint64_t nr_unknown;   /* which file it was is not known, or its name is too long */
	uint64_t nr_short;     /* no memory or descriptor for it */
	uint64_t nr_throttled; /* more than INSPECTOR_PER_SECOND */
};

/* BROKER is borrowed. Returns 0 or -ENOMEM. */
int inspector_new(struct inspector **ret, struct broker *broker);
void inspector_free(struct inspector *inspector);

/*
 * What FILE contains at NOW_NS, since the epoch; NULL where that is not known. Valid until the next
 * call. *RET_IS_NEWS: not told to the process that opened it before, unless others have opened it
 * meanwhile.
 */
const struct content *inspector_look(struct inspector *inspector, const struct inspector_file *file,
				     uint64_t now_ns, bool *ret_is_news);

const struct inspector_counts *inspector_counts(const struct inspector *inspector);

#endif /* INVENTORY_INSPECTOR_H */
