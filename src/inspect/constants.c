/* SPDX-License-Identifier: MIT */
#include "inspect/constants.h"

#include <string.h>

#include "lib/array.h"

static const struct needle needles[] = {
#define CONSTANT(algorithm, text, where)                                                           \
	{ .bytes = (text), .size = sizeof(text) - 1, .rare = (where) },
#include "inspect/constants.def"
};

static const char *const algorithms[] = {
#define CONSTANT(algorithm, text, where) algorithm,
#include "inspect/constants.def"
};

_Static_assert(ARRAY_SIZE(needles) <= 32, "a bit for each");

static void take_constant(void *ctx, size_t which, const struct hit *hit)
{
	struct constants *constants = ctx;

	(void)hit;
	constants->found |= UINT32_C(1) << which;
}

struct needle_group constants_group(struct constants *constants)
{
	return (struct needle_group){ needles, ARRAY_SIZE(needles), take_constant, constants };
}

void constants_tell(const struct constants *constants, struct providers *providers)
{
	struct draft *draft = NULL;

	if (constants->found)
		draft = providers_add(providers, "constants", LINKAGE_static, CONFIDENCE_low,
				      "constants");
	for (size_t i = 0; draft && i < ARRAY_SIZE(algorithms); i++)
		if (constants->found & UINT32_C(1) << i)
			texts_add(&draft->capabilities, algorithms[i], strlen(algorithms[i]));
}
