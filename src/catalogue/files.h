/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_FILES_H
#define CATALOGUE_FILES_H

/*
 * What the name of a file says about its content, from the catalogue files.def. The kernel makes a
 * first choice with match.h; this one is exact. Everything returned is static and constant.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"

/* Codes are for use within a run: only the names are printed and promised. */
enum file_type {
#define FILE_TYPE(type, help) FILE_TYPE_##type,
#include "catalogue/files.def"
};

enum file_kind {
#define FILE_KIND(kind, help) FILE_KIND_##kind,
#include "catalogue/files.def"
};

extern const struct code_table file_type_codes;
extern const struct code_table file_kind_codes;

struct file_class {
	uint32_t type; /* enum file_type */
	uint32_t kind; /* enum file_kind */
};

/*
 * Classifies PATH of SIZE bytes, which need not be terminated and may hold any bytes. Only its last
 * components are looked at, in any case; a path spelled with "//" or "/./" should be normalised
 * first. Returns NULL when the name is not in the catalogue.
 */
const struct file_class *file_classify(const char *path, size_t size);

/*
 * Whether a file of KIND, enum file_kind, is judged by its content: certificates, keys and what
 * holds them. The content of configuration, secrets in text and devices is nobody's business.
 */
bool content_is_told(uint32_t kind);

#endif /* CATALOGUE_FILES_H */
