/* SPDX-License-Identifier: MIT */
/*
 * src/proto/starttls.h: where TLS begins lies within what was sent and within what is searched,
 * and stays where it is while more comes; first bytes that lead anywhere may begin.
 *
 * The input is a recording, see tests/support/recorded.h.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/starttls.h"
#include "support/recorded.h"

#define INPUT_MAX (160U << 10)
#define CUTS	  4

static void check(bool condition)
{
	if (!condition)
		abort();
}

static bool are_equal(const void *left, const void *right)
{
	const struct starttls *a = left, *b = right;

	return a->protocol == b->protocol && a->is_ssh == b->is_ssh &&
	       a->is_reversed == b->is_reversed && a->is_wrapped == b->is_wrapped &&
	       memcmp(a->at, b->at, sizeof(a->at)) == 0;
}

static enum flow_state parse(const struct flow *flow, void *ret, struct flow_needs *ret_needs)
{
	return starttls_parse(flow, ret, ret_needs);
}

static const struct flow_parser parser = { parse, are_equal, sizeof(struct starttls), true };

/* What is in the packets is never more than what they are. */
static void check_unwrap(const struct flow_bytes *from, size_t at)
{
	size_t size = from->size - at, written;
	uint8_t *bare = malloc(size ? size : 1);

	written = starttls_unwrap(from->bytes + at, size, bare);
	check(written <= size);
	free(bare);
}

static void check_found(const struct flow *flow, const struct starttls *found)
{
	bool may_begin = false;

	for (size_t i = 0; i < NR_FLOW_DIRECTIONS; i++) {
		const struct flow_bytes *from = &flow->from[i];

		check(found->at[i] <= from->size);
		check(!found->is_wrapped || found->protocol == STARTTLS_mssql);
		if (from->size)
			may_begin |= starttls_may_begin(from->bytes, from->size, i == FLOW_SERVER);
		check_unwrap(from, found->at[i]);
	}
	check(may_begin);
	check(code_name(&starttls_protocol_codes, found->protocol) != NULL);
	check(found->protocol != STARTTLS_none || (!found->at[0] && !found->at[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording recording = { data, data + size };
	struct flow flow = recorded_flow(&recording), whole;
	struct starttls found;
	struct flow_needs needs;
	uint32_t random = 2166136261U;

	if (size > INPUT_MAX)
		return 0;
	whole = flow_guarded(&flow);
	if (starttls_parse(&whole, &found, &needs) == FLOW_DECIDED)
		check_found(&whole, &found);
	flow_free(&whole);
	for (size_t i = 0; i < size; i++)
		random = (random ^ data[i]) * 16777619U;
	for (int i = 0; i < CUTS; i++) {
		size_t cut[NR_FLOW_DIRECTIONS];

		for (size_t j = 0; j < NR_FLOW_DIRECTIONS; j++) {
			random = random * 1664525U + 1013904223U;
			cut[j] = (random >> 8) % (flow.from[j].size + 1);
		}
		flow_check_cut(&flow, cut, &parser);
	}
	return 0;
}
