/* SPDX-License-Identifier: MIT */
#include "recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"

#define HEADER_SIZE 3

static void check(bool condition, const char *what, const struct flow *flow)
{
	if (condition)
		return;
	fprintf(stderr, "%s, at %zu bytes of the client and %zu of the server\n", what,
		flow->from[FLOW_CLIENT].size, flow->from[FLOW_SERVER].size);
	abort();
}

struct flow recorded_flow(const struct recording *recording)
{
	const uint8_t *bytes = recording->bytes;
	size_t size = (size_t)(recording->end - bytes), client_size;
	struct flow flow = { 0 };

	if (size < HEADER_SIZE)
		return flow;
	client_size = (size_t)bytes[1] << 8 | bytes[2];
	if (client_size > size - HEADER_SIZE)
		client_size = size - HEADER_SIZE;
	flow.from[FLOW_CLIENT] = (struct flow_bytes){ bytes + HEADER_SIZE, client_size,
						      bytes[0] & RECORDED_CLIENT_ENDED };
	flow.from[FLOW_SERVER] = (struct flow_bytes){ bytes + HEADER_SIZE + client_size,
						      size - HEADER_SIZE - client_size,
						      bytes[0] & RECORDED_SERVER_ENDED };
	return flow;
}

struct flow flow_guarded(const struct flow *flow)
{
	struct flow copy = *flow;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		copy.from[i].bytes = guard_copy(flow->from[i].bytes, flow->from[i].size);
	return copy;
}

void flow_free(struct flow *flow)
{
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		guard_free(flow->from[i].bytes, flow->from[i].size);
}

/* Adds a byte to PART. Returns false when all of WHOLE is in it. */
static bool grow(struct flow *part, const struct flow *whole, enum flow_order order)
{
	size_t first = order == FLOW_SERVER_FIRST;

	if (order == FLOW_IN_TURNS)
		first = part->from[FLOW_CLIENT].size > part->from[FLOW_SERVER].size;
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		size_t from = i ? !first : first;

		if (part->from[from].size == whole->from[from].size)
			continue;
		part->from[from].size++;
		return true;
	}
	return false;
}

/* Parses a copy of PART that ends where the next byte is unmapped. */
static enum flow_state parse_guarded(const struct flow *part, const struct flow_parser *parser)
{
	struct flow guarded = flow_guarded(part);
	struct flow_needs needs;
	void *ret = calloc(1, parser->ret_size);
	enum flow_state state = parser->parse(&guarded, ret, &needs);

	free(ret);
	flow_free(&guarded);
	return state;
}

enum flow_state flow_check_growth(const struct flow *whole, enum flow_order order,
				  const struct flow_parser *parser, size_t *ret_calls)
{
	void *last = calloc(1, parser->ret_size), *now = calloc(1, parser->ret_size);
	struct flow part = *whole;
	struct flow_needs needs = { { 0, 0 } }, next;
	enum flow_state state = FLOW_MORE;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		part.from[i].size = 0;
		part.from[i].has_ended = false;
	}
	*ret_calls = 0;
	do {
		bool is_needed = state == FLOW_MORE &&
				 (part.from[FLOW_CLIENT].size >= needs.size[FLOW_CLIENT] ||
				  part.from[FLOW_SERVER].size >= needs.size[FLOW_SERVER]);
		enum flow_state before = state;

		memset(now, 0, parser->ret_size);
		state = parser->parse(&part, now, &next);
		check(parse_guarded(&part, parser) == state, "differs for a copy", &part);
		if (!is_needed) {
			check(state == before, "state changes when it must not", &part);
			check(parser->are_equal(last, now), "result changes when it must not",
			      &part);
		}
		if (state == FLOW_MORE) {
			check(next.size[FLOW_CLIENT] > part.from[FLOW_CLIENT].size &&
				      next.size[FLOW_SERVER] > part.from[FLOW_SERVER].size,
			      "needs what it has", &part);
			needs = next;
		}
		*ret_calls += is_needed;
		memcpy(last, now, parser->ret_size);
	} while (grow(&part, whole, order));
	free(last);
	free(now);
	return state;
}
