/* SPDX-License-Identifier: MIT */
#include "trace/reduced_life.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sources/process_exit/process_exit.h"
#include "sources/process_fork/process_fork.h"
#include "trace/reduced_private.h"

#define NS_PER_SECOND 1000000000ULL

/* As in bpf/set.bpf.h. */
#define ANCESTORS_MAX 64

int life_new(struct life **ret, const struct trace_config *config)
{
	struct life *life = calloc(1, sizeof(*life));

	if (!life || processes_new(&life->processes, LIFE_PROCESSES_MAX, false)) {
		free(life);
		return -ENOMEM;
	}
	life->config = *config;
	life->tick_ns = NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
	*ret = life;
	return 0;
}

void life_free(struct life *life)
{
	if (!life)
		return;
	processes_free(life->processes);
	free(life);
}

void life_set_ask(struct life *life, const struct life_ask *ask)
{
	life->ask = *ask;
}

void life_set_own(struct life *life, uint32_t broker, uint32_t worker)
{
	life->own[0] = broker;
	life->own[1] = worker;
}

ssize_t life_text(struct life *life, uint32_t pid, enum broker_text kind)
{
	return life->ask.text
		       ? life->ask.text(life->ask.ctx, pid, kind, life->text, sizeof(life->text))
		       : -ENOENT;
}

int life_look(struct life *life, uint32_t pid, int fd, struct broker_link *ret)
{
	return life->ask.look ? life->ask.look(life->ask.ctx, pid, fd, ret) : -ENOENT;
}

/* Field NUMBER of /proc/PID/stat. Returns false when that cannot be read. */
static bool ask_number(struct life *life, uint32_t pid, int number, uint64_t *ret)
{
	ssize_t n = life_text(life, pid, BROKER_TEXT_stat);

	return n > 0 && stat_number(life->text, (size_t)n, number, ret) == 0;
}

/* --- who is selected: as bpf/set.bpf.h has it --- */

/* Whether --name occurs in COMM, upper or lower case. */
static bool name_matches(const struct life *life, const char *comm)
{
	size_t size = life->config.name_size;

	for (size_t start = 0; start + size <= COMM_SIZE - 1; start++) {
		size_t i = 0;

		while (i < size && tolower((unsigned char)comm[start + i]) == life->config.name[i])
			i++;
		if (i == size)
			return true;
	}
	return false;
}

/* The bits of a process called COMM that had OLD. */
static uint32_t bits_named(const struct life *life, uint32_t old, const char *comm)
{
	uint32_t bits = old & ~(uint32_t)SET_NAME;

	if (!(life->config.select & (SELECT_NAME | SELECT_NAME_ROOTS)) || !name_matches(life, comm))
		return bits;
	if (life->config.select & SELECT_NAME_ROOTS)
		bits |= SET_TREE;
	return bits | SET_NAME;
}

static bool bits_selected(const struct life *life, uint32_t bits)
{
	return (!(life->config.select & SELECT_TREE) || (bits & SET_TREE)) &&
	       (!(life->config.select & SELECT_NAME) || (bits & SET_NAME));
}

static bool uid_selected(const struct life *life, uint32_t uid)
{
	if (!(life->config.select & SELECT_UID))
		return true;
	for (size_t i = 0; i < life->config.nr_uids && i < CONFIG_UIDS_MAX; i++)
		if (life->config.uids[i] == uid)
			return true;
	return false;
}

static bool is_selected(const struct life *life, const struct process *process)
{
	return bits_selected(life, process->set) && uid_selected(life, process->uid);
}

int life_add_root(struct life *life, uint32_t pid)
{
	if (life->nr_roots == ROOTS_MAX)
		return -ENOSPC;
	life->roots[life->nr_roots++] = pid;
	return 0;
}

static bool is_root(const struct life *life, uint32_t pid)
{
	for (size_t i = 0; i < life->nr_roots; i++)
		if (life->roots[i] == pid)
			return true;
	return false;
}

/* Whether PROCESS or one of its ancestors is a root, or begins a tree by its name. */
static bool has_root_ancestor(const struct life *life, const struct process *process)
{
	for (int i = 0; process && i < ANCESTORS_MAX; i++) {
		if (is_root(life, process->pid) ||
		    ((life->config.select & SELECT_NAME_ROOTS) && (process->set & SET_NAME)))
			return true;
		process = process->ppid ? processes_find(life->processes, process->ppid) : NULL;
	}
	return false;
}

static int select_name(void *ctx, const struct process *process)
{
	struct life *life = ctx;
	struct process *mine = processes_find(life->processes, process->pid);

	mine->set = bits_named(life, 0, mine->comm);
	return 0;
}

static int select_tree(void *ctx, const struct process *process)
{
	struct life *life = ctx;
	struct process *mine = processes_find(life->processes, process->pid);

	if (is_root(life, mine->pid) ||
	    ((life->config.select & SELECT_INHERIT) && has_root_ancestor(life, mine)))
		mine->set |= SET_TREE;
	return 0;
}

void life_select(struct life *life)
{
	processes_each(life->processes, select_name, life);
	processes_each(life->processes, select_tree, life);
}

