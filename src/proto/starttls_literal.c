/* SPDX-License-Identifier: MIT */
/*
 * IMAP and ManageSieve: lines that may hold literals, "{5}" at the end of a line and then 5 bytes
 * of any kind (RFC 3501 section 4.3, RFC 7888, RFC 5804 section 4).
 */
#include <string.h>

#include "proto/starttls_private.h"

/* A line up to its first literal, with what follows read too. */
struct long_line {
	struct flow_text text;
	unsigned int nr_asked; /* literals for which the other side is asked with "+" */
};

/*
 * Whether LINE ends in the size of a literal, in *RET; beyond what is searched it is that limit.
 * *RET_IS_ASKED: without '+' (RFC 7888).
 */
static bool literal_at_end(const struct flow_text *line, size_t *ret, bool *ret_is_asked)
{
	size_t at = line->size, size = 0, unit = 1;

	if (!at || line->bytes[--at] != '}')
		return false;
	*ret_is_asked = !at || line->bytes[at - 1] != '+';
	if (!*ret_is_asked)
		at--;
	for (; at && line->bytes[at - 1] >= '0' && line->bytes[at - 1] <= '9'; at--) {
		if (unit <= STARTTLS_SEARCH_MAX)
			size += (size_t)(line->bytes[at - 1] - '0') * unit;
		else if (line->bytes[at - 1] != '0')
			size = STARTTLS_SEARCH_MAX;
		unit *= 10;
	}
	if (unit == 1 || !at || line->bytes[at - 1] != '{')
		return false;
	*ret = size < STARTTLS_SEARCH_MAX ? size : STARTTLS_SEARCH_MAX;
	return true;
}

/* The rest of a line behind a literal may begin with any byte. */
static bool rest_read(struct talk *talk, enum flow_direction from, struct flow_text *ret)
{
	struct talk_side *side = &talk->side[from];
	size_t left = side->size - side->at;
	const uint8_t *rest = side->bytes + side->at;
	const uint8_t *end = left ? memchr(rest, '\n', left) : NULL;

	if (!end)
		return talk_wait(talk, from, side->size + 1);
	side->at += (size_t)(end - rest) + 1;
	if (end > rest && end[-1] == '\r')
		end--;
	*ret = (struct flow_text){ rest, (size_t)(end - rest) };
	return true;
}

static bool long_line_read(struct talk *talk, enum flow_direction from, struct long_line *ret)
{
	struct flow_text line;
	size_t size;
	bool is_asked;

	if (!talk_line(talk, from, &line))
		return false;
	*ret = (struct long_line){ .text = line };
	while (literal_at_end(&line, &size, &is_asked)) {
		const uint8_t *literal;

		ret->nr_asked += is_asked;
		if (!talk_take(talk, from, size, &literal) || !rest_read(talk, from, &line))
			return false;
	}
	return true;
}

/* Lines that the client sent because it was asked to, the COUNT next ones. */
static bool lines_skip(struct talk *talk, unsigned int count)
{
	struct long_line line;

	for (unsigned int i = 0; i < count; i++)
		if (!long_line_read(talk, FLOW_CLIENT, &line))
			return false;
	return true;
}

struct answer {
	bool is_ok;
	unsigned int nr_asked; /* how often the client was asked for more */
};

/* The server's lines up to the one with TAG. Others are "* ..." and "+ ..." (RFC 3501, 7). */
static bool imap_answer(struct talk *talk, const struct flow_text *tag, struct answer *ret)
{
	struct long_line line;
	struct flow_text word;

	*ret = (struct answer){ 0 };
	for (;;) {
		if (!long_line_read(talk, FLOW_SERVER, &line))
			return false;
		word = talk_word(&line.text);
		if (talk_is(&word, "+")) {
			ret->nr_asked++;
			continue;
		}
		if (talk_is(&word, "*")) {
			word = talk_word(&line.text);
			if (talk_is(&word, "BYE"))
				return talk_refuse(talk);
			continue;
		}
		if (word.size != tag->size || memcmp(word.bytes, tag->bytes, tag->size) != 0)
			return talk_refuse(talk);
		word = talk_word(&line.text);
		ret->is_ok = talk_is(&word, "OK");
		return true;
	}
}

/* Whoever is known cannot begin TLS any more (RFC 3501 section 6.2). */
static bool is_login(const struct flow_text *verb)
{
	return talk_is(verb, "LOGIN") || talk_is(verb, "AUTHENTICATE") || talk_is(verb, "LOGOUT");
}

/* A command with its answer, and what the client sent in between. */
static bool imap_exchange(struct talk *talk, struct flow_text *ret_verb, bool *ret_is_ok)
{
	struct long_line line;
	struct flow_text tag;
	struct answer answer;

	if (!long_line_read(talk, FLOW_CLIENT, &line))
		return false;
	tag = talk_word(&line.text);
	*ret_verb = talk_word(&line.text);
	if (!tag.size || !ret_verb->size)
		return talk_refuse(talk);
	if (!imap_answer(talk, &tag, &answer))
		return false;
	*ret_is_ok = answer.is_ok;
	return answer.nr_asked <= line.nr_asked ||
	       lines_skip(talk, answer.nr_asked - line.nr_asked);
}

bool starttls_read_imap(struct talk *talk, enum starttls_protocol *protocol)
{
	struct long_line greeting;
	struct flow_text verb;
	bool is_ok;

	(void)protocol;
	if (!long_line_read(talk, FLOW_SERVER, &greeting))
		return false;
	/* A client that does not wait for it may get another. */
	if (greeting.text.size < 4 || memcmp(greeting.text.bytes, "* OK", 4) != 0)
		return talk_refuse(talk);
	do {
		if (!imap_exchange(talk, &verb, &is_ok))
			return false;
		if (is_ok && is_login(&verb))
			return talk_refuse(talk);
	} while (!is_ok || !talk_is(&verb, "STARTTLS"));
	return true;
}

/* The server's lines up to OK, NO or BYE; others are strings (RFC 5804 section 2). */
static bool sieve_answer(struct talk *talk, struct answer *ret)
{
	struct long_line line;

	*ret = (struct answer){ 0 };
	for (;;) {
		struct flow_text word;

		if (!long_line_read(talk, FLOW_SERVER, &line))
			return false;
		if (line.text.size && (line.text.bytes[0] == '"' || line.text.bytes[0] == '{')) {
			ret->nr_asked++;
			continue;
		}
		word = talk_word(&line.text);
		ret->is_ok = talk_is(&word, "OK");
		return ret->is_ok || talk_is(&word, "NO") ? true : talk_refuse(talk);
	}
}

bool starttls_read_sieve(struct talk *talk, enum starttls_protocol *protocol)
{
	struct answer answer;
	struct long_line line;
	struct flow_text verb;

	(void)protocol;
	if (!sieve_answer(talk, &answer)) /* what it can do */
		return false;
	do {
		if (!long_line_read(talk, FLOW_CLIENT, &line))
			return false;
		verb = talk_word(&line.text);
		if (!sieve_answer(talk, &answer))
			return false;
		if (answer.is_ok && is_login(&verb))
			return talk_refuse(talk);
		if (talk_is(&verb, "AUTHENTICATE") && !lines_skip(talk, answer.nr_asked))
			return false;
	} while (!answer.is_ok || !talk_is(&verb, "STARTTLS"));
	return true;
}
