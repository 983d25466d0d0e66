/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_STAGED_H
#define TESTS_TAP_STAGED_H

/*
 * Records of the tap, as the kernel makes them of a connection, and the events that come of them.
 * One program, one connection at a time: its owner is process 100, nginx, its ends are 127.0.0.1,
 * port 4433 and port 50000. To be included by the test itself, after cmocka.h: has state.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/flow.h"
#include "support/parsed.h"
#include "support/scene.h"
#include "tap/tap.h"
#include "tap/tap_private.h"

#define OWNER	 100U
#define OWNER_NS 1000ULL
#define BASE	 4294967000U /* the stream passes the end of sequence numbers */

static struct scene scene;
static struct tap tap;
static struct broker broker = { .fd = -1 };
static struct tap_decided decided;
static uint64_t now_ns;

/* The connection that say() is about. */
static struct {
	uint64_t cookie;
	bool is_server; /* this end is, of TCP */
	size_t segment; /* bytes of the largest */
	uint32_t at[NR_FLOW_DIRECTIONS];
} talk;

static inline void begin_with(const char *format, bool is_selective)
{
	struct process *process;

	if (is_selective)
		scene_open_selective(&scene, format);
	else
		scene_open(&scene, format, false);
	scene.pipeline.filter.wanted = 1U << SOURCE_tls_handshake | 1U << SOURCE_ssh_handshake;
	memset(&decided, 0, sizeof(decided));
	assert_int_equal(tap_begin(&tap, &scene.pipeline, &broker, &decided), 0);
	process = processes_add(scene.pipeline.processes, OWNER, OWNER_NS);
	snprintf(process->comm, sizeof(process->comm), "nginx");
	process->ppid = 7;
	now_ns = 5000000000;
}

static inline void begin(bool is_selective)
{
	begin_with("json-lines", is_selective);
}

static inline void end(void)
{
	tap.decided = NULL;
	tap_close(&tap);
	scene_close(&scene);
}

/* A record of connection COOKIE, whose owner is OWNER, a millisecond after the one before. */
static inline struct tap_event *event_of(struct raw *raw, uint64_t cookie, uint16_t type)
{
	static const uint8_t loopback[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
	struct tap_event *event;

	raw_begin(raw, SOURCE_tap);
	event = (void *)raw->bytes;
	now_ns += 1000000;
	event->hdr = (struct event_hdr){ .version = WIRE_VERSION,
					 .source = SOURCE_tap,
					 .type = type,
					 .ts_ns = now_ns,
					 .tgid = OWNER };
	event->owner_ns = OWNER_NS;
	event->cookie = cookie;
	memcpy(event->local, loopback, sizeof(loopback));
	memcpy(event->peer, loopback, sizeof(loopback));
	event->local_port = 4433;
	event->peer_port = 50000;
	return event;
}

static inline void take(struct raw *raw)
{
	raw_hdr(raw)->size = (uint32_t)raw->size;
	/* In the ring it has more room. */
	assert_int_equal(tap_record(&tap, raw->bytes, raw->size + 100), 0);
}

static inline void send_with(uint16_t flags, uint64_t cookie, bool is_server, bool is_received,
			     uint32_t offset, const void *bytes, size_t size)
{
	static struct raw raw;
	struct tap_event *event = event_of(&raw, cookie, TAP_SEGMENT);

	event->hdr.flags = flags;
	event->role = is_server ? TAP_SERVER : TAP_CLIENT;
	event->is_received = is_received;
	event->base = BASE;
	event->sequence = BASE + offset;
	raw_tail(&raw, offsetof(struct tap_event, payload), bytes, size);
	take(&raw);
}

static inline void send(uint64_t cookie, bool is_server, bool is_received, uint32_t offset,
			const void *bytes, size_t size)
{
	send_with(0, cookie, is_server, is_received, offset, bytes, size);
}

static inline void close_it(uint64_t cookie)
{
	static struct raw raw;

	event_of(&raw, cookie, TAP_CLOSE);
	take(&raw);
}

/* The connection belongs to PID now. */
static inline void own(uint64_t cookie, uint32_t pid, uint64_t start_ns)
{
	static struct raw raw;
	struct tap_event *event = event_of(&raw, cookie, TAP_OWNER);

	event->hdr.tgid = pid;
	event->owner_ns = start_ns;
	take(&raw);
}

static inline void talk_begin(uint64_t cookie, bool is_server, size_t segment)
{
	memset(&talk, 0, sizeof(talk));
	talk.cookie = cookie;
	talk.is_server = is_server;
	talk.segment = segment;
}

/* The client or the server of TCP says SIZE BYTES more. */
static inline void say(enum flow_direction from, const void *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += talk.segment) {
		size_t part = size - at < talk.segment ? size - at : talk.segment;

		send(talk.cookie, talk.is_server, (from == FLOW_CLIENT) == talk.is_server,
		     talk.at[from] + (uint32_t)at, (const uint8_t *)bytes + at, part);
	}
	talk.at[from] += (uint32_t)size;
}

static inline void say_text(enum flow_direction from, const char *text)
{
	say(from, text, strlen(text));
}

static inline void finish(void)
{
	assert_int_equal(tap_finish(&tap, now_ns), 0);
}

/* The only event, valid until the next is asked for. */
static inline const char *the_event(const char *name)
{
	const char *text = scene_text(&scene);

	if (parsed_count(text, strlen(text)) != 1)
		fail_msg("%s: not one event: %s", name, text);
	return text;
}

static inline void expect_nothing(const char *name)
{
	const char *text = scene_text(&scene);

	if (*text)
		fail_msg("%s: an event: %s", name, text);
}

/* The value at KEY of the event TEXT is EXPECTED; NULL: there is none. */
static inline void expect(const char *name, const char *text, const char *key, const char *expected)
{
	const char *told = parsed_value(text, key);

	if (expected ? !told || strcmp(told, expected) != 0 : told != NULL)
		fail_msg("%s: %s is %s, not %s", name, key, told ? told : "missing",
			 expected ? expected : "missing");
}

/* Nothing is held of what was told or let go of. */
static inline void expect_forgotten(void)
{
	assert_int_equal(tap_connections_count(tap.connections), 0);
	assert_int_equal(tap_connections_held(tap.connections), 0);
}

#endif /* TESTS_TAP_STAGED_H */
