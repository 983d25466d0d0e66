/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_SECRETS_H
#define PIPELINE_SECRETS_H

/*
 * What names a secret, and what looks like one: options, variables, headers, fields, marked tokens,
 * private keys. Look-ups only; pipeline/cmdline.h walks the text. When in doubt a value counts as
 * secret: a hidden word costs little, a shown password much.
 */

#include <stdbool.h>
#include <stddef.h>

enum secret_kind {
	SECRET_NONE,
	SECRET_VALUE,
	SECRET_UNLESS_PATH, /* a key, or the name of the file with the key */
};

/*
 * Whether NAME names a secret: of an option (leading dashes allowed), variable, header or field, in
 * any case and with '-', '_' or '.' between its words.
 */
enum secret_kind secret_name(const char *name, size_t size);

/* Whether NAME is an option that takes no value although its name says so: "--ask-password". */
bool secret_is_question(const char *name, size_t size);

/* Whether NAME is spelled like a variable that holds a key: "TLS_KEY", but not "ssl_key". */
bool secret_is_key_variable(const char *name, size_t size);

/* Whether a word is a secret by its own looks: tokens and keys of services that mark them. */
bool secret_is_marked(const char *word, size_t size);

/* Whether a value of SECRET_UNLESS_PATH is the name of a file, not a key in base64. */
bool secret_is_path(const char *value, size_t size);

/*
 * The first private key in the PEM format (RFC 7468), whole or cut, between AT and END; NULL if
 * there is none. RET_END is behind it.
 */
const char *secret_pem_find(const char *at, const char *end, const char **ret_end);

#endif /* PIPELINE_SECRETS_H */
