/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_REFUSALS_H
#define SYSCALLS_REFUSALS_H

/*
 * What a policy refused in a run, by process, phase, call and place in the code: what differs in
 * nothing of that is counted. Bounded: of kinds beyond REFUSALS_MAX only the number of calls is
 * known.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/pool.h"
#include "syscalls/numbers.h"
#include "syscalls/where.h"

#define REFUSALS_MAX	  2048
#define REFUSAL_NAME_SIZE 16 /* of a process, TASK_COMM_LEN */

/* One kind of refusal. */
struct refusal {
	char process[REFUSAL_NAME_SIZE]; /* its name at that time */
	const char *exe;		 /* NULL: not known */
	pid_t pid;			 /* of the first */
	uint32_t phase;
	uint32_t audit; /* AUDIT_ARCH_* as the kernel says */
	uint32_t arch;	/* enum syscall_arch; NR_SYSCALL_ARCHES: none that is known */
	uint32_t nr;
	int error;	    /* that was given, EPERM; 0: it was let through */
	bool by_argument;   /* the call is allowed, with other arguments */
	const char *file;   /* NULL: the code is not of a file */
	uint64_t offset;    /* in the file, or the address */
	const char *symbol; /* NULL: not known */
	uint64_t into;
	uint64_t count;
	uint64_t first_ns; /* since the run began */
};

struct refusals {
	struct pool pool;
	struct refusal *list[REFUSALS_MAX]; /* in the order in which they were first seen */
	size_t nr;
	uint64_t total;	   /* of all calls */
	uint64_t nr_other; /* of those, beyond REFUSALS_MAX kinds */
};

/*
 * Counts one like REFUSAL, whose strings are copied and whose count is taken. Returns its place in
 * the list, or -E2BIG, -ENOMEM: it is counted as another.
 */
int refusals_add(struct refusals *refusals, const struct refusal *refusal);

/* Counts another one like that in PLACE. */
void refusals_again(struct refusals *refusals, size_t place);

void refusals_free(struct refusals *refusals);

/* What is known of the run. */
struct refusals_run {
	char *const *command;
	const char *policy;	  /* the file */
	const char *const *notes; /* sentences for people */
	size_t nr_notes;
	size_t nr_phases;
	const char *const *points; /* of each phase */
	uint64_t duration_ns;
	int status; /* of COMMAND, 128 + signal */
};

/* Prints them for people, 80 columns at most. Returns 0, -ENOMEM, or -EIO where OUT failed. */
int refusals_print(const struct refusals *refusals, const struct refusals_run *run, FILE *out,
		   bool has_color);

/* Renders them as JSON into *RET, *RET_SIZE bytes for the caller to free. */
int refusals_render(const struct refusals *refusals, const struct refusals_run *run, char **ret,
		    size_t *ret_size);

/* "EPERM"; "none" for 0. */
const char *refusal_error(int error);

#endif /* SYSCALLS_REFUSALS_H */
