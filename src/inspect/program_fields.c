/* SPDX-License-Identifier: MIT */
#include "inspect/program.h"

#include <stddef.h>

#define PROVIDER(member) offsetof(struct provider, member)

#define ENTRY(prefix, name, text)                                                                  \
	{                                                                                          \
		prefix##_##name, #name, text                                                       \
	}

static const struct code_entry linkage_entries[] = {
	ENTRY(LINKAGE, dynamic, "a shared library, mapped"),
	ENTRY(LINKAGE, static, "built into the executable"),
	ENTRY(LINKAGE, bundled, "a library of its own that the executable contains and exports"),
	ENTRY(LINKAGE, kernel, "the kernel's"),
};

static const struct code_entry confidence_entries[] = {
	ENTRY(CONFIDENCE, low, "it could, not it does: constants of algorithms are there"),
	ENTRY(CONFIDENCE, medium, "it says so"),
	ENTRY(CONFIDENCE, high, "its code is there"),
};

#define TABLE(text, array)                                                                         \
	{                                                                                          \
		(text), (array), sizeof(array) / sizeof((array)[0])                                \
	}

const struct code_table linkage_codes = TABLE("linkage", linkage_entries);
const struct code_table confidence_codes = TABLE("confidence", confidence_entries);

/* A list of texts and, behind it, its size. */
#define CHECK_LIST(member)                                                                         \
	_Static_assert(PROVIDER(member##_size) - PROVIDER(member) ==                               \
			       offsetof(struct text_list, size),                                   \
		       "get_texts() reads them together")
CHECK_LIST(evidence);
CHECK_LIST(modules);
CHECK_LIST(settings);
CHECK_LIST(capabilities);

#define TEXTS(key, member, what)                                                                   \
	{                                                                                          \
		NAMED(key), .type = FIELD_STRV, .class = CLASS_TEXT, .get = get_texts,             \
			    .at = PROVIDER(member), .help = (what)                                 \
	}

/* clang-format off */
static const struct field provider_table[] = {
	{ NAMED("name"), .type = FIELD_STR, .class = CLASS_PUBLIC, .get = get_text,
	  .at = PROVIDER(name), .text = TEXT_BARE,
	  .help = "what does the cryptography: a library, a language's own, a TLS stack" },
	{ NAMED("version"), .type = FIELD_STR, .class = CLASS_TEXT, .get = get_text,
	  .at = PROVIDER(version), .text = TEXT_BARE, .help = "its version, by its own bytes" },
	{ NAMED("linkage"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROVIDER(linkage), .codes = &linkage_codes, .help = "how the program gets it" },
	{ NAMED("evidence"), .type = FIELD_STRV, .class = CLASS_TEXT, .get = get_texts,
	  .at = PROVIDER(evidence), .help = "what shows that it is there" },
	{ NAMED("confidence"), .type = FIELD_CODE, .class = CLASS_PUBLIC, .get = get_u32,
	  .at = PROVIDER(confidence), .codes = &confidence_codes,
	  .help = "how far the evidence goes" },
	TEXTS("modules", modules, "modules or crates of it, with versions"),
	TEXTS("settings", settings, "settings it was built with"),
	TEXTS("capabilities", capabilities, "algorithms whose constants are there"),
};
/* clang-format on */

const struct fields provider_fields = FIELDS(provider_table);
