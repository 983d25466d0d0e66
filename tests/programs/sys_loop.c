/* SPDX-License-Identifier: MIT */
/*
 * Two processes, the second a child of the first, each with threads that spin, make calls, sleep
 * and wait for events. Says "ready PID PID", in one line. On SIGUSR1 each calls never() and ends,
 * with "undisturbed" unless one of its threads was interrupted in what it waited for. On SIGUSR2 it
 * calls never(), says "called" and goes on.
 */
#include "../support/trigger.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static volatile sig_atomic_t is_told;
static volatile sig_atomic_t is_passing;
static volatile int is_disturbed;

void never(void);

__attribute__((noinline)) void never(void)
{
	static volatile int calls;

	calls++;
}

static void *spin(void *unused)
{
	static volatile unsigned long rounds;

	for (;;)
		rounds++;
	return unused;
}

static void *make_calls(void *unused)
{
	for (;;)
		syscall(SYS_getppid);
	return unused;
}

static void *wait_long(void *unused)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_wait(fd, &event, 1, -1);
	is_disturbed = 1;
	return unused;
}

static void *sleep_long(void *unused)
{
	const struct timespec pause = { .tv_sec = 1000 };

	nanosleep(&pause, NULL);
	is_disturbed = 1;
	return unused;
}

static void on_signal(int number)
{
	if (number == SIGUSR1)
		is_told = 1;
	else
		is_passing = 1;
}

/* Threads do not get it: it would disturb them. */
static void start_threads(void)
{
	static void *(*const routines[])(void *) = { spin, make_calls, wait_long, sleep_long };
	sigset_t told;
	pthread_t thread;

	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	sigaddset(&told, SIGUSR2);
	sigprocmask(SIG_BLOCK, &told, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(routines); i++)
		if (pthread_create(&thread, NULL, routines[i], NULL))
			die("pthread_create");
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	sigprocmask(SIG_UNBLOCK, &told, NULL);
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	pid_t parent = getpid();
	pid_t child = (pid_t)must(fork());

	start_threads();
	if (child)
		dprintf(STDOUT_FILENO, "ready %d %d\n", parent, child);
	while (!is_told) {
		nanosleep(&pause, NULL);
		if (is_passing) {
			is_passing = 0;
			never();
			if (write(STDOUT_FILENO, "called\n", 7) != 7)
				return 1;
		}
	}
	never();
	if (!is_disturbed && write(STDOUT_FILENO, "undisturbed\n", 12) != 12)
		return 1;
	return 0;
}
