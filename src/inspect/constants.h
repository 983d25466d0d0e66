/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_CONSTANTS_H
#define INSPECT_CONSTANTS_H

/*
 * Algorithms by their constants (constants.def): what a program could do, not what it does. The
 * last resort, for programs that tell nothing else.
 */

#include <stdint.h>

#include "inspect/providers.h"
#include "inspect/search.h"

struct constants {
	uint32_t found; /* a bit for each row of constants.def */
};

/* What finds them. CONSTANTS is borrowed and filled. */
struct needle_group constants_group(struct constants *constants);

/* Adds the provider "constants" when any was found. */
void constants_tell(const struct constants *constants, struct providers *providers);

#endif /* INSPECT_CONSTANTS_H */
