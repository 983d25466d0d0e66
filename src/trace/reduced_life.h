/* SPDX-License-Identifier: MIT */
#ifndef TRACE_REDUCED_LIFE_H
#define TRACE_REDUCED_LIFE_H

/*
 * From the raw records of old kernels to the records of wire.h. What those programs cannot tell is
 * asked of /proc when the record is read, some time after the event: of a process that is gone by
 * then, or goes on to do something else, it may be lost. What was lost is counted.
 *
 * Keeps a table of all processes of the host, because which of them are selected is decided here:
 * it follows forks, execs, renames and exits in the order of their records.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "control.h"
#include "priv/broker.h"
#include "sources/source.h"

/* Instead of a descriptor, for life_ask.look() */
#define LIFE_LOOK_EXE (-1)
#define LIFE_LOOK_CWD (-2)

/* How /proc is asked, and files are looked at. All may be NULL: then nothing is known. */
struct life_ask {
	/* Reads at most SIZE bytes to OUT. Returns how many, or a negative errno. */
	ssize_t (*text)(void *ctx, uint32_t pid, enum broker_text kind, char *out, size_t size);
	/* Where descriptor FD of PID, or what LIFE_LOOK_* says, leads. Returns 0 or a negative
	 * errno. */
	int (*look)(void *ctx, uint32_t pid, int fd, struct broker_link *ret);
	/* The file called PATH (NUL-terminated) in PID. Returns 0 or a negative errno. */
	int (*find)(void *ctx, uint32_t pid, const char *path, struct stat *ret);
	void *ctx;
	/*
	 * Whether PID may have changed its directory or root, with ONLY_ROOT its root, between
	 * TS_NS, boot time, and now.
	 */
	bool (*moved)(void *ctx, uint32_t pid, uint64_t ts_ns, bool only_root);
	void *moved_ctx;
};

/* Of one source, in records. received == rejected + sent */
struct life_counts {
	uint64_t rejected;
	uint64_t sent;
};

/* What /proc did not tell in time. */
struct life_gaps {
	uint64_t malformed;
	uint64_t images;      /* programs executed: exe and arguments as they were asked for */
	uint64_t directories; /* of names that are not absolute */
	uint64_t files;	      /* opened: no device and inode */
	uint64_t ends;	      /* how a process ended */
	uint64_t beginnings;  /* of a process */
	uint64_t parents;     /* of an orphan: the one that it had is told */
	uint64_t refused;     /* processes beyond the table's bound */
};

struct life;

/* Takes one record. Returns 0, or what ends the run. */
typedef int (*life_sink)(void *ctx, const void *bytes, size_t size);

/* CONFIG is copied. Returns 0 or -ENOMEM. */
int life_new(struct life **ret, const struct trace_config *config);
void life_free(struct life *life);

/* From now on /proc is asked so. */
void life_set_ask(struct life *life, const struct life_ask *ask);

/* Pids whose records are rejected: the tool's own. 0: none. */
void life_set_own(struct life *life, uint32_t broker, uint32_t worker);

/* Makes PID the root of a tree, before life_select(). Returns 0 or -ENOSPC. */
int life_add_root(struct life *life, uint32_t pid);

/* Enters a process that is there at start. */
void life_seed(struct life *life, const struct process_seed *seed);

/* Decides for all that were entered; afterwards life_is_selected() tells of one. */
void life_select(struct life *life);
bool life_is_selected(struct life *life, uint32_t pid);

/*
 * Takes the raw record of SIZE bytes at BYTES, whose time is BEHIND_NS behind the boot-time clock,
 * and hands what becomes of it to SINK. Returns 0 or what SINK returned.
 */
int life_take(struct life *life, const void *bytes, size_t size, uint64_t behind_ns, life_sink sink,
	      void *ctx);

/* Ends a pass: forgets processes that ended two passes ago. */
void life_expire(struct life *life);

const struct life_counts *life_counts(const struct life *life, enum source_id source);
const struct life_gaps *life_gaps(struct life *life);

#endif /* TRACE_REDUCED_LIFE_H */
