/* SPDX-License-Identifier: MIT */
#include "trace/session.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "trace/cgroup.h"
#include "trace/cpu_rings.h"
#include "trace/hook.h"
#include "trace/libbpf_log.h"
#include "trace/reduced.h"
#include "trace/tracefs.h"

/* Made once, then handed to every further object. Positions are those in session.maps. */
enum {
	MAP_EVENTS,
	MAP_CONTROL,
	MAP_COUNTERS,
	MAP_SET,
	MAP_ROOTS,
	MAP_SCRATCH,
	NR_MAPS,
};

static const char *const map_names[NR_MAPS] = {
	[MAP_EVENTS] = "events", [MAP_CONTROL] = "control", [MAP_COUNTERS] = "counters",
	[MAP_SET] = "set",	 [MAP_ROOTS] = "roots",	    [MAP_SCRATCH] = "scratch",
};

EMBED_OBJECT(seed);

static int map_adjust(const struct session *session, struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (strcmp(name, ".rodata.config") == 0)
		return bpf_map__set_initial_value(map, &session->config, sizeof(session->config));
	for (size_t i = 0; i < NR_MAPS; i++) {
		if (strcmp(name, map_names[i]) != 0)
			continue;
		if (i == MAP_SCRATCH && session->has_own_scratch)
			return 0;
		if (session->maps[i] >= 0)
			return bpf_map__reuse_fd(map, session->maps[i]);
		if (i == MAP_EVENTS)
			return bpf_map__set_max_entries(map, session->config.ring_size);
		if (i == MAP_COUNTERS)
			return bpf_map__set_max_entries(map, (__u32)session->nr_cpus);
	}
	return 0;
}

/* Remembers the shared maps that OBJECT was the first to make. */
static void maps_keep(struct session *session, struct bpf_object *object)
{
	for (size_t i = 0; i < NR_MAPS; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);

		if (map && session->maps[i] < 0)
			session->maps[i] = bpf_map__fd(map);
	}
}

/* Who adjusts an object besides the session. */
struct adjusting {
	const struct session *session;
	int (*adjust)(void *ctx, struct bpf_object *object);
	void *ctx;
};

static int object_adjust(void *ctx, struct bpf_object *object)
{
	const struct adjusting *adjusting = ctx;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int err = map_adjust(adjusting->session, map);

		if (err)
			return err;
	}
	return adjusting->adjust ? adjusting->adjust(adjusting->ctx, object) : 0;
}

int session_load(struct session *session, const struct object_file *file,
		 int (*adjust)(void *ctx, struct bpf_object *object), void *ctx,
		 struct bpf_object **ret)
{
	struct adjusting adjusting = { session, adjust, ctx };
	int err = object_load(&session->types, file, object_adjust, &adjusting, ret);

	if (!err)
		maps_keep(session, *ret);
	return err;
}

static int map_memory(struct session *session)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t counters = sizeof(struct cpu_counters) * session->nr_cpus;
	void *memory;

	session->control_bytes = (size_t)page;
	session->counters_bytes = (counters + (size_t)page - 1) / (size_t)page * (size_t)page;
	memory = mmap(NULL, session->control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      session->maps[MAP_CONTROL], 0);
	if (memory == MAP_FAILED)
		return -errno;
	session->control = memory;
	memory = mmap(NULL, session->counters_bytes, PROT_READ, MAP_SHARED,
		      session->maps[MAP_COUNTERS], 0);
	if (memory == MAP_FAILED)
		return -errno;
	session->counters = memory;
	return 0;
}

static int mappings_attach(struct session *session)
{
	struct source_state *state = &session->states[SOURCE_lib_load];
	int err = mappings_open(&session->mappings, session->config.ring_size);

	state->hook = &lib_load_source.hooks[0];
	state->is_attached = !err;
	if (err)
		hook_set_reason(state, "perf_event_open", err);
	return err;
}

/*
 * The positions are in two pages before the records, the reader's and the writers'
 * (kernel/bpf/ringbuf.c, struct bpf_ringbuf). libbpf has them too, and shows them since 1.3.
 */
