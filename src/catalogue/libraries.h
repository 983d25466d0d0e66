/* SPDX-License-Identifier: MIT */
#ifndef CATALOGUE_LIBRARIES_H
#define CATALOGUE_LIBRARIES_H

/*
 * Which crypto library a mapped file is, judged by its name and directory (libraries.def). A name
 * matches whole: "libsslclient.so" and "libssl notes.txt" are no crypto libraries. Everything
 * returned is static and constant.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/codes.h"

/* Codes are for use within a run: only the names are printed and promised. */
enum library_family {
	LIBRARY_FAMILY_none,
#define LIBRARY_FAMILY(family, help) LIBRARY_FAMILY_##family,
#include "catalogue/libraries.def"
};

/* Has no name for LIBRARY_FAMILY_none. */
extern const struct code_table library_family_codes;

struct library_class {
	uint32_t family; /* enum library_family */
};

/*
 * Classifies PATH of SIZE bytes, which need not be terminated and may hold any bytes; a trailing
 * " (deleted)" (proc_pid_maps(5)) is overlooked. Returns NULL when it is no crypto library.
 */
const struct library_class *library_classify(const char *path, size_t size);

/* The size of PATH without that " (deleted)". */
size_t library_path_size(const char *path, size_t size);

/* Whether PATH, as above, is a library that makes TLS handshakes, as libssl does and libcrypto not.
 */
bool library_speaks_tls(const char *path, size_t size);

/*
 * Whether PATH of SIZE bytes, of FAMILY (LIBRARY_FAMILY_none when it is of none), is what the user
 * means by PATTERN: the name of the family, or a part of the base name, in any case. The empty
 * pattern is part of every name.
 */
bool library_matches(const char *path, size_t size, uint32_t family, const char *pattern);

#endif /* CATALOGUE_LIBRARIES_H */
