/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_WORDS_H
#define PIPELINE_WORDS_H

/*
 * How a command line or a log line falls into words, between white space and the like, and tokens,
 * between delimiters: in "-o a=/b,c" the words are "-o" and "a=/b,c", the tokens "-o", "a", "/b"
 * and "c". Nothing reads at or past END.
 */

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Controls and NUL separate, too. */
static inline bool word_is_space(char c)
{
	return (unsigned char)c <= ' ';
}

static inline bool word_is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* What ends a command in a shell. */
static inline bool word_is_end(char c)
{
	return c == ';' || c == '|' || c == '&' || c == '\n' || c == '(' || c == ')';
}

static inline bool word_is_delimiter(char c)
{
	switch (c) {
	case '=':
	case ':':
	case ',':
	case ';':
	case '@':
	case '&':
	case '|':
	case '<':
	case '>':
	case '(':
	case ')':
		return true;
	default:
		return word_is_space(c) || word_is_quote(c);
	}
}

/* Of names of options, variables, headers and fields. */
static inline bool word_is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* The first delimiter, or END. */
const char *word_token_end(const char *at, const char *end);

/* The first white space, or END. */
const char *word_space(const char *at, const char *end);

/*
 * Behind the quote that closes the one at OPEN, or END. IS_ESCAPED: the quotes are written \" and
 * end at such; others may have escaped or doubled ones inside.
 */
const char *word_quote_end(const char *open, const char *end, bool is_escaped);

/*
 * The end of a shell's word; WITHIN are the quotes it is in, or 0. POSIX, Shell Command Language,
 * 2.2 Quoting and 2.3 Token Recognition.
 */
const char *word_shell_end(const char *at, const char *end, char within);

#endif /* PIPELINE_WORDS_H */
