/* SPDX-License-Identifier: MIT */
#include "lib/stop.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A blocked write or wait is interrupted this often once the end has begun. */
#define TICK_MS 50

volatile sig_atomic_t stop_give_up;
static volatile sig_atomic_t signal_seen;
static volatile sig_atomic_t ticks;
static timer_t timer;

void stop_begin(void)
{
	const struct itimerspec every = {
		.it_interval.tv_nsec = TICK_MS * 1000000L,
		.it_value.tv_nsec = TICK_MS * 1000000L,
	};

	timer_settime(timer, 0, &every, NULL);
}

static void on_signal(int number)
{
	int err = errno;

	/* timeout(1) sends its signal twice, to the process and to its group: that is one. */
	if (signal_seen && ticks > 0)
		_exit(128 + signal_seen);
	if (!signal_seen) {
		signal_seen = number;
		stop_begin();
	}
	errno = err;
}

static void on_tick(int number)
{
	static const char late[] = "Error: cut short, since ending took more than 5 s\n\n"
				   "The output may lack its end.\n";

	(void)number;
	ticks++;
	if (ticks * TICK_MS >= STOP_DRAIN_MS)
		stop_give_up = 1;
	if (ticks * TICK_MS >= STOP_WATCHDOG_MS) {
		ssize_t written = write(STDERR_FILENO, late, sizeof(late) - 1);

		(void)written;
		_exit(signal_seen ? 128 + signal_seen : 1);
	}
}

/* As it was before the handlers were installed. */
static const int changed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGXFSZ };
static struct sigaction old_actions[sizeof(changed) / sizeof(changed[0])];
static sigset_t old_mask;
static bool is_installed;

/* The first time only: later ones would keep what is this program's own. */
static void keep_old(void)
{
	if (is_installed)
		return;
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		sigaction(changed[i], NULL, &old_actions[i]);
	sigprocmask(SIG_SETMASK, NULL, &old_mask);
	is_installed = true;
}

void stop_undo(void)
{
	if (!is_installed)
		return;
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		sigaction(changed[i], &old_actions[i], NULL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
}

int stop_install(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t unblocked;

	keep_old();
	/* No SA_RESTART: a blocked call has to notice. */
	sigemptyset(&unblocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &action, NULL) < 0)
			return -errno;
		sigaddset(&unblocked, signals[i]);
	}

	struct sigaction tick = { .sa_handler = on_tick };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaddset(&unblocked, SIGALRM);
	if (sigaction(SIGALRM, &tick, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &unblocked, NULL) < 0)
		return -errno;
	return 0;
}

int stop_signal(void)
{
	return signal_seen;
}
