/* SPDX-License-Identifier: MIT */
#include "inspect/ssh_lines.h"

#include <string.h>

#include "inspect/der.h"
#include "inspect/ssh.h"
#include "lib/bytes.h"

/* Words of a line before the key: marker, hosts or options. */
#define WORDS_MAX 4

struct word {
	const char *bytes;
	size_t size;
};

/* What the lines were like. */
struct tally {
	unsigned int nr_bare; /* the key's type comes first */
	unsigned int nr_certificates;
	unsigned int nr_hosts;
	unsigned int nr_options;
};

/* Up to white space; in quotes (options of authorized_keys) that does not end a word. */
static bool word_next(const char **at, const char *end, struct word *ret)
{
	const char *from = *at;
	bool is_quoted = false;

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	if (from == end)
		return false;

	const char *to = from;

	for (; to < end && (is_quoted || (*to != ' ' && *to != '\t')); to++) {
		if (*to == '"')
			is_quoted = !is_quoted;
		else if (*to == '\\' && to + 1 < end)
			to++;
	}
	*ret = (struct word){ .bytes = from, .size = (size_t)(to - from) };
	*at = to;
	return true;
}

/* Words that only options have; everything else before a key is names of hosts. */
static bool is_options(const struct word *word)
{
	static const char *const begins[] = { "no-",	  "restrict", "cert-authority", "pty",
					      "agent-f",  "port-f",   "user-rc",	"x11-",
					      "verify-r", "no-touch" };

	if (memchr(word->bytes, '=', word->size) && word->bytes[0] != '|')
		return true;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (bytes_begin(word->bytes, word->size, begins[i]))
			return true;
	return false;
}

/* Counts the line if WORD, the one of number INDEX, is a type and the key follows. */
static void line_count(struct judge *judge, struct tally *tally, const struct word *words,
		       unsigned int index, const struct word *blob)
{
	const struct word *type = &words[index];
	struct octets octets;
	struct key key;

	octets_base64(&octets, blob->bytes, blob->size);
	if (!ssh_read_blob(&octets, 0, &key))
		return;
	judge_add_key(judge, &key);
	if (ssh_type_is_certificate(type->bytes, type->size))
		tally->nr_certificates++;
	if (index == 0)
		tally->nr_bare++;
	else if (is_options(&words[0]))
		tally->nr_options++;
	else
		tally->nr_hosts++;
}

static void line_read(struct judge *judge, struct tally *tally, const char *at, const char *end)
{
	struct word words[WORDS_MAX], blob;
	unsigned int index;

	if (at == end || *at == '#')
		return;
	for (index = 0; index < WORDS_MAX && word_next(&at, end, &words[index]); index++) {
		if (!ssh_type_is_known(words[index].bytes, words[index].size))
			continue;
		if (word_next(&at, end, &blob))
			line_count(judge, tally, words, index, &blob);
		return;
	}
}

static enum file_kind tally_kind(const struct judge *judge, const struct tally *tally)
{
	unsigned int nr_keys = tally->nr_bare + tally->nr_hosts + tally->nr_options;

	if (judge->name_class && (judge->name_class->kind == FILE_KIND_ssh_authorized_keys ||
				  judge->name_class->kind == FILE_KIND_ssh_known_hosts))
		return (enum file_kind)judge->name_class->kind;
	if (tally->nr_hosts > tally->nr_options)
		return FILE_KIND_ssh_known_hosts;
	if (tally->nr_options || nr_keys > 1)
		return FILE_KIND_ssh_authorized_keys;
	return tally->nr_certificates ? FILE_KIND_ssh_certificate : FILE_KIND_ssh_public_key;
}

bool ssh_judge_lines(struct judge *judge, const char *text, size_t size)
{
	const char *end = text + size;
	struct tally tally = { 0 };

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		if (line_end > text && line_end[-1] == '\r')
			line_read(judge, &tally, text, line_end - 1);
		else
			line_read(judge, &tally, text, line_end);
		text = newline ? newline + 1 : end;
	}
	if (!tally.nr_bare && !tally.nr_hosts && !tally.nr_options)
		return false;
	judge_set_format(judge, "OpenSSH");
	judge_set_kind(judge, FILE_TYPE_unknown, tally_kind(judge, &tally));
	return true;
}
