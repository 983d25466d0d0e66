/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TALK_H
#define PROTO_TALK_H

/*
 * A conversation before TLS: both directions of a connection, each read from front to back. A
 * function that returns false has stopped it: talk.state says whether for want of bytes or because
 * it is not what it should be. Nothing is copied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

struct talk_side {
	const uint8_t *bytes;
	size_t size;
	size_t at; /* what is in front of it is read */
	bool has_ended;
};

struct talk {
	struct talk_side side[NR_FLOW_DIRECTIONS];
	enum flow_state state;	 /* FLOW_MORE or FLOW_FOREIGN, once stopped */
	struct flow_needs needs; /* with FLOW_MORE */
};

/* FLOW, of which nothing is read. */
struct talk talk_of(const struct flow *flow);

/* Stops: it is not the protocol. Returns false. */
static inline bool talk_refuse(struct talk *talk)
{
	talk->state = FLOW_FOREIGN;
	return false;
}

/* Stops until FROM has sent SIZE bytes in all; nothing is to be expected of one that has ended. */
static inline bool talk_wait(struct talk *talk, enum flow_direction from, size_t size)
{
	if (talk->side[from].has_ended)
		return talk_refuse(talk);
	talk->state = FLOW_MORE;
	talk->needs.size[from] = size;
	return false;
}

/* Stops until either has sent more. */
bool talk_wait_both(struct talk *talk);

/* The next SIZE bytes of FROM; talk_look() leaves them unread. */
bool talk_take(struct talk *talk, enum flow_direction from, size_t size, const uint8_t **ret);
bool talk_look(struct talk *talk, enum flow_direction from, size_t size, const uint8_t **ret);

/*
 * The next line of FROM, without LF or CR LF. One that begins with a control character or a byte
 * beyond ASCII stops it at once: that is no command and no answer.
 */
bool talk_line(struct talk *talk, enum flow_direction from, struct flow_text *ret);

/* The next word of LINE, up to a space or its end, taken off with the spaces around it. */
struct flow_text talk_word(struct flow_text *line);

/* Whether TEXT is WORD, in any case. */
bool talk_is(const struct flow_text *text, const char *word);

/* Whether TEXT begins with START, in the very same case. */
bool talk_begins(const struct flow_text *text, const char *start);

#endif /* PROTO_TALK_H */
