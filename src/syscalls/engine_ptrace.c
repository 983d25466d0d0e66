/* SPDX-License-Identifier: MIT */
/*
 * The engine for any user: every call stops its thread twice. What it records is what the other one
 * does (record.bpf.c), node for node and call for call.
 */
#include "syscalls/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/exit_status.h"
#include "proc/maps.h"
#include "proc/status.h"
#include "proc/text.h"
#include "syscalls/follow.h"
#include "syscalls/ledger.h"
#include "syscalls/ready.h"
#include "syscalls/thread_entry.h"
#include "syscalls/tracee.h"

#define DELETED " (deleted)"

struct engine_run {
	const struct engine_config *config;
	struct follow *follow;
	struct ledger ledger;
	uint64_t began_ns;
	struct ready ready;
	bool has_listened, has_waited; /* a process of the run */
	bool has_warned;
	int32_t start_routine; /* thread_entry_place() */
	int auto_point;	       /* -1: none */
};

static uint64_t now_ns(const struct engine_run *run)
{
	return clock_ns(CLOCK_BOOTTIME) - run->began_ns;
}

static void warn(struct engine_run *run, const char *sentence)
{
	if (run->config->warn)
		run->config->warn(run->config->ctx, sentence);
}

/* The program of TID, as the kernel names it. */
static const char *program_of(struct engine_run *run, pid_t tid)
{
	char link[64];
	char path[PATH_MAX];
	ssize_t size, end;

	snprintf(link, sizeof(link), "/proc/%d/exe", tid);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0)
		return "(unknown)";
	path[size] = '\0';
	/* What the kernel says behind the name of a file that is gone, unless that is a name. */
	end = size - (ssize_t)strlen(DELETED);
	if (end > 0 && strcmp(path + end, DELETED) == 0 && access(path, F_OK) < 0)
		path[end] = '\0';
	return ledger_text(&run->ledger, path);
}

/* Says once that a program has been executed which would have more rights if it was not followed.
 */
static void look_at_rights(struct engine_run *run, pid_t tid)
{
	char link[64];
	char value[1];
	struct stat st;
	bool is_special;

	if (run->has_warned || geteuid() == 0)
		return;
	snprintf(link, sizeof(link), "/proc/%d/exe", tid);
	if (stat(link, &st) < 0)
		return;
	is_special = (st.st_mode & S_ISUID && st.st_uid != geteuid()) ||
		     (st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getegid()) ||
		     getxattr(link, "security.capability", value, 0) > 0;
	if (!is_special)
		return;
	run->has_warned = true;
	warn(run,
	     "a program that is to have rights of its own (set-user-ID, or capabilities of the "
	     "file) ran without them, as under any tracer: what it did is not what it does");
}

static void read_comm(struct engine_run *run, struct follow_thread *thread)
{
	char text[STATUS_TEXT_MAX];
	ssize_t size;

	if (!run->config->live)
		return;
	size = proc_text(thread->tid, "comm", text, sizeof(text));
	if (size <= 0)
		return;
	text[size - 1] = '\0';
	snprintf(thread->comm, sizeof(thread->comm), "%.*s", FOLLOW_COMM_SIZE - 1, text);
}

/* Moves THREAD to where its process is, which another thread may have brought there. */
static void follow_phase(struct engine_run *run, struct follow_thread *thread)
{
	if (thread->process->mark <= thread->mark)
		return;
	thread->mark = thread->process->mark;
	thread->node = ledger_enter_phase(&run->ledger, thread->node, thread->mark);
}

static void on_made(void *ctx, struct follow_thread *maker)
{
	follow_phase(ctx, maker);
}

struct code {
	uint64_t address;
	char text[PATH_MAX + 24];
};

static int take_code(void *ctx, const struct map *map)
{
	struct code *code = ctx;
	size_t size;

	if (code->address < map->start || code->address >= map->end)
		return 0;
	if (!map->is_executable || !map->path || map->path_size >= PATH_MAX)
		return 1;
	size = maps_path(map, code->text, PATH_MAX);
	snprintf(code->text + size, sizeof(code->text) - size, "+0x%" PRIx64,
		 code->address - map->start + map->offset);
	return 1;
}

/* Where THREAD begins, "FILE+0xOFFSET", or NULL. */
static const char *entry_of(struct engine_run *run, const struct follow_thread *thread)
{
	struct code code = { .text = "" };
	struct tracee_regs regs;
	uint64_t pointer;

	/* Without, it has the pointer of the thread that made it. */
	if (!run->start_routine || !(thread->flags & CLONE_SETTLS) ||
	    tracee_regs_get(thread->tid, &regs) < 0)
		return NULL;
	pointer = tracee_regs_thread(&regs);
#ifdef __x86_64__
	/* tcbhead_t.self, glibc sysdeps/x86_64/nptl/tls.h: musl has something else there. */
	if (tracee_read(thread->tid, pointer + 16, &code.address, 8) < 0 || code.address != pointer)
		return NULL;
#endif
	if (tracee_read(thread->tid, pointer + (uint64_t)(int64_t)run->start_routine, &code.address,
			8) < 0)
		return NULL;
	maps_each_of(thread->tid, take_code, &code);
	return *code.text ? ledger_text(&run->ledger, code.text) : NULL;
}

