/* SPDX-License-Identifier: MIT */
#include "proto/talk.h"

#include <string.h>
#include <strings.h>

#include "lib/bytes.h"

struct talk talk_of(const struct flow *flow)
{
	struct talk talk = { .state = FLOW_MORE };

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		talk.side[i] = (struct talk_side){ .bytes = flow->from[i].bytes,
						   .size = flow->from[i].size,
						   .has_ended = flow->from[i].has_ended };
		talk.needs.size[i] = SIZE_MAX;
	}
	return talk;
}

bool talk_wait_both(struct talk *talk)
{
	if (talk->side[FLOW_CLIENT].has_ended && talk->side[FLOW_SERVER].has_ended)
		return talk_refuse(talk);
	talk->state = FLOW_MORE;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		talk->needs.size[i] = talk->side[i].size + 1;
	return false;
}

bool talk_look(struct talk *talk, enum flow_direction from, size_t size, const uint8_t **ret)
{
	struct talk_side *side = &talk->side[from];

	if (size > side->size - side->at)
		return talk_wait(talk, from, side->at + size);
	*ret = side->bytes + side->at;
	return true;
}

bool talk_take(struct talk *talk, enum flow_direction from, size_t size, const uint8_t **ret)
{
	if (!talk_look(talk, from, size, ret))
		return false;
	talk->side[from].at += size;
	return true;
}

static bool is_text(uint8_t byte)
{
	return (byte >= ' ' && byte < 0x7f) || byte == '\t' || byte == '\r' || byte == '\n';
}

bool talk_line(struct talk *talk, enum flow_direction from, struct flow_text *ret)
{
	struct talk_side *side = &talk->side[from];
	const uint8_t *line, *end;
	size_t left = side->size - side->at;

	if (!left)
		return talk_wait(talk, from, side->size + 1);
	line = side->bytes + side->at;
	if (!is_text(line[0]))
		return talk_refuse(talk);
	end = memchr(line, '\n', left);
	if (!end)
		return talk_wait(talk, from, side->size + 1);
	side->at += (size_t)(end - line) + 1;
	if (end > line && end[-1] == '\r')
		end--;
	*ret = (struct flow_text){ line, (size_t)(end - line) };
	return true;
}

struct flow_text talk_word(struct flow_text *line)
{
	const uint8_t *end = line->bytes + line->size;
	struct flow_text word = { line->bytes, 0 };

	while (word.bytes < end && *word.bytes == ' ')
		word.bytes++;
	while (word.bytes + word.size < end && word.bytes[word.size] != ' ')
		word.size++;
	line->bytes = word.bytes + word.size;
	while (line->bytes < end && *line->bytes == ' ')
		line->bytes++;
	line->size = (size_t)(end - line->bytes);
	return word;
}

bool talk_is(const struct flow_text *text, const char *word)
{
	return text->size == strlen(word) &&
	       strncasecmp((const char *)text->bytes, word, text->size) == 0;
}

bool talk_begins(const struct flow_text *text, const char *start)
{
	return bytes_begin((const char *)text->bytes, text->size, start);
}
