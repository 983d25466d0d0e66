/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PEM_H
#define INSPECT_PEM_H

/*
 * Text with blocks in base64 between "-----BEGIN X-----" and "-----END X-----" (RFC 7468; RFC 1421
 * for their headers; RFC 9580, 6.2 for the armor of OpenPGP). Anything may stand between blocks.
 * Each byte of the text is looked at a fixed number of times, whatever it holds.
 */

#include <stdbool.h>
#include <stddef.h>

#include "inspect/judge.h"

/* Letters of a label. */
#define PEM_LABEL_MAX 64

/* Both point into the text. */
struct pem_block {
	const char *label;
	size_t label_size;
	const char *body; /* base64, behind the headers */
	size_t body_size;
	bool is_encrypted; /* "Proc-Type: 4,ENCRYPTED" */
	bool is_whole;	   /* the end is there and has the same label */
};

/* Finds the first block in the text from *AT to END and moves *AT behind it. */
bool pem_next(const char **at, const char *end, struct pem_block *ret);

/* Judges what the blocks in TEXT hold. Returns whether there are any. */
bool pem_judge(struct judge *judge, const char *text, size_t size);

#endif /* INSPECT_PEM_H */
