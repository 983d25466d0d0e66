/* SPDX-License-Identifier: MIT */
/*
 * usage: calls_signals CALLS
 *
 * Interrupted calls, calls in a handler, and calls before and behind SIGUSR1 and SIGUSR2: as points
 * these are where the phases begin.
 */
#include "calls.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static long nr_calls;

static void on_usr1(int number)
{
	(void)number;
	make_calls(CALL_FORK, nr_calls);
}

static void on_usr2(int number)
{
	(void)number;
}

static void on_alarm(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = on_usr1 };

	nr_calls = argc > 1 ? atol(argv[1]) : 5;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = on_usr2;
	sigaction(SIGUSR2, &action, NULL);
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
	make_calls(CALL_COMMAND, nr_calls);
	/* Returns in the handler first. */
	kill(getpid(), SIGUSR1);
	make_calls(CALL_THREAD, nr_calls);
	raise(SIGUSR2);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (pause() == 0 || errno != EINTR)
		fail("pause");
	make_calls(CALL_EXEC, nr_calls);
	printf("0 getppid %ld\n", nr_calls);
	printf("1 getpgid %ld\n", nr_calls);
	printf("1 getpriority %ld\n", nr_calls);
	printf("2 sched_getscheduler %ld\n", nr_calls);
	return 0;
}
