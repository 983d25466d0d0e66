/* SPDX-License-Identifier: MIT */
/*
 * What the packet tap costs those who send and receive:
 *
 *	packets hits CPU ROUNDS	"KIND NS EMPTY_NS" a line: of one run of a program of the tap, and
 *of one that does nothing at the same place, both with what the kernel takes to measure that
 *	packets bulk CPU PEER_CPU BYTE MS
 *				"NS": lower quartile of the time of a MiB over one connection of the
 *				loopback that begins with the byte BYTE
 *	packets tap		has the tap in place until SIGTERM; a connection of which bytes of
 *				both directions are known is decided
 *	packets undecided	the same, and none is ever decided
 *	packets empty		has programs in place that do nothing, where packets are sent and
 *				received
 *
 * The last three print "attached" when they are.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "control.h"
#include "proc/processes.h"
#include "sources/tap/tap.h"
#include "tap/connections.h"
#include "trace/cgroup.h"
#include "trace/session.h"

#define RING_SIZE   (4U << 20)
#define MAX_ROUNDS  1000
#define MAX_BLOCKS  100000
#define MESSAGE	    500
#define MESSAGES    30 /* below TAP_BYTES_MAX */
#define TURNS	    40
#define BLOCK	    (1U << 20)
#define MAX_BULK_MS 60000

static struct session session;
static struct processes *processes;
static struct tap_connections *connections;

/* The programs that are measured, and where one that does nothing is beside them. */
enum place {
	PLACE_sent,
	PLACE_received,
	PLACE_read,
	PLACE_state,
	NR_PLACES
};

static const struct {
	const char *name;
	const char *tracepoint; /* NULL: for packets */
	enum bpf_attach_type type;
} places[NR_PLACES] = {
	[PLACE_sent] = { .name = "tap_sent", .type = BPF_CGROUP_INET_EGRESS },
	[PLACE_received] = { .name = "tap_received", .type = BPF_CGROUP_INET_INGRESS },
	[PLACE_read] = { .name = "tap_read", .tracepoint = "tcp_rcv_space_adjust" },
	[PLACE_state] = { .name = "tap_state", .tracepoint = "inet_sock_set_state" },
};

static int programs[NR_PLACES];
static int empties[NR_PLACES];

/* Every message, both directions, is taken and thrown away. */
static int on_record(void *ctx, void *bytes, size_t size)
{
	const struct tap_event *event = bytes;

	(void)ctx, (void)size;
	if (event->hdr.source == SOURCE_tap && connections)
		tap_connections_take(connections, event);
	return 0;
}

static bool look(void *ctx, struct tap_connection *connection, enum tap_look why,
		 enum tap_direction direction, const uint8_t *bytes, size_t size)
{
	const bool *is_deciding = ctx;

	(void)why, (void)direction, (void)bytes, (void)size;
	return *is_deciding &&
	       (connection->is_datagram || (tap_stream_size(&connection->streams[TAP_SENT]) &&
					    tap_stream_size(&connection->streams[TAP_RECEIVED])));
}

static void tap_open(void)
{
	const struct trace_config config = { .ring_size = RING_SIZE, .wanted = 1U << SOURCE_tap };
	int err = session_open(&session, &config, on_record, NULL);

	if (!err && !session.states[SOURCE_tap].is_attached)
		err = -ENOENT;
	if (!err)
		err = processes_new(&processes, 65536, false);
	if (!err)
		err = session_start(&session, processes);
	if (err)
		die("cannot attach the tap", -err);
	for (size_t i = 0; i < NR_PLACES; i++)
		programs[i] = bpf_program__fd(bpf_object__find_program_by_name(
			session.states[SOURCE_tap].object, places[i].name));
}

/* A program that lets packets pass, or has nothing to say. */
static int program_load(enum bpf_prog_type type, enum bpf_attach_type attach)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options);
	int fd;

	if (type == BPF_PROG_TYPE_CGROUP_SKB)
		options.expected_attach_type = attach;
	fd = bpf_prog_load(type, "bench_empty", "Dual MIT/GPL", insns,
			   sizeof(insns) / sizeof(insns[0]), &options);
	if (fd < 0)
		die("cannot load an empty program", -fd);
	return fd;
}

