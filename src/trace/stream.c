/* SPDX-License-Identifier: MIT */
#include "trace/stream.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "pipeline/clock.h"
#include "sources/lib_load/lib_load.h"
#include "trace/reduced.h"

/* Hands the earliest staged mapping on, in the form of a record. */
static int hand_over_mapping(struct stream *stream)
{
	static const char digits[] = "0123456789abcdef";
	const struct mapping *mapping = mappings_first(stream->session->mappings);
	struct {
		struct lib_load_event event;
		char text[MAPPING_PATH_MAX + 2 * MAPPING_BUILD_ID_MAX];
	} record = {
		.event = {
			.hdr = {
				.version = WIRE_VERSION,
				.source = SOURCE_lib_load,
				.ts_ns = mapping->ts_ns,
				.tgid = mapping->pid,
				.tid = mapping->tid,
			},
			.inode = mapping->inode,
			.dev_major = mapping->dev_major,
			.dev_minor = mapping->dev_minor,
		},
	};
	size_t at = offsetof(__typeof__(record), text);
	char *id = record.text + mapping->path_size;

	memcpy(record.text, mapping->path, mapping->path_size);
	record.event.path =
		(struct tail){ .off = (uint16_t)at, .size = (uint16_t)mapping->path_size };
	for (size_t i = 0; i < mapping->build_id_size; i++) {
		*id++ = digits[mapping->build_id[i] >> 4];
		*id++ = digits[mapping->build_id[i] & 0xf];
	}
	record.event.build_id = (struct tail){ .off = (uint16_t)(at + mapping->path_size),
					       .size = (uint16_t)(2 * mapping->build_id_size) };
	record.event.hdr.size =
		(uint32_t)(at + mapping->path_size + 2 * (size_t)mapping->build_id_size);
	mappings_pop(stream->session->mappings);
	return stream->on_record(stream->ctx, &record, record.event.hdr.size);
}

/* Hands over the staged mappings up to TS_NS. Returns how many, or a negative errno. */
static int hand_over_until(struct stream *stream, uint64_t ts_ns)
{
	const struct mapping *mapping;
	int count = 0;

	if (!stream->session->mappings)
		return 0;
	for (;;) {
		int err;

		mapping = mappings_first(stream->session->mappings);
		if (!mapping || mapping->ts_ns > ts_ns)
			return count;
		err = hand_over_mapping(stream);
		if (err)
			return err;
		count++;
	}
}

static void stage_mappings(struct stream *stream)
{
	stream->staged_until_ns = boot_clock_now();
	if (stream->session->mappings)
		mappings_collect(stream->session->mappings);
	if (stream->session->reduced)
		return;
	/* What a process did before it mapped a file is in the ring by now. */
	stream->staged_at = __atomic_load_n(stream->session->ring_written, __ATOMIC_ACQUIRE);
}

/* Whether all records were read that were there when mappings were staged. */
static bool is_read(const struct stream *stream)
{
	return (long)(*stream->session->ring_read - stream->staged_at) >= 0;
}

int stream_on_bpf_record(void *ctx, void *bytes, size_t size)
{
	struct stream *stream = ctx;
	struct event_hdr hdr;
	int err;

	if (size >= sizeof(hdr)) {
		memcpy(&hdr, bytes, sizeof(hdr));
		cpus_saw(&stream->session->cpus, hdr.cpu);
		if (hdr.ts_ns > stream->staged_until_ns)
			stage_mappings(stream);
		err = hand_over_until(stream, hdr.ts_ns);
		if (err < 0)
			goto fail;
	}
	err = stream->on_record(stream->ctx, bytes, size);
	if (err)
		goto fail;
	if (--stream->budget == 0) {
		/* libbpf would go on as long as records arrive: a negative return pauses it. */
		stream->has_paused = true;
		return -EAGAIN;
	}
	return 0;
fail:
	stream->err = err;
	return err;
}

int stream_init(struct stream *stream, struct session *session)
{
	int err = 0;

	stream->session = session;
	stream->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (stream->epoll < 0)
		return -errno;
	err = session->reduced ? reduced_watch(session->reduced, stream->epoll)
			       : stream_watch(stream, ring_buffer__epoll_fd(session->ring));
	if (!err && session->mappings)
		err = mappings_watch(session->mappings, stream->epoll);
	return err;
}

int stream_watch(struct stream *stream, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(stream->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* A record of an old kernel; the mappings up to its time are staged. */
static int on_reduced_record(void *ctx, const void *bytes, size_t size)
{
	struct stream *stream = ctx;
	int err = hand_over_until(stream, ((const struct event_hdr *)bytes)->ts_ns);

	return err < 0 ? err : stream->on_record(stream->ctx, bytes, size);
}

/* The rings of CPUs are merged, and hold what happened before the pass: the rest is for the next.
 */
static int pass_reduced(struct stream *stream)
{
	int count;
	int rest;

	stage_mappings(stream);
	count = reduced_pass(stream->session->reduced, stream->staged_until_ns, STREAM_BUDGET,
			     on_reduced_record, stream);
	if (count < 0 || count >= STREAM_BUDGET)
		return count;
	rest = hand_over_until(stream, stream->staged_until_ns);
	return rest < 0 ? rest : count + rest;
}

int stream_pass(struct stream *stream)
{
	int count;
	int rest;

	if (stream->session->reduced)
		return pass_reduced(stream);
	stream->err = 0;
	stream->has_paused = false;
	stream->budget = STREAM_BUDGET;
	stage_mappings(stream);
	count = ring_buffer__consume(stream->session->ring);
	if (stream->err)
		return stream->err;
	if (stream->has_paused)
		return STREAM_BUDGET;
	if (count < 0)
		return count;
	if (!is_read(stream))
		return count + 1;
	rest = hand_over_until(stream, UINT64_MAX);
	return rest < 0 ? rest : count + rest;
}

/*
 * Waits in STATE, which tells the programs when to wake us. A record sent before the state is set
 * made no wake-up: the ring's descriptor is readable then, and epoll_wait() returns at once.
 * Returns whether there is something.
 */
static bool wait_as(struct stream *stream, uint32_t state, int timeout_ms)
{
	struct control *control = stream->session->control;
	struct epoll_event event;
	int n;

	__atomic_store_n(&control->consumer, state, __ATOMIC_SEQ_CST);
	n = epoll_wait(stream->epoll, &event, 1, timeout_ms);
	__atomic_store_n(&control->consumer, CONSUMER_BUSY, __ATOMIC_SEQ_CST);
	return n > 0;
}

void stream_wait(struct stream *stream, int nr_records, int timeout_ms)
{
	if (nr_records >= STREAM_BUDGET)
		return;
	/* Nothing gathers: of a process that goes on /proc tells other things than it did. */
	if (stream->session->reduced && nr_records > 0)
		return;
	if (nr_records > 0 || stream->was_woken) {
		int window_ms = stream->window_ms ? stream->window_ms : STREAM_WINDOW_MS;

		stream->was_woken = false;
		wait_as(stream, CONSUMER_GATHERING,
			timeout_ms < window_ms ? timeout_ms : window_ms);
		return;
	}
	/* A wake-up without a record announces a mapping: it gets its time, and is not repeated. */
	stream->was_woken = wait_as(stream, CONSUMER_SLEEPING,
				    timeout_ms < STREAM_IDLE_MS ? timeout_ms : STREAM_IDLE_MS);
}

void stream_done(struct stream *stream)
{
	if (stream->epoll > 0)
		close(stream->epoll);
	stream->epoll = -1;
}
