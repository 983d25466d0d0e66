/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TRACE_PLANNED_H
#define TESTS_TRACE_PLANNED_H

/* A plan, and what is in it. For tests of one program, after cmocka.h: has state. */

#include <string.h>

#include "trace/plan.h"

static struct planned planned[PLAN_MAX];
static int nr_planned;
static size_t nr_refused; /* static probes that plan_make() left out */

/* The plan of NAME, or NULL. */
static inline const struct planned *plan_of(const char *name)
{
	const struct planned *found = NULL;

	for (int i = 0; i < nr_planned; i++) {
		if (strcmp(planned[i].function->name, name) != 0)
			continue;
		/* each of them once */
		assert_null(found);
		found = &planned[i];
	}
	return found;
}

static inline const struct planned *plan_have(const char *name)
{
	const struct planned *found = plan_of(name);

	if (!found)
		fail_msg("'%s' has no place", name);
	return found;
}

#endif /* TESTS_TRACE_PLANNED_H */
