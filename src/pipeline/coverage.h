/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_COVERAGE_H
#define PIPELINE_COVERAGE_H

/*
 * The two documents that frame a stream: how it was made (start), and what was seen, dropped, lost
 * and not seen (coverage). Both are field tables like any event. For every source
 *
 *   seen == rejected + lost.ring_full + sent
 *   sent == malformed + filtered + throttled + written + pending + lost.sink_failed +
 *           lost.left_at_exit
 */

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "pipeline/field.h"
#include "pipeline/pipeline.h"

#define SCHEMA_VERSION	  "1.0"
#define COVERAGE_GAPS_MAX 40
/* Libraries that got their probes late, probes that were taken off, named in one coverage. */
#define COVERAGE_LATE_MAX   16
#define COVERAGE_LAPSES_MAX 16

struct coverage_lost {
	uint64_t ring_full;
	uint64_t sink_failed;
	uint64_t left_at_exit;
};

struct coverage_source {
	const char *name;
	const char *hook;
	const char *reason; /* NULL: attached and whole */
	uint64_t seen;
	uint64_t rejected;
	uint64_t sent;
	uint64_t malformed;
	uint64_t filtered;
	uint64_t throttled;
	uint64_t written;
	uint64_t pending;
	struct coverage_lost lost;
	bool attached;
};

struct coverage_gap {
	const char *what;
	const char *why;
	uint64_t count;
	const char *cpus; /* of which it is; NULL: of all */
	/* Since the epoch; 0: not known, or it is so still. */
	uint64_t from_unix_ns;
	uint64_t to_unix_ns;
};

/* A process that had LIBRARY mapped for so long before its calls were seen. */
struct coverage_late {
	const char *library;
	uint64_t ms;
	uint32_t pid;
	char process[COMM_SIZE];
};

/* A function that was called so often that its probe was taken off. */
struct coverage_lapse {
	const char *function;
	const char *library;
};

struct coverage {
	uint64_t unix_ns;
	bool is_final;
	struct item_list sources;
	struct item_list not_seen;
	struct item_list late;	 /* of struct coverage_late */
	struct item_list lapses; /* of struct coverage_lapse */
	struct coverage_source source[NR_SOURCES];
	struct coverage_gap gap[COVERAGE_GAPS_MAX];
	struct coverage_lapse lapse[COVERAGE_LAPSES_MAX];
};

struct stream_start {
	const char *schema_version;
	const char *tool;
	const char *host;
	const char *kernel;
	uint64_t unix_ns;
	/* The command line, NUL-separated. */
	const char *options;
	size_t options_size;
};

extern const struct fields coverage_fields;
extern const struct fields start_fields;

/* Begins COVERAGE: empty lists. */
void coverage_init(struct coverage *coverage, uint64_t unix_ns, bool is_final);

/*
 * Adds SOURCE: its counters in the kernel and what became of its records. REASON (may be NULL) is
 * borrowed. The hook named is its first until coverage_name_hook() names another.
 */
void coverage_add_source(struct coverage *coverage, const struct source *source, bool is_attached,
			 const char *reason, const struct source_counters *counters,
			 const struct fate *fate);

/* Names the hook, borrowed, of the source that was added last. */
void coverage_name_hook(struct coverage *coverage, const char *hook);

/* Adds something that cannot be or was not seen. Both strings are borrowed. */
void coverage_add_gap(struct coverage *coverage, const char *what, const char *why, uint64_t count);

/* The same where COUNT is not 0. */
void coverage_add_some(struct coverage *coverage, const char *what, const char *why,
		       uint64_t count);

/* Adds GAP, whose strings are borrowed. */
void coverage_add(struct coverage *coverage, const struct coverage_gap *gap);

/* Tells the first of NR libraries that were probed late: LATE, borrowed, has room for the maximum.
 */
void coverage_set_late(struct coverage *coverage, const struct coverage_late *late, size_t nr);

/* Adds a function whose probe was taken off. Both strings are borrowed. */
void coverage_add_lapse(struct coverage *coverage, const char *function, const char *library);

#endif /* PIPELINE_COVERAGE_H */