static int ring_open(struct session *session, int (*on_record)(void *ctx, void *bytes, size_t size),
		     void *ctx)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, session->maps[MAP_EVENTS], 0);

	if (pages == MAP_FAILED)
		return -errno;
	session->ring_read = (const void *)pages;
	session->ring_written = (const void *)(pages + page);
	session->ring = ring_buffer__new(session->maps[MAP_EVENTS], on_record, ctx, NULL);
	return session->ring ? 0 : -errno;
}

static void ring_close(struct session *session)
{
	ring_buffer__free(session->ring);
	if (session->ring_read)
		munmap((void *)session->ring_read, 2 * (size_t)sysconf(_SC_PAGESIZE));
	session->ring = NULL;
	session->ring_read = session->ring_written = NULL;
}

bool session_wants(const struct session *session, enum source_id source)
{
	return sources[source]->is_basic ||
	       session->config.wanted & (1U << source | sources[source]->serves);
}

const char *session_hook(const struct session *session, enum source_id source)
{
	if (session->reduced)
		return reduced_hook(source);
	if (source == SOURCE_api_call && session->has_sites)
		return "uprobe, usdt/crypto_auditing";
	return session->states[source].hook ? session->states[source].hook->name : NULL;
}

/* Opens the sources that are wanted. Returns 0 or the first thing that went wrong. */
static int open_sources(struct session *session)
{
	int first_err = 0;

	for (size_t i = 0; i < NR_SOURCES; i++) {
		int err = sources[i]->object && session_wants(session, i)
				  ? hook_open(session, sources[i], &session->states[i])
				  : 0;

		if (err && !first_err)
			first_err = err;
	}
	return first_err;
}

static void close_place(int *place)
{
	if (*place > 0)
		close(*place);
	*place = -ENOENT;
}

/* With the sources' own programs. Returns 0 or a negative errno. */
static int open_whole(struct session *session, const struct trace_config *config,
		      int (*on_record)(void *ctx, void *bytes, size_t size), void *ctx)
{
	const struct object_file seed = { "seed", seed_object, seed_object_end };
	int first_err;
	int nr_cpus;
	int err;

	session->config = *config;
	for (size_t i = 0; i < NR_MAPS; i++)
		session->maps[i] = -1;
	nr_cpus = cpus_possible();
	if (nr_cpus < 0)
		return nr_cpus;
	session->nr_cpus = (size_t)nr_cpus;
	session->places.tracefs = tracefs_open();
	session->places.cgroup = config->wanted & 1U << SOURCE_tap ? cgroup_open() : -ENOENT;
	err = session_load(session, &seed, NULL, NULL, &session->seed_object);
	if (err)
		return err;
	err = map_memory(session);
	if (err)
		return err;
	session->control->startup = 1;
	first_err = open_sources(session);
	session->sees_all_cgroups = cgroup_is_whole(session->places.cgroup);
	/* What is attached stays so without it. */
	close_place(&session->places.cgroup);
	cpus_open(&session->cpus);
	err = session_wants(session, SOURCE_lib_load) ? mappings_attach(session) : 0;
	if (err && !first_err)
		first_err = err;
	err = ring_open(session, on_record, ctx);
	if (err)
		return err;
	for (size_t i = 0; i < NR_SOURCES; i++)
		if (session->states[i].is_attached)
			return 0;
	return first_err;
}

/* With what old kernels can do. Returns 0 or a negative errno. */
static int open_reduced(struct session *session, const struct trace_config *config)
{
	long page = sysconf(_SC_PAGESIZE);
	void *memory;
	int err;

	session->config = *config;
	session->places.tracefs = tracefs_open();
	cpus_open(&session->cpus);
	err = reduced_open(&session->reduced, config, &session->places);
	if (err)
		return err;
	/* The switches of programs that are not there. */
	memory = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return -errno;
	session->control = memory;
	session->control_bytes = (size_t)page;
	reduced_tell(session->reduced, session);
	err = session_wants(session, SOURCE_lib_load) ? mappings_attach(session) : 0;
	for (size_t i = 0; i < NR_SOURCES; i++)
		if (session->states[i].is_attached)
			return 0;
	return err ? err : -ENOENT;
}

