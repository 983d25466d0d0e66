/* SPDX-License-Identifier: MIT */
#include "syscalls/refusals.h"

#include <errno.h>
#include <string.h>

#include "lib/bytes.h"

const char *refusal_error(int error)
{
	switch (error) {
	case 0:
		return "none";
	case EPERM:
		return "EPERM";
	case ENOSYS:
		return "ENOSYS";
	}
	return "another";
}

static bool is_same(const struct refusal *a, const struct refusal *b)
{
	return a->nr == b->nr && a->audit == b->audit && a->arch == b->arch &&
	       a->phase == b->phase && a->offset == b->offset && a->error == b->error &&
	       a->by_argument == b->by_argument && strcmp(a->process, b->process) == 0 &&
	       text_equal(a->exe, b->exe) && text_equal(a->file, b->file);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A copy of TEXT that is REFUSALS's; NULL is copied, too. */
static int copy(struct refusals *refusals, const char **text)
{
	if (!*text)
		return 0;
	*text = pool_text(&refusals->pool, *text, strlen(*text));
	return *text ? 0 : -ENOMEM;
}

static int add_new(struct refusals *refusals, const struct refusal *refusal)
{
	struct refusal *added;

	if (refusals->nr == REFUSALS_MAX)
		return -E2BIG;
	added = pool_take(&refusals->pool, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = *refusal;
	if (copy(refusals, &added->exe) || copy(refusals, &added->file) ||
	    copy(refusals, &added->symbol))
		return -ENOMEM;
	refusals->list[refusals->nr] = added;
	return (int)refusals->nr++;
}

int refusals_add(struct refusals *refusals, const struct refusal *refusal)
{
	int place;

	refusals->total = sum(refusals->total, refusal->count);
	for (size_t i = 0; i < refusals->nr; i++)
		if (is_same(refusals->list[i], refusal)) {
			refusals->list[i]->count = sum(refusals->list[i]->count, refusal->count);
			return (int)i;
		}
	place = add_new(refusals, refusal);
	if (place < 0)
		refusals->nr_other = sum(refusals->nr_other, refusal->count);
	return place;
}

void refusals_again(struct refusals *refusals, size_t place)
{
	refusals->list[place]->count = sum(refusals->list[place]->count, 1);
	refusals->total = sum(refusals->total, 1);
}

void refusals_free(struct refusals *refusals)
{
	pool_free(&refusals->pool);
	*refusals = (struct refusals){ 0 };
}
