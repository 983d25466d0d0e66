/* SPDX-License-Identifier: MIT */
#include "sources/verdicts.h"

#include <string.h>

struct read_verdicts {
	struct item_list list;
	struct finding findings[VERDICTS_MAX];
};

/* Text for EVIDENCE of SIZE bytes; NULL: no room. */
static const char *keep(struct record *record, const uint8_t *evidence, size_t size)
{
	char *text = arena_take(record->arena, size + 1);

	if (!text)
		return NULL;
	memcpy(text, evidence, size);
	text[size] = '\0';
	return text;
}

/* The next finding to be filled, or NULL: there are more than are told. */
static struct finding *next(struct read_verdicts *read)
{
	if (read->list.count < VERDICTS_MAX)
		return &read->findings[read->list.count];
	read->list.truncated = true;
	return NULL;
}

/* Reads the verdict at AT of SIZE bytes. Returns how many it takes, 0: it is cut. */
static size_t read_one(struct record *record, const uint8_t *at, size_t size,
		       bool (*name_rule)(uint8_t rule, struct finding *finding),
		       struct read_verdicts *read)
{
	struct finding found = { 0 };
	struct finding *finding;

	if (size < 2 || at[1] > size - 2)
		return 0;
	finding = name_rule(at[0], &found) ? next(read) : NULL;
	if (finding) {
		found.evidence = keep(record, at + 2, at[1]);
		*finding = found;
		read->list.count += found.evidence != NULL;
		read->list.truncated |= !found.evidence;
	}
	return 2 + (size_t)at[1];
}

const struct item_list *verdicts_read(struct record *record, struct tail tail,
				      bool (*name_rule)(uint8_t rule, struct finding *finding),
				      const struct item_list *more)
{
	struct read_verdicts *read = (void *)arena_take(record->arena, sizeof(*read));
	const uint8_t *at = record->bytes + tail.off;
	size_t left = tail.size;
	size_t n;

	if (!read)
		return NULL;
	read->list = (struct item_list){ .items = read->findings,
					 .stride = sizeof(read->findings[0]),
					 .truncated = more && more->truncated };
	while ((n = read_one(record, at, left, name_rule, read)) > 0) {
		at += n;
		left -= n;
	}
	for (size_t i = 0; more && i < more->count; i++) {
		struct finding *finding = next(read);

		if (!finding)
			break;
		*finding = ((const struct finding *)more->items)[i];
		read->list.count++;
	}
	return read->list.count ? &read->list : NULL;
}

void verdicts_get(const struct record *record, const struct field *field, struct value *ret)
{
	const struct item_list *list =
		record->slots[field->at].present ? record->slots[field->at].obj : NULL;

	if (!list || !list->count)
		return;
	ret->present = true;
	ret->list.items = list->items;
	ret->list.count = list->count;
	ret->list.stride = list->stride;
	ret->list.truncated = list->truncated;
}