/* What holds it ends with this process. */
static void empty_attach(enum place place)
{
	int cgroup;
	int fd;

	if (places[place].tracepoint) {
		empties[place] = program_load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
		fd = bpf_raw_tracepoint_open(places[place].tracepoint, empties[place]);
	} else {
		cgroup = cgroup_open();
		empties[place] = program_load(BPF_PROG_TYPE_CGROUP_SKB, places[place].type);
		fd = bpf_link_create(empties[place], cgroup, places[place].type, NULL);
	}
	if (fd < 0)
		die("cannot attach an empty program", errno);
}

struct pair {
	int listener;
	int client;
	int server;
};

static int socket_bound(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)ret, sizeof(*ret)) ||
	    getsockname(fd, (struct sockaddr *)ret, &size))
		die("cannot make a socket", errno);
	return fd;
}

static void pair_open(struct pair *pair)
{
	struct sockaddr_in none;
	struct sockaddr_in to;
	int one = 1;

	pair->listener = socket_bound(&to);
	pair->client = socket_bound(&none);
	if (listen(pair->listener, 1) || connect(pair->client, (struct sockaddr *)&to, sizeof(to)))
		die("cannot connect", errno);
	pair->server = accept(pair->listener, NULL, NULL);
	setsockopt(pair->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(pair->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void pair_close(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static void say(int from, int to, uint8_t first, size_t size)
{
	static uint8_t bytes[TAP_BYTES_MAX];

	bytes[0] = first;
	if (send(from, bytes, size, MSG_NOSIGNAL) != (ssize_t)size ||
	    recv(to, bytes, size, MSG_WAITALL) != (ssize_t)size)
		die("cannot send", errno);
}

/* NR messages of SIZE bytes in each direction. */
static void talk(const struct pair *pair, uint8_t first, size_t size, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		say(pair->client, pair->server, first, size);
		say(pair->server, pair->client, first, size);
	}
}

struct run {
	uint64_t ns;
	uint64_t nr;
};

static struct run run_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		die("cannot ask for the times of a program", errno);
	return (struct run){ info.run_time_ns, info.run_cnt };
}

/* One kind of hit: what is measured of which program, in connections that go through the same. */
struct kind {
	const char *name;
	enum place place;
	uint8_t first;	/* byte of each message */
	size_t size;	/* of a message */
	size_t nr;	/* messages in a connection that are measured */
	size_t nr_skip; /* that come before */
};

static const struct kind kinds[] = {
	{ "sent.done", PLACE_sent, 'G', MESSAGE, 500, 1 },
	{ "received.done", PLACE_received, 'G', MESSAGE, 500, 1 },
	{ "read.done", PLACE_read, 'G', MESSAGE, 500, 1 },
	{ "sent.full", PLACE_sent, 0x16, MESSAGE, 500, 40 },
	{ "received.full", PLACE_received, 0x16, MESSAGE, 500, 40 },
	{ "sent.told", PLACE_sent, 0x16, MESSAGE, MESSAGES, 0 },
	{ "received.told", PLACE_received, 0x16, MESSAGE, MESSAGES, 0 },
	{ "read.told", PLACE_read, 0x16, MESSAGE, MESSAGES, 0 },
	{ "sent.16k", PLACE_sent, 0x16, TAP_BYTES_MAX, 1, 0 },
	{ "received.16k", PLACE_received, 0x16, TAP_BYTES_MAX, 1, 0 },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static double samples[NR_KINDS][2][MAX_ROUNDS];

static double mean_between(struct run before, struct run after)
{
	if (after.nr == before.nr)
		die("a program was not run", EPROTO);
	return (double)(after.ns - before.ns) / (double)(after.nr - before.nr);
}

/* A program's hits are some 20 ns: one connection is too few of them. */
static void kind_run(size_t number, uint64_t round)
{
	const struct kind *kind = &kinds[number];
	int fds[2] = { programs[kind->place], empties[kind->place] };
	struct run sums[2] = { 0 };
	size_t nr_turns = kind->nr < 100 ? TURNS : 2;

	for (size_t turn = 0; turn < nr_turns; turn++) {
		struct run before[2];
		struct pair pair;

		pair_open(&pair);
		talk(&pair, kind->first, kind->size, kind->nr_skip);
		for (size_t i = 0; i < 2; i++)
			before[i] = run_of(fds[i]);
		talk(&pair, kind->first, kind->size, kind->nr);
		for (size_t i = 0; i < 2; i++) {
			struct run after = run_of(fds[i]);

			sums[i].ns += after.ns - before[i].ns;
			sums[i].nr += after.nr - before[i].nr;
		}
		pair_close(&pair);
		ring_buffer__consume(session.ring);
	}
	for (size_t i = 0; i < 2; i++)
		samples[number][i][round] = mean_between((struct run){ 0 }, sums[i]);
}

static int double_compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double quartile(double *values, size_t nr)
{
	qsort(values, nr, sizeof(values[0]), double_compare);
	return values[nr / 4];
}

static int hits_print(uint64_t nr_rounds)
{
	tap_open();
	session.control->consumer = CONSUMER_BUSY;
	for (size_t i = 0; i < NR_PLACES; i++)
		empty_attach(i);
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("cannot have the kernel measure programs", errno);
	for (uint64_t round = 0; round < nr_rounds; round++)
		for (size_t i = 0; i < NR_KINDS; i++)
			kind_run(i, round);
	for (size_t i = 0; i < NR_KINDS; i++)
		printf("%s %.1f %.1f\n", kinds[i].name, quartile(samples[i][0], nr_rounds),
		       quartile(samples[i][1], nr_rounds));
	return 0;
}

static const char *peer_cpu;

static void *bulk_receive(void *ctx)
{
	static uint8_t bytes[BLOCK];

	cpu_pin(peer_cpu);
	while (recv(*(int *)ctx, bytes, sizeof(bytes), 0) > 0)
		;
	return NULL;
}

static int bulk_print(const char *cpu, uint8_t first, uint64_t ms)
{
	static double blocks[MAX_BLOCKS];
	static uint8_t bytes[BLOCK / 8];
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + ms * NS_PER_MS;
	size_t nr = 0;
	pthread_t thread;
	struct pair pair;

	bytes[0] = first;
	pair_open(&pair);
	if (pthread_create(&thread, NULL, bulk_receive, &pair.server))
		die("cannot make a thread", EAGAIN);
	cpu_pin(cpu);
	while (nr < MAX_BLOCKS && clock_ns(CLOCK_MONOTONIC) < end_ns) {
		uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

		for (int i = 0; i < 8; i++)
			if (send(pair.client, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
				die("cannot send", errno);
		blocks[nr++] = (double)(clock_ns(CLOCK_MONOTONIC) - start_ns);
	}
	shutdown(pair.client, SHUT_WR);
	pthread_join(thread, NULL);
	printf("%.0f\n", quartile(blocks, nr));
	return 0;
}

/* Takes what is told, as the tool does. */
static int tap_run(bool is_deciding)
{
	struct tap_decided *decided;
	sigset_t stop;
	int fd;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	tap_open();
	fd = bpf_map__fd(
		bpf_object__find_map_by_name(session.states[SOURCE_tap].object, "tap_decided"));
	decided = mmap(NULL, sizeof(*decided), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (decided == MAP_FAILED)
		die("cannot map what is decided", errno);
	if (tap_connections_new(&connections, decided, look, &is_deciding))
		die("cannot make a table", ENOMEM);
	puts("attached");
	fflush(stdout);
	/* The window of a tool that is awake, see trace/stream.h. */
	while (sigtimedwait(&stop, NULL, &(struct timespec){ .tv_nsec = 40 * 1000000 }) < 0)
		ring_buffer__consume(session.ring);
	session_close(&session);
	return 0;
}

static int empty_run(void)
{
	sigset_t stop;
	int sig;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	empty_attach(PLACE_sent);
	empty_attach(PLACE_received);
	puts("attached");
	fflush(stdout);
	sigwait(&stop, &sig);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "hits") == 0 && argc == 4) {
		cpu_pin(argv[2]);
		return hits_print(number_parse(argv[3], MAX_ROUNDS));
	}
	if (strcmp(verb, "bulk") == 0 && argc == 6) {
		peer_cpu = argv[3];
		return bulk_print(argv[2], (uint8_t)number_parse(argv[4], UINT8_MAX),
				  number_parse(argv[5], MAX_BULK_MS));
	}
	if (strcmp(verb, "tap") == 0)
		return tap_run(true);
	if (strcmp(verb, "undecided") == 0)
		return tap_run(false);
	if (strcmp(verb, "empty") == 0)
		return empty_run();
	die("usage: packets hits|bulk|tap|undecided|empty ...", EINVAL);
}
