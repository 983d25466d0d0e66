/* SPDX-License-Identifier: MIT */
#include "catalogue/files.h"

#include <endian.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#include "catalogue/match.h"

static const struct code_entry type_entries[] = {
#define FILE_TYPE(type, text) { FILE_TYPE_##type, #type, text },
#include "catalogue/files.def"
};

static const struct code_entry kind_entries[] = {
#define FILE_KIND(kind, text) { FILE_KIND_##kind, #kind, text },
#include "catalogue/files.def"
};

const struct code_table file_type_codes = { "file_type", type_entries,
					    sizeof(type_entries) / sizeof(type_entries[0]) };
const struct code_table file_kind_codes = { "file_kind", kind_entries,
					    sizeof(kind_entries) / sizeof(kind_entries[0]) };

enum form {
	FORM_DIR,
	FORM_NAME,
	FORM_HAS,
	FORM_EXT
};

/*
 * PATTERN is what a path ends with. Its last 16 bytes as in match.h come first, so that a row that
 * does not fit costs two compares.
 */
struct row {
	__u64 last, last_mask;
	__u64 before, before_mask;
	const char *pattern;
	const char *extra; /* the directory of a DIR row, the text of a HAS row */
	size_t size;	   /* of the pattern, bytes */
	enum form form;
	struct file_class class;
};

