/* SPDX-License-Identifier: MIT */
#include "syscalls/follow_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/spawn.h"
#include "lib/stop.h"
#include "syscalls/front.h"

/* A wait is interrupted this often. SIGALRM is lib/stop.h's. */
#define TICK_SIGNAL (SIGRTMIN + 1)
#define TICK_NS	    50000000

/* timer_create(2); glibc has no name for it before 2.38. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t has_ticked;

static void on_tick(int number)
{
	(void)number;
	has_ticked = 1;
}

/* What the child that becomes COMMAND shares with this process. */
struct start {
	int err; /* why it did not */
};

static void __attribute__((noreturn))
child_main(const struct follow_config *config, int go, struct start *start)
{
	char byte;
	ssize_t n;

	do
		n = read(go, &byte, 1);
	while (n < 0 && errno == EINTR);
	/* The end of file without a byte: nobody follows. */
	if (n == 0)
		_exit(1);
	start->err = n < 0 ? -errno : 0;
	stop_undo();
	front_join();
	if (!start->err && config->prepare)
		start->err = config->prepare(config->prepare_ctx);
	if (!start->err) {
		execvp(config->command[0], config->command);
		start->err = -errno;
	}
	/* A filter that is in place already may refuse anything but this. */
	_exit(spawn_failed(start->err));
}

/* Lets the child, which has stopped with STATUS on its way to COMMAND, go on. */
static void pass_on(pid_t pid, int status)
{
	int event = status >> 16;

	if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP)
		tracee_listen(pid);
	else
		tracee_resume(pid, TRACEE_CONTINUE, event ? 0 : WSTOPSIG(status));
}

/* Waits for the child to execute COMMAND. Returns 0, also where a signal has ended it before. */
static int await_exec(struct follow *follow, const struct start *start)
{
	int status;

	for (;;) {
		if (waitpid(follow->root, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (WIFEXITED(status))
			return start->err ? start->err : -ECHILD;
		if (WIFSIGNALED(status)) {
			follow->has_root_ended = true;
			follow->root_status = status;
			return 0;
		}
		if (status >> 16 == PTRACE_EVENT_EXEC)
			return 0;
		pass_on(follow->root, status);
	}
}

/* Makes the child, attaches to it and has it execute COMMAND. Returns 0 or a negative errno. */
static int start_root(struct follow *follow, struct start *start)
{
	_cleanup_(cleanup_fd) int go = -1;
	int fds[2];
	int err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	go = fds[1];
	follow->root = fork();
	if (follow->root == 0) {
		close(fds[1]);
		child_main(&follow->config, fds[0], start);
	}
	close(fds[0]);
	if (follow->root < 0)
		return -errno;
	err = tracee_seize(follow->root, follow->config.kills);
	if (!err && write(go, "g", 1) != 1)
		err = -EIO;
	if (!err)
		return await_exec(follow, start);
	kill(follow->root, SIGKILL);
	while (waitpid(follow->root, NULL, __WALL) < 0 && errno == EINTR)
		;
	return err;
}

static int begin(struct follow *follow, int *ret_status)
{
	struct follow_thread *thread;
	struct start *start;
	int err;

	start = mmap(NULL, sizeof(*start), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (start == MAP_FAILED)
		return -errno;
	start->err = 0;
	err = start_root(follow, start);
	*ret_status = start->err ? spawn_failed(start->err) : 0;
	munmap(start, sizeof(*start));
	if (err || follow->has_root_ended)
		return err;
	thread = thread_make(follow, follow->root);
	if (!thread || process_make(follow, thread, NULL) < 0) {
		kill(follow->root, SIGKILL);
		while (waitpid(follow->root, NULL, __WALL) < 0 && errno == EINTR)
			;
		return -ENOMEM;
	}
	thread->is_stopped = true;
	event_begin(follow, thread);
	return 0;
}

/* Has waits interrupted from time to time. Returns 0 or a negative errno. */
static int start_ticks(timer_t *ret)
{
	const struct itimerspec every = { { .tv_nsec = TICK_NS }, { .tv_nsec = TICK_NS } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL };
	struct sigaction action = { .sa_handler = on_tick }; /* no SA_RESTART */

	/* This thread is who waits, whichever others there are. */
	event.sigev_notify_thread_id = gettid();
	if (sigaction(TICK_SIGNAL, &action, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, ret) < 0)
		return -errno;
	timer_settime(*ret, 0, &every, NULL);
	return 0;
}

int follow_start(struct follow **ret, const struct follow_config *config, int *ret_status)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	int err;

	if (!follow)
		return -ENOMEM;
	*ret_status = 0;
	follow->config = *config;
	err = breakpoint_files_init(&follow->files, config->points);
	if (!err)
		err = start_ticks(&follow->ticks);
	if (err) {
		free(follow);
		return err;
	}
	err = begin(follow, ret_status);
	if (err) {
		follow_free(follow);
		return err;
	}
	*ret = follow;
	return 0;
}

pid_t follow_root(const struct follow *follow)
{
	return follow->root;
}

bool follow_has_ended(const struct follow *follow, int *ret_status)
{
	if (follow->has_root_ended)
		*ret_status = follow->root_status;
	return follow->has_root_ended;
}

uint64_t follow_unseen(const struct follow *follow)
{
	return follow->nr_unseen;
}

int follow_wait(struct follow *follow)
{
	struct follow_thread *kept = status_take(follow);
	int status;
	pid_t tid;

	if (kept) {
		event_take(follow, kept->tid, kept->status);
		return 1;
	}
	if (has_ticked) {
		has_ticked = 0;
		event_adopt(follow);
		event_wake(follow);
		return 0;
	}
	if (follow->nr_threads == follow->nr_left)
		return -ECHILD;
	/*
	 * With __WCLONE all who are traced, but of the others only those that say so: the ends of
	 * ordinary children stay there for whoever wants them (kernel/exit.c, eligible_child()).
	 */
	tid = waitpid(-1, &status, __WCLONE);
	if (tid > 0) {
		event_take(follow, tid, status);
		return 1;
	}
	return errno == EINTR ? 0 : -errno;
}

void follow_signal(struct follow *follow, int signal)
{
	for (struct follow_process *process = follow->processes; process; process = process->next)
		kill(process->pid, signal);
}

void follow_release_process(struct follow *follow, struct follow_process *process)
{
	if (!process->is_released)
		process_release(follow, process);
}

void follow_release(struct follow *follow)
{
	/* First all, so that none waits for another. */
	for (struct follow_process *process = follow->processes; process; process = process->next)
		process->must_wait = true;
	for (struct follow_process *process = follow->processes; process; process = process->next)
		follow_release_process(follow, process);
}

/* Breakpoints may be in the memory of one that was not to be let go. */
static void drop(struct follow *follow, struct follow_thread *thread, void *ctx)
{
	(void)ctx;
	if (thread->process && !thread->process->is_released)
		kill(thread->process->pid, SIGKILL);
	thread_drop(follow, thread);
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	thread_each(follow, drop, NULL);
	timer_delete(follow->ticks);
	free(follow);
}
