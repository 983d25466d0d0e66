/* SPDX-License-Identifier: MIT */
#include "inspect/providers.h"

#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

/* A text that is longer says nothing. */
#define TEXT_MAX 512

void texts_add(struct texts *texts, const char *text, size_t size)
{
	char plain[TEXT_MAX];

	if (!size || size >= sizeof(plain) / 4)
		return;

	size_t taken = text_escape(plain, sizeof(plain), text, size) + 1;

	for (size_t at = 0; at < texts->size; at += strlen(texts->bytes + at) + 1)
		if (!strcmp(texts->bytes + at, plain))
			return;
	if (taken > sizeof(texts->bytes) - texts->size)
		return;
	memcpy(texts->bytes + texts->size, plain, taken);
	texts->size += taken;
}

void draft_version(struct draft *draft, const char *text, size_t size)
{
	if (size < sizeof(draft->version) / 4)
		text_escape(draft->version, sizeof(draft->version), text, size);
}

struct draft *providers_add(struct providers *providers, const char *name, uint32_t linkage,
			    uint32_t confidence, const char *evidence)
{
	struct draft *draft = NULL;

	for (size_t i = 0; i < providers->count && !draft; i++)
		if (!strcmp(providers->drafts[i].name, name))
			draft = &providers->drafts[i];
	if (!draft) {
		if (providers->count == PROGRAM_PROVIDERS_MAX)
			return NULL;
		draft = &providers->drafts[providers->count++];
		snprintf(draft->name, sizeof(draft->name), "%s", name);
		draft->linkage = linkage;
	}
	if (confidence > draft->confidence)
		draft->confidence = confidence;
	texts_add(&draft->evidence, evidence, strlen(evidence));
	return draft;
}