bool life_is_selected(struct life *life, uint32_t pid)
{
	const struct process *process = processes_find(life->processes, pid);

	return process && is_selected(life, process);
}

/* --- processes --- */

void life_seed(struct life *life, const struct process_seed *seed)
{
	struct process *process = processes_add(life->processes, seed->tgid, seed->start_ns);

	if (!process)
		return;
	process->ppid = seed->ppid;
	process->uid = seed->uid;
	process->gid = seed->gid;
	memcpy(process->comm, seed->comm, COMM_SIZE);
}

/*
 * When a process began that was made at TS_NS. /proc has it in ticks, by which others compare it;
 * the record is some microseconds late, and so may be in the tick behind.
 */
static uint64_t start_of(struct life *life, uint32_t pid, uint64_t ts_ns)
{
	uint64_t ticks;

	if (!ask_number(life, pid, STAT_START, &ticks) || ts_ns / life->tick_ns == ticks)
		return ts_ns;
	return ticks * life->tick_ns + life->tick_ns - 1;
}

/* The process of PID, which nothing was heard of before TS_NS: its fork was lost. */
static struct process *process_meet(struct life *life, uint32_t pid, uint64_t ts_ns)
{
	const struct process *parent;
	struct process *process;
	uint64_t ticks;
	uint64_t ppid = 0;

	if (ask_number(life, pid, STAT_START, &ticks))
		ts_ns = ticks * life->tick_ns;
	else
		life->gaps.beginnings++;
	ask_number(life, pid, STAT_PPID, &ppid);
	process = processes_add(life->processes, pid, ts_ns);
	if (!process)
		return NULL;
	process->ppid = (uint32_t)ppid;
	parent = ppid ? processes_find(life->processes, (uint32_t)ppid) : NULL;
	if (parent && (life->config.select & SELECT_INHERIT))
		process->set = parent->set & SET_TREE;
	return process;
}

/* The process of RAW's thread, with what RAW tells of it; NULL when the table is full. */
static struct process *process_of(struct life *life, const struct raw *raw)
{
	const struct raw_head *head = &raw->head;
	struct process *process = processes_find(life->processes, head->tgid);

	if (!process || process->has_exited)
		process = process_meet(life, head->tgid, head->ts_ns);
	if (!process)
		return NULL;
	process->uid = head->uid;
	process->gid = head->gid;
	if (!process->comm[0] || head->tgid == head->tid) {
		memcpy(process->comm, head->comm, COMM_SIZE);
		process->set = bits_named(life, process->set, process->comm);
	}
	return process;
}

/* A parent that has ended left its children to another. */
static void find_parent(struct life *life, struct process *process)
{
	const struct process *parent = processes_find(life->processes, process->ppid);
	uint64_t ppid;

	if ((parent && !parent->has_exited) || !process->ppid)
		return;
	if (ask_number(life, process->pid, STAT_PPID, &ppid))
		process->ppid = (uint32_t)ppid;
	else
		life->gaps.parents++;
}

/* --- records --- */

struct event_hdr *life_begin(struct life *life, const struct raw *raw, struct process *process,
			     enum source_id source, size_t fixed)
{
	struct event_hdr *hdr = (struct event_hdr *)life->record;

	memset(life->record, 0, fixed);
	find_parent(life, process);
	*hdr = (struct event_hdr){
		.version = WIRE_VERSION,
		.source = (uint16_t)source,
		.ts_ns = raw->head.ts_ns,
		.start_ns = process->start_ns,
		.tgid = process->pid,
		.tid = raw->head.tgid == process->pid ? raw->head.tid : process->pid,
		.ppid = process->ppid,
		.uid = process->uid,
		.gid = process->gid,
	};
	memcpy(hdr->comm, process->comm, COMM_SIZE);
	memcpy(hdr->thread, hdr->tgid == raw->head.tgid ? raw->head.comm : process->comm,
	       COMM_SIZE);
	life->size = fixed;
	return hdr;
}

struct tail life_append(struct life *life, const char *bytes, size_t size)
{
	struct tail tail = { .off = (uint16_t)life->size };

	if (size > sizeof(life->record) - life->size)
		size = sizeof(life->record) - life->size;
	if (size)
		memcpy(life->record + life->size, bytes, size);
	tail.size = (uint16_t)size;
	life->size += size;
	return tail;
}

int life_send(struct life *life)
{
	struct event_hdr *hdr = (struct event_hdr *)life->record;

	hdr->size = (uint32_t)life->size;
	life->counts[hdr->source].sent++;
	return life->sink(life->sink_ctx, life->record, life->size);
}

static int reject(struct life *life, enum source_id source)
{
	life->counts[source].rejected++;
	return 0;
}

