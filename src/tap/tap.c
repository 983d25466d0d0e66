/* SPDX-License-Identifier: MIT */
#include "tap/tap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/quic.h"
#include "tap/tap_private.h"
#include "trace/session.h"

/* Whether nothing is told of CONNECTION, as it is now: it is not a selected process's. */
static bool is_deselected(const struct tap *tap, const struct tap_connection *connection)
{
	return processes_is_selective(tap->pipeline->processes) && !tap_owner(tap, connection);
}

static bool look(void *ctx, struct tap_connection *connection, enum tap_look why,
		 enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	struct tap *tap = ctx;
	bool is_decided = connection->is_datagram
				  ? look_datagram(tap, connection, why, direction, bytes, size)
				  : look_stream(tap, connection, why);

	/* Of others nothing is missing. */
	return is_decided || (why != TAP_LOOK_NEWS && is_deselected(tap, connection));
}

/* A record of the tap has passed its checks. */
static int resolve(void *ctx, struct record *record)
{
	struct tap *tap = ctx;

	tap->current = (const void *)record->bytes;
	return STAGE_NEXT;
}

int tap_sockets(const struct session *session)
{
	const struct source_state *state = &session->states[SOURCE_tap];

	if (!state->is_attached)
		return -1;
	return bpf_map__fd(bpf_object__find_map_by_name(state->object, "tap_sockets"));
}

int tap_begin(struct tap *tap, struct pipeline *pipeline, struct broker *broker,
	      struct tap_decided *decided)
{
	int err;

	*tap = (struct tap){ .pipeline = pipeline, .is_whole = true };
	pipeline->handlers[SOURCE_tap].resolve = resolve;
	pipeline->handlers[SOURCE_tap].resolve_ctx = tap;
	tap->draft = malloc(sizeof(*tap->draft));
	tap->scratch = malloc(sizeof(*tap->scratch));
	tap->tls = malloc(sizeof(*tap->tls));
	tap->unwrapped = calloc(NR_TAP_DIRECTIONS, TAP_STREAM_MAX);
	err = tap->draft && tap->scratch && tap->tls && tap->unwrapped ? 0 : -ENOMEM;
	if (!err)
		err = quic_prepare();
	if (!err)
		err = owners_new(&tap->owners, broker);
	if (!err)
		err = tap_connections_new(&tap->connections, decided, look, tap);
	return err;
}

bool tap_makes(enum source_id source)
{
	return source == SOURCE_tls_handshake || source == SOURCE_ssh_handshake;
}

int tap_open(struct tap *tap, const struct session *session, struct pipeline *pipeline,
	     struct broker *broker)
{
	const struct bpf_map *map;
	void *memory;
	int err;

	*tap = (struct tap){ 0 };
	if (!session->states[SOURCE_tap].is_attached)
		return 0;
	map = bpf_object__find_map_by_name(session->states[SOURCE_tap].object, "tap_decided");
	memory = mmap(NULL, sizeof(*tap->decided), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		return -errno;
	err = tap_begin(tap, pipeline, broker, memory);
	tap->decided = memory;
	tap->is_whole = session->sees_all_cgroups;
	return err;
}

int tap_record(struct tap *tap, const void *bytes, size_t size)
{
	int err;

	tap->current = NULL;
	err = pipeline_record(tap->pipeline, bytes, size);
	if (err || !tap->current || !tap->connections)
		return err;
	tap->now_ns = tap->current->hdr.ts_ns;
	/* A connection for which there is no memory is counted by the table. */
	tap_connections_take(tap->connections, tap->current);
	return tap->err;
}

int tap_tick(struct tap *tap, uint64_t now_ns)
{
	if (!tap->connections)
		return 0;
	tap->now_ns = now_ns;
	tap_connections_expire(tap->connections, now_ns);
	return tap->err;
}

int tap_finish(struct tap *tap, uint64_t now_ns)
{
	if (!tap->connections)
		return 0;
	tap->now_ns = now_ns;
	tap_connections_end(tap->connections);
	return tap->err;
}

int tap_mapped(void *ctx, struct record *record)
{
	struct tap *tap = ctx;

	if (tap->owners)
		owners_mapped(tap->owners, record);
	return STAGE_NEXT;
}

int tap_executed(void *ctx, struct record *record)
{
	struct tap *tap = ctx;

	if (tap->owners)
		owners_executed(tap->owners, record);
	return STAGE_NEXT;
}

const struct process *tap_owner(const struct tap *tap, const struct tap_connection *connection)
{
	const struct process *process = processes_find(tap->pipeline->processes, connection->owner);

	return process && process->start_ns == connection->owner_ns ? process : NULL;
}

void tap_send(struct tap *tap, const struct tap_connection *connection, enum source_id source)
{
	struct event_hdr *hdr = (void *)tap->draft->bytes;
	const struct process *process = tap_owner(tap, connection);

	if (is_deselected(tap, connection))
		return;
	if (!connection->owner)
		tap->nr_unowned++;
	hdr->version = WIRE_VERSION;
	hdr->source = (uint16_t)source;
	hdr->size = (uint32_t)tap->draft->size;
	hdr->ts_ns = tap->now_ns;
	hdr->tgid = connection->owner;
	hdr->tid = connection->owner;
	if (process)
		process_fill(process, hdr);
	/* A server's workers change theirs when they have been made, of which nobody tells. */
	hdr->uid = connection->owner_uid;
	tap->nr_made[source]++;
	if (!tap->err)
		tap->err = pipeline_record(tap->pipeline, tap->draft->bytes, tap->draft->size);
}

void tap_cover(const struct tap *tap, struct coverage *coverage)
{
	const struct owners_counts *owners;
	const struct tap_counts *counts;

	if (!tap->connections)
		return;
	counts = tap_connections_counts(tap->connections);
	coverage_add_some(coverage, "handshakes",
			  "more connections at a time than there is room for", counts->given_up);
	coverage_add_some(coverage, "handshakes", "undecided after 30 s", counts->overdue);
	coverage_add_some(coverage, "handshakes", "undecided at the end of the run", counts->left);
	coverage_add_some(coverage, "handshakes",
			  "packets of theirs were lost: the buffer was full", counts->holes);
	coverage_add_some(coverage, "the process of handshakes", "nobody had read from the socket",
			  tap->nr_unowned);
	owners = owners_counts(tap->owners);
	coverage_add_some(coverage, "the TLS library of handshakes",
			  "their process could not be looked into, or had ended", owners->unread);
	coverage_add_some(coverage, "TLS libraries of processes",
			  "no memory, or more than there is room for", owners->left_out);
	coverage_add_some(coverage, "fingerprints of handshakes",
			  "no memory, or libcrypto refuses the hash", tap->nr_unhashed);
	coverage_add_some(coverage, "handshakes of other control groups",
			  "this is a cgroup namespace", !tap->is_whole);
}

void tap_close(struct tap *tap)
{
	tap_connections_free(tap->connections);
	owners_free(tap->owners);
	if (tap->decided)
		munmap(tap->decided, sizeof(*tap->decided));
	free(tap->draft);
	free(tap->scratch);
	free(tap->tls);
	free(tap->unwrapped);
	*tap = (struct tap){ 0 };
}
