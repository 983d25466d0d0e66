/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_processes CHILDREN CALLS
 *
 * Makes children by fork(2), vfork(2), posix_spawn(3), clone(2) and clone3(2); some of them execute
 * this program again, one from a second thread; one becomes a daemon and outlives this process.
 */
#include "calls.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

extern char **environ;

static long nr_calls;
static char self[4096];
static char calls_text[32];
static char *const again[] = { self, (char *)"again", calls_text, NULL };

static void forked(void)
{
	if (fork() == 0) {
		make_calls(CALL_FORK, nr_calls);
		_exit(0);
	}
}

static void vforked(void)
{
	/* The child of a vfork may call what it likes as long as it does not return. */
	if (vfork() == 0) {
		make_calls(CALL_VFORK, nr_calls);
		execve(self, again, environ);
		_exit(1);
	}
}

static void spawned(void)
{
	pid_t pid;

	if (posix_spawn(&pid, self, NULL, NULL, again, environ))
		fail("posix_spawn");
}

static void cloned(void)
{
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L) == 0) {
		make_calls(CALL_FORK, nr_calls);
		_exit(0);
	}
}

static void cloned_with_size(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	if (syscall(SYS_clone3, &args, sizeof(args)) == 0) {
		make_calls(CALL_FORK, nr_calls);
		execve(self, again, environ);
		_exit(1);
	}
}

static void *execute(void *unused)
{
	make_calls(CALL_THREAD, nr_calls);
	execve(self, again, environ);
	return unused;
}

/* A child whose second thread executes a program: its first one is gone then. */
static void executed_by_thread(void)
{
	pthread_t thread;

	if (fork() != 0)
		return;
	make_calls(CALL_FORK, nr_calls);
	pthread_create(&thread, NULL, execute, NULL);
	pause();
	_exit(1);
}

/* Twice forked, as daemons are; its parent has ended by the time it calls. */
static void daemonized(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		fail("pipe");
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			close(ready[1]);
			/* End of file: both that made it are gone. */
			while (read(ready[0], &byte, 1) > 0)
				;
			make_calls(CALL_FORK, nr_calls);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	close(ready[0]);
	/* The other end is closed when this process ends. */
}

int main(int argc, char **argv)
{
	long nr = argc > 1 ? atol(argv[1]) : 2;

	nr_calls = argc > 2 ? atol(argv[2]) : 5;
	if (argc > 2 && strcmp(argv[1], "again") == 0) {
		make_calls(CALL_EXEC, nr_calls);
		return 0;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		fail("readlink");
	snprintf(calls_text, sizeof(calls_text), "%ld", nr_calls);
	make_calls(CALL_COMMAND, nr_calls);
	for (long i = 0; i < nr; i++) {
		forked();
		vforked();
		spawned();
		cloned();
		cloned_with_size();
		executed_by_thread();
	}
	reap(-1);
	daemonized();
	printf("command getppid %ld\n", nr_calls);
	printf("fork getpgid %ld\n", (4 * nr + 1) * nr_calls);
	printf("vfork getsid %ld\n", nr * nr_calls);
	printf("thread getpriority %ld\n", nr * nr_calls);
	printf("exec sched_getscheduler %ld\n", 4 * nr * nr_calls);
	return 0;
}
