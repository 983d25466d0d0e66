/* SPDX-License-Identifier: MIT */
/*
 * The engine that counts in the kernel. What it takes rights for, loading and attaching, is done
 * before the first run; from then on this process has what reading its maps and ending the tree
 * take: CAP_BPF, without which kernels before 5.19 let nobody read maps, and CAP_KILL, since
 * COMMAND may have become another user.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/exit_status.h"
#include "lib/spawn.h"
#include "priv/privileges.h"
#include "priv/sandbox.h"
#include "syscalls/engine.h"
#include "syscalls/keeper.h"
#include "syscalls/ready.h"
#include "syscalls/record_object.h"
#include "syscalls/record_tree.h"
#include "syscalls/thread_entry.h"

/* What is told wakes the loop; this is for signals and should_stop(). */
#define POLL_MS 50
/* How long COMMAND may take to end after it was killed: it may hang in the kernel. */
#define END_MS 5000

struct bpf_run {
	const struct engine_config *config;
	pid_t pid;
	int pidfd;
	int status; /* of wait(2) */
	bool has_ended;
	struct ready ready;
};

/* One for all runs: what is in the kernel, and for whom calls are told. */
static struct {
	struct record_object object;
	const struct bpf_run *run;
	bool is_open;
	bool has_dropped;
} kernel;

static int bpf_probe(void)
{
	unsigned int missing = privileges_missing();

	if (missing & MISSING_SUPPORT || access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return -ENOSYS;
	return missing & (MISSING_BPF | MISSING_PERFMON) ? -EPERM : 0;
}

static int on_told(void *ctx, void *bytes, size_t size)
{
	const struct record_call *told = bytes;
	struct engine_call call;

	(void)ctx;
	if (size < sizeof(*told) || told->told != RECORD_TOLD_CALL || !kernel.run ||
	    !kernel.run->config->live || told->call >> 16 >= NR_SYSCALL_ARCHES)
		return 0;
	call = (struct engine_call){
		.ts_ns = told->ts_ns,
		.pid = (pid_t)told->pid,
		.tid = (pid_t)told->tid,
		.comm = told->comm,
		.arch = (enum syscall_arch)(told->call >> 16),
		.nr = told->call & 0xffff,
		.has_result = told->has_result,
		.result = told->result,
	};
	memcpy(call.args, told->args, sizeof(call.args));
	kernel.run->config->live(kernel.run->config->ctx, &call);
	return 0;
}

static int open_once(const struct engine_config *config)
{
	const struct record_setup setup = {
		.points = config->points,
		.has_live = config->live != NULL,
		.has_ready = config->ready != NULL,
		.start_routine = thread_entry_place(config->program),
		.on_told = on_told,
	};
	int err;

	if (kernel.is_open)
		return 0;
	err = record_object_open(&kernel.object, &setup);
	if (err)
		record_object_close(&kernel.object);
	kernel.is_open = !err;
	return err;
}

static int drop_once(void)
{
	static const int kept[] = { CAP_BPF, CAP_KILL };
	int err;

	if (kernel.has_dropped)
		return 0;
	err = privileges_drop(kept, sizeof(kept) / sizeof(kept[0]));
	if (!err)
		err = sandbox_enter_recorder();
	kernel.has_dropped = !err;
	return err;
}

/* Everything up to the moment when COMMAND may run. */
static int prepare(struct bpf_run *run, struct recording *recording, struct recording_run *result)
{
	struct keeper *keeper = run->config->keeper;
	struct keeper_guard guard = { .kills = run->config->kills_at_exit };
	int err = open_once(run->config);

	if (!err)
		err = record_object_begin(&kernel.object);
	if (!err)
		err = keeper_make(keeper, KEEPER_COMMAND, 0, &run->pid, &run->pidfd);
	if (!err)
		err = record_object_arm(&kernel.object, run->pidfd);
	if (err)
		return err;
	result->started_ns = clock_ns(CLOCK_REALTIME);
	guard.fds = kernel.object.fds;
	guard.run = *result;
	guard.recording = recording;
	err = keeper_guard(keeper, &guard);
	return err ? err : drop_once();
}

/* Waits until something may have happened. */
static void wait_for_news(const struct bpf_run *run)
{
	struct pollfd fds[] = {
		{ .fd = ring_buffer__epoll_fd(kernel.object.told), .events = POLLIN },
		{ .fd = run->has_ended ? -1 : run->pidfd, .events = POLLIN },
	};

	poll(fds, sizeof(fds) / sizeof(fds[0]), POLL_MS);
	ring_buffer__consume(kernel.object.told);
}

/* Notes whether COMMAND has ended; does not wait for it. */
static int look_at_command(struct bpf_run *run)
{
	struct pollfd fd = { .fd = run->pidfd, .events = POLLIN };

	if (run->has_ended || poll(&fd, 1, 0) <= 0)
		return 0;
	run->has_ended = true;
	return keeper_reap(run->config->keeper, KEEPER_COMMAND, &run->status);
}

static void look_whether_ready(struct bpf_run *run)
{
	const struct record_state *state = kernel.object.state;

	if (run->config->ready &&
	    ready_now(&run->ready, __atomic_load_n(&state->listens, __ATOMIC_RELAXED),
		      __atomic_load_n(&state->waits, __ATOMIC_RELAXED), record_tree_age(state)))
		/* the number of one that has ended may be another's */
		run->config->ready(run->config->ctx, run->has_ended ? 0 : run->pid);
}

/* Does what should_stop() says. Returns 0 or -ECANCELED. */
static int look_whether_to_stop(struct bpf_run *run)
{
	const struct engine_config *config = run->config;
	enum engine_will will =
		config->should_stop ? config->should_stop(config->ctx) : ENGINE_GO_ON;

	if (will == ENGINE_TELL && record_tree_tell(&kernel.object.fds) < 0 && config->warn)
		config->warn(config->ctx, "not all processes of COMMAND could be told to end");
	return will == ENGINE_STOP ? -ECANCELED : 0;
}

/* Until all processes have ended: 0; or it is told to stop: -ECANCELED; or a negative errno. */
static int follow(struct bpf_run *run)
{
	for (;;) {
		int err = look_at_command(run);

		if (err)
			return err;
		if (run->has_ended &&
		    __atomic_load_n(&kernel.object.state->nr_alive, __ATOMIC_ACQUIRE) == 0)
			return 0;
		look_whether_ready(run);
		err = look_whether_to_stop(run);
		if (err)
			return err;
		wait_for_news(run);
	}
}

/* Ends the tree, or leaves it to itself. */
static int stop(struct bpf_run *run)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + END_MS * 1000000ULL;
	int err;

	if (!run->config->kills_at_exit) {
		/* Nothing is counted while it is read. */
		record_object_detach(&kernel.object);
		return record_tree_flush(&kernel.object.fds);
	}
	err = record_tree_kill(&kernel.object.fds, kernel.object.state);
	while (!run->has_ended && clock_ns(CLOCK_MONOTONIC) < until) {
		struct pollfd fd = { .fd = run->pidfd, .events = POLLIN };

		poll(&fd, 1, POLL_MS);
		look_at_command(run);
	}
	return err;
}

