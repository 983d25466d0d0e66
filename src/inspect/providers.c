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

size_t text_size(const char *text)
{
	return text && *text ? strlen(text) + 1 : 0;
}

static const char *bytes_copy(char **next, const char *bytes, size_t size)
{
	char *copy = *next;

	if (!size)
		return NULL;
	memcpy(copy, bytes, size);
	*next += size;
	return copy;
}

const char *text_copy(char **next, const char *text)
{
	return bytes_copy(next, text, text_size(text));
}

size_t providers_size(const struct providers *providers)
{
	size_t size = providers->count * sizeof(struct provider);

	for (size_t i = 0; i < providers->count; i++) {
		const struct draft *draft = &providers->drafts[i];

		size += text_size(draft->name) + text_size(draft->version) + draft->evidence.size +
			draft->modules.size + draft->settings.size + draft->capabilities.size;
	}
	return size;
}

char *providers_copy(const struct providers *providers, struct provider *items)
{
	char *next = (char *)(items + providers->count);

	for (size_t i = 0; i < providers->count; i++) {
		const struct draft *draft = &providers->drafts[i];
		struct provider *item = &items[i];

		item->name = text_copy(&next, draft->name);
		item->version = text_copy(&next, draft->version);
		item->linkage = draft->linkage;
		item->confidence = draft->confidence;
		item->evidence = bytes_copy(&next, draft->evidence.bytes, draft->evidence.size);
		item->evidence_size = draft->evidence.size;
		item->modules = bytes_copy(&next, draft->modules.bytes, draft->modules.size);
		item->modules_size = draft->modules.size;
		item->settings = bytes_copy(&next, draft->settings.bytes, draft->settings.size);
		item->settings_size = draft->settings.size;
		item->capabilities =
			bytes_copy(&next, draft->capabilities.bytes, draft->capabilities.size);
		item->capabilities_size = draft->capabilities.size;
	}
	return next;
}
