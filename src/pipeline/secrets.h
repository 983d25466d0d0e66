/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_SECRETS_H
#define PIPELINE_SECRETS_H

/*
 * Where programs take passwords, tokens and keys on their command line: by the name of an option or
 * variable, and for known tools by their short options. Tables and look-ups only; pipeline/cmdline.h
 * walks the text. When in doubt a value counts as secret: a hidden port number costs little, a
 * shown password much.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of tools, one bit each. */
typedef uint64_t tool_set;

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

/*
 * The tools that WORD, or the last part of the path WORD, names. Some are commands of another tool
 * and count only when that one is in SEEN.
 */
tool_set secret_tools_find(tool_set seen, const char *word, size_t size);

/* Whether there is a shell among TOOLS, so that "-c" announces a script. */
bool secret_tools_have_shell(tool_set tools);

/* What is secret after an option of a tool. */
struct secret_option {
	size_t value_at;   /* where in the word the value begins; the word's size: the next word */
	char split;        /* only what follows this byte is secret, nothing if it is missing; or 0 */
	tool_set finished; /* tools whose secret this was, so that they have no other */
};

/* No option has its value behind this many bytes: so much of a word is enough to recognise it. */
#define SECRET_OPTION_MAX 64

/* Whether WORD is an option that carries or announces a secret of one of TOOLS. */
bool secret_option_find(tool_set tools, const char *word, size_t size, struct secret_option *ret);

/*
 * How many arguments that are no options come before the first secret one of TOOLS. False when they
 * have no secret arguments.
 */
bool secret_arguments_find(tool_set tools, unsigned int *ret_nr_before);

/*
 * The size of a prefix that says where a password comes from, for tools with that habit (openssl: 5
 * for "pass:"); SIZE_MAX when it comes from elsewhere ("file:", "env:") and VALUE is no secret.
 */
size_t secret_source_size(tool_set tools, const char *value, size_t size);

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
