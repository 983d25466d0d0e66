/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_TAPPED_H
#define TESTS_TAP_TAPPED_H

/*
 * A session with the tap, whose records a thread takes: what each connection's end is told to have
 * sent and received, and each record that came. Only of the ports that a test watches: others use
 * this host too. For tests of one program, after cmocka.h and traffic.h.
 */

#include <bpf/libbpf.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "proc/processes.h"
#include "sources/source.h"
#include "tap/connections.h"
#include "trace/session.h"

#define ENDS_MAX    2048
#define RECORDS_MAX 65536
#define PORTS_MAX   8

/* The ring's bytes, unless a test has its own mind. */
#ifndef TAPPED_RING
#define TAPPED_RING (8U << 20)
#endif

/* An end of a connection as it was when it was looked at last; the bytes are copies. */
struct end {
	struct tap_connection connection;
	enum tap_look why;
};

struct tapped {
	struct session session;
	struct processes *processes;
	struct tap_connections *connections;
	struct tap_decided *decided;
	pthread_t thread;
	pthread_mutex_t lock;
	bool is_ended;
	unsigned long nr_passes;
	/* All below for the ports that are watched. */
	uint16_t ports[PORTS_MAX];
	size_t nr_ports;
	struct end ends[ENDS_MAX];
	size_t nr_ends;
	struct tap_event records[RECORDS_MAX];
	size_t nr_records;
	size_t nr_bytes; /* of payload */
};

static struct tapped tapped = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline bool is_watched(uint16_t port)
{
	for (size_t i = 0; i < tapped.nr_ports; i++)
		if (tapped.ports[i] == port)
			return true;
	return false;
}

static inline void copy_stream(struct tap_stream *stream)
{
	const struct tap_stream old = *stream;

	*stream = (struct tap_stream){ 0 };
	for (size_t i = 0; i < old.nr_ranges; i++)
		if (tap_stream_add(stream, old.ranges[i].begin, old.bytes + old.ranges[i].begin,
				   (size_t)(old.ranges[i].end - old.ranges[i].begin)))
			abort();
}

static inline bool tapped_look(void *ctx, struct tap_connection *connection, enum tap_look why,
			       enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	struct end *end = &tapped.ends[tapped.nr_ends];

	(void)ctx, (void)direction, (void)bytes, (void)size;
	if (why == TAP_LOOK_NEWS)
		return false;
	if (!is_watched(connection->local_port) && !is_watched(connection->peer_port))
		return false;
	if (tapped.nr_ends == ENDS_MAX)
		abort();
	*end = (struct end){ *connection, why };
	for (size_t i = 0; i < NR_TAP_DIRECTIONS; i++)
		copy_stream(&end->connection.streams[i]);
	tapped.nr_ends++;
	return false;
}

/* Records of changes have no ports: theirs are the cookies that were seen with one. */
static inline bool is_seen(const struct tap_event *event)
{
	if (event->local_port || event->peer_port)
		return is_watched(event->local_port) || is_watched(event->peer_port);
	for (size_t i = tapped.nr_records; i > 0; i--)
		if (tapped.records[i - 1].cookie == event->cookie)
			return true;
	return false;
}

static inline int tapped_on_record(void *ctx, void *bytes, size_t size)
{
	const struct tap_event *event = bytes;

	(void)ctx;
	if (event->hdr.source != SOURCE_tap)
		return 0;
	if (size < sizeof(*event) || event->hdr.size > size ||
	    (event->payload.size &&
	     (size_t)event->payload.off + event->payload.size != event->hdr.size))
		abort();
	if (is_seen(event)) {
		if (tapped.nr_records == RECORDS_MAX)
			abort();
		tapped.records[tapped.nr_records++] = *event;
		tapped.nr_bytes += event->payload.size;
	}
	if (tap_connections_take(tapped.connections, event))
		abort();
	return 0;
}

