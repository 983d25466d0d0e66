/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_H
#define INVENTORY_PROFILE_H

/*
 * What one process, or a tree of them, did with cryptography: what was there at the start (an
 * inventory), then what happened (events), put together by library, file, function and algorithm.
 * Owns copies of everything. Bounded: beyond the limits things are counted, not told.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/content.h"
#include "inventory/profile_calls.h"
#include "inventory/profile_sessions.h"
#include "inventory/snapshot.h"
#include "lib/pool.h"
#include "pipeline/clock.h"
#include "pipeline/coverage.h"
#include "pipeline/field.h"
#include "priv/broker.h"

#define PROFILES_MAX	      1024
#define PROFILE_FILES_MAX     65536
#define PROFILE_LIBRARIES_MAX 4096
#define PROFILE_PROGRAMS_MAX  4096
#define PROFILE_MEMBERS_MAX   65536

/* A process of a profile. */
struct profile_member {
	uint32_t pid;
	uint32_t ppid;
	uint64_t start_ns; /* since the epoch */
	uint64_t events;
	char name[COMM_SIZE];
	bool has_ended;
	/* Private. */
	uint64_t boot_ns;      /* its start, boot time: with the pid its identity */
	uint64_t boot_step_ns; /* how much later that may have been, less than this; 0: exact */
	uint32_t profile;
	uint32_t next;
	struct profile_image image;
};

struct profile_library {
	const char *path;
	const char *name;
	uint32_t family;
	const char *version;
	uint64_t load_ns; /* since the epoch */
	bool is_stale;
	bool was_before; /* mapped before the run */
	/* Private. */
	uint64_t inode;
	uint32_t pid; /* of the process that mapped it first */
	uint32_t ppid;
};

/* What a descriptor of a file was opened for, in the end. */
enum profile_mode {
	PROFILE_none, /* it could never be opened */
	PROFILE_read,
	PROFILE_write,
	PROFILE_read_write,
};

struct profile_file {
	const char *path;
	uint32_t type; /* enum file_type */
	uint32_t kind; /* enum file_kind */
	uint64_t access_count;
	uint64_t failures;
	const char *last_error; /* of the last failure; NULL */
	uint64_t first_ns;	/* since the epoch */
	uint64_t last_ns;
	uint32_t mode;		       /* enum profile_mode */
	bool was_before;	       /* open before the run */
	const struct content *content; /* NULL: not looked into */
	/* Private. */
	uint64_t hash;
	uint32_t next;
	uint32_t before_count; /* descriptors that were found, and no event has told of yet */
};

/* A program that was executed. */
struct profile_program {
	const char *exe;
	uint64_t at_ns; /* since the epoch */
};

struct profile_process {
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t gid;
	char name[COMM_SIZE];
	const char *exe;
	const char *cmdline; /* NUL-separated */
	size_t cmdline_size;
	uint64_t start_ns; /* since the epoch */
	const struct container *container;
	bool has_ended;
	int32_t exit_code;
};

struct profile_statistics {
	uint64_t total_events;
	uint64_t libraries_loaded;
	uint64_t files_accessed;
	uint64_t file_accesses;
	uint64_t failed_accesses;
	uint64_t api_calls_made;
	uint64_t tls_handshakes;
	uint64_t ssh_handshakes;
	uint64_t connections_before;
	uint64_t processes;
	uint64_t programs_executed;
};

/* What every document begins and ends with. */
struct profile_heading {
	uint64_t now_ns;
	const char *hostname;
	const char *kernel;
	const struct coverage *coverage;
};

/* One profile, as it is written. */
struct profile {
	struct profile_heading heading; /* where it is a document of its own */
	struct profile_process process;
	uint64_t duration_ms;
	struct item_list programs; /* of struct profile_program: executed during the run */
	struct item_list libraries;
	struct item_list files;
	struct item_list api_calls;    /* of struct profile_function */
	struct item_list algorithms;   /* of struct profile_algorithm */
	struct item_list providers;    /* of struct provider */
	struct item_list certificates; /* of struct snapshot_certificate */
	struct item_list keys;	       /* of struct snapshot_key */
	struct item_list tls_sessions; /* of struct profile_session */
	struct item_list ssh_sessions;
	struct item_list findings;
	struct item_list members; /* of struct profile_member; only with descendants */
	bool has_members;
	struct profile_statistics statistics;
};

struct profiles;

/* What a whole document holds. */
struct profile_document {
	struct profile_heading heading;
	struct item_list profiles; /* of struct profile */
	struct profile_statistics summary;
};

/* How many findings there are of at least SEVERITY, in all profiles of DOCUMENT. */
size_t profile_count_findings(const struct profile_document *document, uint32_t severity);

extern const struct fields profile_fields;  /* of one struct profile */
extern const struct fields profiles_fields; /* of a struct profile_document */

/*
 * FOLLOWS: descendants belong to their ancestor's profile. CLOCK is borrowed. Returns 0 or -ENOMEM.
 */
int profiles_new(struct profiles **ret, bool follows, const struct boot_clock *clock);
void profiles_free(struct profiles *profiles);
size_t profiles_count(const struct profiles *profiles);
size_t profiles_count_members(const struct profiles *profiles);

/* What is beyond a limit and was not taken in. */
uint64_t profiles_count_refused(const struct profiles *profiles);

/* Connections that were there before the run, of processes that have code of TLS or SSH. */
uint64_t profiles_count_before(const struct profiles *profiles);

/*
 * The inventory was taken by SCAN_NS, boot time: an open or a handshake before that is told by it
 * and by an event, and counts once.
 */
void profiles_set_scan(struct profiles *profiles, uint64_t scan_ns);

/* Whether there were processes, and all of them have ended. */
bool profiles_have_ended(const struct profiles *profiles);

/*
 * Enters PROCESS of an inventory as a target: a profile of its own, with what it has. A process
 * that is in a profile already stays there. Returns 0 or -ENOMEM.
 */
int profiles_add_target(struct profiles *profiles, const struct inventory_process *process);

/* Notes the arguments of target PID, NUL-separated. Returns 0 or -ENOMEM. */
int profiles_set_cmdline(struct profiles *profiles, uint32_t pid, const char *bytes, size_t size);

/* Enters PROCESS if its parent is in a profile and descendants are followed. Returns as above. */
int profiles_add_descendant(struct profiles *profiles, const struct inventory_process *process);

/*
 * Takes one event; what of other processes than those of the profiles is overlooked, unless
 * IS_TARGET: then its process becomes a target. Returns 0 or -ENOMEM.
 */
int profiles_take(struct profiles *profiles, const struct record *record, bool is_target);

/*
 * Looks into the libraries that were mapped during the run for their versions; BROKER opens them.
 * *RET_SHORT is of how many it is not known for want of memory or descriptors. Returns 0 or
 * -ENOMEM.
 */
int profiles_find_versions(struct profiles *profiles, struct broker *broker, uint64_t *ret_short);

/*
 * Makes the document of what was taken in during DURATION_MS; its heading, copied into each
 * profile, is the caller's. It borrows from PROFILES. Returns 0 or -ENOMEM.
 */
int profiles_document(struct profiles *profiles, const struct profile_heading *heading,
		      uint64_t duration_ms, struct profile_document *ret);

#endif /* INVENTORY_PROFILE_H */