/* ERR of loading in words; -ESRCH is how libbpf says that it found no type information. */
static const char *lack_of(int err)
{
	return err == -ESRCH ? "or has no type information (BTF)" : strerror(-err);
}

int session_open(struct session *session, const struct trace_config *config,
		 int (*on_record)(void *ctx, void *bytes, size_t size), void *ctx)
{
	bool is_forced = reduced_is_forced();
	int err = 0;
	int second;

	libbpf_log_start();
	if (!is_forced)
		err = open_whole(session, config, on_record, ctx);
	if (!is_forced && !reduced_may_help(err))
		return err;
	session_close(session);
	second = open_reduced(session, config);
	if (second)
		return reduced_may_help(second) ? -EOPNOTSUPP : second;
	log_warn("%s%s: programs executed and ended, files opened and libraries loaded are seen, "
		 "partly by /proc; nothing else is",
		 is_forced ? "CRYPTO_TRACER_COMPAT=1" : "this kernel is too old for all of it, ",
		 is_forced ? "" : lack_of(err));
	return 0;
}

void session_loaded(struct session *session)
{
	core_types_close(&session->types);
	/* What loading took, the kernel's types above all. */
	memory_trim();
}

static void leave_ring(void *ctx)
{
	struct session *session = ctx;

	ring_close(session);
	cpu_rings_leave(session);
}

void session_offer(struct session *session, struct broker_config *config)
{
	config->leave = leave_ring;
	config->leave_ctx = session;
	if (session->reduced)
		reduced_offer(session->reduced, config);
}

void session_serve(struct session *session, struct broker *broker, uint32_t worker)
{
	session->control->broker = (uint32_t)broker->pid;
	session->control->worker = worker;
	if (session->reduced)
		reduced_serve(session->reduced, broker, worker);
}

int session_add_root(struct session *session, uint32_t pid)
{
	__u32 one = 1;

	if (session->reduced)
		return reduced_add_root(session->reduced, pid);
	return bpf_map_update_elem(session->maps[MAP_ROOTS], &pid, &one, BPF_ANY) ? -errno : 0;
}

/* Notes the root of a process, unless one has it already. */
static void note_root(struct session *session, const struct process_seed *seed)
{
	for (size_t i = session->nr_roots; i > 0; i--)
		if (session->roots[i - 1].id == seed->root)
			return;
	if (session->nr_roots == SESSION_ROOTS_MAX)
		session->nr_roots_refused++;
	else
		session->roots[session->nr_roots++] =
			(struct session_root){ seed->root, seed->tgid };
}

static void seed_process(struct session *session, struct processes *processes,
			 const struct process_seed *seed)
{
	struct process *process = processes_add(processes, seed->tgid, seed->start_ns);

	session->has_compat |= seed->compat != 0;
	session->nr_seeds++;
	note_root(session, seed);
	if (!process)
		return;
	process->ppid = seed->ppid;
	process->uid = seed->uid;
	process->gid = seed->gid;
	process->cgroup = seed->cgroup;
	memcpy(process->comm, seed->comm, COMM_SIZE);
	process->container =
		processes_container(processes, seed->cgroup_name,
				    strnlen(seed->cgroup_name, sizeof(seed->cgroup_name)));
}

/* Runs the iterator over all tasks. Returns 0 or a negative errno. */
static int seed(struct session *session, struct processes *processes)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(session->seed_object, "seed_task");
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	struct process_seed seeds[32];
	size_t pending = 0;
	int err = 0;

	if (!link)
		return -errno;

	_cleanup_(cleanup_fd) int fd = bpf_iter_create(bpf_link__fd(link));

	bpf_link__destroy(link);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, (char *)seeds + pending, sizeof(seeds) - pending);
		size_t i = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		pending += (size_t)n;
		for (; (i + 1) * sizeof(seeds[0]) <= pending; i++)
			seed_process(session, processes, &seeds[i]);
		pending -= i * sizeof(seeds[0]);
		memmove(seeds, &seeds[i], pending);
	}
	return err;
}

