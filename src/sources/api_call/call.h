/* SPDX-License-Identifier: MIT */
#ifndef API_CALL_CALL_H
#define API_CALL_CALL_H

/*
 * What a call of a crypto function means: which algorithms it uses, under their one name, and what
 * is to be said against it. Pure: from the catalogue's function and the bytes of a record.
 */

#include <stdbool.h>
#include <stdint.h>

#include "catalogue/algorithms.h"
#include "catalogue/api.h"
#include "inspect/finding.h"
#include "pipeline/record.h"

/* Algorithms of one call: HMAC-SHA-256 with PBKDF2 is two. */
#define API_CALL_ALGORITHMS_MAX 4
#define API_CALL_FINDINGS_MAX	4

/* An argument that was read, and is a setting: never a secret. */
struct api_call_argument {
	const char *name; /* static */
	const char *text; /* not terminated */
	size_t size;
};

struct api_call {
	const struct api_function *function;
	const char *library; /* path as the process has it, NUL-terminated; "kernel" */
	uint32_t family;     /* enum library_family, of the file */
	uint64_t count;	     /* 1, or how many were counted in the kernel */
	/*
	 * The first is the one that the event is named by. What the catalogue of algorithms does
	 * not have is in name alone.
	 */
	const struct algorithm *algorithms[API_CALL_ALGORITHMS_MAX];
	size_t nr_algorithms;
	const char *name; /* of the first, or as the program named it; not terminated, NULL: none */
	size_t name_size;
	struct api_call_argument argument[API_ARGUMENTS_MAX];
	struct item_list arguments; /* of struct api_call_argument */
	struct finding finding[API_CALL_FINDINGS_MAX];
	struct item_list findings; /* of struct finding, without processes */
	int64_t result;
	bool has_result;
};

/*
 * Tells what RECORD, an api_call that has been decoded, is: a call of FUNCTION in the file LIBRARY,
 * of FAMILY, by a program that IS_SERVER as far as is known. All of it outlives the record. Returns
 * enum stage_result.
 */
int api_call_resolve(struct record *record, const struct api_function *function,
		     const char *library, uint32_t family, bool is_server);

/* What a resolved RECORD tells; NULL before that. */
const struct api_call *api_call_of(const struct record *record);

/* Has RECORD, resolved, tell no name of a host: "***" takes its place (--redact-sni). */
void api_call_hide_hosts(struct record *record);

/* Fills CALL, zeroed but for function, library and family, from the bytes of RECORD. */
void api_call_read(struct record *record, struct api_call *call, bool is_server);

#endif /* API_CALL_CALL_H */