/* Calls come faster than whoever reads --live may read; none waits for that. */
static void warn_of_untold(const struct engine_config *config)
{
	char sentence[128];

	if (!kernel.object.state->nr_untold || !config->warn)
		return;
	snprintf(sentence, sizeof(sentence),
		 "%" PRIu64 " calls were counted but not printed: they came too fast",
		 (uint64_t)kernel.object.state->nr_untold);
	config->warn(config->ctx, sentence);
}

static void end_run(const struct bpf_run *run, struct recording_run *result, bool is_complete)
{
	ring_buffer__consume(kernel.object.told);
	warn_of_untold(run->config);
	result->duration_ns = record_tree_age(kernel.object.state);
	result->is_complete = is_complete;
	result->lost += record_object_missed(&kernel.object);
	result->status = run->has_ended ? exit_status(run->status) : 0;
}

/* Has COMMAND executed, with the status for the case that it cannot be in *RET_STATUS. */
static int release(const struct bpf_run *run, int32_t *ret_status)
{
	int err = keeper_release(run->config->keeper, KEEPER_COMMAND);

	if (err)
		*ret_status = spawn_failed(err);
	return err;
}

/*
 * Follows COMMAND to its end, and enters what it did, also where a process does not end when it is
 * killed. Returns as engine.run() does.
 */
static int complete(struct bpf_run *run, struct recording *recording, struct recording_run *result)
{
	int end = follow(run);
	int err;

	if (end && stop(run) < 0 && run->config->warn)
		run->config->warn(run->config->ctx, "not all processes of COMMAND could be ended");
	end_run(run, result, !end);
	err = record_tree_export(&kernel.object.fds, kernel.object.state, kernel.object.nodes,
				 recording, result);
	return end && end != -ECANCELED ? end : err ? err : end;
}

static int bpf_run(const struct engine_config *config, struct recording *recording,
		   struct recording_run *ret_run)
{
	struct bpf_run run = { .config = config, .pidfd = -1 };
	struct recording_run result = *ret_run;
	int err;

	kernel.run = &run;
	err = prepare(&run, recording, &result);
	if (!err) {
		/* What fails from here on is not that it could not be loaded. */
		ret_run->started_ns = result.started_ns;
		err = release(&run, &ret_run->status);
	}
	if (!err) {
		err = complete(&run, recording, &result);
		*ret_run = result;
	}
	/* Otherwise the keeper guards what was counted until it is saved. */
	if (err && err != -ECANCELED)
		keeper_relieve(config->keeper);
	kernel.run = NULL;
	cleanup_fd(&run.pidfd);
	return err;
}

const struct engine engine_bpf = {
	.name = "bpf",
	.probe = bpf_probe,
	.run = bpf_run,
};
