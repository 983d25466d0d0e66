/* SPDX-License-Identifier: MIT */
#include "trace/reduced.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "trace/cpus.h"
#include "trace/reduced_proc.h"
#include "trace/reduced_rings.h"
#include "trace/session.h"
#include "trace/tracefs.h"

EMBED_OBJECT(reduced);

#define LINKS_MAX 32

/* One program at one hook. */
struct use {
	const char *name;
	const char *hook;
	enum source_id source; /* that is not attached without it */
	bool is_optional;      /* or misses a call that this kernel does not have */
};

static const struct use uses[] = {
	{ "reduced_newtask", "tp/task/task_newtask", SOURCE_process_fork, false },
	{ "reduced_rename", "tp/task/task_rename", SOURCE_process_fork, true },
	{ "reduced_exec", "tp/sched/sched_process_exec", SOURCE_process_exec, false },
	{ "reduced_execve", "tp/syscalls/sys_enter_execve", SOURCE_process_exec, true },
	{ "reduced_execveat", "tp/syscalls/sys_enter_execveat", SOURCE_process_exec, true },
	{ "reduced_execve_done", "tp/syscalls/sys_exit_execve", SOURCE_process_exec, true },
	{ "reduced_execve_done", "tp/syscalls/sys_exit_execveat", SOURCE_process_exec, true },
	{ "reduced_exit_group", "tp/syscalls/sys_enter_exit_group", SOURCE_process_exit, false },
	{ "reduced_exit_call", "tp/syscalls/sys_enter_exit", SOURCE_process_exit, false },
	{ "reduced_signal_sent", "tp/signal/signal_generate", SOURCE_process_exit, false },
	{ "reduced_signal", "tp/signal/signal_deliver", SOURCE_process_exit, false },
	{ "reduced_exit", "tp/sched/sched_process_exit", SOURCE_process_exit, false },
	{ "reduced_openat", "tp/syscalls/sys_enter_openat", SOURCE_file_open, false },
	{ "reduced_open", "tp/syscalls/sys_enter_open", SOURCE_file_open, true },
	{ "reduced_creat", "tp/syscalls/sys_enter_creat", SOURCE_file_open, true },
	{ "reduced_openat2", "tp/syscalls/sys_enter_openat2", SOURCE_file_open, true },
	{ "reduced_open_done", "tp/syscalls/sys_exit_openat", SOURCE_file_open, false },
	{ "reduced_open_done", "tp/syscalls/sys_exit_open", SOURCE_file_open, true },
	{ "reduced_open_done", "tp/syscalls/sys_exit_creat", SOURCE_file_open, true },
	{ "reduced_open_done", "tp/syscalls/sys_exit_openat2", SOURCE_file_open, true },
	/* Of the directories that both tell. */
	{ "reduced_chdir", "tp/syscalls/sys_enter_chdir", SOURCE_process_exec, true },
	{ "reduced_chdir", "tp/syscalls/sys_exit_chdir", SOURCE_process_exec, true },
	{ "reduced_chdir", "tp/syscalls/sys_enter_fchdir", SOURCE_process_exec, true },
	{ "reduced_chdir", "tp/syscalls/sys_exit_fchdir", SOURCE_process_exec, true },
	{ "reduced_chroot", "tp/syscalls/sys_enter_chroot", SOURCE_process_exec, true },
	{ "reduced_chroot", "tp/syscalls/sys_exit_chroot", SOURCE_process_exec, true },
};

#define NR_USES (sizeof(uses) / sizeof(uses[0]))

static const enum source_id source_of[NR_RAW_TYPES] = {
	[RAW_FORK] = SOURCE_process_fork, [RAW_RENAME] = SOURCE_process_fork,
	[RAW_ARGS] = NR_SOURCES, /* no event of its own */
	[RAW_EXEC] = SOURCE_process_exec, [RAW_EXIT] = SOURCE_process_exit,
	[RAW_OPEN] = SOURCE_file_open,	  [RAW_MOVE] = NR_SOURCES,
};

/* What the broker tells at the end, in memory that both have. */
struct settlement {
	uint32_t is_done;
	uint32_t reserved;
	struct raw_counters total[NR_RAW_TYPES];
};

struct reduced {
	struct bpf_object *object;
	struct bpf_link *links[LINKS_MAX];
	size_t nr_links;
	struct raw_config config;
	int config_fd;
	int counters_fd;
	size_t nr_cpus;
	struct reduced_rings rings;
	struct life *life;
	struct broker *broker;
	struct settlement *settlement;
	struct raw_counters *rows; /* one a CPU, for settle() */
	bool is_foreign;	   /* pids here are not those of the kernel */
	char reasons[NR_SOURCES][96];
};

