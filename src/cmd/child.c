/* SPDX-License-Identifier: MIT */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int become(const struct options *options)
{
	if (!options->has_user)
		return 0;
	if (initgroups(options->user, options->user_gid) < 0 ||
	    setresgid(options->user_gid, options->user_gid, options->user_gid) < 0 ||
	    setresuid(options->user_uid, options->user_uid, options->user_uid) < 0)
		return -errno;
	return 0;
}

static void __attribute__((noreturn))
child_main(const struct options *options, bool to_stderr, int release, int failure)
{
	char byte;
	int err;

	/* End of file without a byte: the parent is gone or has given up. */
	if (read(release, &byte, 1) != 1)
		_exit(1);
	if (to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	err = become(options);
	if (!err) {
		execvp(options->command[0], options->command);
		err = -errno;
	}
	if (write(failure, &err, sizeof(err)) != sizeof(err))
		_exit(1);
	_exit(err == -ENOENT ? 127 : 126);
}

int child_start(struct child *child, const struct options *options, bool to_stderr)
{
	int release[2];
	int failure[2];

	*child = (struct child){ .release = -1, .failure = -1, .pidfd = -1 };
	if (pipe2(release, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failure, O_CLOEXEC) < 0) {
		int err = -errno;

		close(release[0]);
		close(release[1]);
		return err;
	}
	child->pid = fork();
	if (child->pid == 0) {
		close(release[1]);
		close(failure[0]);
		child_main(options, to_stderr, release[0], failure[1]);
	}
	close(release[0]);
	close(failure[1]);
	child->release = release[1];
	child->failure = failure[0];
	if (child->pid < 0) {
		int err = -errno;

		child->pid = 0;
		child_done(child);
		return err;
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0) {
		int err = -errno;

		child_done(child);
		return err;
	}
	return 0;
}

int child_release(struct child *child)
{
	int err = 0;
	ssize_t n = write(child->release, "r", 1);

	close(child->release);
	child->release = -1;
	if (n != 1)
		return -EIO;
	/* Exec closes the other end; a failure comes before that. */
	do {
		n = read(child->failure, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(err))
		return 0;
	/* It ends at once. */
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
	child->has_ended = true;
	return err;
}

/* Opens PATH if it is a program. Returns a descriptor or a negative errno. */
static int open_program(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111)
		return fd;
	close(fd);
	return -EACCES;
}

int child_open_program(const struct options *options, char path[static PATH_MAX])
{
	const char *name = options->command[0];
	const char *dirs = getenv("PATH");
	int fd = -ENOENT;

	if (strchr(name, '/')) {
		if (strlen(name) >= PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(path, name, strlen(name) + 1);
		return open_program(path);
	}
	while (fd < 0 && dirs && *dirs) {
		size_t size = strcspn(dirs, ":");
		int n = snprintf(path, PATH_MAX, "%.*s/%s", size ? (int)size : 1, size ? dirs : ".",
				 name);

		if (n < PATH_MAX)
			fd = open_program(path);
		dirs += dirs[size] ? size + 1 : size;
	}
	return fd;
}

void child_poll(struct child *child)
{
	if (child->pid && !child->has_ended &&
	    waitpid(child->pid, &child->status, WNOHANG) == child->pid)
		child->has_ended = true;
}

int child_exit_status(const struct child *child)
{
	if (WIFSIGNALED(child->status))
		return 128 + WTERMSIG(child->status);
	return WEXITSTATUS(child->status);
}

void child_done(struct child *child)
{
	if (child->release >= 0) {
		close(child->release);
		while (child->pid && waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (child->failure >= 0)
		close(child->failure);
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->release = child->failure = child->pidfd = -1;
}
