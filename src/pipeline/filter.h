/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_FILTER_H
#define PIPELINE_FILTER_H

/*
 * What the user wants to see of what arrives. Processes are selected in the kernel (bpf/set.bpf.h);
 * here it is the kind of event, the file and the library. Borrows the pattern strings.
 */

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/record.h"

#define FILTER_PATTERNS_MAX 16

struct filter {
	uint32_t wanted;   /* bit i: events of source i */
	uint64_t since_ns; /* boot time; before it not all processes were known */
	const char *files[FILTER_PATTERNS_MAX];
	size_t nr_files;
	const char *libraries[FILTER_PATTERNS_MAX];
	size_t nr_libraries;
};

/*
 * Whether RECORD is wanted: STAGE_NEXT or STAGE_DROP. A file pattern keeps events with a file that
 * matches one of the patterns and drops events without a file; likewise for libraries; with both,
 * events with either remain.
 */
int filter_record(const struct filter *filter, const struct record *record);

/*
 * Whether PATH (SIZE bytes) matches the shell PATTERN; one without a slash is also tried on the
 * base name alone. `*` and `?` match slashes too.
 */
bool filter_glob(const char *pattern, const char *path, size_t size);

#endif /* PIPELINE_FILTER_H */
