/* SPDX-License-Identifier: MIT */
/*
 * Processes below this one, each of which opens a file DIR/N.pem of its own, made if need be, and
 * writes "N PID PPID" into DIR/pids. Waits for all of them.
 *
 *	five DIR        five children, one after the other; all open DIR/0.pem too, as this one does
 *	chain DIR NR    NR generations below this one, each the child of the one before
 *	many DIR NR     NR children that end at once, up to 16 at a time
 *	alive DIR NR    NR children, all at a time, which do nothing until there is DIR/go
 *	keep DIR        none: opens files of its own, one each ms, and keeps them open, until
 *			there is DIR/stop; then writes how many into DIR/opened, and stays
 *
 * usage: tree KIND DIR [NR]
 */
#include "../support/trigger.h"

#include <limits.h>

#define AT_A_TIME 16

static const char *dir;
static int pids;

static void open_own(int number)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d.pem", dir, number);
	close((int)must(open(path, O_RDONLY | O_CREAT, 0644)));
}

static void tell(int number)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%d %d %d\n", number, getpid(), getppid());

	if (write(pids, text, (size_t)size) != size)
		die("write");
}

static void five(void)
{
	open_own(0);
	for (int i = 1; i <= 5; i++) {
		pid_t pid = (pid_t)must(fork());

		if (pid == 0) {
			tell(i);
			open_own(i);
			open_own(0);
			_exit(0);
		}
		wait_good(pid);
	}
}

static void chain(int number, int last)
{
	pid_t pid;

	if (number > 0) {
		tell(number);
		open_own(number);
	}
	if (number == last)
		return;
	pid = (pid_t)must(fork());
	if (pid == 0) {
		chain(number + 1, last);
		_exit(0);
	}
	wait_good(pid);
}

static void many(int count)
{
	int nr_alive = 0;

	for (int i = 1; i <= count; i++) {
		if (nr_alive == AT_A_TIME) {
			wait_good(-1);
			nr_alive--;
		}
		if (must(fork()) == 0) {
			tell(i);
			open_own(i);
			_exit(0);
		}
		nr_alive++;
	}
	for (; nr_alive > 0; nr_alive--)
		wait_good(-1);
}

static int make(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return (int)must(open(path, O_RDWR | O_CREAT, 0644));
}

static void keep(void)
{
	const struct timespec pause_ms = { .tv_nsec = 1000000 };
	char stop[PATH_MAX];
	char name[32];
	int nr_opened = 0;

	snprintf(stop, sizeof(stop), "%s/stop", dir);
	while (access(stop, F_OK) < 0) {
		snprintf(name, sizeof(name), "%d.pem", ++nr_opened);
		make(name);
		nanosleep(&pause_ms, NULL);
	}
	dprintf(make("opened"), "%d\n", nr_opened);
	for (;;)
		pause();
}

/* The end of a pipe lets all of them go on at once. */
static void alive(int count)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	char path[PATH_MAX];
	char byte;
	int go[2];

	must(pipe(go));
	for (int i = 1; i <= count; i++) {
		if (must(fork()) > 0)
			continue;
		close(go[1]);
		tell(i);
		if (read(go[0], &byte, 1) < 0)
			die("read");
		open_own(i);
		_exit(0);
	}
	snprintf(path, sizeof(path), "%s/go", dir);
	while (access(path, F_OK) < 0)
		nanosleep(&pause, NULL);
	close(go[1]);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	int count;

	if (argc < 3)
		return 2;
	dir = argv[2];
	count = argc > 3 ? atoi(argv[3]) : 0;
	snprintf(path, sizeof(path), "%s/pids", dir);
	pids = (int)must(open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
	if (strcmp(argv[1], "five") == 0)
		five();
	else if (strcmp(argv[1], "chain") == 0)
		chain(0, count);
	else if (strcmp(argv[1], "many") == 0)
		many(count);
	else if (strcmp(argv[1], "alive") == 0)
		alive(count);
	else if (strcmp(argv[1], "keep") == 0)
		keep();
	else
		return 2;
	return 0;
}
