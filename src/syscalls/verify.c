/* SPDX-License-Identifier: MIT */
#include "syscalls/verify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/spawn.h"
#include "lib/stop.h"
#include "syscalls/follow.h"
#include "syscalls/front.h"
#include "syscalls/notify.h"

/* Linux's PID_MAX_LIMIT, include/linux/threads.h. */
#define PIDS_MAX (4U << 20)

#define ROUND_MS 50

/* Told to stop, COMMAND may have been asked to by a terminal, too; then it is; then all are killed.
 */
#define TELL_NS UINT64_C(300000000)
#define KILL_NS UINT64_C(2000000000)

/* What the child that becomes COMMAND says: it may not be allowed to write. */
struct start {
	atomic_int filter; /* why it has no filter, */
	atomic_int exec;   /* or was not executed; negative errno */
};

struct run {
	const struct verify_config *config;
	struct verify_result *result;
	struct notify *notify;
	struct start *start;
	struct follow *follow;	 /* NULL: one phase */
	_Atomic uint8_t *phases; /* of each pid; NULL: one phase */
	struct sigaction old_child;
	pid_t root;
	bool has_ended;	     /* the root */
	uint64_t stopped_ns; /* 0: not */
	bool was_told;
};

/* Called by the thread that answers. */
static uint32_t phase_of(void *ctx, pid_t pid)
{
	const struct run *run = ctx;

	return pid > 0 && (uint32_t)pid < PIDS_MAX ? atomic_load(&run->phases[pid]) : 0;
}

/* A process stands still when it begins, and at a point: what it does then is of its new phase. */
static void set_phase(struct run *run, const struct follow_process *process)
{
	if (process && process->pid > 0 && (uint32_t)process->pid < PIDS_MAX)
		atomic_store(&run->phases[process->pid], (uint8_t)process->phase);
}

static void on_begun(void *ctx, struct follow_thread *thread, enum follow_start start)
{
	(void)start;
	set_phase(ctx, thread->process);
}

static void on_reached(void *ctx, struct follow_thread *thread, size_t point, bool is_late)
{
	struct run *run = ctx;

	(void)is_late;
	run->result->hits[point]++;
	set_phase(run, thread->process);
}

static int prepare(void *ctx)
{
	struct run *run = ctx;
	int err = notify_prepare(run->notify);

	atomic_store(&run->start->filter, err);
	return err;
}

static void __attribute__((noreturn)) child_main(struct run *run)
{
	int err;

	stop_undo();
	front_join();
	sigaction(SIGCHLD, &run->old_child, NULL);
	/* nobody would answer then */
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL);
	err = prepare(run);
	if (!err) {
		execvp(run->config->command[0], run->config->command);
		err = -errno;
		atomic_store(&run->start->exec, err);
	}
	_exit(spawn_failed(err));
}

/* Processes that lose their parent become this one's, so that they can be found, and ended. */
static int start_plain(struct run *run)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };

	/* ignored, children end unseen */
	sigaction(SIGCHLD, &action, &run->old_child);
	prctl(PR_SET_CHILD_SUBREAPER, 1UL);
	run->root = fork();
	if (run->root == 0)
		child_main(run);
	return run->root < 0 ? -errno : 0;
}

static int start_followed(struct run *run)
{
	static const struct follow_ops ops = { .begun = on_begun, .reached = on_reached };
	const struct follow_config config = {
		.command = run->config->command,
		.points = run->config->points,
		.kills = true,
		.prepare = prepare,
		.prepare_ctx = run,
		.ops = &ops,
		.ctx = run,
	};
	int status;
	int err = follow_start(&run->follow, &config, &status);

	if (err && status && !atomic_load(&run->start->filter))
		atomic_store(&run->start->exec, err);
	else if (!err)
		run->root = follow_root(run->follow);
	return err;
}

