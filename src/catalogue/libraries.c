/* SPDX-License-Identifier: MIT */
#include "catalogue/libraries.h"

#include <endian.h>
#include <string.h>
#include <strings.h>

#include "lib/array.h"

static const struct code_entry family_entries[] = {
#define LIBRARY_FAMILY(family, text) { LIBRARY_FAMILY_##family, #family, text },
#include "catalogue/libraries.def"
};

const struct code_table library_family_codes = { "library_family", family_entries,
						 ARRAY_SIZE(family_entries) };

enum form {
	FORM_STEM,
	FORM_MODULE,
	FORM_PREFIX,
	FORM_DIR
};

/*
 * The first 8 bytes of a name in a word, the first in the lowest byte. Every mapping on the host is
 * looked up, and nearly every row is told apart by them in one compare.
 */
#define HEAD_BYTE(text, at)                                                                        \
	((uint64_t)(unsigned char)(text)[(at) < sizeof(text) ? (at) : sizeof(text) - 1] << 8 * (at))
#define HEAD(text)                                                                                 \
	(HEAD_BYTE(text, 0) | HEAD_BYTE(text, 1) | HEAD_BYTE(text, 2) | HEAD_BYTE(text, 3) |       \
	 HEAD_BYTE(text, 4) | HEAD_BYTE(text, 5) | HEAD_BYTE(text, 6) | HEAD_BYTE(text, 7))
#define HEAD_MASK(text)                                                                            \
	(sizeof(text) > 8 ? UINT64_MAX : (UINT64_C(1) << 8 * ((sizeof(text) - 1) & 7)) - 1)

struct row {
	uint64_t head, head_mask;
	const char *stem; /* or the prefix; empty: any */
	size_t stem_size;
	const char *dir; /* empty: any */
	size_t dir_size;
	unsigned int major;
	enum form form;
	struct library_class class;
};

