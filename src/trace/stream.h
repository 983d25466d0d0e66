/* SPDX-License-Identifier: MIT */
#ifndef TRACE_STREAM_H
#define TRACE_STREAM_H

/*
 * The consumer: drains the BPF ring and the mapping rings in the order of time, hands each record
 * to a handler, and sleeps in between so that a quiet host costs nothing. Owns the epoll
 * descriptor; borrows the session.
 *
 * Order: exact within a process, within 1 ms across CPUs. In a pass the mappings that the rings
 * hold are staged first, then the BPF ring is walked in place and staged mappings with an earlier
 * time go before each record. A record newer than the staging makes the rings be read again. What
 * is left at the end waits for the next pass when the BPF ring holds a record that is still being
 * written: those behind it may make the processes known that the mappings belong to.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/session.h"

struct stream {
	struct session *session;
	/* Takes one record; a negative return ends the pass and is returned by stream_pass(). */
	int (*on_record)(void *ctx, const void *bytes, size_t size);
	void *ctx;
	int epoll;
	int window_ms; /* how long records gather; 0: STREAM_WINDOW_MS */
	int err;
	unsigned long staged_at;  /* bytes written to the BPF ring when mappings were staged last */
	uint64_t staged_until_ns; /* mappings up to this time are staged or were handed over */
	unsigned int budget;	  /* records until the pass pauses */
	bool has_paused;
	bool was_woken; /* from sleep, and no record came with it yet */
};

/*
 * How long arriving records are left to gather while the consumer is awake: a wake-up costs as much
 * as 70 records do in a virtual machine, and an event is to be seen within 50 ms.
 */
#define STREAM_WINDOW_MS 40
/* Where a library that is mapped is to get its probes at once. */
#define STREAM_WINDOW_SHORT_MS 10
/* A mapping alone wakes no one: without any other event it is noticed after this time. */
#define STREAM_IDLE_MS 1000
/* Records between two looks at signals and time limits. */
#define STREAM_BUDGET 8192

/* libbpf's callback for session_open(); CTX is the struct stream. */
int stream_on_bpf_record(void *ctx, void *bytes, size_t size);

/* Prepares to consume SESSION, open already. Returns 0 or a negative errno. */
int stream_init(struct stream *stream, struct session *session);

/* Wakes the stream when FD is readable. Returns 0 or a negative errno. */
int stream_watch(struct stream *stream, int fd);

/*
 * Handles what is there, at most about STREAM_BUDGET records. Returns how many records there were,
 * one more when another is being written, or what on_record returned.
 */
int stream_pass(struct stream *stream);

/*
 * Waits for more after a pass that had NR_RECORDS, at most TIMEOUT_MS: the gathering window after a
 * pass with records, real sleep after an empty one. Returns early for signals and watched
 * descriptors.
 */
void stream_wait(struct stream *stream, int nr_records, int timeout_ms);

void stream_done(struct stream *stream);

#endif /* TRACE_STREAM_H */
