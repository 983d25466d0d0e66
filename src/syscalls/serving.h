/* SPDX-License-Identifier: MIT */
#ifndef SYSCALLS_SERVING_H
#define SYSCALLS_SERVING_H

/* `--phase auto`: where it was put, in words. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/recording.h"

#define SERVING_NAME_SIZE 16

struct serving {
	uint32_t phase;		      /* that it begins */
	uint32_t nr;		      /* of the call, native */
	bool listens;		      /* the process listened before; else nobody did */
	char name[SERVING_NAME_SIZE]; /* of the process that was first, NUL-padded */
};

/* `auto` is to be at a call that is made so often by each process, on average. */
#define SERVING_MIN 3

/* The phase that `auto` begins in RECORDING; 0: there is no such point. */
size_t serving_phase(const struct recording *recording);

/*
 * Says in RECORDING, of one run, why the phase begins there: its `reason`, with what the nodes and
 * nr_hits tell. Returns 0 or -ENOMEM.
 */
int serving_explain(struct recording *recording, const struct serving *serving);

#endif /* SYSCALLS_SERVING_H */