bool reduced_is_forced(void)
{
	const char *value = getenv("CRYPTO_TRACER_COMPAT");

	return value && strcmp(value, "1") == 0;
}

bool reduced_may_help(int err)
{
	switch (err) {
	case 0:
	case -EPERM:
	case -ENOMEM:
	case -EINTR:
	case -EMFILE:
	case -ENFILE:
		return false;
	default:
		return true;
	}
}

static void set_reason(struct reduced *reduced, enum source_id source, const char *what, int err)
{
	char *reason = reduced->reasons[source];

	if (!*reason)
		snprintf(reason, sizeof(reduced->reasons[0]), "%s: %s", what, strerror(-err));
}

/* --- loading --- */

/* Fills the offsets that this kernel's tracepoints have. One that is not there is not attached. */
static void find_fields(struct reduced *reduced, int tracefs)
{
	static const struct {
		const char *event;
		const char *field;
	} fields[NR_RAW_FIELDS] = {
#define RAW_FIELD(name, event, field) [RAW_FIELD_##name] = { event, field },
#include "trace/reduced_fields.def"
#undef RAW_FIELD
	};

	for (size_t i = 0; i < NR_RAW_FIELDS; i++) {
		int offset = tracefs_event_field(tracefs, fields[i].event, fields[i].field);

		if (offset >= 0) {
			reduced->config.fields[i] = (uint32_t)offset;
			continue;
		}
		for (size_t j = 0; j < NR_USES; j++)
			if (strcmp(uses[j].hook + sizeof("tp/") - 1, fields[i].event) == 0)
				set_reason(reduced, uses[j].source, uses[j].hook, offset);
	}
}

static void leave_out(struct reduced *reduced, enum source_id source)
{
	for (size_t i = 0; i < NR_USES; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(reduced->object, uses[i].name);

		if (program && uses[i].source == source)
			bpf_program__set_autoload(program, false);
	}
}

static int load(struct reduced *reduced, bool has_opens)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "reduced");
	struct bpf_map *events;
	int err;

	reduced->object = bpf_object__open_mem(
		reduced_object, object_size(reduced_object, reduced_object_end), &options);
	if (!reduced->object)
		return -errno;
	if (!has_opens)
		leave_out(reduced, SOURCE_file_open);
	events = bpf_object__find_map_by_name(reduced->object, "reduced_events");
	err = bpf_map__set_max_entries(events, (uint32_t)reduced->nr_cpus);
	if (!err)
		err = bpf_object__load(reduced->object);
	if (err)
		return err;
	reduced->config_fd = bpf_object__find_map_fd_by_name(reduced->object, "reduced_config");
	reduced->counters_fd = bpf_object__find_map_fd_by_name(reduced->object, "reduced_counters");
	return 0;
}

static int write_config(const struct reduced *reduced)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(reduced->config_fd, &zero, &reduced->config, BPF_ANY) ? -errno
											 : 0;
}

static void attach_one(struct reduced *reduced, const struct use *use,
		       const struct attach_places *places)
{
	struct bpf_program *program = bpf_object__find_program_by_name(reduced->object, use->name);
	struct bpf_link *link;
	int err;

	if (!bpf_program__autoload(program))
		return;
	err = program_attach(program, use->hook, places, &link);
	if (!err)
		reduced->links[reduced->nr_links++] = link;
	else if (!use->is_optional || err != -ENOENT)
		set_reason(reduced, use->source, use->hook, err);
}

