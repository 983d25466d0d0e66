/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_RECORDED_H
#define TESTS_SUPPORT_RECORDED_H

/*
 * Recorded connections for the parsers of src/proto. A recording is a file that a fuzz target takes
 * as its input too: a byte of flags, the size of what the client sent in two bytes, what the client
 * sent, what the server sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

/* Flags. */
#define RECORDED_CLIENT_ENDED 1
#define RECORDED_SERVER_ENDED 2

struct recording {
	const uint8_t *bytes;
	const uint8_t *end;
};

/* Defines struct recording NAME from FILE, a path from the top of the tree. */
#define RECORDED(name, file)                                                                       \
	__asm__(".pushsection .rodata\n" #name "_bytes:\n.incbin \"" file "\"\n" #name             \
		"_end:\n.popsection");                                                             \
	extern const uint8_t name##_bytes[], name##_end[];                                         \
	static const struct recording name = { name##_bytes, name##_end }

/* The connection in RECORDING, which it borrows. A size beyond the end is cut. */
struct flow recorded_flow(const struct recording *recording);

/* A copy of FLOW whose directions each end at an unmapped page, and the end of that copy. */
struct flow flow_guarded(const struct flow *flow);
void flow_free(struct flow *flow);

/* A parser under test; its results are compared by ARE_EQUAL. */
struct flow_parser {
	enum flow_state (*parse)(const struct flow *flow, void *ret, struct flow_needs *ret_needs);
	bool (*are_equal)(const void *left, const void *right);
	size_t ret_size;
	/* FLOW_FOREIGN may change where bytes of the server come later than those of the client. */
	bool minds_order;
};

/*
 * Aborts unless what PARSER says of the first SIZES bytes of WHOLE, which may have ended, agrees
 * with what it says of all of it, and nothing behind the end of either is read.
 */
void flow_check_cut(const struct flow *whole, const size_t sizes[NR_FLOW_DIRECTIONS],
		    const struct flow_parser *parser);

/* In which order the bytes of a connection come, a byte at a time. */
enum flow_order {
	FLOW_CLIENT_FIRST,
	FLOW_SERVER_FIRST,
	FLOW_IN_TURNS,
	NR_FLOW_ORDERS
};

/* A piece of a connection. */
struct flow_step {
	enum flow_direction from;
	size_t size;
};

/*
 * Aborts unless PARSER keeps what flow.h promises while WHOLE grows, by the byte, in the order of
 * the NR STEPS: what is decided stays, a call with fewer bytes than it needs tells nothing new, and
 * nothing behind the end is read. Returns the last state, and in *RET_CALLS how many calls it took
 * to decide.
 */
enum flow_state flow_check_steps(const struct flow *whole, const struct flow_step *steps, size_t nr,
				 const struct flow_parser *parser, size_t *ret_calls);

/* The same in ORDER. */
enum flow_state flow_check_growth(const struct flow *whole, enum flow_order order,
				  const struct flow_parser *parser, size_t *ret_calls);

#endif /* TESTS_SUPPORT_RECORDED_H */