#define ROW(text, where, number, how, family)                                                      \
	{ .head = HEAD(text),                                                                      \
	  .head_mask = HEAD_MASK(text),                                                            \
	  .stem = (text),                                                                          \
	  .stem_size = sizeof(text) - 1,                                                           \
	  .dir = (where),                                                                          \
	  .dir_size = sizeof(where) - 1,                                                           \
	  .major = (number),                                                                       \
	  .form = (how),                                                                           \
	  .class = { LIBRARY_FAMILY_##family } },

/* In the order in which forms win over each other. */
static const struct row rows[] = {
#define LIBRARY_IN(where, text, family)                                                            \
	ROW(text, where, 0, FORM_STEM, family) ROW(text, where, 0, FORM_MODULE, family)
#include "catalogue/libraries.def"
#define LIBRARY_SINCE(text, number, family) ROW(text, "", number, FORM_STEM, family)
#include "catalogue/libraries.def"
#define LIBRARY(text, family) ROW(text, "", 0, FORM_STEM, family)
#include "catalogue/libraries.def"
#define LIBRARY_MODULE(text, family) ROW(text, "", 0, FORM_MODULE, family)
#include "catalogue/libraries.def"
#define LIBRARY_PREFIX(text, family) ROW(text, "", 0, FORM_PREFIX, family)
#include "catalogue/libraries.def"
#define LIBRARY_DIR(where, family) ROW("", where, 0, FORM_DIR, family)
#include "catalogue/libraries.def"
};

static const struct row tls_rows[] = {
#define LIBRARY_TLS(text) ROW(text, "", 0, FORM_STEM, none) ROW(text, "", 0, FORM_MODULE, none)
#include "catalogue/libraries.def"
};

/* A file name taken apart. Borrows the path. */
struct parts {
	const char *dir; /* without the slash at its end */
	size_t dir_size;
	const char *base;
	uint64_t head;
	size_t stem_size;   /* up to ".so" */
	size_t plain_size;  /* the stem without "-VERSION" or "-HASH" */
	size_t module_size; /* the stem up to its first dot */
	unsigned int major; /* what follows ".so."; 0: nothing */
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f');
}

static bool is_alnum(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

size_t library_path_size(const char *path, size_t size)
{
	static const char mark[] = " (deleted)";
	size_t mark_size = sizeof(mark) - 1;

	if (size > mark_size && !memcmp(path + size - mark_size, mark, mark_size))
		return size - mark_size;
	return size;
}

/*
 * Whether the SIZE bytes behind ".so" are a version: ".3", ".1.1.1k", nothing. Behind it rpm may
 * have left ";" and hexadecimal digits, its mark for a file it is replacing.
 */
static bool is_version(const char *bytes, size_t size)
{
	size_t at = 0;

	while (at < size && bytes[at] == '.') {
		if (++at == size || !is_digit(bytes[at]))
			return false;
		while (at < size && is_alnum(bytes[at]))
			at++;
	}
	if (at < size && bytes[at] == ';')
		for (at++; at < size && is_hex(bytes[at]);)
			at++;
	return at == size;
}

/* The number at the start of the SIZE bytes behind ".so.", at most 9999. */
static unsigned int major_of(const char *bytes, size_t size)
{
	unsigned int major = 0;

	for (size_t i = 1; i < size && is_digit(bytes[i]) && major < 1000; i++)
		major = major * 10 + (unsigned int)(bytes[i] - '0');
	return major;
}

static uint64_t head_of(const char *base, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, base, size < sizeof(word) ? size : sizeof(word));
	return le64toh(word);
}

/* The size of a stem without "-2", "-1.1" or "-1a2b3c4d" at its end. */
static size_t plain_size(const char *stem, size_t size)
{
	const char *dash = memrchr(stem, '-', size);
	bool is_number = true, is_hash = true;

	if (!dash)
		return size;

	size_t plain = (size_t)(dash - stem), suffix = size - plain - 1;

	for (const char *byte = dash + 1; byte < stem + size; byte++) {
		is_number = is_number && (is_digit(*byte) || *byte == '.');
		is_hash = is_hash && is_hex(*byte);
	}
	return suffix && (is_number || (is_hash && suffix == 8)) ? plain : size;
}

/* Takes PATH apart; false when it is not named as a shared library. */
static bool parts_parse(const char *path, size_t size, struct parts *ret)
{
	const char *slash = memrchr(path, '/', size);
	const char *base = slash ? slash + 1 : path, *end = path + size;
	size_t base_size = (size_t)(end - base);
	const char *so = memmem(base, base_size, ".so", 3);

	while (so && !is_version(so + 3, (size_t)(end - so) - 3))
		so = memmem(so + 1, (size_t)(end - so) - 1, ".so", 3);
	if (!so || so == base)
		return false;

	size_t stem = (size_t)(so - base);
	const char *dot = memchr(base, '.', stem);

	*ret = (struct parts){
		.dir = path,
		.dir_size = slash ? (size_t)(slash - path) : 0,
		.base = base,
		.head = head_of(base, base_size),
		.stem_size = stem,
		.plain_size = plain_size(base, stem),
		.module_size = dot ? (size_t)(dot - base) : stem,
		.major = major_of(so + 3, (size_t)(end - so) - 3),
	};
	return true;
}

/* Whether the directory is or ends with the components that ROW asks for. */
static bool dir_fits(const struct row *row, const struct parts *parts)
{
	if (!row->dir_size)
		return true;
	if (row->dir_size > parts->dir_size)
		return false;

	const char *end = parts->dir + parts->dir_size - row->dir_size;

	return !memcmp(end, row->dir, row->dir_size) && (end == parts->dir || end[-1] == '/');
}

static bool row_fits(const struct row *row, const struct parts *parts)
{
	size_t size = row->stem_size;

	if ((parts->head & row->head_mask) != row->head)
		return false;
	switch (row->form) {
	case FORM_STEM:
		if (size != parts->stem_size && size != parts->plain_size)
			return false;
		break;
	case FORM_MODULE:
		if (size != parts->module_size)
			return false;
		break;
	case FORM_PREFIX:
	case FORM_DIR:
		if (size > parts->stem_size)
			return false;
		break;
	}
	return !memcmp(parts->base, row->stem, size) && parts->major >= row->major &&
	       dir_fits(row, parts);
}

const struct library_class *library_classify(const char *path, size_t size)
{
	struct parts parts;

	if (!parts_parse(path, library_path_size(path, size), &parts))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (row_fits(&rows[i], &parts))
			return &rows[i].class;
	return NULL;
}

bool library_speaks_tls(const char *path, size_t size)
{
	struct parts parts;

	if (!parts_parse(path, library_path_size(path, size), &parts))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(tls_rows); i++)
		if (row_fits(&tls_rows[i], &parts))
			return true;
	return false;
}

bool library_matches(const char *path, size_t size, uint32_t family, const char *pattern)
{
	const char *name = code_name(&library_family_codes, family);

	if (name && !strcasecmp(name, pattern))
		return true;

	size_t wanted = strlen(pattern), end = library_path_size(path, size);
	const char *slash = memrchr(path, '/', end);

	for (size_t at = slash ? (size_t)(slash - path) + 1 : 0; at + wanted <= end; at++)
		if (!strncasecmp(path + at, pattern, wanted))
			return true;
	return false;
}