int reduced_open(struct reduced **ret, const struct trace_config *config,
		 const struct attach_places *places)
{
	struct reduced *reduced = calloc(1, sizeof(*reduced));
	void *memory = mmap(NULL, sizeof(*reduced->settlement), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int nr_cpus;
	int err;

	if (!reduced || memory == MAP_FAILED) {
		free(reduced);
		return -ENOMEM;
	}
	*ret = reduced;
	reduced->settlement = memory;
	reduced->is_foreign = config->pidns_inode != 0;
	nr_cpus = cpus_possible();
	if (nr_cpus < 0)
		return nr_cpus;
	reduced->nr_cpus = (size_t)nr_cpus;
	reduced->rows = calloc(reduced->nr_cpus, sizeof(*reduced->rows));
	if (!reduced->rows)
		return -ENOMEM;
	reduced->config.by_tail = config->by_tail;
	reduced->config.nr_tails = config->nr_tails;
	for (size_t i = 0; i < CONFIG_TAILS_MAX; i++) {
		reduced->config.tails[i].last = config->tails[i].last;
		reduced->config.tails[i].mask = config->tails[i].mask;
	}
	if (places->tracefs < 0)
		return places->tracefs;
	find_fields(reduced, places->tracefs);
	err = life_new(&reduced->life, config);
	if (!err)
		err = load(reduced, config->wanted & 1U << SOURCE_file_open);
	if (!err)
		err = write_config(reduced);
	if (!err)
		err = reduced_rings_open(
			&reduced->rings,
			bpf_object__find_map_fd_by_name(reduced->object, "reduced_events"),
			reduced->nr_cpus, config->ring_size);
	for (size_t i = 0; !err && i < NR_USES; i++)
		attach_one(reduced, &uses[i], places);
	return err;
}

void reduced_detach(struct reduced *reduced)
{
	for (size_t i = 0; i < reduced->nr_links; i++)
		bpf_link__destroy(reduced->links[i]);
	reduced->nr_links = 0;
}

void reduced_close(struct reduced *reduced)
{
	if (!reduced)
		return;
	reduced_detach(reduced);
	reduced_rings_close(&reduced->rings);
	bpf_object__close(reduced->object);
	life_free(reduced->life);
	munmap(reduced->settlement, sizeof(*reduced->settlement));
	free(reduced->rows);
	free(reduced);
}

const char *reduced_reason(const struct reduced *reduced, enum source_id source)
{
	return reduced->reasons[source][0] ? reduced->reasons[source] : NULL;
}

/* The hook that its events come from. */
const char *reduced_hook(enum source_id source)
{
	switch (source) {
	case SOURCE_process_fork:
		return "tp/task/task_newtask";
	case SOURCE_process_exec:
		return "tp/sched/sched_process_exec";
	case SOURCE_process_exit:
		return "tp/sched/sched_process_exit";
	case SOURCE_file_open:
		return "tp/syscalls/sys_enter_openat";
	default:
		return NULL;
	}
}

bool reduced_has(const struct reduced *reduced, enum source_id source)
{
	return reduced_hook(source) && !reduced->reasons[source][0];
}

void reduced_tell(const struct reduced *reduced, struct session *session)
{
	for (size_t i = 0; i < NR_SOURCES; i++) {
		struct source_state *state = &session->states[i];
		const char *reason = reduced_reason(reduced, i);

		/* That has no program. */
		if (i == SOURCE_lib_load)
			continue;
		state->is_attached = session_wants(session, i) && reduced_has(reduced, i);
		if (!reason && !reduced_hook(i) && session_wants(session, i))
			reason = "the kernel is too old for it, or has no type information, "
				 "see REQUIREMENTS in the manual";
		snprintf(state->reason, sizeof(state->reason), "%s", reason ? reason : "");
	}
}

int reduced_add_root(struct reduced *reduced, uint32_t pid)
{
	return life_add_root(reduced->life, pid);
}

/* --- start --- */

/* Threads that were there before their beginning could be counted. */
static void count_threads(const struct reduced *reduced, uint32_t pid, uint32_t nr_threads)
{
	struct raw_process process = { .threads = (int32_t)nr_threads - 1 };
	int fd = bpf_object__find_map_fd_by_name(reduced->object, "reduced_processes");

	/* One that has made or lost a thread just now is in it already. */
	if (nr_threads > 1)
		bpf_map_update_elem(fd, &pid, &process, BPF_NOEXIST);
}

static void enter_seed(void *ctx, const struct process_seed *seed, uint32_t nr_threads)
{
	struct reduced *reduced = ctx;

	life_seed(reduced->life, seed);
	count_threads(reduced, seed->tgid, nr_threads);
}

struct selection {
	struct reduced *reduced;
	void (*take)(void *ctx, const struct process_seed *seed);
	void *ctx;
};

static void take_selected(void *ctx, const struct process_seed *seed, uint32_t nr_threads)
{
	struct selection *selection = ctx;

	(void)nr_threads;
	if (life_is_selected(selection->reduced->life, seed->tgid))
		selection->take(selection->ctx, seed);
}

int reduced_start(struct reduced *reduced, void (*take)(void *ctx, const struct process_seed *seed),
		  void *ctx)
{
	struct selection selection = { reduced, take, ctx };
	int err;

	reduced->config.on = 1;
	err = write_config(reduced);
	/* Twice: which are selected is known when all are. The second may have others, later. */
	if (!err && !reduced->is_foreign)
		err = reduced_proc_each(enter_seed, reduced);
	life_select(reduced->life);
	if (!err && !reduced->is_foreign)
		err = reduced_proc_each(take_selected, &selection);
	return err;
}

static bool ask_moved(void *ctx, uint32_t pid, uint64_t ts_ns, bool only_root)
{
	return reduced_rings_moved(ctx, pid, ts_ns, only_root);
}

void reduced_serve(struct reduced *reduced, struct broker *broker, uint32_t worker)
{
	struct life_ask ask = reduced_proc_ask(broker);

	ask.moved = ask_moved;
	ask.moved_ctx = &reduced->rings;
	reduced->broker = broker;
	life_set_own(reduced->life, (uint32_t)broker->pid, worker);
	if (!reduced->is_foreign)
		life_set_ask(reduced->life, &ask);
}

/* In the broker: nobody else may use bpf(2), and older kernels cannot map counters to memory. */
static int settle(void *ctx)
{
	/* Longer than any program of ours runs. */
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct reduced *reduced = ctx;
	struct raw_counters *rows = reduced->rows;
	int err;

	reduced->config.on = 0;
	err = write_config(reduced);
	nanosleep(&pause, NULL);
	for (uint32_t type = 0; !err && type < NR_RAW_TYPES; type++) {
		struct raw_counters *total = &reduced->settlement->total[type];

		if (bpf_map_lookup_elem(reduced->counters_fd, &type, rows))
			err = -errno;
		for (size_t cpu = 0; !err && cpu < reduced->nr_cpus; cpu++) {
			total->hit += rows[cpu].hit;
			total->tried += rows[cpu].tried;
			total->faults += rows[cpu].faults;
		}
	}
	reduced->settlement->is_done = !err;
	return err;
}

void reduced_offer(struct reduced *reduced, struct broker_config *config)
{
	config->attach = settle;
	config->ctx = reduced;
	config->uses_maps = true;
}

void reduced_stop(struct reduced *reduced)
{
	if (reduced->broker)
		broker_attach(reduced->broker);
}

struct reduced_rings *reduced_rings(struct reduced *reduced)
{
	return &reduced->rings;
}

/* --- reading --- */

int reduced_watch(struct reduced *reduced, int epoll)
{
	return reduced_rings_watch(&reduced->rings, epoll);
}

struct passing {
	struct reduced *reduced;
	life_sink sink;
	void *ctx;
};

static int take_raw(void *ctx, const void *bytes, size_t size, uint64_t behind_ns,
		    bool *ret_is_read)
{
	const struct passing *passing = ctx;
	struct life *life = passing->reduced->life;
	uint64_t nr_malformed = life_gaps(life)->malformed;
	int err = life_take(life, bytes, size, behind_ns, passing->sink, passing->ctx);

	*ret_is_read = life_gaps(life)->malformed == nr_malformed;
	return err;
}

int reduced_pass(struct reduced *reduced, uint64_t until_ns, unsigned int max, life_sink sink,
		 void *ctx)
{
	struct passing passing = { reduced, sink, ctx };
	int n = reduced_rings_pass(&reduced->rings, until_ns, max, take_raw, &passing);

	life_expire(reduced->life);
	return n;
}

/* --- accounts --- */

/* The counters of TYPE: of the records that were read, or, at the end, all. */
static struct raw_counters counters_of(const struct reduced *reduced, enum raw_type type)
{
	return reduced->settlement->is_done ? reduced->settlement->total[type]
					    : reduced_rings_counters(&reduced->rings, type);
}

void reduced_counters(const struct reduced *reduced, enum source_id source,
		      struct source_counters *ret)
{
	const struct life_counts *counts = life_counts(reduced->life, source);

	for (size_t type = 0; type < NR_RAW_TYPES; type++) {
		struct raw_counters counters;

		if (source_of[type] != source)
			continue;
		counters = counters_of(reduced, type);
		ret->hit += counters.hit;
		ret->rejected += counters.hit - counters.tried;
		ret->ring_full += counters.tried - reduced->rings.received[type];
		ret->faults += counters.faults;
	}
	ret->rejected += counts->rejected;
	ret->sent += counts->sent;
}

const struct life_gaps *reduced_gaps(const struct reduced *reduced)
{
	return life_gaps(reduced->life);
}

uint64_t reduced_lost_moves(const struct reduced *reduced)
{
	return counters_of(reduced, RAW_MOVE).tried - reduced->rings.received[RAW_MOVE];
}
