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

static void __attribute__((noreturn))
child_main(const struct becoming *becoming, int release, int failure)
{
	char byte;
	int err;

	/* End of file without a byte: who made it is gone or has given up. */
	if (read(release, &byte, 1) != 1)
		_exit(1);
	err = becoming->prepare ? becoming->prepare(becoming->ctx) : 0;
	if (!err) {
		execvp(becoming->argv[0], becoming->argv);
		err = -errno;
	}
	if (write(failure, &err, sizeof(err)) != sizeof(err))
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
	ssize_t n = write(spawned->release, "r", 1);

	close_own(&spawned->release);
	if (n != 1)
		return -EIO;
	/* Exec closes the other end; a failure comes before that. */
	do {
		n = read(spawned->failure, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close_own(&spawned->failure);
	if (n != sizeof(err))
		return 0;
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
