/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TAP_SERVER_H
#define TESTS_TAP_SERVER_H

/*
 * Servers that are processes of their own and answer with their pids. For tests of one program,
 * after traffic.h and tapped.h.
 */

#include "tap/traffic.h"

#include <signal.h>
#include <sys/prctl.h>

/* What a server answers with: its pid. */
static inline void answer(int fd)
{
	pid_t pid = getpid();

	must(send(fd, HELLO, 1, MSG_NOSIGNAL));
	must(send(fd, &pid, sizeof(pid), MSG_NOSIGNAL));
}

static inline void take(int fd, size_t size)
{
	char bytes[SIZE];

	if (recv(fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
		_exit(1);
}

static int ready[2] = { -1, -1 };

/* Listens: the first act of a server. */
static inline void be_server(int listener)
{
	must(listen(listener, 100));
	must(write(ready[1], "", 1));
}

/* Runs SERVE with LISTENER in a process of its own, which ends with this one. */
static inline pid_t start(void (*serve)(int listener), int listener)
{
	char byte;
	pid_t pid;

	must(pipe2(ready, O_CLOEXEC));
	pid = (pid_t)must(fork());
	if (pid) {
		close(ready[1]);
		/* Nothing, when it is no server. */
		must(read(ready[0], &byte, 1));
		close(ready[0]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	serve(listener);
	_exit(0);
}

static inline void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* What a client does with FD, connected: returns the pid that answered, and closes FD. */
static inline pid_t ask(int fd)
{
	char mark;
	pid_t pid;

	must(send(fd, HELLO, SIZE, MSG_NOSIGNAL));
	if (recv(fd, &mark, 1, MSG_WAITALL) != 1 ||
	    recv(fd, &pid, sizeof(pid), MSG_WAITALL) != sizeof(pid))
		abort();
	close(fd);
	return pid;
}

/* When PID was made, in ticks since boot: proc(5), the 22nd of /proc/PID/stat. */
static inline unsigned long long start_of(pid_t pid)
{
	unsigned long long start = 0;
	char path[64];
	char text[1024] = "";
	char *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		abort();
	close(fd);
	at = strrchr(text, ')');
	for (int i = 2; i < 22 && at; i++)
		at = strchr(at + 1, ' ');
	assert_non_null(at);
	start = strtoull(at + 1, NULL, 10);
	return start;
}

static inline void check_owner(const struct tap_connection *end, pid_t pid,
			       unsigned long long start)
{
	assert_int_equal(end->owner, pid);
	assert_false(end->is_listeners);
	if (start)
		assert_int_equal(end->owner_ns / (1000000000 / sysconf(_SC_CLK_TCK)), start);
}

#endif /* TESTS_TAP_SERVER_H */
