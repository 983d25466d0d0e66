/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INVENTORY_MADE_HANDSHAKE_H
#define TESTS_INVENTORY_MADE_HANDSHAKE_H

/* Handshakes in made profiles, as records. As inventory/made_profile.h. */

#include "inventory/made_profile.h"
#include "proto/tls.h"
#include "sources/ssh_handshake/ssh_handshake.h"
#include "sources/tls_handshake/tls_handshake.h"

static const uint8_t made_local[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
static const uint8_t made_peer[16] = { [10] = 0xff, 0xff, 198, 51, 100, 7 };

/* A handshake of a client with TLS 1.3, ready to be changed and taken. It took 1 ms. */
static inline struct tls_handshake_event *made_tls(uint32_t pid)
{
	struct tls_handshake_event *event = (void *)made_record(SOURCE_tls_handshake, pid);

	event->duration_ns = 1000000;
	memcpy(event->local, made_local, sizeof(event->local));
	memcpy(event->peer, made_peer, sizeof(event->peer));
	event->local_port = 50000;
	event->peer_port = 443;
	event->role = FLOW_CLIENT;
	event->outcome = TLS_OUTCOME_established;
	event->marks = TLS_EVENT_HAS_CHOICE;
	event->version = 0x0304;
	event->cipher = 0x1301;
	event->group = 29;
	event->group_known = TLS_KNOWN_yes;
	event->signature_known = TLS_KNOWN_encrypted;
	event->resumed = TLS_ANSWER_no;
	return event;
}

static inline struct ssh_handshake_event *made_ssh(uint32_t pid)
{
	struct ssh_handshake_event *event = (void *)made_record(SOURCE_ssh_handshake, pid);

	event->duration_ns = 1000000;
	memcpy(event->local, made_local, sizeof(event->local));
	memcpy(event->peer, made_peer, sizeof(event->peer));
	event->local_port = 50000;
	event->peer_port = 22;
	event->role = FLOW_CLIENT;
	event->outcome = SSH_EVENT_ESTABLISHED;
	event->marks = SSH_EVENT_HAS_CHOICE | SSH_EVENT_STRICT;
	return event;
}

#define TLS_TAIL(member, text)                                                                     \
	raw_tail_text(&raw, offsetof(struct tls_handshake_event, member), (text))
#define SSH_TAIL(member, text)                                                                     \
	raw_tail_text(&raw, offsetof(struct ssh_handshake_event, member), (text))

static inline const struct profile_session *tls_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->tls_sessions.count);
	return (const struct profile_session *)profile->tls_sessions.items + nr;
}

static inline const struct profile_session *ssh_at(const struct profile *profile, size_t nr)
{
	assert_true(nr < profile->ssh_sessions.count);
	return (const struct profile_session *)profile->ssh_sessions.items + nr;
}

/* Text NR of SESSION is EXPECTED, or with NULL not known. */
static inline void assert_said(const struct profile_session *session, size_t nr,
			       const char *expected)
{
	const struct profile_text *text = &session->texts[nr];

	if (!expected) {
		assert_null(text->bytes);
		return;
	}
	assert_non_null(text->bytes);
	assert_int_equal(text->size, strlen(expected));
	assert_memory_equal(text->bytes, expected, text->size);
}

#endif /* TESTS_INVENTORY_MADE_HANDSHAKE_H */