static void on_begun(void *ctx, struct follow_thread *thread, enum follow_start start)
{
	static const enum node_start starts[] = {
		[FOLLOW_COMMAND] = NODE_START_command,
		[FOLLOW_FORK] = NODE_START_fork,
		[FOLLOW_VFORK] = NODE_START_vfork,
		[FOLLOW_THREAD] = NODE_START_thread,
	};
	struct engine_run *run = ctx;
	const char *entry = NULL;
	const char *exe;

	if (start == FOLLOW_COMMAND) {
		run->began_ns = clock_ns(CLOCK_BOOTTIME);
		thread->node = LEDGER_NONE;
		exe = program_of(run, thread->tid);
		look_at_rights(run, thread->tid);
		read_comm(run, thread);
	} else {
		exe = ledger_exe(&run->ledger, thread->node);
	}
	if (start == FOLLOW_THREAD)
		entry = entry_of(run, thread);
	/* A process begins where its parent was then, whatever that has done since. */
	if (start == FOLLOW_FORK || start == FOLLOW_VFORK)
		thread->process->mark = thread->mark;
	thread->node =
		ledger_enter(&run->ledger, thread->node, starts[start], thread->mark, exe, entry);
}

/* The program that is executed begins where the process is, without a part for the way there. */
static void on_executed(void *ctx, struct follow_thread *thread)
{
	struct engine_run *run = ctx;

	look_at_rights(run, thread->tid);
	read_comm(run, thread);
	thread->mark = thread->process->mark;
	thread->node = ledger_enter(&run->ledger, thread->node, NODE_START_exec, thread->mark,
				    program_of(run, thread->tid), NULL);
}

/* Brings PROCESS to PHASE (inside) unless it is there. Returns whether it did. */
static bool raise_phase(struct follow_process *process, uint32_t phase)
{
	if (process->mark >= phase)
		return false;
	process->mark = phase;
	return true;
}

/* Remembers where `auto` began first. */
static void note_wait(struct engine_run *run, bool listens, const struct follow_thread *thread)
{
	struct ledger_wait *wait = &run->ledger.wait[listens];
	char text[STATUS_TEXT_MAX];
	ssize_t size;

	if (wait->is_there)
		return;
	wait->is_there = true;
	wait->nr = thread->call.nr;
	size = proc_text(thread->tid, "comm", text, sizeof(text));
	if (size > 0)
		memcpy(wait->comm, text,
		       size < LEDGER_COMM_SIZE ? (size_t)size - 1 : LEDGER_COMM_SIZE - 1);
}

static void on_reached(void *ctx, struct follow_thread *thread, size_t point, bool is_late)
{
	struct engine_run *run = ctx;
	enum point_kind kind = run->config->points->list[point].kind;
	bool is_first = raise_phase(thread->process, LEDGER_PHASE(point));

	(void)is_late;
	if (is_first)
		run->ledger.hits[point]++;
	if (kind != POINT_EXEC)
		follow_phase(run, thread);
	if (is_first && kind == POINT_AUTO)
		note_wait(run, true, thread);
}

/* A process waits, or listens: `auto`, and the moment to begin with a client. */
static void look_at_serving(struct engine_run *run, struct follow_thread *thread)
{
	uint32_t nr = thread->call.nr;
	bool waits = point_is_wait(nr);

	if (!waits && !point_is_listen(nr))
		return;
	run->has_listened = run->has_listened || !waits || point_is_listen(nr);
	run->has_waited = run->has_waited || waits;
	if (run->auto_point < 0 || !waits || thread->process->has_listened ||
	    !raise_phase(thread->process, LEDGER_TENTATIVE(run->auto_point)))
		return;
	follow_phase(run, thread);
	run->ledger.nr_tentative++;
	note_wait(run, false, thread);
}

static void on_enters(void *ctx, struct follow_thread *thread)
{
	struct engine_run *run = ctx;

	follow_phase(run, thread);
	if (thread->call.is_known && thread->call.arch == syscall_arch_native())
		look_at_serving(run, thread);
}

static void on_entered(void *ctx, struct follow_thread *thread)
{
	struct engine_run *run = ctx;
	const struct tracee_call *call = &thread->call;

	thread->call_node = thread->node;
	if (!call->is_known || call->nr >= SYSCALLS_MAX) {
		thread->call_node = LEDGER_NONE;
		run->ledger.lost++;
		return;
	}
	ledger_count(&run->ledger, thread->node, call->arch, call->nr, now_ns(run));
}

