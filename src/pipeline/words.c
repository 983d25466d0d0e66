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

/* Behind the backslash at AT and what it escapes. */
static const char *skip_escaped(const char *at, const char *end)
{
	return end - at > 1 ? at + 2 : end;
}

const char *word_quote_end(const char *open, const char *end, bool is_escaped)
{
	bool has_escapes = !is_escaped && *open != '\'';
	const char *at = open + 1;

	while (at < end) {
		if (*at == '\\' && has_escapes) {
			at = skip_escaped(at, end);
			continue;
		}
		if (*at++ != *open)
			continue;
		if (is_escaped || at == end || *at != *open)
			return at;
		at++;
	}
	return end;
}

static bool ends_shell_word(char c, char within)
{
	if (word_is_space(c))
		return true;
	return within ? c == within : word_is_end(c) || c == '<' || c == '>';
}

const char *word_shell_end(const char *at, const char *end, char within)
{
	while (at < end && !ends_shell_word(*at, within)) {
		if (*at == '\\' && within != '\'')
			at = skip_escaped(at, end);
		else if (word_is_quote(*at) && !within)
			at = word_quote_end(at, end, false);
		else
			at++;
	}
	return at;
}
