/* SPDX-License-Identifier: MIT */
#ifndef PROTO_FLOW_H
#define PROTO_FLOW_H

/*
 * What the parsers of this folder are given and what they say. They are pure functions over the
 * bytes of both directions of a connection, from the first on and without holes: they keep nothing
 * between calls, allocate nothing, and are called again with more. To save them the calls that can
 * tell nothing new they say from how many bytes of a direction on there may be progress.
 *
 * Bytes are a peer's and arbitrary. Results borrow from them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One direction: what the client sent, or the server. */
struct flow_bytes {
	const uint8_t *bytes;
	size_t size;
	bool has_ended; /* no more will come: closed, reset, or as much as is kept */
};

enum flow_direction {
	FLOW_CLIENT, /* sent by the client */
	FLOW_SERVER,
	NR_FLOW_DIRECTIONS
};

struct flow {
	struct flow_bytes from[NR_FLOW_DIRECTIONS];
};

enum flow_state {
	FLOW_MORE,    /* undecided: more bytes, or the end, may tell */
	FLOW_DECIDED, /* nothing that comes will change what was found */
	FLOW_FOREIGN, /* not this protocol */
};

/* Sizes of the directions below which a further call changes nothing, while neither has ended. */
struct flow_needs {
	size_t size[NR_FLOW_DIRECTIONS];
};

/* Bytes of a peer, not terminated, of any content. */
struct flow_text {
	const uint8_t *bytes;
	size_t size;
};

#endif /* PROTO_FLOW_H */
