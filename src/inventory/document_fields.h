/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_DOCUMENT_FIELDS_H
#define INVENTORY_DOCUMENT_FIELDS_H

/* What the field tables of the documents have in common: short forms, and getters of constants. */

#include "pipeline/field.h"

#define TEXT(key, offset, kind, what)                                                              \
	{                                                                                          \
		NAMED(key), .type = FIELD_STR, .class = (kind), .get = get_text, .at = (offset),   \
			    .help = (what)                                                         \
	}
#define TEXTS(key, offset, kind, what)                                                             \
	{                                                                                          \
		NAMED(key), .type = FIELD_STRV, .class = (kind), .get = get_texts, .at = (offset), \
			    .help = (what)                                                         \
	}
#define LIST(key, offset, table, what)                                                             \
	{                                                                                          \
		NAMED(key), .type = FIELD_LIST, .class = CLASS_PUBLIC, .get = get_list,            \
			    .at = (offset), .sub = (table), .help = (what)                         \
	}
#define COUNT(key, offset, what)                                                                   \
	{                                                                                          \
		NAMED(key), .type = FIELD_U64, .class = CLASS_PUBLIC, .get = get_u64,              \
			    .at = (offset), .help = (what)                                         \
	}
#define TIME(key, offset, what)                                                                    \
	{                                                                                          \
		NAMED(key), .type = FIELD_TIME, .class = CLASS_PUBLIC, .get = get_u64,             \
			    .at = (offset), .help = (what)                                         \
	}

/* Makes TEXT, which is static or lives as long as the document, the value. */
void value_set_constant(struct value *ret, const char *text);

/* The version of all names and shapes, and that of a document, raised when a field is gone. */
void get_schema_version(const struct record *, const struct field *, struct value *);
void get_document_version(const struct record *, const struct field *, struct value *);
/* This tool's name and version. */
void get_tool(const struct record *, const struct field *, struct value *);

#endif /* INVENTORY_DOCUMENT_FIELDS_H */
