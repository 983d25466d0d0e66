/* SPDX-License-Identifier: MIT */
#ifndef INSPECT_PROVIDERS_H
#define INSPECT_PROVIDERS_H

/*
 * The providers of a program while they are being found: each kind of evidence adds what it knows,
 * in any order. All texts are copied, made valid UTF-8 without control characters, and bounded;
 * what does not fit is left out.
 */

#include <stddef.h>
#include <stdint.h>

#include "inspect/program.h"

#define TEXTS_SIZE_MAX	  4096 /* of each list of a provider */
#define PROVIDER_NAME_MAX 32
#define VERSION_TEXT_MAX  128

/* Different texts, each with its NUL. */
struct texts {
	char bytes[TEXTS_SIZE_MAX];
	size_t size;
};

struct draft {
	char name[PROVIDER_NAME_MAX];
	char version[VERSION_TEXT_MAX]; /* empty: not known */
	uint32_t linkage;
	uint32_t confidence;
	struct texts evidence, modules, settings, capabilities;
};

struct providers {
	size_t count;
	struct draft drafts[PROGRAM_PROVIDERS_MAX];
};

/*
 * The provider NAME, new where there is none of that name, with at least CONFIDENCE and with
 * EVIDENCE added. NULL when there is no room.
 */
struct draft *providers_add(struct providers *providers, const char *name, uint32_t linkage,
			    uint32_t confidence, const char *evidence);

/* Adds TEXT of SIZE bytes unless it is there or there is no room. */
void texts_add(struct texts *texts, const char *text, size_t size);

/* Keeps TEXT of SIZE bytes as the version; an empty one, or one too long, is none. */
void draft_version(struct draft *draft, const char *text, size_t size);

/* How many bytes providers_copy() needs. */
size_t providers_size(const struct providers *providers);

/*
 * Copies the providers to ITEMS and their texts behind them, all in one block of memory. Returns
 * where the block goes on.
 */
char *providers_copy(const struct providers *providers, struct provider *items);

/* The bytes of TEXT with its NUL; 0 for NULL and for an empty one, which are no text. */
size_t text_size(const char *text);

/* Copies TEXT to *NEXT, which moves on. Returns the copy, or NULL for no text. */
const char *text_copy(char **next, const char *text);

#endif /* INSPECT_PROVIDERS_H */
