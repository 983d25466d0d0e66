/* SPDX-License-Identifier: MIT */
#include "inventory/profile_findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/profile_private.h"
#include "lib/bytes.h"

/* A copy of TEXT in POOL. Returns false where there is no memory. */
static bool copy_text(struct pool *pool, const char *text, const char **ret)
{
	*ret = text ? pool_text(pool, text, strlen(text)) : NULL;
	return *ret || !text;
}

/* The one with the rule and evidence of FINDING; NULL: there is none. */
static struct finding *find(const struct profile_findings *findings, const struct finding *finding)
{
	for (size_t i = 0; i < findings->nr_items; i++)
		if (strcmp(findings->items[i].rule, finding->rule) == 0 &&
		    text_equal(findings->items[i].evidence, finding->evidence))
			return &findings->items[i];
	return NULL;
}

int profile_findings_take(struct profile_findings *findings, struct pool *pool,
			  const struct finding *finding)
{
	struct finding copy = *finding;
	struct finding *item = find(findings, finding);

	if (item) {
		/* It may be worse in one process than in another. */
		if (finding->severity > item->severity)
			item->severity = finding->severity;
		return 0;
	}
	if (findings->nr_items >= PROFILE_FINDINGS_MAX) {
		findings->nr_refused++;
		return 0;
	}
	if (!copy_text(pool, finding->evidence, &copy.evidence) ||
	    !copy_text(pool, finding->file, &copy.file))
		return -ENOMEM;
	copy.processes = (struct item_list){ .stride = sizeof(struct process_name) };
	item = profile_grow(&findings->items, &findings->nr_items, sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = copy;
	return 0;
}

void profile_findings_free(struct profile_findings *findings)
{
	free(findings->items);
	*findings = (struct profile_findings){ 0 };
}