static void tell_call(struct engine_run *run, const struct follow_thread *thread, bool has_result,
		      int64_t result)
{
	struct engine_call call = {
		.ts_ns = now_ns(run),
		.pid = thread->process->pid,
		.tid = thread->tid,
		.comm = thread->comm,
		.arch = thread->call.arch,
		.nr = thread->call.nr,
		.has_result = has_result,
		.result = result,
	};

	if (!run->config->live || thread->call_node == LEDGER_NONE)
		return;
	memcpy(call.args, thread->call.args, sizeof(call.args));
	run->config->live(run->config->ctx, &call);
}

static void on_returned(void *ctx, struct follow_thread *thread, int64_t result)
{
	struct engine_run *run = ctx;
	const struct tracee_call *call = &thread->call;

	/* MAX_ERRNO, include/linux/err.h */
	if (result < 0 && result >= -4095 && thread->call_node != LEDGER_NONE)
		ledger_fail(&run->ledger, thread->call_node, call->arch, call->nr);
	tell_call(run, thread, true, result);
	if (call->nr == SYS_prctl && call->args[0] == PR_SET_NAME)
		read_comm(run, thread);
}

static void on_ended(void *ctx, struct follow_thread *thread, int status)
{
	(void)status;
	if (thread->is_in_call)
		tell_call(ctx, thread, false, 0);
}

static void on_failed(void *ctx, struct follow_thread *thread, int err)
{
	struct engine_run *run = ctx;
	char text[256];

	snprintf(text, sizeof(text),
		 "process %d cannot be looked into (%s): points in its code are not seen",
		 thread->process->pid, strerror(-err));
	warn(run, text);
}

static const struct follow_ops ops = {
	.made = on_made,
	.begun = on_begun,
	.executed = on_executed,
	.enters = on_enters,
	.entered = on_entered,
	.returned = on_returned,
	.reached = on_reached,
	.ended = on_ended,
	.failed = on_failed,
};

/* What is to be looked at from time to time: whether a client can come, or the end is wanted. */
static void look_around(struct engine_run *run, bool *is_told)
{
	const struct engine_config *config = run->config;
	enum engine_will will = ENGINE_GO_ON;
	int status;

	if (config->ready &&
	    ready_now(&run->ready, run->has_listened, run->has_waited, now_ns(run)))
		config->ready(config->ctx, follow_has_ended(run->follow, &status)
						   ? 0
						   : follow_root(run->follow));
	if (!*is_told && config->should_stop)
		will = config->should_stop(config->ctx);
	if (will == ENGINE_TELL)
		follow_signal(run->follow, SIGTERM);
	if (will == ENGINE_STOP) {
		*is_told = true;
		if (!config->kills_at_exit)
			follow_release(run->follow);
	}
	/* Again: what was just being made has missed the time before. */
	if (*is_told && config->kills_at_exit)
		follow_signal(run->follow, SIGKILL);
}

/* Follows COMMAND to its end, or until told to stop. Returns 0 or -ECANCELED. */
static int follow_to_end(struct engine_run *run)
{
	bool is_told = false;
	int n;

	while ((n = follow_wait(run->follow)) >= 0)
		if (n == 0)
			look_around(run, &is_told);
	return is_told ? -ECANCELED : 0;
}

static int engine_run(const struct engine_config *config, struct recording *recording,
		      struct recording_run *ret_run)
{
	struct engine_run run = { .config = config, .auto_point = -1 };
	struct recording_run result = *ret_run;
	const struct follow_config follow = {
		.command = config->command,
		.points = config->points,
		.kills = config->kills_at_exit,
		.wants_calls = true,
		.ops = &ops,
		.ctx = &run,
	};
	int status = 0;
	int stopped;
	int err = ledger_init(&run.ledger);

	if (err)
		return err;
	for (size_t i = 0; i < config->points->nr; i++)
		if (config->points->list[i].kind == POINT_AUTO)
			run.auto_point = (int)i;
	run.start_routine = thread_entry_place(config->program);
	result.started_ns = clock_ns(CLOCK_REALTIME) / 1000 * 1000;
	err = follow_start(&run.follow, &follow, &status);
	if (err)
		ret_run->status = status;
	if (!err) {
		stopped = follow_to_end(&run);
		result.duration_ns = now_ns(&run);
		result.is_complete = stopped == 0;
		result.lost += follow_unseen(run.follow);
		if (follow_has_ended(run.follow, &status))
			result.status = exit_status(status);
		follow_free(run.follow);
		err = ledger_export(&run.ledger, recording, &result);
		if (!err) {
			*ret_run = result;
			err = stopped;
		}
	}
	ledger_done(&run.ledger);
	return err;
}

const struct engine engine_ptrace = {
	.name = "ptrace",
	.probe = tracee_probe,
	.run = engine_run,
};