struct seeding {
	struct session *session;
	struct processes *processes;
};

static void take_seed(void *ctx, const struct process_seed *found)
{
	const struct seeding *seeding = ctx;

	seed_process(seeding->session, seeding->processes, found);
}

static int start_reduced(struct session *session, struct processes *processes)
{
	struct seeding seeding = { session, processes };
	int err = reduced_start(session->reduced, take_seed, &seeding);

	return !err && session->mappings ? mappings_enable(session->mappings) : err;
}

int session_start(struct session *session, struct processes *processes)
{
	int err = 0;

	if (session->reduced)
		return start_reduced(session, processes);
	__atomic_store_n(&session->control->on, 1, __ATOMIC_SEQ_CST);
	/* With trees that begin at a name one pass finds the roots, the next their trees. */
	if (session->config.select & SELECT_NAME_ROOTS)
		err = seed(session, processes);
	session->nr_seeds = 0;
	session->nr_roots = 0;
	session->nr_roots_refused = 0;
	if (!err)
		err = seed(session, processes);
	__atomic_store_n(&session->control->startup, 0, __ATOMIC_SEQ_CST);
	/* Not before: these rings hold forks and exits, too, and nobody reads them yet. */
	if (!err && session->mappings)
		err = mappings_enable(session->mappings);
	return err;
}

void session_stop(struct session *session)
{
	/* Longer than any program of ours runs. */
	const struct timespec pause = { .tv_nsec = 2000000 };

	if (session->reduced)
		reduced_stop(session->reduced);
	if (!session->control)
		return;
	__atomic_store_n(&session->control->on, 0, __ATOMIC_SEQ_CST);
	nanosleep(&pause, NULL);
}

static void mapping_counters(const struct session *session, struct source_counters *ret)
{
	if (!session->mappings)
		return;

	const struct mapping_counts *counts = mappings_counts(session->mappings);

	ret->hit = counts->seen + counts->lost;
	ret->rejected = counts->rejected;
	ret->ring_full = counts->lost;
	ret->sent = counts->seen - counts->rejected;
}

_Static_assert((int)NR_SOURCES <= (int)COUNTERS_OPENS_APART, "the last row is not a source's");

/* Adds row NUMBER of all CPUs to RET. */
static void add_rows(const struct session *session, size_t number, struct source_counters *ret)
{
	for (size_t cpu = 0; session->counters && cpu < session->nr_cpus; cpu++) {
		const struct source_counters *row = &session->counters[cpu].source[number];

		ret->hit += row->hit;
		ret->rejected += row->rejected;
		ret->ring_full += row->ring_full;
		ret->sent += row->sent;
		ret->faults += row->faults;
	}
}

void session_counters(const struct session *session, enum source_id source,
		      struct source_counters *ret)
{
	*ret = (struct source_counters){ 0 };
	if (source == SOURCE_lib_load) {
		mapping_counters(session, ret);
		return;
	}
	if (session->reduced) {
		reduced_counters(session->reduced, source, ret);
		return;
	}
	add_rows(session, source, ret);
	if (source == SOURCE_file_open)
		add_rows(session, COUNTERS_OPENS_APART, ret);
}

void session_detach(struct session *session)
{
	if (session->reduced)
		reduced_detach(session->reduced);
	for (size_t i = 0; i < NR_SOURCES; i++)
		hook_detach(&session->states[i]);
}

void session_close(struct session *session)
{
	ring_close(session);
	core_types_close(&session->types);
	reduced_close(session->reduced);
	for (size_t i = 0; i < NR_SOURCES; i++)
		hook_close(&session->states[i]);
	bpf_object__close(session->seed_object);
	mappings_close(session->mappings);
	if (session->control)
		munmap(session->control, session->control_bytes);
	if (session->counters)
		munmap(session->counters, session->counters_bytes);
	close_place(&session->places.tracefs);
	close_place(&session->places.cgroup);
	cpus_close(&session->cpus);
	*session = (struct session){ .places = { -ENOENT, -ENOENT }, .cpus = { .fd = -1 } };
}
