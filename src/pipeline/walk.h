/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_WALK_H
#define PIPELINE_WALK_H

/*
 * The state of pipeline/cmdline.h on its way through a command line or a text, shared by the files
 * that implement it. Lives on the stack of one call; borrows everything.
 */

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/accounts.h"
#include "pipeline/appender.h"
#include "pipeline/secrets.h"
#include "pipeline/tools.h"
#include "pipeline/words.h"

enum walk_mode {
	MODE_ARGUMENT, /* one argument: its end is the only sure end of a value */
	MODE_SCRIPT,   /* an argument that a shell splits into words */
	MODE_TEXT,
};

struct walk {
	const struct accounts *accounts;
	struct appender *to;
	enum walk_mode mode;
	const char *start; /* of the argument or text */
	const char *end;
	const char *pos;
	const char *pem; /* the private key that POS is in, or the next one; END if there is none */
	const char *pem_end;
	const char *space; /* the first white space behind some place before, see next_space() */
	char quote;	   /* the quotes of a script that POS is in, or 0 */
	bool has_space;	   /* between START and POS */
	bool is_pkcs11;	   /* in a word with a PKCS#11 URI, where "token" is a label (RFC 7512) */

	/* what earlier words announce, also those of earlier arguments */
	tool_set tools;
	bool wants_value; /* the next word is a secret: */
	char split;	  /* what follows this byte of it, if not 0 */
	enum secret_kind kind;
	bool has_secret_arguments; /* words that are no options are secrets, */
	unsigned int nr_before;	   /* after so many that are not */
};

/* MAX bytes behind FROM, or as many as there are. */
static inline const char *walk_bounded(const struct walk *walk, const char *from, size_t max)
{
	return (size_t)(walk->end - from) > max ? from + max : walk->end;
}

/* Copies up to UNTIL without a further look, but never into a private key. */
static inline void walk_copy(struct walk *walk, const char *until)
{
	if (until > walk->pem)
		until = walk->pem > walk->pos ? walk->pem : walk->pos;
	append(walk->to, walk->pos, (size_t)(until - walk->pos));
	walk->pos = until;
}

/* The byte before AT; NUL, which is white space, if AT is the first. */
static inline char walk_byte_before(const struct walk *walk, const char *at)
{
	if (at == walk->start)
		return '\0';
	return at[-1];
}

/* Whether POS is behind white space or what separates words as that does. */
static inline bool walk_begins_word(const struct walk *walk)
{
	char before = walk_byte_before(walk, walk->pos);

	return word_is_space(before) || word_is_quote(before) || word_is_end(before);
}

/*
 * Notes the tools that the token from TOKEN to END names: what their options mean from there on,
 * also if it stands in a place where it may be something else.
 */
void walk_tools(struct walk *walk, const char *token, const char *end);

/* Hides what is between POS and END. A command may begin there, whose tools are noted. */
void walk_hide(struct walk *walk, const char *end);

/* Takes the token from POS to END, which has no secret, without the person in its path. */
void walk_path(struct walk *walk, const char *end);

#endif /* PIPELINE_WALK_H */
