/* SPDX-License-Identifier: MIT */
#ifndef TAP_CONNECTIONS_H
#define TAP_CONNECTIONS_H

/*
 * The connections whose first bytes are being put together, until somebody has decided what they
 * are. Made at the first byte, never at a bare connect, so that a port scan costs nothing; held
 * within a budget of bytes and for a limited time: beyond it the oldest is given up, and counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sources/tap/tap.h"
#include "tap/stream.h"

/* Bytes of all connections and their buffers. */
#define TAP_BUDGET (32U << 20)
/* A handshake that takes longer is told as it is. */
#define TAP_DEADLINE_NS (30ULL * 1000000000)

enum tap_direction {
	TAP_SENT, /* by this end */
	TAP_RECEIVED,
	NR_TAP_DIRECTIONS
};

_Static_assert(TAP_STREAM_MAX == TAP_BYTES_MAX, "what is full is told no more");

/* Why a connection is looked at. */
enum tap_look {
	TAP_LOOK_NEWS,	   /* bytes, or a datagram, came */
	TAP_LOOK_CLOSED,   /* it is over; the last look */
	TAP_LOOK_OVERDUE,  /* it took too long; the last look */
	TAP_LOOK_ENDED,	   /* the run is over; the last look */
	TAP_LOOK_GIVEN_UP, /* there is no room for it; the last look */
};

struct tap_connection {
	uint64_t cookie;   /* of its socket; 0: not known yet */
	uint64_t owner_ns; /* with OWNER the process that has it */
	uint64_t first_ns; /* boot time of the first byte, and of the newest */
	uint64_t last_ns;
	uint32_t owner; /* 0: not known */
	uint32_t owner_uid;
	uint8_t local[16];
	uint8_t peer[16];
	uint16_t local_port;
	uint16_t peer_port;
	uint8_t role; /* enum tap_role */
	bool is_datagram;
	bool is_listeners; /* OWNER is who listens: nobody has read yet */
	bool has_hole;	   /* records were lost */
	bool is_reset;	   /* closed by an error */
	struct tap_stream streams[NR_TAP_DIRECTIONS];
	size_t needs[NR_TAP_DIRECTIONS]; /* bytes below which it is not looked at again */
	/* Of whoever looks. */
	uint8_t kind;
	bool is_wrapped;		   /* in packets of another protocol */
	uint8_t starttls;		   /* enum starttls_protocol */
	uint8_t client;			   /* enum tap_direction: what the client sends */
	uint16_t begin[NR_TAP_DIRECTIONS]; /* where TLS begins */
	void *state;			   /* for datagrams; freed with free() */
	/* Private to the table. */
	struct tap_connection *next;  /* in its bucket */
	struct tap_connection *older; /* by the first byte */
	struct tap_connection *newer;
	uint64_t key;
	uint32_t base[NR_TAP_DIRECTIONS];
	bool has_base[NR_TAP_DIRECTIONS];
	bool is_early[NR_TAP_DIRECTIONS]; /* the base is that of the first byte so far */
	uint32_t held;			  /* bytes of the budget */
};

struct tap_counts {
	uint64_t given_up; /* for want of room */
	uint64_t overdue;  /* undecided after TAP_DEADLINE_NS */
	uint64_t left;	   /* undecided when the run ended */
	uint64_t holes;	   /* undecided, with records lost */
};

struct tap_connections;

/*
 * Makes an empty table. LOOK is called with CTX when there is news of CONNECTION, for a datagram
 * with its SIZE bytes at BYTES of DIRECTION; it returns whether CONNECTION is decided, and sets
 * connection->needs. DECIDED, which may be NULL, is the memory shared with the kernel. Returns 0 or
 * -ENOMEM.
 */
int tap_connections_new(struct tap_connections **ret, struct tap_decided *decided,
			bool (*look)(void *ctx, struct tap_connection *connection,
				     enum tap_look why, enum tap_direction direction,
				     const uint8_t *bytes, size_t size),
			void *ctx);

/* Looks at nothing any more. NULL is fine. */
void tap_connections_free(struct tap_connections *connections);

/* Takes EVENT, whose tail was checked. Returns 0 or -ENOMEM: the bytes are lost, and counted. */
int tap_connections_take(struct tap_connections *connections, const struct tap_event *event);

/* Gives up what is overdue at NOW_NS, boot time. */
void tap_connections_expire(struct tap_connections *connections, uint64_t now_ns);

/* Looks a last time at all that are left. */
void tap_connections_end(struct tap_connections *connections);

/* Accounts for SIZE bytes more (or fewer) that whoever looks holds for CONNECTION. */
void tap_connection_hold(struct tap_connections *connections, struct tap_connection *connection,
			 long size);

size_t tap_connections_count(const struct tap_connections *connections);
size_t tap_connections_held(const struct tap_connections *connections); /* bytes */
const struct tap_counts *tap_connections_counts(const struct tap_connections *connections);

#endif /* TAP_CONNECTIONS_H */
