/* SPDX-License-Identifier: MIT */
/* Makes processes in all the ways there are, and things that look alike. */
#include "../../support/trigger.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>

#define STACK_SIZE (64U << 10)

static char stack[STACK_SIZE] __attribute__((aligned(16)));

/* Expects the fork of CHILD by PARENT, which was called NAME at that moment. */
static void expect_fork(pid_t child, pid_t parent, const char *name)
{
	line_begin("process_fork", child, parent, getuid(), name);
	line_end();
}

static void by_fork(void)
{
	pid_t child = (pid_t)must(fork());

	if (child == 0)
		_exit(0);
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

static void by_vfork(void)
{
	pid_t child = (pid_t)must(vfork());

	if (child == 0)
		_exit(0);
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

static void by_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t child = (pid_t)must(syscall(SYS_clone3, &args, sizeof(args)));

	if (child == 0)
		_exit(0);
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

static void by_spawn(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };
	char *const envp[] = { NULL };
	pid_t child;

	if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, envp))
		die("posix_spawn");
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

static int end_at_once(void *unused)
{
	(void)unused;
	_exit(0);
}

/* Shares the memory, but is a process of its own. */
static void sharing_memory(void)
{
	pid_t child = (pid_t)must(clone(end_at_once, stack + STACK_SIZE, CLONE_VM | SIGCHLD, NULL));

	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

/* Its parent is not the one that made it. */
static void as_sibling(void)
{
	pid_t child = (pid_t)must(fork());

	if (child == 0) {
		struct clone_args args = { .flags = CLONE_PARENT };

		pid_t sibling = (pid_t)must(syscall(SYS_clone3, &args, sizeof(args)));

		if (sibling == 0)
			_exit(0);
		expect_fork(sibling, getppid(), own_name());
		_exit(0);
	}
	wait_good(child);
	expect_fork(child, getpid(), own_name());
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void of_three_generations(void)
{
	pid_t child = (pid_t)must(fork());

	if (child == 0) {
		pid_t grandchild = (pid_t)must(fork());

		if (grandchild == 0) {
			pid_t last = (pid_t)must(fork());

			if (last == 0)
				_exit(0);
			wait_good(last);
			expect_fork(last, getpid(), own_name());
			_exit(0);
		}
		wait_good(grandchild);
		expect_fork(grandchild, getpid(), own_name());
		_exit(0);
	}
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

static void *nothing(void *unused)
{
	return unused;
}

static void threads_are_none(void)
{
	pthread_t threads[8];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		if (pthread_create(&threads[i], NULL, nothing, NULL))
			die("pthread_create");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

/* The child's only thread is a copy of the one that forks: it is called like that one. */
static void *fork_in_thread(void *name)
{
	must(prctl(PR_SET_NAME, "a thread"));

	pid_t child = (pid_t)must(fork());

	if (child == 0)
		_exit(0);
	wait_good(child);
	(void)name;
	expect_fork(child, getpid(), "a thread");
	return NULL;
}

static void by_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fork_in_thread, NULL))
		die("pthread_create");
	pthread_join(thread, NULL);
}

/* Neither a new name nor a new user is a fork; what is forked then has both. */
static void renamed_and_another_user(void)
{
	pid_t child = (pid_t)must(fork());

	if (child == 0) {
		must(prctl(PR_SET_NAME, "new \"name\""));
		must(setresuid(65534, 65534, 65534));

		pid_t grandchild = (pid_t)must(fork());

		if (grandchild == 0)
			_exit(0);
		wait_good(grandchild);
		expect_fork(grandchild, getpid(), "new \"name\"");
		_exit(0);
	}
	wait_good(child);
	expect_fork(child, getpid(), own_name());
}

/* A fork that fails makes nothing. */
static void failing(void)
{
	struct clone_args args = { .flags = CLONE_THREAD, .exit_signal = SIGCHLD };

	if (syscall(SYS_clone3, &args, sizeof(args)) >= 0 || errno != EINVAL)
		die("clone3 was to fail");
}

static const struct test_case cases[] = {
	{ "fork", by_fork },
	{ "vfork", by_vfork },
	{ "clone3", by_clone3 },
	{ "posix_spawn", by_spawn },
	{ "sharing memory", sharing_memory },
	{ "as a sibling", as_sibling },
	{ "three generations", of_three_generations },
	{ "threads", threads_are_none },
	{ "by a thread", by_a_thread },
	{ "rename and setuid", renamed_and_another_user },
	{ "failing", failing },
};

/* In this process itself: what the cases do is all that may be reported. */
int main(int argc, char **argv)
{
	(void)argc;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		case_name = cases[i].name;
		if (is_asked(case_name, argv + 1))
			cases[i].run();
	}
	return 0;
}
