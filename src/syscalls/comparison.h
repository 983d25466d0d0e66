/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_COMPARISON_H
#define SYSCALLS_COMPARISON_H

/*
 * Which calls only one of two recordings has: of two runs, two C libraries, two versions of a
 * program. In all, by phase and by program; how often a call was made is no difference. Borrows
 * the recordings.
 */

#include <stdbool.h>
#include <stdio.h>

#include "lib/json.h"
#include "syscalls/recording.h"

enum comparison_side {
	COMPARISON_OLD,
	COMPARISON_NEW,
	NR_COMPARISON_SIDES
};

/* Calls of one recording that the other one has not in the same part. */
struct comparison_calls {
	struct recording_call *list;
	size_t nr;
};

/* What is compared with what: all, a phase, a program. */
struct comparison_part {
	/* The point of a phase, the path of a program; NULL: phase 0, or all. */
	const char *names[NR_COMPARISON_SIDES];
	/* Which recordings have it. All its calls are listed where that is only one. */
	bool is_in[NR_COMPARISON_SIDES];
	struct comparison_calls only[NR_COMPARISON_SIDES];
};

struct comparison {
	const struct recording *sides[NR_COMPARISON_SIDES];
	struct comparison_part all;
	/* Phases are the same where their points are, programs where their paths are; and those of
	 * COMMAND itself always. */
	struct comparison_part *phases, *programs;
	size_t nr_phases, nr_programs;
};

/* Compares. Returns 0 or -ENOMEM. comparison_free() ends it. */
int comparison_make(const struct recording *old, const struct recording *new,
		    struct comparison *ret);
void comparison_free(struct comparison *comparison);

/* Whether PART, or any part of COMPARISON, is not the same on both sides. */
bool comparison_part_differs(const struct comparison_part *part);
bool comparison_differs(const struct comparison *comparison);

#define COMPARISON_NOTE_MAX 320

/* Writes the I-th note on how far they can be compared to RET. False after the last one. */
bool comparison_note(const struct comparison *comparison, size_t i,
		     char ret[static COMPARISON_NOTE_MAX]);

/* Writes COMPARISON as one object, or prints it for people, in 80 columns. */
void comparison_write(const struct comparison *comparison, struct json *json);
void comparison_print(const struct comparison *comparison, FILE *out, bool has_color);

#endif /* SYSCALLS_COMPARISON_H */
