/* SPDX-License-Identifier: MIT */
#ifndef TAP_TAP_H
#define TAP_TAP_H

/*
 * From the packet tap to tls_handshake and ssh_handshake: takes the tap's records, puts connections
 * together, has them parsed, and sends an event down the pipeline for each handshake, at each of
 * its ends that is on this host. Borrows what it is given.
 */

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/coverage.h"
#include "pipeline/pipeline.h"
#include "priv/broker.h"
#include "tap/connections.h"
#include "sources/source.h"
#include "tap/owners.h"

struct session;
struct draft;
struct tls_scratch;
struct tls_session;

struct tap {
	struct pipeline *pipeline;
	struct tap_connections *connections; /* NULL: closed */
	struct tap_decided *decided;
	struct owners *owners;
	struct draft *draft;
	struct tls_scratch *scratch;
	struct tls_session *tls;
	uint8_t (*unwrapped)[TAP_STREAM_MAX]; /* a direction each */
	const struct tap_event *current;      /* the record under way, once it was checked */
	uint64_t now_ns;		      /* time of what is told now */
	uint64_t nr_made[NR_SOURCES];	      /* events, by source */
	uint64_t nr_unowned;		      /* handshakes of which no process is known */
	uint64_t nr_unhashed;		      /* that lack a fingerprint they could have */
	bool is_whole;			      /* all control groups of the host are seen */
	int err;			      /* of the pipeline */
};

/*
 * Makes ready for what SESSION's tap copies; all that needs rights. Returns 0, also where there is
 * no tap, or a negative errno.
 */
int tap_open(struct tap *tap, const struct session *session, struct pipeline *pipeline,
	     struct broker *broker);

/* Whether events of SOURCE are made of what the tap copies: its state is theirs. */
bool tap_makes(enum source_id source);

/*
 * The map of SESSION's tap that has an entry for each connection it sees, as a descriptor; -1:
 * there is no tap.
 */
int tap_sockets(const struct session *session);

/*
 * Takes a record of the tap of SIZE bytes, and sends it and what follows from it down the pipeline.
 * Returns as pipeline_record().
 */
int tap_record(struct tap *tap, const void *bytes, size_t size);

/* Tells what takes too long at NOW_NS, boot time. Returns as pipeline_record(). */
int tap_tick(struct tap *tap, uint64_t now_ns);

/* The end: tells what is left. Returns as pipeline_record(). */
int tap_finish(struct tap *tap, uint64_t now_ns);

/* For pipeline_handler.resolve, with the struct tap: of a lib_load and a process_exec. */
int tap_mapped(void *ctx, struct record *record);
int tap_executed(void *ctx, struct record *record);

/* Adds to COVERAGE what was not seen of handshakes. */
void tap_cover(const struct tap *tap, struct coverage *coverage);

void tap_close(struct tap *tap);

#endif /* TAP_TAP_H */