static int take_fork(struct life *life, const struct raw *raw)
{
	struct process *parent = process_of(life, raw);
	struct process *child = processes_add(life->processes, raw->fork.pid, raw->head.ts_ns);
	uint32_t bits = parent ? parent->set : 0;

	if (!child)
		return reject(life, SOURCE_process_fork);
	/* Making an entry may have moved nothing: entries stay where they are. */
	child->ppid = raw->fork.is_sibling && parent ? parent->ppid : raw->head.tgid;
	child->uid = raw->head.uid;
	child->gid = raw->head.gid;
	memcpy(child->comm, raw->fork.comm, COMM_SIZE);
	if (!(life->config.select & SELECT_INHERIT))
		bits &= ~(uint32_t)SET_TREE;
	child->set = bits_named(life, bits, child->comm);
	if (!is_selected(life, child))
		return reject(life, SOURCE_process_fork);
	child->start_ns = start_of(life, child->pid, raw->head.ts_ns);
	life_begin(life, raw, child, SOURCE_process_fork, sizeof(struct process_fork_event))->type =
		PROCESS_FORK;
	return life_send(life);
}

static int take_rename(struct life *life, const struct raw *raw)
{
	/* Threads have other numbers than processes. */
	struct process *process = processes_find(life->processes, raw->rename.tid);
	struct event_hdr *hdr;
	uint32_t old;

	if (!process || process->has_exited)
		return reject(life, SOURCE_process_fork);
	old = process->set;
	memcpy(process->comm, raw->rename.comm, COMM_SIZE);
	process->set = bits_named(life, old, process->comm);
	if ((!bits_selected(life, process->set) && !bits_selected(life, old)) ||
	    !uid_selected(life, process->uid))
		return reject(life, SOURCE_process_fork);
	hdr = life_begin(life, raw, process, SOURCE_process_fork,
			 sizeof(struct process_fork_event));
	hdr->type = PROCESS_RENAME;
	hdr->flags = bits_selected(life, process->set) ? 0 : HDR_LEFT_SET;
	memcpy(hdr->thread, process->comm, COMM_SIZE);
	return life_send(life);
}

/* The status that wait(2) has of the process of RAW, an exit. Returns false: nobody knows. */
static bool end_of(struct life *life, const struct raw *raw, uint32_t *ret)
{
	uint64_t status;

	switch (raw->exit.end) {
	case RAW_END_CALL:
	case RAW_END_GROUP:
		*ret = (raw->exit.code & 0xff) << 8;
		return true;
	case RAW_END_SIGNAL:
		*ret = raw->exit.code & 0x7f;
		return *ret != 0;
	default:
		/* Until its parent has asked for it. */
		if (!ask_number(life, raw->head.tgid, STAT_EXIT_CODE, &status) || !status)
			return false;
		*ret = (uint32_t)status & 0xffff;
		return true;
	}
}

static int take_exit(struct life *life, const struct raw *raw)
{
	struct process *process = processes_find(life->processes, raw->head.tgid);
	struct process_exit_event *event = (void *)life->record;
	uint32_t status = 0;
	int err;

	/* Two threads that end at the same moment may both have taken themselves for the last. */
	if (process && process->has_exited && raw->head.tid != raw->head.tgid)
		return reject(life, SOURCE_process_exit);
	process = process_of(life, raw);
	if (!process)
		return reject(life, SOURCE_process_exit);
	if (!is_selected(life, process)) {
		processes_exit(life->processes, process);
		return reject(life, SOURCE_process_exit);
	}
	life_begin(life, raw, process, SOURCE_process_exit, sizeof(*event));
	if (!end_of(life, raw, &status)) {
		life->gaps.ends++;
		event->flags = EXIT_STATUS_UNKNOWN;
	}
	event->status = status;
	err = life_send(life);
	processes_exit(life->processes, process);
	return err;
}

static bool is_own(const struct life *life, uint32_t pid)
{
	return pid && (pid == life->own[0] || pid == life->own[1]);
}

static int take_event(struct life *life, const struct raw *raw, enum source_id source,
		      int (*send)(struct life *, const struct raw *, struct process *))
{
	struct process *process = process_of(life, raw);

	if (!process || is_own(life, process->pid) || !is_selected(life, process))
		return reject(life, source);
	return send(life, raw, process);
}

int life_take(struct life *life, const void *bytes, size_t size, uint64_t behind_ns, life_sink sink,
	      void *ctx)
{
	struct raw raw;

	if (raw_parse(bytes, size, &raw)) {
		life->gaps.malformed++;
		return 0;
	}
	raw.head.ts_ns += behind_ns;
	life->sink = sink;
	life->sink_ctx = ctx;
	switch (raw.head.type) {
	case RAW_FORK:
		return take_fork(life, &raw);
	case RAW_RENAME:
		return take_rename(life, &raw);
	case RAW_ARGS:
		life_keep_args(life, &raw);
		return 0;
	case RAW_EXEC:
		return take_event(life, &raw, SOURCE_process_exec, life_send_exec);
	case RAW_EXIT:
		return take_exit(life, &raw);
	case RAW_MOVE:
		/* Was heard of while it was ahead. */
		return 0;
	default:
		return take_event(life, &raw, SOURCE_file_open, life_send_open);
	}
}

void life_expire(struct life *life)
{
	processes_expire(life->processes);
}

const struct life_counts *life_counts(const struct life *life, enum source_id source)
{
	return &life->counts[source];
}

const struct life_gaps *life_gaps(struct life *life)
{
	life->gaps.refused = processes_refused(life->processes);
	return &life->gaps;
}
