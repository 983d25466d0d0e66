/* SPDX-License-Identifier: MIT */
#ifndef PRIV_BROKER_WIRE_H
#define PRIV_BROKER_WIRE_H

/* What worker and broker say to each other: one packet there, one back. */

#include "priv/broker.h"

enum broker_verb {
	BROKER_ATTACH,
	BROKER_OPEN,
	BROKER_OPEN_TEXT,
	BROKER_LIST_PROCESSES,
	BROKER_OPEN_FDS,
	BROKER_OPEN_TASKS,
	BROKER_OPEN_PACKAGE,
	BROKER_OPEN_LISTS,
	BROKER_LOOK,
	BROKER_ASK_RPM,
	BROKER_PROBE,
	BROKER_UNPROBE,
	BROKER_OPEN_LOADER,
	BROKER_OPEN_RING,
};

/*
 * The packet ends behind the NUL of file.path, or behind the NR_PROBES of struct broker_probe that
 * follow it.
 */
struct broker_request {
	uint32_t verb;
	uint32_t text; /* enum broker_text, number of a set of probes, or CPU */
	uint32_t nr_probes;
	uint32_t reserved;
	struct broker_file file;
};

/* With a descriptor where one was asked for and err is 0. */
struct broker_answer {
	int32_t err;
	uint32_t size;	/* bytes of text */
	uint64_t inode; /* as in struct broker_link */
	uint64_t ctime_ns;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t mode;
	uint32_t open_flags;
	uint32_t is_deleted;
	uint32_t set;	    /* of probes */
	uint32_t nr_failed; /* of them */
	uint32_t reserved;
	struct broker_ring ring;
	char text[BROKER_PATH_MAX];
};

/* What BROKER_LIST_PROCESSES answers as its text: as many numbers as there is room for. */
struct broker_list {
	uint64_t next; /* where to go on; as file.from of the next request */
	uint32_t pids[BROKER_PIDS_MAX];
};

#define BROKER_PROBES_SIZE (BROKER_PROBES_MAX * sizeof(struct broker_probe))

/* Serves requests on FD until its other end is closed. Does not return. */
void __attribute__((noreturn)) broker_serve(int fd, const struct broker_config *config);

#endif /* PRIV_BROKER_WIRE_H */