#define ROW(text, words, more, how, type, kind)                                                    \
	{ .last = MATCH_WORD(words, 0),                                                            \
	  .last_mask = MATCH_MASK(words, 0),                                                       \
	  .before = MATCH_WORD(words, 8),                                                          \
	  .before_mask = MATCH_MASK(words, 8),                                                     \
	  .pattern = (text),                                                                       \
	  .extra = (more),                                                                         \
	  .size = sizeof(text) - 1,                                                                \
	  .form = (how),                                                                           \
	  .class = { FILE_TYPE_##type, FILE_KIND_##kind } },

/* In the order in which forms win over each other. */
static const struct row rows[] = {
#define FILE_FINER_DIR(dir, end, type, kind) ROW(end, end, dir, FORM_DIR, type, kind)
#include "catalogue/files.def"
#define FILE_FINER_NAME(name, type, kind) ROW(name, "/" name, NULL, FORM_NAME, type, kind)
#define FILE_NAME(name, type, kind)	  ROW(name, "/" name, NULL, FORM_NAME, type, kind)
#include "catalogue/files.def"
#define FILE_FINER_HAS(text, end, type, kind) ROW(end, end, text, FORM_HAS, type, kind)
#include "catalogue/files.def"
#define FILE_FINER_EXT(end, type, kind) ROW(end, end, NULL, FORM_EXT, type, kind)
#include "catalogue/files.def"
#define FILE_EXT(end, type, kind) ROW(end, end, NULL, FORM_EXT, type, kind)
#include "catalogue/files.def"
};

/* The last byte of each row's pattern: most rows are passed over without a look at them. */
static const char row_ends[] = {
#define FILE_FINER_DIR(dir, end, type, kind) MATCH_BYTE(end, 0),
#include "catalogue/files.def"
#define FILE_FINER_NAME(name, type, kind) MATCH_BYTE(name, 0),
#define FILE_NAME(name, type, kind)	  MATCH_BYTE(name, 0),
#include "catalogue/files.def"
#define FILE_FINER_HAS(text, end, type, kind) MATCH_BYTE(end, 0),
#include "catalogue/files.def"
#define FILE_FINER_EXT(end, type, kind) MATCH_BYTE(end, 0),
#include "catalogue/files.def"
#define FILE_EXT(end, type, kind) MATCH_BYTE(end, 0),
#include "catalogue/files.def"
};

_Static_assert(sizeof(row_ends) == sizeof(rows) / sizeof(rows[0]), "an end for each row");

static const struct file_class hashed_certificate = { FILE_TYPE_certificate,
						      FILE_KIND_hashed_certificate };
static const struct file_class hashed_crl = { FILE_TYPE_unknown, FILE_KIND_hashed_crl };

static int lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

/* Whether the SIZE bytes at BYTES are LOWERED, but for case. */
static bool equals(const char *bytes, const char *lowered, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (lower(bytes[i]) != lowered[i])
			return false;
	return true;
}

static bool contains(const char *bytes, size_t size, const char *lowered)
{
	size_t wanted = strlen(lowered);

	for (size_t i = 0; i + wanted <= size; i++)
		if (equals(bytes + i, lowered, wanted))
			return true;
	return false;
}

/* Where the last component of the SIZE bytes at PATH begins. */
static size_t base_at(const char *path, size_t size)
{
	const char *slash = memrchr(path, '/', size);

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Whether the component before the one that begins at BASE is DIR. */
static bool directory_is(const char *path, size_t base, const char *dir)
{
	if (!base)
		return false;

	size_t end = base - 1, start = base_at(path, end);

	return end - start == strlen(dir) && equals(path + start, dir, end - start);
}

/* What the words of a row leave open. */
static bool row_holds(const struct row *row, const char *path, size_t size)
{
	if (row->size > size || !equals(path + size - row->size, row->pattern, row->size))
		return false;

	size_t base = base_at(path, size), at = size - row->size;

	switch (row->form) {
	case FORM_NAME:
		return !at || path[at - 1] == '/';
	case FORM_DIR:
		return directory_is(path, base, row->extra);
	case FORM_HAS:
		return contains(path + base, size - base, row->extra);
	case FORM_EXT:
		return true;
	}
	return false;
}

/* The last 16 bytes of a path, in the form match.h wants. */
static void tail_load(const char *path, size_t size, __u64 *last, __u64 *before)
{
	char tail[16] = { 0 };
	__u64 words[2];

	if (size >= sizeof(tail)) {
		memcpy(tail, path + size - sizeof(tail), sizeof(tail));
	} else {
		tail[sizeof(tail) - 1 - size] = '/';
		memcpy(tail + sizeof(tail) - size, path, size);
	}
	memcpy(words, tail, sizeof(words));
	*before = match_lower(be64toh(words[0]));
	*last = match_lower(be64toh(words[1]));
}

const struct file_class *file_classify(const char *path, size_t size)
{
	__u64 last, before;

	if (!size)
		return NULL;
	tail_load(path, size, &last, &before);
	switch (match_hashed(last, before, match_dot(last))) {
	case MATCH_CERTIFICATE:
		return &hashed_certificate;
	case MATCH_CRL:
		return &hashed_crl;
	}

	const char *end = row_ends;
	const char *stop = row_ends + sizeof(row_ends);

	while ((end = memchr(end, (int)(last & 0xff), (size_t)(stop - end)))) {
		const struct row *row = &rows[end++ - row_ends];

		if ((last & row->last_mask) == row->last &&
		    (before & row->before_mask) == row->before && row_holds(row, path, size))
			return &row->class;
	}
	return NULL;
}

bool content_is_told(uint32_t kind)
{
	switch (kind) {
	case FILE_KIND_unknown:
	case FILE_KIND_acme_store:
	case FILE_KIND_key_database:
	case FILE_KIND_oracle_wallet:
	case FILE_KIND_keytab:
	case FILE_KIND_keyring:
	case FILE_KIND_password_database:
	case FILE_KIND_ssh_config:
	case FILE_KIND_tsig_key:
	case FILE_KIND_dnssec_trust_anchor:
	case FILE_KIND_ipsec_secrets:
	case FILE_KIND_vpn_config:
	case FILE_KIND_config:
	case FILE_KIND_crypto_policy:
	case FILE_KIND_fips_flag:
	case FILE_KIND_crypto_device:
		return false;
	default:
		return true;
	}
}
