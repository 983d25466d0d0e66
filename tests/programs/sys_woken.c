/* SPDX-License-Identifier: MIT */
/*
 * A thread waits for events while children end and signals come that nobody handles: nothing of
 * that wakes it. Status 1 when something did.
 */
#include "../support/trigger.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

static volatile int result = -1;

static void *wait_for_events(void *unused)
{
	struct epoll_event event;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	result = epoll_wait(fd, &event, 1, 700);
	return unused;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	sigset_t set;
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_events, NULL))
		die("pthread_create");
	nanosleep(&pause, NULL);
	/* So that they go to the other thread. */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 10; i++) {
		pid_t pid = (pid_t)must(fork());

		if (pid == 0)
			_exit(0);
		nanosleep(&pause, NULL);
		wait_good(pid);
		kill(getpid(), SIGWINCH);
	}
	pthread_join(thread, NULL);
	return result == 0 ? 0 : 1;
}
