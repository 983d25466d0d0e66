/* SPDX-License-Identifier: MIT */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What COMMAND is made to. */
struct making {
	const struct options *options;
	bool to_stderr;
};

static int become(void *ctx)
{
	const struct making *making = ctx;
	const struct options *options = making->options;

	if (making->to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (!options->has_user)
		return 0;
	if (initgroups(options->user, options->user_gid) < 0 ||
	    setresgid(options->user_gid, options->user_gid, options->user_gid) < 0 ||
	    setresuid(options->user_uid, options->user_uid, options->user_uid) < 0)
		return -errno;
	return 0;
}

int child_start(struct child *child, const struct options *options, bool to_stderr)
{
	/* The child has a copy of it. */
	struct making making = { options, to_stderr };
	int err;

	*child = (struct child){ 0 };
	err = spawn(&child->spawned, options->command, become, &making);
	child->pid = err ? 0 : child->spawned.pid;
	return err;
}

int child_release(struct child *child)
{
	int err = spawn_release(&child->spawned, &child->status);

	child->has_ended = !child->spawned.pid;
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
	spawn_close(&child->spawned);
}
