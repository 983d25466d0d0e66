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

/* The same with a copy in blocks of its own, whose ends only a sanitizer sees: that is faster. */
static enum flow_state parse_copy(const struct flow *flow, const struct flow_parser *parser)
{
	struct flow copy = *flow;
	struct flow_needs needs;
	void *ret = calloc(1, parser->ret_size);
	uint8_t *bytes[NR_FLOW_DIRECTIONS];
	enum flow_state state;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		bytes[i] = malloc(flow->from[i].size);
		if (flow->from[i].size)
			memcpy(bytes[i], flow->from[i].bytes, flow->from[i].size);
		copy.from[i].bytes = bytes[i];
	}
	state = parser->parse(&copy, ret, &needs);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++)
		free(bytes[i]);
	free(ret);
	return state;
}

void flow_check_cut(const struct flow *whole, const size_t sizes[NR_FLOW_DIRECTIONS],
		    const struct flow_parser *parser)
{
	struct flow part = *whole, open = *whole;
	void *before = calloc(1, parser->ret_size), *after = calloc(1, parser->ret_size);
	bool is_needed = false;
	struct flow_needs needs;
	enum flow_state first, last;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		part.from[i].size = sizes[i] < part.from[i].size ? sizes[i] : part.from[i].size;
		part.from[i].has_ended = open.from[i].has_ended = false;
	}
	first = parser->parse(&part, before, &needs);
	check(parse_copy(&part, parser) == first, "differs for a copy", &part);
	for (size_t i = 0; first == FLOW_MORE && i < NR_FLOW_DIRECTIONS; i++) {
		check(needs.size[i] > part.from[i].size, "needs what it has", &part);
		is_needed |= open.from[i].size >= needs.size[i];
	}
	last = parser->parse(&open, after, &needs);
	check(parse_copy(&open, parser) == last, "differs for a copy", &open);
	if (!is_needed && !(first == FLOW_FOREIGN && parser->minds_order &&
			    part.from[FLOW_SERVER].size < open.from[FLOW_SERVER].size)) {
		check(first == last, "state changes when it must not", &part);
		check(parser->are_equal(before, after), "result changes when it must not", &part);
	}
	free(before);
	free(after);
	/* once both have ended there is nothing to wait for */
	last = parse_copy(whole, parser);
	check(last != FLOW_MORE || !whole->from[FLOW_CLIENT].has_ended ||
		      !whole->from[FLOW_SERVER].has_ended,
	      "waits for what has ended", whole);
}

/* What the last call said. */
struct growth {
	const struct flow_parser *parser;
	struct flow part;
	void *last, *now;
	enum flow_state state;
	struct flow_needs needs;
	size_t nr_calls;
};

/* Parses what there is, and compares it with the last time. */
static void growth_check(struct growth *growth)
{
	const struct flow_parser *parser = growth->parser;
	const struct flow_bytes *from = growth->part.from;
	bool is_needed = growth->state == FLOW_MORE &&
			 (from[FLOW_CLIENT].size >= growth->needs.size[FLOW_CLIENT] ||
			  from[FLOW_SERVER].size >= growth->needs.size[FLOW_SERVER]);
	enum flow_state before = growth->state;
	struct flow_needs needs;

	memset(growth->now, 0, parser->ret_size);
	growth->state = parser->parse(&growth->part, growth->now, &needs);
	check(parse_guarded(&growth->part, parser) == growth->state, "differs for a copy",
	      &growth->part);
	if (!is_needed) {
		check(growth->state == before, "state changes when it must not", &growth->part);
		check(parser->are_equal(growth->last, growth->now),
		      "result changes when it must not", &growth->part);
	}
	if (growth->state == FLOW_MORE) {
		check(needs.size[FLOW_CLIENT] > from[FLOW_CLIENT].size &&
			      needs.size[FLOW_SERVER] > from[FLOW_SERVER].size,
		      "needs what it has", &growth->part);
		growth->needs = needs;
	}
	growth->nr_calls += is_needed;
	memcpy(growth->last, growth->now, parser->ret_size);
}

enum flow_state flow_check_steps(const struct flow *whole, const struct flow_step *steps, size_t nr,
				 const struct flow_parser *parser, size_t *ret_calls)
{
	struct growth growth = { .parser = parser, .part = *whole, .state = FLOW_MORE };

	growth.last = calloc(1, parser->ret_size);
	growth.now = calloc(1, parser->ret_size);
	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		growth.part.from[i].size = 0;
		growth.part.from[i].has_ended = false;
	}
	growth_check(&growth);
	for (size_t i = 0; i < nr; i++) {
		struct flow_bytes *from = &growth.part.from[steps[i].from];

		for (size_t j = 0; j < steps[i].size; j++) {
			if (from->size == whole->from[steps[i].from].size)
				break;
			from->size++;
			growth_check(&growth);
		}
	}
	free(growth.last);
	free(growth.now);
	*ret_calls = growth.nr_calls;
	return growth.state;
}

enum flow_state flow_check_growth(const struct flow *whole, enum flow_order order,
				  const struct flow_parser *parser, size_t *ret_calls)
{
	size_t client = whole->from[FLOW_CLIENT].size, server = whole->from[FLOW_SERVER].size;
	size_t turns = client > server ? client : server;
	struct flow_step *steps = calloc(2 * turns + 2, sizeof(*steps));
	enum flow_state state;
	size_t nr = 0;

	for (size_t i = 0; order == FLOW_IN_TURNS && i < turns; i++) {
		steps[nr++] = (struct flow_step){ FLOW_CLIENT, 1 };
		steps[nr++] = (struct flow_step){ FLOW_SERVER, 1 };
	}
	if (order != FLOW_IN_TURNS) {
		enum flow_direction first = order == FLOW_CLIENT_FIRST ? FLOW_CLIENT : FLOW_SERVER;

		steps[nr++] = (struct flow_step){ first, whole->from[first].size };
		steps[nr++] = (struct flow_step){ !first, whole->from[!first].size };
	}
	state = flow_check_steps(whole, steps, nr, parser, ret_calls);
	free(steps);
	return state;
}