static inline void *tapped_thread(void *ctx)
{
	const struct timespec pause = { .tv_nsec = 300000 };

	(void)ctx;
	while (!__atomic_load_n(&tapped.is_ended, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&tapped.lock);
		ring_buffer__consume(tapped.session.ring);
		tapped.nr_passes++;
		pthread_mutex_unlock(&tapped.lock);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static inline int map_decided(void)
{
	struct bpf_map *map = bpf_object__find_map_by_name(tapped.session.states[SOURCE_tap].object,
							   "tap_decided");
	void *memory = mmap(NULL, sizeof(struct tap_decided), PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		return -errno;
	tapped.decided = memory;
	return 0;
}

/* Begins to tell of what SELECT selects, with ROOT (0: none) the root of a tree. */
static inline int tapped_open(uint32_t select, uint32_t root)
{
	const struct trace_config config = {
		.ring_size = TAPPED_RING,
		.select = select,
		.wanted = 1U << SOURCE_tap,
	};
	int err = processes_new(&tapped.processes, 65536, select != 0);

	if (!err)
		err = session_open(&tapped.session, &config, tapped_on_record, NULL);
	if (!err && !tapped.session.states[SOURCE_tap].is_attached)
		err = -ENOENT;
	if (!err)
		err = map_decided();
	if (!err && root)
		err = session_add_root(&tapped.session, root);
	if (!err)
		err = tap_connections_new(&tapped.connections, NULL, tapped_look, NULL);
	if (!err)
		err = session_start(&tapped.session, tapped.processes);
	if (!err)
		err = -pthread_create(&tapped.thread, NULL, tapped_thread, NULL);
	if (err)
		fprintf(stderr, "the tap: %s: %s\n", strerror(-err),
			tapped.session.states[SOURCE_tap].reason);
	return err;
}

static inline void tapped_clear(void)
{
	for (size_t i = 0; i < tapped.nr_ends; i++)
		for (size_t j = 0; j < NR_TAP_DIRECTIONS; j++)
			tap_stream_done(&tapped.ends[i].connection.streams[j]);
	tapped.nr_ends = 0;
	tapped.nr_records = 0;
	tapped.nr_bytes = 0;
}

static inline void tapped_close(void)
{
	__atomic_store_n(&tapped.is_ended, true, __ATOMIC_SEQ_CST);
	pthread_join(tapped.thread, NULL);
	tap_connections_free(tapped.connections);
	munmap(tapped.decided, sizeof(struct tap_decided));
	session_close(&tapped.session);
	processes_free(tapped.processes);
	tapped_clear();
	tapped.is_ended = false;
}

/* Forgets what was told and watches PORT alone. */
static inline void watch(uint16_t port)
{
	pthread_mutex_lock(&tapped.lock);
	tapped_clear();
	tap_connections_free(tapped.connections);
	if (tap_connections_new(&tapped.connections, NULL, tapped_look, NULL))
		abort();
	tapped.ports[0] = port;
	tapped.nr_ports = 1;
	pthread_mutex_unlock(&tapped.lock);
}

static inline void pause_ms(long ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Waits until all that was sent so far has been taken. */
static inline void catch_up(void)
{
	unsigned long passes;

	pthread_mutex_lock(&tapped.lock);
	passes = tapped.nr_passes;
	pthread_mutex_unlock(&tapped.lock);
	while (__atomic_load_n(&tapped.nr_passes, __ATOMIC_SEQ_CST) < passes + 2)
		pause_ms(1);
}

/* Waits until NR ends were told to be over, for at most MS, then ends those that are left. */
static inline void collect(size_t nr, long ms)
{
	for (long waited = 0; waited < ms; waited += 5) {
		catch_up();
		if (__atomic_load_n(&tapped.nr_ends, __ATOMIC_SEQ_CST) >= nr)
			break;
		pause_ms(5);
	}
	catch_up();
	pthread_mutex_lock(&tapped.lock);
	tap_connections_end(tapped.connections);
	pthread_mutex_unlock(&tapped.lock);
}

/* How many records of TYPE came. */
static inline size_t count_records(enum tap_record type)
{
	size_t nr = 0;

	for (size_t i = 0; i < tapped.nr_records; i++)
		nr += tapped.records[i].hdr.type == type;
	return nr;
}

/* How many records of any kind have one of FLAGS. */
static inline size_t count_flags(uint16_t flags)
{
	size_t nr = 0;

	for (size_t i = 0; i < tapped.nr_records; i++)
		nr += (tapped.records[i].hdr.flags & flags) != 0;
	return nr;
}

static inline uint64_t counted(size_t offset)
{
	struct source_counters counters;
	uint64_t value;

	session_counters(&tapped.session, SOURCE_tap, &counters);
	memcpy(&value, (char *)&counters + offset, sizeof(value));
	return value;
}

/* The only end of ROLE. */
static inline const struct tap_connection *end_of(enum tap_role role)
{
	const struct tap_connection *found = NULL;

	for (size_t i = 0; i < tapped.nr_ends; i++) {
		const struct tap_connection *at = &tapped.ends[i].connection;

		if (at->role != role)
			continue;
		assert_null(found);
		found = at;
	}
	assert_non_null(found);
	return found;
}

/* END's DIRECTION is what SIDE of the client at PORT has sent. */
static inline void check_stream(const struct tap_connection *end, enum tap_direction direction,
				uint16_t port, enum side side)
{
	static uint8_t expected[STREAM_SIZE_MAX];
	size_t size = stream_size(port, side);

	if (size > TAP_STREAM_MAX)
		size = TAP_STREAM_MAX;
	stream_fill(expected, size, port, side);
	if (tap_stream_size(&end->streams[direction]) != size)
		print_message("port %u: role %u, direction %u: %zu of %zu bytes\n", port, end->role,
			      direction, tap_stream_size(&end->streams[direction]), size);
	assert_int_equal(tap_stream_size(&end->streams[direction]), size);
	assert_memory_equal(end->streams[direction].bytes, expected, size);
}

/* END has the bytes of both sides. */
static inline void check_end(const struct tap_connection *end)
{
	bool is_client = end->role == TAP_CLIENT;
	uint16_t port = is_client ? end->local_port : end->peer_port;

	check_stream(end, is_client ? TAP_SENT : TAP_RECEIVED, port, SIDE_CLIENT);
	check_stream(end, is_client ? TAP_RECEIVED : TAP_SENT, port, SIDE_SERVER);
}

/* NR connections were told at both ends, with the bytes of both sides at each. */
static inline void check_ends(size_t nr)
{
	size_t nr_of[3] = { 0 };

	assert_int_equal(tapped.nr_ends, 2 * nr);
	for (size_t i = 0; i < tapped.nr_ends; i++) {
		check_end(&tapped.ends[i].connection);
		nr_of[tapped.ends[i].connection.role]++;
	}
	assert_int_equal(nr_of[TAP_CLIENT], nr);
	assert_int_equal(nr_of[TAP_SERVER], nr);
}

static const char *why_not; /* nothing can be tested */

static inline int group_begin(void **state)
{
	(void)state;
	why_not = geteuid() ? "needs root" : NULL;
	return why_not ? 0 : tapped_open(0, 0);
}

static inline int group_end(void **state)
{
	(void)state;
	if (!why_not)
		tapped_close();
	return 0;
}

static inline void need_tap(void)
{
	if (!why_not)
		return;
	print_message("%s\n", why_not);
	skip();
}

#endif /* TESTS_TAP_TAPPED_H */
