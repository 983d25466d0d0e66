/* SPDX-License-Identifier: MIT */
#ifndef INVENTORY_PROFILE_SESSIONS_H
#define INVENTORY_PROFILE_SESSIONS_H

/*
 * Handshakes added up: those that agreed on the same, with the same peer, are one session of a
 * profile. What is the same profile_sessions.def says, by the names of the events' fields. Texts
 * are copied to a pool, which has to live as long. Bounded: a handshake for which there is no room
 * is counted, not told.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/profile_connections.h"
#include "inventory/profile_findings.h"
#include "lib/pool.h"
#include "pipeline/field.h"
#include "pipeline/record.h"

/* Of TLS, and of SSH. */
#define PROFILE_SESSIONS_MAX	    1024
#define PROFILE_SESSION_NUMBERS_MAX 18
#define PROFILE_SESSION_TEXTS_MAX   14
#define PROFILE_SESSION_BUCKETS	    256U

enum profile_tls_number {
#define TLS_NUMBER(field)  TLS_NUMBER_##field,
#define TLS_VERDICT(field) TLS_NUMBER_##field,
#include "inventory/profile_sessions.def"
	NR_TLS_NUMBERS
};

enum profile_tls_text {
#define TLS_TEXT(field)	       TLS_TEXT_##field,
#define TLS_CERTIFICATE(field) TLS_TEXT_##field,
#include "inventory/profile_sessions.def"
	NR_TLS_TEXTS
};

enum profile_ssh_number {
#define SSH_NUMBER(field) SSH_NUMBER_##field,
#include "inventory/profile_sessions.def"
	NR_SSH_NUMBERS
};

enum profile_ssh_text {
#define SSH_TEXT(field) SSH_TEXT_##field,
#include "inventory/profile_sessions.def"
	NR_SSH_TEXTS
};

struct profile_text {
	const char *bytes; /* not terminated; a list is NUL-separated; NULL: not known */
	size_t size;
};

struct profile_session {
	int32_t numbers[PROFILE_SESSION_NUMBERS_MAX]; /* -1: not known */
	struct profile_text texts[PROFILE_SESSION_TEXTS_MAX];
	uint64_t count;
	uint64_t nr_resumed;
	uint64_t first_ns; /* of their ends, since the epoch */
	uint64_t last_ns;
	uint64_t shortest_us;
	uint64_t longest_us;
	bool was_before; /* a connection that was there: nothing is known but role and peer */
	bool is_ktls;
	uint32_t next; /* private */
};

struct profile_sessions {
	struct profile_session *items;
	size_t nr_items;
	uint64_t nr_handshakes; /* also those that are not told */
	uint64_t nr_refused;
	uint32_t buckets[PROFILE_SESSION_BUCKETS]; /* private */
};

extern const struct fields tls_session_fields;
extern const struct fields ssh_session_fields;

/* Makes SESSIONS empty. */
void profile_sessions_init(struct profile_sessions *sessions);

/*
 * Adds RECORD, a tls_handshake or ssh_handshake, and its findings to FINDINGS. Returns 0 or
 * -ENOMEM.
 */
int profile_sessions_take(struct profile_sessions *sessions, struct profile_findings *findings,
			  struct pool *pool, const struct record *record);

/*
 * Makes *RET a sorted list of struct profile_session, from POOL: of SESSIONS, and of CONNECTIONS
 * that are of the protocol PROTOCOL. More handshakes may follow. Returns 0 or -ENOMEM.
 */
int profile_sessions_list(const struct profile_sessions *sessions,
			  const struct profile_connections *connections,
			  enum profile_protocol protocol, struct pool *pool, struct item_list *ret);

/* Frees what SESSIONS owns, not SESSIONS. */
void profile_sessions_free(struct profile_sessions *sessions);

#endif /* INVENTORY_PROFILE_SESSIONS_H */
