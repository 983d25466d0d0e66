/* SPDX-License-Identifier: MIT */
#ifndef TRACE_PLAN_H
#define TRACE_PLAN_H

/* From functions of the catalogue to places in a file: where their probes stand, and what they say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/api.h"
#include "inspect/elf.h"
#include "inspect/probe.h"
#include "sources/api_call/api_call.h"

/* Functions of one file: no library has more. */
#define PLAN_MAX PROBE_NAMES_MAX

struct planned {
	const struct api_function *function;
	uint64_t offset; /* of the probe, in the file */
	uint64_t entry;	 /* of the function: the place of a probe at its return */
	uint64_t cookie; /* API_COOKIE_*, without a slot */
	bool has_return;
	int32_t also;	 /* api_slot.also */
	uint32_t stack;	 /* where it is to be known who calls: api_slot.stack */
	uint32_t before; /* bytes of code in the file before and behind the probe */
	uint32_t behind;
	uint32_t limit;	      /* calls in a second that it may cost: api_slot.limit */
	struct api_site site; /* of a static probe, whose cookie says so: what it tells */
};

/* Whether FUNCTION is watched when GROUP is asked for. */
bool plan_wants(const struct api_function *function, enum api_group group);

/*
 * Its cookie, without a slot. IS_PROGRAM: the file is a program with the library inside, where all
 * callers are in the same file. HAS_NAMES: it is of OpenSSL 3, whose algorithms have names in
 * memory.
 */
uint64_t plan_cookie(const struct api_function *function, bool is_program, bool has_names);

/*
 * Plans the probes of GROUP for ELF, and the static ones that "crypto_auditing" has there, a file
 * of FAMILY; none: a program that may have OpenSSL or a fork of it inside, which *FAMILY then
 * tells. Fills RET, room for PLAN_MAX. Returns how many there are, 0 when the file exports none of
 * the functions, -EOPNOTSUPP when it is for another machine than this program, or a negative errno.
 *
 * *RET_REFUSED static probes are not planned: their arguments are told in a form that is not known;
 * or they have a counter of those who look, and tell nothing while it is 0. Who may have it raised
 * has written to the memory of other processes, which the worker must not be able to.
 */
int plan_make(const struct elf *elf, enum library_family *family, enum api_group group,
	      struct planned *ret, size_t *ret_refused);

#endif /* TRACE_PLAN_H */
