/* SPDX-License-Identifier: MIT */
#include "pipeline/words.h"

const char *word_token_end(const char *at, const char *end)
{
	while (at < end && !word_is_delimiter(*at))
		at++;
	return at;
}

const char *word_space(const char *at, const char *end)
{
	while (at < end && !word_is_space(*at))
		at++;
	return at;
}

const char *word_quote_end(const char *open, const char *end, bool is_escaped)
{
	for (const char *at = open + 1; at < end; at++) {
		if (*at == '\\' && !is_escaped && *open != '\'')
			at++;
		else if (*at == *open && (is_escaped || at + 1 == end || at[1] != *open))
			return at + 1;
		else if (*at == *open)
			at++;
	}
	return end;
}

const char *word_shell_end(const char *at, const char *end, char within)
{
	while (at < end && !word_is_space(*at)) {
		if (within ? *at == within : word_is_end(*at) || *at == '<' || *at == '>')
			break;
		if (*at == '\\' && within != '\'')
			at += at + 1 < end ? 2 : 1;
		else if (word_is_quote(*at) && !within)
			at = word_quote_end(at, end, false);
		else
			at++;
	}
	return at;
}
