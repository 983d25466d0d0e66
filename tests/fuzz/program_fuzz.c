/* SPDX-License-Identifier: MIT */
/*
 * src/inspect/: whatever a file holds, it is read within its bounds and what is said of it keeps
 * its promises: texts that end, lists of whole texts in UTF-8, codes with names.
 *
 * The first byte of the input chooses the depth and the family of a library; the rest is the file.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/libraries.h"
#include "inspect/program.h"
#include "lib/utf8.h"

#define INPUT_MAX (256U << 10)

static void check(int condition)
{
	if (!condition)
		abort();
}

static void check_text(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint32_t rune;

		at += utf8_decode(text + at, size - at, &rune);
		check(rune != UTF8_INVALID && !utf8_is_control(rune));
	}
}

/* NUL-separated, with a NUL at the end, none of them empty. */
static void check_texts(const char *texts, size_t size)
{
	check(!size == !texts);
	for (size_t at = 0; at < size;) {
		size_t length = strnlen(texts + at, size - at);

		check(length > 0 && at + length < size);
		check_text(texts + at, length);
		at += length + 1;
	}
}

static void check_provider(const struct provider *provider)
{
	check(provider->name && *provider->name);
	check(code_name(&linkage_codes, provider->linkage) != NULL);
	check(code_name(&confidence_codes, provider->confidence) != NULL);
	check(provider->evidence_size > 0);
	if (provider->version)
		check_text(provider->version, strlen(provider->version));
	check_texts(provider->evidence, provider->evidence_size);
	check_texts(provider->modules, provider->modules_size);
	check_texts(provider->settings, provider->settings_size);
	check_texts(provider->capabilities, provider->capabilities_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program *program = NULL;
	struct window window;
	size_t nr_families = library_family_codes.nr_entries;

	if (!size || size > INPUT_MAX)
		return 0;
	window_memory(&window, data + 1, size - 1);
	check(program_inspect(&window, (enum program_depth)(data[0] % 3),
			      (uint32_t)(data[0] / 3 % (nr_families + 1)), &program) == 0);
	check(strlen(program->build_id) <= 2 * PROGRAM_BUILD_ID_MAX);
	check(program->providers.count <= PROGRAM_PROVIDERS_MAX);
	check(program->is_elf || (!program->providers.count && !program->soname));
	if (program->soname)
		check_text(program->soname, strlen(program->soname));
	if (program->version)
		check_text(program->version, strlen(program->version));
	for (size_t i = 0; i < program->providers.count; i++)
		check_provider((const struct provider *)program->providers.items + i);
	program_free(program);
	window_close(&window);
	return 0;
}
