/* SPDX-License-Identifier: MIT */
#ifndef TAP_TAP_PRIVATE_H
#define TAP_TAP_PRIVATE_H

/* Between the files of this folder. */

#include "proto/ssh.h"
#include "proto/tls.h"
#include "sources/source.h"
#include "tap/draft.h"
#include "tap/tap.h"

/* What a connection is taken for. */
enum tap_kind {
	TAP_KIND_unknown,
	TAP_KIND_tls,
	TAP_KIND_ssh,
	TAP_KIND_quic,
	TAP_KIND_dtls,
};

/*
 * Makes TAP, all but what is shared with the kernel: DECIDED may be NULL. Returns 0 or a negative
 * errno.
 */
int tap_begin(struct tap *tap, struct pipeline *pipeline, struct broker *broker,
	      struct tap_decided *decided);

/* For tap_connections_new(): of connections over streams, and of datagrams. */
bool look_stream(struct tap *tap, struct tap_connection *connection, enum tap_look why);
bool look_datagram(struct tap *tap, struct tap_connection *connection, enum tap_look why,
		   enum tap_direction direction, const uint8_t *bytes, size_t size);

/* Makes an event of what was found out about CONNECTION and sends it down the pipeline. */
void tell_tls(struct tap *tap, const struct tap_connection *connection,
	      const struct tls_session *session);
void tell_ssh(struct tap *tap, const struct tap_connection *connection,
	      const struct ssh_session *session, bool is_closed);

/* What CONNECTION took, ns. Records of two CPUs may come a little out of order. */
static inline uint64_t tap_duration_ns(const struct tap_connection *connection)
{
	return connection->last_ns > connection->first_ns
		       ? connection->last_ns - connection->first_ns
		       : 0;
}

/* The process that has CONNECTION, or NULL: it is not in the table. */
const struct process *tap_owner(const struct tap *tap, const struct tap_connection *connection);

/*
 * Sends the record in tap->draft, of SOURCE, as one of CONNECTION's owner; nothing when that is not
 * among the selected processes.
 */
void tap_send(struct tap *tap, const struct tap_connection *connection, enum source_id source);

#endif /* TAP_TAP_PRIVATE_H */