static int begin(struct run *run)
{
	const struct policy *policy = run->config->policy;
	struct notify_config config = { .policy = policy,
					.refusals = &run->result->refusals,
					.ctx = run };
	int err;

	run->start = mmap(NULL, sizeof(*run->start), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->start == MAP_FAILED) {
		run->start = NULL;
		return -errno;
	}
	atomic_init(&run->start->filter, 0);
	atomic_init(&run->start->exec, 0);
	if (policy->nr_phases > 1) {
		run->phases = mmap(NULL, PIDS_MAX, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (run->phases == MAP_FAILED) {
			run->phases = NULL;
			return -errno;
		}
		config.phase = phase_of;
	}
	err = notify_new(&run->notify, &config);
	if (!err)
		err = notify_start(run->notify);
	if (!err)
		err = run->phases ? start_followed(run) : start_plain(run);
	return err;
}

static bool has_thread_ended(const struct run *run, int timeout_ms)
{
	struct pollfd over = { .fd = notify_over(run->notify), .events = POLLIN };

	return poll(&over, 1, timeout_ms) > 0;
}

/* Waits a while for something to happen. Returns whether all is over. */
static bool is_over(struct run *run)
{
	bool has_thread = !has_thread_ended(run, run->follow ? 0 : ROUND_MS);
	int status;
	pid_t pid;

	if (run->follow)
		return follow_wait(run->follow) == -ECHILD;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == run->root) {
			run->has_ended = true;
			run->result->status = status;
		}
	/* of a child that was never under the filter the thread hears nothing */
	return run->has_ended &&
	       (!has_thread || atomic_load(&run->start->filter) || atomic_load(&run->start->exec));
}

static bool should_stop(const struct run *run)
{
	const struct verify_config *config = run->config;
	int status;
	/* the number of one that has ended may be another's */
	bool has_root = !run->has_ended && !(run->follow && follow_has_ended(run->follow, &status));

	return config->should_stop && config->should_stop(config->ctx, has_root ? run->root : 0);
}

/* Goes on with ending the run, when it is to end: also when nobody answers any more. */
static void see_to_end(struct run *run)
{
	const struct verify_config *config = run->config;
	uint64_t since;

	if (!run->stopped_ns && (should_stop(run) || has_thread_ended(run, 0)))
		run->stopped_ns = clock_ns(CLOCK_MONOTONIC);
	if (!run->stopped_ns)
		return;
	since = clock_ns(CLOCK_MONOTONIC) - run->stopped_ns;
	if (since >= TELL_NS && !run->was_told) {
		run->was_told = true;
		if (!run->has_ended)
			kill(run->root, SIGTERM);
	}
	if (since < KILL_NS)
		return;
	if (run->follow) {
		follow_signal(run->follow, SIGKILL);
		return;
	}
	if (!run->has_ended) {
		kill(run->root, SIGKILL);
		while (waitpid(run->root, &run->result->status, 0) < 0 && errno == EINTR)
			;
		run->has_ended = true;
	}
	verify_kill_children(config->spared);
}

static void end(struct run *run)
{
	if (run->follow && follow_has_ended(run->follow, &run->result->status))
		run->has_ended = true;
	if (run->follow) {
		run->result->nr_unseen = follow_unseen(run->follow);
		follow_free(run->follow);
	}
	notify_free(run->notify);
	if (run->phases)
		munmap((void *)run->phases, PIDS_MAX);
	if (run->start)
		munmap(run->start, sizeof(*run->start));
}

int verify_run(const struct verify_config *config, struct verify_result *ret, int *ret_command)
{
	struct run run = { .config = config, .result = ret };
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int err;

	*ret = (struct verify_result){ 0 };
	*ret_command = 0;
	err = begin(&run);
	while (!err && !is_over(&run))
		see_to_end(&run);
	ret->duration_ns = clock_ns(CLOCK_MONOTONIC) - began;
	if (!err && run.notify)
		err = notify_stop(run.notify);
	if (run.start && atomic_load(&run.start->filter)) {
		err = atomic_load(&run.start->filter);
	} else if (run.start && atomic_load(&run.start->exec)) {
		*ret_command = atomic_load(&run.start->exec);
		err = -ENOEXEC;
	}
	end(&run);
	return err;
}
