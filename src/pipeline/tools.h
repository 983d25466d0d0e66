/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_TOOLS_H
#define PIPELINE_TOOLS_H

/*
 * Programs that take passwords, tokens and keys as arguments whose names do not say so: which
 * programs, and which arguments. Tables and look-ups only; pipeline/cmdline.h walks the text.
 * Options that say what they are ("--password") are in pipeline/secrets.h. When in doubt an
 * argument counts as secret: a hidden port number costs little, a shown password much.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of tools, one bit each. */
typedef uint64_t tool_set;

/*
 * The tools that WORD, or the last part of the path WORD, names. Some are commands of another tool
 * and count only when that one is in SEEN.
 */
tool_set tools_find(tool_set seen, const char *word, size_t size);

/* Whether there is a shell among TOOLS, so that "-c" announces a script. */
bool tools_have_shell(tool_set tools);

/* What is secret after an option of a tool. */
struct tool_option {
	size_t value_at; /* where in the word the value begins; the word's size: the next word */
	char split;	 /* only what follows this byte is secret, nothing if it is missing; or 0 */
	tool_set finished; /* tools whose secret this was, so that they have no other */
};

/* No option has its value behind this many bytes: so much of a word is enough to recognise it. */
#define TOOL_OPTION_MAX 64

/* Whether WORD is an option that carries or announces a secret of one of TOOLS. */
bool tools_option_find(tool_set tools, const char *word, size_t size, struct tool_option *ret);

/*
 * How many arguments that are no options come before the first secret one of TOOLS. False when they
 * have no secret arguments.
 */
bool tools_arguments_find(tool_set tools, unsigned int *ret_nr_before);

/*
 * The size of a prefix that says where a password comes from, for tools with that habit (openssl: 5
 * for "pass:"); SIZE_MAX when it comes from elsewhere ("file:", "env:") and VALUE is no secret.
 */
size_t tools_source_size(tool_set tools, const char *value, size_t size);

#endif /* PIPELINE_TOOLS_H */
