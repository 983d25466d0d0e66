/* SPDX-License-Identifier: MIT */
#include "tap/opened.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/files.h"

/* A fingerprint is 64 digits. */
#define FINGERPRINT_SIZE 65

struct opening {
	char *path; /* NULL: none */
	uint32_t pid;
	char fingerprint[FINGERPRINT_SIZE];
};

struct opened {
	size_t next; /* the oldest */
	struct opening openings[OPENED_MAX];
};

/* The fingerprint of the first certificate, or NULL. */
static const char *fingerprint_of(const struct content *content)
{
	const struct certificate *first = content->certificates.items;
	const char *fingerprint = content->certificates.count ? first->fingerprint_sha256 : NULL;

	return fingerprint && strlen(fingerprint) < FINGERPRINT_SIZE ? fingerprint : NULL;
}

static const struct opening *find(const struct opened *opened, uint32_t pid,
				  const char *fingerprint)
{
	for (size_t i = 0; i < OPENED_MAX; i++) {
		const struct opening *opening = &opened->openings[i];

		if (opening->path && opening->pid == pid &&
		    strcmp(opening->fingerprint, fingerprint) == 0)
			return opening;
	}
	return NULL;
}

void opened_add(struct opened *opened, uint32_t pid, const struct content *content,
		const char *path, size_t size)
{
	struct opening *opening = &opened->openings[opened->next];
	const char *fingerprint = fingerprint_of(content);
	char *copy;

	/* What everybody opens and nobody shows would crowd the others out. */
	if (!fingerprint || content->kind == FILE_KIND_ca_bundle || find(opened, pid, fingerprint))
		return;
	copy = strndup(path, size);
	if (!copy)
		return;
	free(opening->path);
	opening->path = copy;
	opening->pid = pid;
	memcpy(opening->fingerprint, fingerprint, strlen(fingerprint) + 1);
	opened->next = (opened->next + 1) % OPENED_MAX;
}

const char *opened_find(const struct opened *opened, uint32_t pid, uint32_t ppid,
			const struct content *content)
{
	const char *fingerprint = fingerprint_of(content);
	const struct opening *opening = NULL;

	if (fingerprint)
		opening = find(opened, pid, fingerprint);
	if (fingerprint && !opening)
		opening = find(opened, ppid, fingerprint);
	return opening ? opening->path : NULL;
}

int opened_new(struct opened **ret)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return -ENOMEM;
	*ret = opened;
	return 0;
}

void opened_free(struct opened *opened)
{
	if (!opened)
		return;
	for (size_t i = 0; i < OPENED_MAX; i++)
		free(opened->openings[i].path);
	free(opened);
}
