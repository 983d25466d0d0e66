/* SPDX-License-Identifier: MIT */
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0 is none, as in a zeroed struct: main() sees that standard descriptors are never ours. */
static void close_own(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

int spawn_failed(int err)
{
	return err == -ENOENT ? 127 : 126;
}

/* What a process becomes. */
struct becoming {
	char *const *argv;
	int (*prepare)(void *ctx);
	void *ctx;
};

/* Reads what is there, in spite of signals. Returns as read(2), or a negative errno. */
static ssize_t take(int fd, void *bytes, size_t size)
{
	ssize_t n;

	do
		n = read(fd, bytes, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Writes so few bytes that a pipe takes all of them or none, in spite of signals. As take(). */
static ssize_t give(int fd, const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = write(fd, bytes, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void __attribute__((noreturn))
child_main(const struct becoming *becoming, int release, int failure)
{
	char byte;
	ssize_t n = take(release, &byte, 1);
	int err = n < 0 ? (int)n : 0;

	/* End of file without a byte: who made it is gone or has given up. */
	if (n == 0)
		_exit(1);
	if (!err && becoming->prepare)
		err = becoming->prepare(becoming->ctx);
	if (!err) {
		execvp(becoming->argv[0], becoming->argv);
		err = -errno;
	}
	if (give(failure, &err, sizeof(err)) != sizeof(err))
		_exit(1);
	_exit(spawn_failed(err));
}

int spawn(struct spawned *spawned, char *const *argv, int (*prepare)(void *ctx), void *ctx)
{
	const struct becoming becoming = { argv, prepare, ctx };
	int release[2], failure[2];
	int err = 0;

	*spawned = (struct spawned){ .pidfd = -1, .release = -1, .failure = -1 };
	if (pipe2(release, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failure, O_CLOEXEC) < 0) {
		err = -errno;
		close(release[0]);
		close(release[1]);
		return err;
	}
	spawned->pid = fork();
	if (spawned->pid < 0)
		err = -errno;
	if (spawned->pid == 0) {
		close(release[1]);
		close(failure[0]);
		child_main(&becoming, release[0], failure[1]);
	}
	close(release[0]);
	close(failure[1]);
	spawned->release = release[1];
	spawned->failure = failure[0];
	if (!err) {
		spawned->pidfd = (int)syscall(SYS_pidfd_open, spawned->pid, 0);
		/* Before Linux 5.3 there is none: pidfd_open(2). */
		if (spawned->pidfd < 0 && errno != ENOSYS)
			err = -errno;
	}
	if (err) {
		spawned->pid = spawned->pid > 0 ? spawned->pid : 0;
		spawn_close(spawned);
	}
	return err;
}

int spawn_release(struct spawned *spawned, int *ret_status)
{
	int err = 0;
	ssize_t n = give(spawned->release, "r", 1);

	/* It waits on: others may have this end, too, so that closing it here might not end it. */
	if (n < 0 && n != -EPIPE)
		return (int)n;
	close_own(&spawned->release);
	if (n < 0)
		err = (int)n;
	/* Exec closes the other end; a failure comes before that. */
	else if (take(spawned->failure, &err, sizeof(err)) != sizeof(err))
		err = 0;
	close_own(&spawned->failure);
	if (err)
		spawn_reap(spawned, ret_status);
	return err;
}

int spawn_reap(struct spawned *spawned, int *ret_status)
{
	int status = 0;

	if (!spawned->pid)
		return -ECHILD;
	while (waitpid(spawned->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	spawned->pid = 0;
	*ret_status = status;
	return 0;
}

void spawn_close(struct spawned *spawned)
{
	bool was_held = spawned->release > 0;
	int status;

	close_own(&spawned->release);
	close_own(&spawned->failure);
	close_own(&spawned->pidfd);
	if (was_held)
		spawn_reap(spawned, &status);
	spawned->pid = 0;
}
